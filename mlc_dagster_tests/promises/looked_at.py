"""What happens in a source between the read and the load, of every kind of flow: deleted, or taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises.journey import Journey, days, flow_of, settings_at
from mlc_dagster_tests.promises.kinds import KINDS, PLENTY, Kind, books, now

Act = Callable[[Sandbox], str]
"""What a person does in the source to one record; its key."""


@dataclass
class Prepared:
    """A flow of which all is read and prepared, and nothing is loaded."""

    box: Sandbox
    ledger: Ledger
    store: RowStore
    kind: Kind
    journeys: list[Journey] = field(default_factory=list)

    def journey(self, flow: str = "") -> Journey:
        """A run of its own, with clients that have seen nothing."""
        name = f"run{len(self.journeys)}"
        made = Journey(flow_of(flow or self.kind.flow), settings_at(self.box.url), self.ledger, self.store, name)
        self.journeys.append(made)
        return made

    def prepare(self) -> None:
        journey = self.journey()
        for day in days():
            journey.read(day)
        facts = journey.facts()
        for day in days():
            journey.prepare(day, facts)

    def load(self, *, is_old: bool = True) -> Loaded:
        """Both days, in a run that has read nothing itself."""
        journey, total = self.journey(), Loaded()
        for day in days():
            loaded = journey.load(day, journey.second_read(day, is_old=is_old))
            for name, value in vars(loaded).items():
                if isinstance(value, int) and not isinstance(value, bool):
                    setattr(total, name, getattr(total, name) + value)
            total.reasons |= loaded.reasons
        return total

    def held(self) -> list[tuple[str, ...]]:
        return self.kind.held(self.box)

    def events(self, key: str) -> list[str]:
        return [line.event.value for line in self.ledger.trail(self.kind.flow, key)]

    def holds(self) -> dict[str, str]:
        return {hold.key: "; ".join(hold.rules) for hold in self.ledger.open_holds(self.kind.flow)}


@contextmanager
def prepared(kind: Kind, ledger: Ledger, folder: Path) -> Iterator[Prepared]:
    with Sandbox(seed="empty", limits=PLENTY) as box:
        books(box)
        kind.fill(box)
        found = Prepared(box, ledger, RowStore(str(folder / "rows"), ledger.stored), kind)
        for flow in kind.first:
            found.journey(flow).make()
        found.prepare()
        yield found


@contextmanager
def empty(flow: str, ledger: Ledger, folder: Path) -> Iterator[Prepared]:
    """A flow over systems that have nothing yet."""
    with Sandbox(seed="empty", limits=PLENTY) as box:
        kind = Kind(flow, lambda box: None, lambda box: [])
        yield Prepared(box, ledger, RowStore(str(folder / "rows"), ledger.stored), kind)


def kind_of(flow: str) -> Kind:
    return next(kind for kind in KINDS if kind.flow == flow)


# --- deleted ----------------------------------------------------------------------------------------------------------


def _of_ifs(name: str, key: str, **keys: Any) -> Act:
    def act(box: Sandbox) -> str:
        box.ifs.delete(name, **keys)
        return key

    return act


def _without(system: str, shelf: str, nth: int = 0) -> Act:
    """A SaaS that does not have one of its records any more."""

    def act(box: Sandbox) -> str:
        part = getattr(box, system)
        kept = part.remembered()
        rows = kept[shelf]
        if isinstance(rows, dict):
            key = list(rows)[nth]
            del rows[key]
        else:
            row = rows.pop(nth)
            key = row[IDS[shelf]]
        part.recall(kept)
        return str(key).replace("-", "") if shelf == "bills" else str(key)

    return act


IDS = {"ledger_entries": "airbase_id", "bills": "uuid", "purchase_orders": "procurify_PO", "vendors": "id"}
SUPPLIER = _of_ifs("SupplierSet", "S1", SupplierId="S1")
ORDER = _of_ifs("PurchaseOrderSet", "P1", OrderNo="P1")
PROPOSAL = _of_ifs("PostingProposalHeadSet", "0010/2", Company="0010", ProposalId=2)
DELETED: dict[str, Act] = {
    "cin7/suppliers": SUPPLIER,
    "cin7/purchases": ORDER,
    "cin7/purchase_invoices": PROPOSAL,
    "hubspot/supplier_companies": SUPPLIER,
    "hubspot/invoices": PROPOSAL,
    "hubspot/deals": PROPOSAL,
    "airbase/vendors": SUPPLIER,
    "airbase/purchase_orders": ORDER,
    "airbase/payments_acknowledged": _without("airbase", "ledger_entries"),
    "monday/invoices": PROPOSAL,
    "ifs/vouchers_from_airbase_payments": _without("airbase", "ledger_entries"),
    "ifs/suppliers_from_procurify": _without("procurify", "vendors"),
    "ifs/supplier_invoices_from_procurify": _without("procurify", "bills"),
    "ifs/posting_proposals_from_procurify": _without("procurify", "purchase_orders"),
    "procurify/vendors": SUPPLIER,
}


# --- taken back -------------------------------------------------------------------------------------------------------


def _again(name: str, key: str, find: Callable[[dict[str, Any]], bool], **changes: Any) -> Act:
    """A row of the ERP is changed by a person."""

    def act(box: Sandbox) -> str:
        row = next(row for row in box.ifs.rows(name) if find(row))
        box.ifs.put(name, {**row, **changes}, modified=now())
        return key

    return act


def _order(row: dict[str, Any]) -> bool:
    return bool(row["OrderNo"] == "P1")


def _proposal(row: dict[str, Any]) -> bool:
    return bool(row["ProposalId"] == 2)


def _payment(box: Sandbox) -> str:
    key = next(iter(box.airbase.ledger_entries))
    box.airbase.change("ledger_entries", key, status="sync_failed")
    return key


def _bill(box: Sandbox) -> str:
    key = next(iter(box.procurify.bills))
    box.procurify.touch_bill(key, status=3)
    return key


def _procurify_order(box: Sandbox) -> str:
    key = next(iter(box.procurify.purchase_orders))
    box.procurify.touch_purchase_order(key, state=1)
    return str(key)


def _vendor(box: Sandbox) -> str:
    key = next(iter(box.procurify.vendors))
    box.procurify.touch_vendor(key, active=False)
    return str(key)


CANCELLED_ORDER = _again("PurchaseOrderSet", "P1", _order, ObjState="Cancelled")
CANCELLED_PROPOSAL = _again("PostingProposalHeadSet", "0010/2", _proposal, ObjState="Cancelled")
TAKEN_BACK: dict[str, Act] = {
    "cin7/purchases": CANCELLED_ORDER,
    "airbase/purchase_orders": CANCELLED_ORDER,
    "cin7/purchase_invoices": CANCELLED_PROPOSAL,
    "ifs/vouchers_from_airbase_payments": _payment,
    "ifs/supplier_invoices_from_procurify": _bill,
    "ifs/posting_proposals_from_procurify": _procurify_order,
    "ifs/suppliers_from_procurify": _vendor,
}
