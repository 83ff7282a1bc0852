"""A day's run that meets a system which does not answer: what it leaves, and what becomes of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.demo.later_life.event import ORDERS, PURCHASES, Books, Document, Outcome, Records, picked
from mlc_dagster.demo.later_life.ticks import Ticks
from mlc_dagster.ledger import Task

AWAY = {"system": "cin7", "drop": "before", "times": None}


@dataclass(frozen=True)
class RunFailed:
    """An order comes while Cin7 is away: the run of its day fails, and the work list keeps that."""

    order: Document
    left: tuple[Task, ...]  # what the run that failed left of the flow
    amount: Decimal
    currency: str
    what: ClassVar[str] = "a day's run fails: no answer"
    where: ClassVar[str] = "Cin7"
    differs: ClassVar[Records] = ()
    carried: ClassVar[Records] = ()

    @classmethod
    def happens(cls, books: Books, taken: set[str], ticks: Ticks) -> RunFailed:
        delivered = books.ledger.remote_ids(PURCHASES).keys() & books.orders().keys()
        order = another(books.orders()[picked(sorted(delivered - taken - books.differing()), "order in Cin7")])
        books.place.control("PUT", f"{ERP}/{ORDERS}", order)
        books.place.control("POST", "faults", AWAY)
        try:
            for request in ticks.of_schedule("cin7_running_day"):
                ticks.run(request, "cin7")
        except MlcError:
            left = tuple(books.ledger.work.all([PURCHASES]))
        else:
            left = ()
        finally:
            books.place.control("DELETE", "faults")
        return cls(order, left, order["TotalAmount"], order["CurrencyCode"])

    @property
    def document(self) -> str:
        return f"order {self.order['OrderNo']} of that day"

    def judged(self, books: Books) -> Outcome:
        causes = ", ".join(sorted({task.cause for task in self.left}))
        return Outcome(f"due by the work list ({causes}), then delivered: nothing is due", list(self._faults(books)))

    def _faults(self, books: Books) -> Iterator[str]:
        if not self.left or not all(task.failed and task.cause == "cin7:unreachable" for task in self.left):
            yield f"the run that failed left {[(task.state, task.cause) for task in self.left]}"
        for task in books.ledger.work.all():
            yield f"{task.flow} of {task.partition} is {task.state} still: {task.why}"
        there = [row["Order"]["TotalBeforeTax"] for row in books.purchases(self.order)]
        if there != [self.amount]:
            yield f"Cin7 has {', '.join(map(str, there)) or 'none'} of it, and {self.amount} is right"


def another(order: Document) -> Document:
    """One like it, under a number of its own, entered now."""
    dropped = ("LastModified", "OrderNo")
    lines = [
        {name: value for name, value in line.items() if name not in dropped} for line in order["PurchaseOrderLines"]
    ]
    kept = {name: value for name, value in order.items() if name not in dropped and not name.startswith("@")}
    return {**kept, "OrderNo": f"{order['OrderNo']}9", "PurchaseOrderLines": lines}
