"""What was delivered, tried, held and read, in one database. The only room that knows SQL."""

from mlc_dagster.ledger.coordination.accounts import AccountRefused, KnownAccount
from mlc_dagster.ledger.coordination.inbox import Inbox, InboxEvent
from mlc_dagster.ledger.coordination.leases import Lease, LeaseLost, boot_time
from mlc_dagster.ledger.coordination.pauses import Pause, Paused
from mlc_dagster.ledger.coordination.work_entries import PAUSED, SLICE, THROTTLED, Failure, Task
from mlc_dagster.ledger.database import place_of
from mlc_dagster.ledger.entries import AsOf, Attempt, Decision, Event, Held, HoldEntry, PullEntry, Run, Standing
from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster.ledger.records.audits import ExportedLine
from mlc_dagster.ledger.records.verifying import Fault, Verification
from mlc_dagster.ledger.records.verifying_rows import Differs

__all__ = [
    "PAUSED",
    "SLICE",
    "THROTTLED",
    "AccountRefused",
    "AsOf",
    "Attempt",
    "Decision",
    "Differs",
    "Event",
    "ExportedLine",
    "Failure",
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
    "PullEntry",
    "Run",
    "Standing",
    "Task",
    "Verification",
    "boot_time",
    "place_of",
]
