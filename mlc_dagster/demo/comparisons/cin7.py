"""Do the purchases and invoices in the sandboxed Cin7 come to what was prepared, and is each there once?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from mlc_dagster.core.amounts import round_half_up
from mlc_dagster.demo.comparisons.compared import Compared, Document
from mlc_dagster.systems.cin7.records import PurchaseDocument, PurchaseInvoice, Supplier


def disagreements(compared: Compared) -> Iterator[str]:
    """One line for each record that is missing, doubled, or of another amount."""
    held = Held(compared.state("cin7"))
    for flow in compared.to("cin7"):
        yield from compared.doubled(flow, "a record in Cin7")
        for key, remote_id, record in compared.newest(flow):
            if fault := held.difference(record, remote_id):
                yield f"{flow.name} {key}: {fault}"
    known = {remote_id.partition("/")[0] for remote_id in compared.known("cin7")}
    yield from (f"Cin7 holds purchase {each} that no flow delivered" for each in sorted(set(held.purchases) - known))


class Held:
    """What Cin7 holds, by id."""

    def __init__(self, state: Document) -> None:
        self.suppliers = {each["ID"]: each for each in state["suppliers"]}
        self.purchases = {each["ID"]: each for each in state["purchases"]}
        self._percents = {name: Decimal(str(each)) for name, each in state["tax_percents"].items()}
        self._taxes_documents: bool = state["taxes_documents"]
        self.invoices = {
            f"{each['ID']}/{invoice['TaskID']}": invoice
            for each in self.purchases.values()
            for invoice in each["Invoice"]
        }

    def difference(self, record: Any, remote_id: str) -> str:
        """Empty where there is none."""
        if isinstance(record, Supplier):
            return _unequal(self.suppliers.get(remote_id), Name=record.name, Currency=record.currency)
        if isinstance(record, PurchaseInvoice):
            found = self.invoices.get(remote_id)
            return _unequal(found, InvoiceNumber=record.invoice_number, Total=self.total(record))
        purchase = self.purchases.get(remote_id)
        return _unequal(purchase["Order"] if purchase else None, Total=self.total(record))

    def total(self, record: PurchaseDocument) -> Decimal:
        """Net and tax: of each line, or, where the account taxes documents as a whole, of each tax rule's lines."""
        if not self._taxes_documents:
            return record.net() + record.tax()
        by_rule: dict[str, Decimal] = defaultdict(Decimal)
        for line in record.amount_lines():
            by_rule[line.tax_rule or ""] += line.total()
        taxes = (round_half_up(total * self._percents[rule] / 100, 2) for rule, total in by_rule.items())
        return record.net() + sum(taxes, Decimal(0))


def _unequal(document: Document | None, **wanted: Any) -> str:
    if document is None:
        return "Cin7 does not have it"
    wrong = {name: value for name, value in wanted.items() if not _same(document.get(name), value)}
    return ", ".join(f"{name} is {document.get(name)}, delivered was {value}" for name, value in wrong.items())


def _same(found: Any, wanted: Any) -> bool:
    return Decimal(str(found)) == wanted if isinstance(wanted, Decimal) else bool(found == wanted)
