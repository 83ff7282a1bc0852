"""What was delivered, tried, held and read, in one database. The only room that knows SQL."""

from mlc_dagster.ledger.database import place_of
from mlc_dagster.ledger.entries import Attempt, Decision, Event, Held, HoldEntry, PullEntry, Run, Standing
from mlc_dagster.ledger.inbox import Inbox, InboxEvent
from mlc_dagster.ledger.leases import Lease, LeaseLost
from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster.ledger.pauses import Pause, Paused
from mlc_dagster.ledger.verifying import Fault, Verification

__all__ = [
    "Attempt",
    "Decision",
    "Event",
    "Fault",
    "Held",
    "HoldEntry",
    "Inbox",
    "InboxEvent",
    "Lease",
    "LeaseLost",
    "Ledger",
    "Pause",
    "Paused",
    "PullEntry",
    "Run",
    "Standing",
    "Verification",
    "place_of",
]
