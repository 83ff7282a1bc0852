"""Does HubSpot in the sandbox hold what was delivered: every property, line, association, and total to the cent?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from mlc_dagster.demo.comparisons.compared import Compared, Document
from mlc_dagster.systems.hubspot.objects.properties import KEY, of_company, of_invoice, of_line
from mlc_dagster.systems.hubspot.records import Company, Deal, Invoice

KINDS = ("companies", "invoices", "deals")


def disagreements(compared: Compared) -> Iterator[str]:
    """One line for each record that is missing, doubled, of another amount, or tied to another than it belongs to."""
    held = Held(compared.state("hubspot"))
    for flow in compared.to("hubspot"):
        yield from compared.doubled(flow, "a record in HubSpot")
        for key, remote_id, record in compared.newest(flow):
            if fault := held.difference(record, remote_id):
                yield f"{flow.name} {key}: {fault}"
    yield from sorted(held.strangers(compared.known("hubspot")))


class Held:
    """What HubSpot holds, by kind and id."""

    def __init__(self, state: Document) -> None:
        self.rows = {kind: {row["id"]: row["properties"] for row in state[kind]} for kind in (*KINDS, "line_items")}
        self._links: Mapping[str, Mapping[str, list[str]]] = state["associations"]

    def of(self, source: str, target: str, remote_id: str) -> list[str]:
        return self._links.get(f"{source}/{target}", {}).get(remote_id, [])

    def difference(self, record: Any, remote_id: str) -> str:
        """What is not as it was delivered, empty where all is. That the portal kept every property that it took is
        seen here alone: for verify, what it shows first is agreed.
        """
        if isinstance(record, Company):
            return _unequal(self.rows["companies"].get(remote_id), of_company(record))
        if isinstance(record, Invoice):
            return "; ".join(filter(None, self._of_invoice(record, remote_id)))
        assert isinstance(record, Deal)
        row = self.rows["deals"].get(remote_id)
        tied = [*self.of("deals", "companies", remote_id), *self.of("deals", "invoices", remote_id)]
        if tied != [record.supplier_id, record.invoice_id]:
            return f"it is tied to {tied}, delivered was {record.supplier_id}, {record.invoice_id}"
        return _unequal(row, {KEY: record.key}) or _amount(row, "amount", record.stated_gross)

    def _of_invoice(self, invoice: Invoice, remote_id: str) -> Iterator[str]:
        row = self.rows["invoices"].get(remote_id)
        yield _unequal(row, {**of_invoice(invoice), "hs_invoice_status": invoice.status})
        yield _amount(row, "hs_amount_billed", invoice.stated_gross)
        if (companies := self.of("invoices", "companies", remote_id)) != [invoice.supplier_id]:
            yield f"it is on companies {companies}, delivered was {invoice.supplier_id}"
        there = {
            self.rows["line_items"][each][KEY]: self.rows["line_items"][each]
            for each in self.of("invoices", "line_items", remote_id)
        }
        if set(there) != {line.key for line in invoice.items()}:
            yield f"its lines are {sorted(there)}"
        for line in invoice.items():
            yield _unequal(there.get(line.key), of_line(line, invoice))

    def strangers(self, known: set[str]) -> Iterator[str]:
        """Records that no ledger entry stands for: something was doubled, or lost on the way back."""
        for kind in KINDS:
            yield from (f"HubSpot holds {kind} {each} that no flow delivered" for each in set(self.rows[kind]) - known)
        for each in self.rows["line_items"]:
            if len(self.of("line_items", "invoices", each)) != 1:
                yield f"HubSpot holds line item {each} that is on no invoice"


def _unequal(row: Document | None, wanted: Mapping[str, str]) -> str:
    if row is None:
        return "HubSpot does not have it"
    wrong = {name: value for name, value in wanted.items() if (row.get(name) or "") != value}
    return ", ".join(f"{name} is {row.get(name)}, delivered was {value}" for name, value in wrong.items())


def _amount(row: Document | None, name: str, wanted: Decimal | None) -> str:
    found = (row or {}).get(name)
    return "" if found is not None and Decimal(found) == wanted else f"{name} is {found}, delivered was {wanted}"
