"""Good records of the ERP, settings that fit the boards, and a client on the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from mlc_dagster.core.facts import CompanyMapping, Facts, LedgerAccount
from mlc_dagster.core.outcomes import Draft, Outcome
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.monday.api import TOKEN
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.monday.api import CURE, classifier
from mlc_dagster.systems.monday.client import MondayClient
from mlc_dagster.systems.monday.mapping import invoice_from_proposal
from mlc_dagster.systems.monday.records import INVOICES
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.transport.client import ApiClient, LocalBudget
from mlc_dagster.transport.sign_in import HeaderKeys

EVER = datetime(1970, 1, 1, tzinfo=UTC)
SUPPLIER_BOARD, INVOICE_BOARD = "11", "22"
COLUMNS = {"amount": "Amount", "due_date": "Due", "status": "Status", "currency": "Currency", "supplier": "Supplier"}
SETTINGS: dict[str, Any] = {
    "boards": {
        "suppliers": {"board": SUPPLIER_BOARD, "columns": {"country": "Country"}},
        "invoices": {"board": INVOICE_BOARD, "columns": COLUMNS},
    }
}


def settings(**changes: Any) -> MondaySettings:
    return MondaySettings.model_validate({**SETTINGS, **changes})


class Clock:
    """Waiting takes no time, and moves this clock."""

    def __init__(self) -> None:
        self.now, self.slept, self.began = 0.0, 0.0, datetime.now(UTC)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds

    def wall(self) -> datetime:
        return self.began + timedelta(seconds=self.now)


def client_on(
    box: Sandbox,
    clock: Clock | None = None,
    *,
    max_attempts: int = 8,
    token: str = TOKEN,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    **changes: Any,
) -> MondayClient:
    found, ticking = settings(**changes), clock or Clock()
    budget = LocalBudget(clock=ticking, sleep=ticking.sleep)
    api = ApiClient(
        "monday",
        f"{box.url}/monday",
        auth=HeaderKeys({"Authorization": token}, cure=CURE),
        headers={"API-Version": found.api_version},
        budget=budget,
        timeout=5.0,
        classify=classifier(found.api_version),
        proof=None,
        max_attempts=max_attempts,
        clock=ticking,
        sleep=ticking.sleep,
    )
    return MondayClient(
        api,
        budget,
        found.options(),
        points_per_minute=found.points_per_minute,
        create_columns=found.create_columns,
        create_labels=found.create_labels,
        clock=ticking,
        wall=wall,
    )


def facts(delivered: dict[str, str] | None = None, **changes: Any) -> Facts:
    known: dict[str, Any] = {
        "companies": {"0010": CompanyMapping("0010", "SEK")},
        "accounts": {("0010", code): LedgerAccount("0010", code) for code in ("4010", "2440")},
        "options": settings().options(),
        "delivered": {"monday/suppliers": delivered or {}},
    }
    return Facts(**{**known, **changes})


def proposal(number: int = 7, **changes: Any) -> ifs.PostingProposal:
    good: dict[str, Any] = {
        "company": "0010",
        "proposal_id": number,
        "invoice_no": f"F-{number}",
        "supplier_id": "S100",
        "due_date": date(2026, 12, 31),
        "currency_code": "SEK",
        "gross_amount": Decimal("156.25"),
        "obj_state": "Open",
        "lines": (ifs.PostingProposalLine(row_id=1, account="4010", code_b="CC100"),),
    }
    return ifs.PostingProposal(**{**good, **changes})


def drafts(numbers: Iterable[int], known: Facts | None = None, **changes: Any) -> list[Draft]:
    """Drafts of a first load."""
    found = known or facts()
    items = [invoice_from_proposal(proposal(number, **changes), found) for number in numbers]
    return [Draft(item.key, item, None, EVER) for item in items]


def save(client: MondayClient, drafts: Iterable[Draft]) -> list[Outcome]:
    return list(client.save(INVOICES, drafts))


def creations(box: Sandbox) -> list[int]:
    """The number of items of each request that made some."""
    return [len(each["body"]) for each in box.journal("monday") if each["path"].endswith("create_item")]
