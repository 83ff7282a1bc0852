"""Looks in the ERP for documents that carry one reference twice, one invoice number, or one supplier's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.core.duplicates import TargetDocument, TargetScan, folded
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.flows import Target
from mlc_dagster.core.vocabulary import EntitySet, Record, Row, key_text
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.entry_records import ENTRIES, INVOICES, PROPOSALS
from mlc_dagster.systems.ifs.odata.expressions import Order, all_of, any_of_keys, distinct, literal
from mlc_dagster.systems.ifs.odata.tenant_time import TenantTime
from mlc_dagster.systems.ifs.reading.key_ranges import Span
from mlc_dagster.systems.ifs.reading.paging import PageWalk
from mlc_dagster.systems.ifs.reading.queries import Connection, Query
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster.systems.ifs.supplier_records import PARTNERS
from mlc_dagster.systems.ifs.writing.document_entry import CANCELLED
from mlc_dagster.systems.ifs.writing.document_references import home_of_reference
from mlc_dagster.transport.threads import in_order

DATED = timedelta(days=62)
"""Where a set has no modified column: how far before that a document's own date may lie."""


class AccountingDocument(Record, frozen=True, kw_only=True):
    """What every document has that is entered for a SaaS."""

    company: str
    external_ref: str | None = None
    obj_state: str | None = None
    last_modified: datetime | None = None


class Payable(AccountingDocument, frozen=True, kw_only=True):
    """What invoices and their posting proposals have in common."""

    invoice_no: str | None = None
    supplier_id: str | None = None
    invoice_date: date | None = None
    currency_code: str | None = None
    gross_amount: Decimal | None = None


class Voucher(AccountingDocument, frozen=True, kw_only=True):
    voucher_type: str
    accounting_year: int
    voucher_no: int
    voucher_date: date | None = None


class VoucherRow(Voucher, frozen=True, kw_only=True):
    """Where vouchers are told by their rows alone."""

    row_no: int


class Proposal(Payable, frozen=True, kw_only=True):
    proposal_id: int
    invoice_id: int | None = None


class Invoice(Payable, frozen=True, kw_only=True):
    invoice_id: int


class Supplier(Record, frozen=True, kw_only=True):
    supplier_id: str
    name: str | None = None
    country: str | None = None
    creation_date: date | None = None
    blocked: bool | None = None
    last_modified: datetime | None = None


@dataclass(frozen=True)
class _Kind:
    """A set, and the few fields of it that are read."""

    entity: EntitySet
    record: type[Record]
    dated: str = ""  # the document's own date; empty: it has none

    @property
    def slim(self) -> EntitySet:
        """As it is asked for: what is told by rows is walked by the rows' own key, which alone is unique."""
        lines, entity = self.entity.lines, replace(self.entity, record=self.record, lines=None, children=(), sums={})
        if lines is None or not self.entity.header_from_rows:
            return entity
        wire = {**entity.wire, **{name: wire_name(name, lines.wire) for name in lines.keys if name not in entity.keys}}
        return replace(entity, record=VoucherRow, keys=lines.keys, wire=wire, header_from_rows=False)

    @property
    def has_numbers(self) -> bool:
        return "invoice_no" in self.record.__struct_fields__


class Duplicates:
    """Reads few fields of what was changed lately, and then of what carries the same references and numbers."""

    def __init__(self, connection: Connection, catalogue: Mapping[str, EntitySet]) -> None:
        self._connection = connection
        self._kinds = {
            ENTRIES.name: _Kind(catalogue[ifs.VOUCHERS.name], Voucher, "voucher_date"),
            PROPOSALS.name: _Kind(catalogue[ifs.POSTING_PROPOSALS.name], Proposal, "invoice_date"),
            INVOICES.name: _Kind(catalogue[ifs.SUPPLIER_INVOICES.name], Invoice, "invoice_date"),
        }
        self._suppliers = _Kind(catalogue[ifs.SUPPLIERS.name], Supplier)

    def scan(self, target: Target, since: datetime) -> TargetScan:
        """Raises MlcError; Misconfigured where the tenant has no set to look in, or keeps no reference on headers."""
        if target.name == PARTNERS.name:
            return self._names(since)
        kind = self._kinds[target.name]
        _expect_references(kind.entity)
        recent = list(self._walk(kind, _recent(kind, since, self._connection.time)))
        rows = sorted([*recent, *self._alike(kind, recent)], key=lambda row: bool(row["external_ref"]))
        found = {_id(kind, row): row for row in rows}  # of rows that are one document, one that carries a reference
        return TargetScan(list(_documents(kind, found.values())), len(found))

    def _alike(self, kind: _Kind, recent: Sequence[Row]) -> Iterator[Row]:
        """What has the references and invoice numbers of these, of whatever age. A cancelled one asks for nothing."""
        live = [row for row in recent if row["obj_state"] != CANCELLED]
        ours = [row for row in live if row["external_ref"]]
        yield from self._any_of(kind, ["external_ref"], [(row["external_ref"],) for row in ours])
        if kind.has_numbers:
            names = ["company", "supplier_id", "invoice_no"]
            asked = [(row["company"], row["supplier_id"], number) for row in live for number in _written(row)]
            yield from self._any_of(kind, names, asked)

    def _any_of(self, kind: _Kind, fields: Sequence[str], keys: Iterable[Sequence[object]]) -> Iterator[Row]:
        names = [wire_name(name, kind.entity.wire) for name in fields]
        wanted = [key for key in dict.fromkeys(map(tuple, keys)) if len(distinct(key)) == len(set(key))]
        filters = [text for text, _ in any_of_keys(names, wanted)]
        walks = in_order(lambda text: list(self._walk(kind, text)), filters, self._connection.in_flight)
        return (row for rows in walks for row in rows)

    def _names(self, since: datetime) -> TargetScan:
        """Where a supplier was made since: all of them, since what is alike but for a blank cannot be asked for."""
        kind = self._suppliers
        made = [row for row in self._walk(kind, _recent(kind, since, self._connection.time)) if _is_made(row, since)]
        rows = list(self._walk(kind, None)) if made else []
        return TargetScan([_supplier(row, since) for row in rows], len(rows))

    def _walk(self, kind: _Kind, condition: str | None) -> Iterator[Row]:
        query = Query(self._connection, kind.slim, Order(kind.slim, by_time=False), lines=False)
        for page in PageWalk(query.order, lambda span: query.page(span, condition)).read(Span()):
            yield from rows_of(self._connection.time.in_utc(page.batch, kind.slim.modified))


