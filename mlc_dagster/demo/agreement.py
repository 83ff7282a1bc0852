"""Do the ledger and the sandbox agree, record by record and to the cent?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from mlc_dagster.core.amounts import round_half_up
from mlc_dagster.core.arrow_columns import read_ready
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.demo import (
    agree_airbase,
    agree_hubspot,
    agree_ifs,
    agree_monday,
    agree_procurify,
    agree_vouchers,
)
from mlc_dagster.demo.books import Owed
from mlc_dagster.demo.place import Place
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.settings import Settings
from mlc_dagster.systems.airbase.spend.records import ACKNOWLEDGEMENTS
from mlc_dagster.systems.cin7.records import PurchaseDocument, PurchaseInvoice, Supplier
from mlc_dagster.systems.ifs.entry_records import ENTRIES
from mlc_dagster.systems.procurify.settings import ProcurifySettings

Document = Mapping[str, Any]


def disagreements(place: Place, flows: Sequence[Flow], settings: Settings) -> list[str]:
    """One line for each difference between what was prepared and delivered, and what the targets hold."""

    def to(*systems: str) -> list[Flow]:
        return [flow for flow in flows if flow.target.system in systems]

    environment, procurify = place.environment(), settings.connections.get("procurify")
    store = RowStore(environment["MLC_STORAGE"])
    return [
        *_in_tables(place, to("cin7", "hubspot"), store, environment),
        *agree_airbase.disagreements(place.state("airbase"), to("airbase"), store, environment),
        *agree_vouchers.disagreements(
            place.state("ifs"),
            place.state("airbase"),
            [flow for flow in flows if flow.source.system == "airbase" and flow.target in (ENTRIES, ACKNOWLEDGEMENTS)],
            store,
            environment,
        ),
        *agree_monday.disagreements(place, to("monday")),
        *(agree_procurify.disagreements(place, procurify) if isinstance(procurify, ProcurifySettings) else ()),
        *agree_ifs.disagreements(place.state(ERP)["suppliers"], to(ERP), store, environment, settings),
    ]


def amounts(
    place: Place, settings: Settings, documents: Mapping[str, list[Document]]
) -> Iterator[tuple[str, list[Owed]]]:
    """(title, what is owed and where it is) of what a SaaS says in money. `documents`: entity set -> the ERP's rows."""
    procurify = settings.connections.get("procurify")
    if isinstance(procurify, ProcurifySettings):
        owed = agree_procurify.owed(place, procurify, documents)
        yield "The books: Procurify's bills in states that are posted", owed


def _in_tables(place: Place, flows: Sequence[Flow], store: RowStore, environment: Mapping[str, str]) -> list[str]:
    with Ledger.open(environment["MLC_DATABASE_URL"]) as ledger:
        delivered = {flow.name: ledger.remote_ids(flow.name) for flow in flows}
    held: dict[str, Target] = {
        "cin7": Held(place.state("cin7")),
        "hubspot": agree_hubspot.Held(place.state("hubspot")),
    }
    found = [line for flow in flows for line in _of_flow(flow, store, delivered[flow.name], held[flow.target.system])]
    return found + [line for target in held.values() for line in sorted(target.strangers(delivered))]


class Target(Protocol):
    """What a target holds."""

    def difference(self, record: Any, remote_id: str) -> str:
        """How the record there differs from what was delivered; empty where it does not."""

    def strangers(self, delivered: Mapping[str, Mapping[str, str]]) -> Iterable[str]:
        """A line for each record that no ledger entry stands for: something was doubled, or lost on the way back."""


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
        return _difference(record, remote_id, self)

    def total(self, record: PurchaseDocument) -> Decimal:
        """Net and tax: of each line, or, where the account taxes documents as a whole, of each tax rule's lines."""
        if not self._taxes_documents:
            return record.net() + record.tax()
        by_rule: dict[str, Decimal] = defaultdict(Decimal)
        for line in record.amount_lines():
            by_rule[line.tax_rule or ""] += line.total()
        taxes = (round_half_up(total * self._percents[rule] / 100, 2) for rule, total in by_rule.items())
        return record.net() + sum(taxes, Decimal(0))

    def strangers(self, delivered: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
        known = {remote.partition("/")[0] for ids in delivered.values() for remote in ids.values()}
        return (f"Cin7 holds purchase {each} that no flow delivered" for each in set(self.purchases) - known)


def _of_flow(flow: Flow, store: RowStore, delivered: Mapping[str, str], held: Target) -> Iterator[str]:
    newest = {
        ready.key: ready
        for partition in store.partitions(prepared_key(flow))
        for batch in store.read(prepared_key(flow), partition)
        for ready in read_ready(batch, flow.target.record)
    }
    shared = len(delivered) - len(set(delivered.values()))
    if shared:
        yield f"{flow.name}: {shared} keys share a record in {flow.target.system}"
    for key, remote_id in delivered.items():
        if key in newest and (fault := held.difference(newest[key].record, remote_id)):
            yield f"{flow.name} {key}: {fault}"


def _difference(record: Any, remote_id: str, held: Held) -> str:
    if isinstance(record, Supplier):
        return _unequal(held.suppliers.get(remote_id), {"Name": record.name, "Currency": record.currency})
    if isinstance(record, PurchaseInvoice):
        wanted = {"InvoiceNumber": record.invoice_number, "Total": held.total(record)}
        return _unequal(held.invoices.get(remote_id), wanted)
    purchase = held.purchases.get(remote_id)
    return _unequal(purchase["Order"] if purchase else None, {"Total": held.total(record)})


def _unequal(document: Document | None, wanted: Mapping[str, Any]) -> str:
    if document is None:
        return "Cin7 does not have it"
    wrong = {name: value for name, value in wanted.items() if not _same(document.get(name), value)}
    return ", ".join(f"{name} is {document.get(name)}, delivered was {value}" for name, value in wrong.items())


def _same(found: Any, wanted: Any) -> bool:
    return Decimal(str(found)) == wanted if isinstance(wanted, Decimal) else found == wanted
