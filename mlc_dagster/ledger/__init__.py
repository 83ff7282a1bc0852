"""What was delivered, tried, held and read, in one database. The only room that knows SQL."""

from mlc_dagster.ledger.coordination.accounts import AccountRefused, KnownAccount
from mlc_dagster.ledger.coordination.inbox import Inbox, InboxEvent
from mlc_dagster.ledger.coordination.leases import Lease, LeaseLost, boot_time
from mlc_dagster.ledger.coordination.pauses import SLICE, THROTTLED, Pause, Paused, PausedLoad
from mlc_dagster.ledger.database import place_of
from mlc_dagster.ledger.entries import Attempt, Decision, Event, Held, HoldEntry, PullEntry, Run, Standing
from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster.ledger.records.audits import ExportedLine
from mlc_dagster.ledger.records.verifying import Fault, Verification
from mlc_dagster.ledger.records.verifying_rows import Differs

__all__ = [
    "SLICE",
    "THROTTLED",
    "AccountRefused",
    "Attempt",
    "Decision",
    "Differs",
    "Event",
    "ExportedLine",
    "Fault",
    "Held",
    "HoldEntry",
    "Inbox",
    "InboxEvent",
    "KnownAccount",
    "Lease",
    "LeaseLost",
    "Ledger",
    "Pause",
    "Paused",
    "PausedLoad",
    "PullEntry",
    "Run",
    "Standing",
    "Verification",
    "boot_time",
    "place_of",
]