def _expect_references(entity: EntitySet) -> None:
    where = f"ifs.entity_sets.{entity.name}"
    if entity.is_off:
        raise Misconfigured(
            f"ifs/{entity.name}: the tenant has no such set by mlc.yaml, so doubles cannot be looked for",
            cure=f"Name it, where the tenant has one: {where}.set; else look for them in IFS.",
        )
    if home_of_reference(entity) != "header":
        raise Misconfigured(
            f"ifs/{entity.name}: its headers keep no reference of ours, so doubles cannot be looked for",
            cure=f"Name it, where the tenant has one: {where}.fields.external_ref; else look for them in IFS.",
        )


def _recent(kind: _Kind, since: datetime, time: TenantTime) -> str | None:
    """By the stamp. Where the set has none: by the document's own date, of those that carry a reference; else all."""
    wire = kind.entity.wire
    if kind.entity.modified is not None:
        return f"{wire_name(kind.entity.modified, wire)} ge {literal(time.earliest(since.replace(microsecond=0)))}"
    if not kind.dated:
        return None
    ours = f"{wire_name('external_ref', wire)} ne null"
    return all_of(ours, f"{wire_name(kind.dated, wire)} ge {literal((since - DATED).date())}")


def _written(row: Row) -> set[str]:
    """The ways in which one invoice number is likely to be written; a set is never asked for all of its numbers."""
    number = str(row["invoice_no"] or "")
    return {each for each in (number, number.strip(), number.strip().upper(), number.strip().lower()) if each.strip()}


def _id(kind: _Kind, row: Row) -> str:
    return key_text(*(row[name] for name in kind.entity.keys))


def _documents(kind: _Kind, rows: Iterable[Row]) -> Iterator[TargetDocument]:
    """Several proposals of one invoice have its number, and are no doubles by it."""
    invoices: set[tuple[object, object]] = set()
    for row in rows:
        of = (row["company"], row.get("invoice_id"))
        is_another = kind.has_numbers and (of[1] is None or of not in invoices)
        if row["obj_state"] != CANCELLED:
            invoices.add(of)
        yield _document(kind, row, _invoice(row) if is_another else None)


def _document(kind: _Kind, row: Row, invoice: tuple[str, str, str] | None) -> TargetDocument:
    return TargetDocument(
        id=_id(kind, row),
        number=_id(kind, row),
        reference=row["external_ref"] or "",
        invoice=invoice,
        at=row["last_modified"],
        amount=row.get("gross_amount"),
        currency=row.get("currency_code") or "",
        is_live=row["obj_state"] != CANCELLED,
    )


def _invoice(row: Row) -> tuple[str, str, str] | None:
    """A person's own invoice under a number of ours is one of two as well."""
    return (row["company"], row["supplier_id"] or "", row["invoice_no"]) if row["invoice_no"] else None


def _supplier(row: Row, since: datetime) -> TargetDocument:
    return TargetDocument(
        id=row["supplier_id"],
        number=row["supplier_id"],
        name=(row["name"], row["country"] or "") if folded(row["name"] or "") else None,
        at=row["last_modified"],
        is_live=not row["blocked"],
        is_recent=_is_made(row, since),
    )


def _is_made(row: Row, since: datetime) -> bool:
    """A date has no zone: the day before counts as well. Without one, the stamp says when it was made or changed."""
    if row["creation_date"] is not None:
        return bool(row["creation_date"] >= (since - timedelta(days=1)).date())
    return row["last_modified"] is None or bool(row["last_modified"] >= since)
