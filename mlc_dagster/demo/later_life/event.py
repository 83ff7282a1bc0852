"""What an event of the demo has in common with the others: where it happened, and how it is judged afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.vocabulary import ERP, key_text
from mlc_dagster.demo.place import Place
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.records.differences import Difference

Document = Mapping[str, Any]
ORDERS = "PurchaseOrderSet"
PURCHASES, AIRBASE_ORDERS, MONDAY_ORDERS = "cin7/purchases", "airbase/purchase_orders", "monday/purchase_orders"
ORDER_FLOWS = (PURCHASES, AIRBASE_ORDERS, MONDAY_ORDERS)


class Outcome(NamedTuple):
    """What became of an event."""

    said: str  # what we did, or said
    faults: Sequence[str] = ()  # what is not as it should be


Records = tuple[tuple[str, str], ...]
"""(flow, key) of each."""


class Event(Protocol):
    """One that has happened."""

    @property
    def what(self) -> str: ...  # "a payment is voided"
    @property
    def where(self) -> str: ...  # "Airbase"
    @property
    def document(self) -> str: ...
    @property
    def amount(self) -> Decimal | None: ...
    @property
    def currency(self) -> str: ...
    @property
    def differs(self) -> Records: ...  # those that are rightly a difference now
    @property
    def carried(self) -> Records: ...  # those that hang on another record now, which a difference names
    def judged(self, books: Books) -> Outcome:
        """By what all systems and the ledger hold now."""


@dataclass
class Books:
    """What the sandbox's systems and the ledger hold; each system is asked once. It asks none of our clients: what
    they misread is seen here.
    """

    place: Place
    ledger: Ledger
    _states: dict[str, Any] = field(default_factory=dict)

    def of(self, system: str) -> Any:
        if system not in self._states:
            self._states[system] = self.place.state(system)
        return self._states[system]

    def orders(self) -> dict[str, Document]:
        """The ERP's purchase orders, by number."""
        if ORDERS not in self._states:
            rows = self.place.control("GET", f"{ERP}/{ORDERS}")
            self._states[ORDERS] = {row["OrderNo"]: row for row in rows}
        return dict(self._states[ORDERS])

    def purchases(self, order: Document) -> list[Document]:
        """Those of Cin7 whose note begins with a line `IFS 0010/P1`: all that say that they are this order."""
        reference = f"IFS {key_text(order['Company'], order['OrderNo'])}"
        return [row for row in self.of("cin7")["purchases"] if str(row["Note"] or "").split("\n")[0] == reference]

    def monday_orders(self, order: Document) -> list[Document]:
        """Items under its key, on the board of the orders."""
        mine = set(self.ledger.remote_ids(MONDAY_ORDERS).values())
        for board in self.of("monday")["boards"].values():
            if any(str(item["id"]) in mine for item in board):
                return [item for item in board if item["IFS key"] == order["OrderNo"]]
        return []

    def airbase_orders(self, order: str) -> list[Document]:
        return [row for row in self.of("airbase")["purchase_orders"] if row["erp_reference_id"] == order]

    def differing(self) -> set[str]:
        """The orders that differ in something already."""
        return {one.key for flow in ORDER_FLOWS for one in self.ledger.differences.open(flow, limit=None)}

    def open(self, flow: str, key: str, *kinds: str) -> list[Difference]:
        return [one for one in self.ledger.differences.open(flow, key) if one.kind in kinds]


def picked(candidates: Iterable[str], what: str) -> str:
    """The first. Raises MlcError where the demo has none."""
    found = next(iter(candidates), None)
    if found is None:
        raise MlcError(f"the demo holds no {what}", cure="Give it more days: mlc demo --whole --days 7.")
    return found
