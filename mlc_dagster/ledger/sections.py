"""The sections of the ledger that are asked by their own name: `ledger.pauses`, `ledger.history` and so on."""

from __future__ import annotations

from mlc_dagster.ledger.coordination.accounts import Accounts
from mlc_dagster.ledger.coordination.alerts import Alerts
from mlc_dagster.ledger.coordination.budgets import Quotas
from mlc_dagster.ledger.coordination.inbox import Inbox
from mlc_dagster.ledger.coordination.pauses import Pauses
from mlc_dagster.ledger.coordination.work import Work
from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.records.accepts_taken_back import AcceptsTakenBack
from mlc_dagster.ledger.records.action_requests import ActionRequests
from mlc_dagster.ledger.records.agreements import Agreements
from mlc_dagster.ledger.records.audits import LedgerAudit
from mlc_dagster.ledger.records.bank_marks import BankMarks
from mlc_dagster.ledger.records.causes import Causes
from mlc_dagster.ledger.records.close_rows import CloseRows
from mlc_dagster.ledger.records.closed_items import ClosedItems
from mlc_dagster.ledger.records.closes import Closes
from mlc_dagster.ledger.records.contents import Contents
from mlc_dagster.ledger.records.decisions import LedgerDecisions
from mlc_dagster.ledger.records.differences import Differences
from mlc_dagster.ledger.records.explanations import Explanations
from mlc_dagster.ledger.records.gone import Gone
from mlc_dagster.ledger.records.history import LedgerHistory
from mlc_dagster.ledger.records.loads import Loads
from mlc_dagster.ledger.records.looks import Looks
from mlc_dagster.ledger.records.masters import Masters
from mlc_dagster.ledger.records.open_item_trend import OpenItemTrend
from mlc_dagster.ledger.records.open_items import OpenItems
from mlc_dagster.ledger.records.owners import Owners
from mlc_dagster.ledger.records.posted import LedgerPosted
from mlc_dagster.ledger.records.proposals import Proposals
from mlc_dagster.ledger.records.reads import Reads
from mlc_dagster.ledger.records.review_notes import ReviewNotes
from mlc_dagster.ledger.records.saved_filters import SavedFilters
from mlc_dagster.ledger.records.selections import Selections
from mlc_dagster.ledger.records.settings_history import SettingsHistory
from mlc_dagster.ledger.records.shadow import Shadow
from mlc_dagster.ledger.records.sightings import LedgerSightings
from mlc_dagster.ledger.records.stakes import Stakes
from mlc_dagster.ledger.records.stale import Stale
from mlc_dagster.ledger.records.stock import LedgerStock
from mlc_dagster.ledger.records.stored import Stored
from mlc_dagster.ledger.records.sweeps import Sweeps
from mlc_dagster.ledger.records.tags import Tags
from mlc_dagster.ledger.records.taking_back import TakingBack
from mlc_dagster.ledger.records.users import Users
from mlc_dagster.ledger.records.ways_back import LedgerWaysBack
from mlc_dagster.ledger.upkeep.soundness import Keeping


class Sections:
    """Each with tables of its own, in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sightings = LedgerSightings(database)
        self.decisions = LedgerDecisions(database)
        self.history = LedgerHistory(database)
        self.audit = LedgerAudit(database)
        self.quotas = Quotas(database)
        self.causes = Causes(database)
        self.closed_items = ClosedItems(database)
        self.closes = Closes(database)
        self.close_rows = CloseRows(database)
        self.contents = Contents(database)
        self.differences = Differences(database)
        self.posted = LedgerPosted(database)
        self.bank_marks = BankMarks(database)
        self.gone = Gone(database)
        self.looks = Looks(database)
        self.masters = Masters(database)
        self.owners = Owners(database)
        self.open_items = OpenItems(database)
        self.tags = Tags(database)
        self.trend = OpenItemTrend(database)
        self.people = LedgerWaysBack(database)
        self.proposals = Proposals(database)
        self.explanations = Explanations(database)
        self.accepts_taken_back = AcceptsTakenBack(database)
        self.saved_filters = SavedFilters(database)
        self.action_requests = ActionRequests(database)
        self.notes = ReviewNotes(database)
        self.selections = Selections(database)
        self.taking_back = TakingBack(database)
        self.users = Users(database)
        self.reads = Reads(database)
        self.agreements = Agreements(database)
        self.inbox = Inbox(database)
        self.accounts = Accounts(database)
        self.pauses = Pauses(database)
        self.work = Work(database)
        self.loads = Loads(database)
        self.alerts = Alerts(database)
        self.settings_history = SettingsHistory(database)
        self.shadow = Shadow(database)
        self.stale = Stale(database)
        self.stock = LedgerStock(database)
        self.stored = Stored(database)
        self.stakes = Stakes(database)
        self.sweeps = Sweeps(database)
        self.keeping = Keeping(database)
