"""What the ERP shows of the documents and suppliers that were entered: by their keys, many with a request.

Accountants code lines anew: what a document comes to is compared, not how it is split. A voucher that left the hold
table for the general ledger is there (facts/ifs-tenants.md, 1.10); in neither it was deleted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, get_type_hints

from mlc_dagster.core.duplicates import TargetDocument
from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Delivered, Seen, Shown, Worth
from mlc_dagster.core.shown_values import Value, shown_otherwise, value_of
from mlc_dagster.core.vocabulary import EntitySet, Row, key_parts, key_text
from mlc_dagster.systems.ifs.entry_records import JournalEntry
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster.systems.ifs.writing.document_entry import CANCELLED, standing
from mlc_dagster.systems.ifs.writing.document_references import (
    FindsRows,
    Found,
    find_by_reference,
    home_of_reference,
    rows_as_set,
)
from mlc_dagster.systems.ifs.writing.order_parts import remaining

DEBIT = "Debit"
INVOICE_FIELDS = (
    *("company", "supplier_id", "invoice_no", "invoice_date", "due_date"),
    *("currency_code", "net_amount", "vat_amount", "gross_amount"),
)
POSTED = "in the general ledger"
LEFT = "not in the hold table any more: posted or deleted, which ifs.entity_sets.posted_voucher_set would tell"
_REVERSAL = re.compile(r"/R\d+$")
"""How the reference of what takes a document back ends."""


class FindsDocuments(FindsRows, Protocol):
    """What reading back needs of the client."""

    def find_keys(self, entity: EntitySet, keys: Sequence[Sequence[object]]) -> list[Found]: ...


@dataclass(frozen=True)
class Compared:
    """What documents of one kind, or suppliers, are compared by; under the tenant's names."""

    entity: EntitySet
    fields: tuple[str, ...]
    amount: str = ""  # the field that it comes to; empty: it is worth nothing

    @property
    def names(self) -> dict[str, str]:
        """Field -> its name, of those that the tenant's set has."""
        has = [name for name in self.fields if name not in self.entity.not_selected]
        return {name: wire_name(name, self.entity.wire) for name in has}

    def of(self, values: Mapping[str, Any]) -> Shown:
        return {wire: as_value(values[name]) for name, wire in self.names.items() if name in values}

    def otherwise(self, expected: Shown, row: Row) -> Shown:
        """What a row shows otherwise than it was sent: agreed from now on."""
        return shown_otherwise(expected, self.of(row))

    def worth(self, values: Shown) -> Worth:
        """A voucher is worth its debit, which is in its company's currency."""
        named = self.names
        amount = values.get(named.get(self.amount, self.amount))
        currency = values.get(named.get("currency_code", ""))
        company = values.get(named.get("company", ""))
        return Worth(str(company or ""), amount if isinstance(amount, Decimal) else None, str(currency or ""))


def as_value(value: Any) -> Value:
    return value.isoformat() if isinstance(value, date) else value_of(value)


def debit_of(lines: Iterable[Any]) -> Decimal:
    return sum((line or Decimal(0) for line in lines), Decimal(0))


def expected_document(compared: Compared, record: Any) -> Shown:
    names = {"currency_code": "currency"}
    values = compared.of({name: getattr(record, names.get(name, name)) for name in compared.fields})
    if isinstance(record, JournalEntry):
        return {**values, DEBIT: debit_of(line.debit_amount for line in record.lines)}
    return values


class DocumentsReadBack:
    """Vouchers, supplier invoices or posting proposals."""

    def __init__(self, client: FindsDocuments, compared: Compared, posted: Compared | None = None) -> None:
        """`posted`: where its documents go when they leave the set, and what they are compared by there."""
        self._client, self.compared, self._entity = client, compared, compared.entity
        self._posted = None if posted is None or posted.entity.is_off else DocumentsReadBack(client, posted)

    @property
    def can_be_searched(self) -> bool:
        """Whether what carries our references can be looked for."""
        return not self._entity.is_off and home_of_reference(self._entity) == "header"

    def expected(self, record: Any) -> Shown:
        """Of a voucher with what its rows come to."""
        return expected_document(self.compared, record)

    def read_back(self, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """By their keys; by our reference what is not there any more, or cancelled. A tenant that shows no such set
        tells nothing.
        """
        if self._entity.is_off:
            return
        rows = self._by_key(delivered)
        ended = [one for one in delivered if not _stands(rows.get(one.remote_id))]
        others = find_by_reference(self._client, self._entity, [_reference(one) for one in ended])
        live = {reference: standing(found) for reference, found in others.items()}
        debits = self._debits([row for row in rows.values() if _stands(row)])
        left = [one for one in ended if one.remote_id not in rows and not live.get(_reference(one))]
        posted = {seen.key: seen for seen in self._posted._under_key(left)} if self._posted else {}
        for one in delivered:
            row = rows.get(one.remote_id)
            if row is not None and _stands(row):
                yield Seen(one.key, one.remote_id, "there", self._values(row, debits), detail=_state(row))
            elif one.key in posted:
                yield posted[one.key]
            else:
                yield self._ended(one, row, live.get(_reference(one), []))

    def ours(self, flow: Flow, documents: Iterable[TargetDocument], known: AbstractSet[str]) -> Iterator[Seen]:
        """Of the documents that a look found those that carry a reference of the flow, and that nobody delivered.

        What stands in the place of a cancelled one that was delivered is told with that one.
        """
        by_reference: dict[str, list[TargetDocument]] = defaultdict(list)
        for each in documents:
            if flow.marks and each.reference.startswith(flow.marks) and not _REVERSAL.search(each.reference):
                by_reference[each.reference].append(each)
        found: list[TargetDocument] = []
        for some in by_reference.values():
            unknown = [each for each in some if each.is_live and each.number not in known]
            replaced = [each for each in some if not each.is_live and each.number in known]
            found += unknown[len(replaced) :]
        debits = self._debits_of([Delivered(flow, each.reference, each.number) for each in found])
        for each in found:
            key, debit = each.reference.removeprefix(flow.marks), debits.get(each.number)
            told = self._told(each) if debit is None else {**self._told(each), DEBIT: debit}
            yield Seen(key, each.number, "there", told, detail=each.number)

    # --- one document -------------------------------------------------------------------------------------------------

    def _ended(self, one: Delivered, row: Row | None, live: Sequence[Found]) -> Seen:
        """Cancelled, or not under its key any more."""
        if live:
            number = self._number(live[0][0])
            return Seen(one.key, one.remote_id, "moved", remote_now=number, detail="entered anew in IFS")
        if row is not None:
            return Seen(one.key, one.remote_id, "voided", detail=f"{one.remote_id}, cancelled in IFS")
        if self._entity.rows_move_on and self._posted is None:
            return Seen(one.key, one.remote_id, "there", detail=LEFT)
        return Seen(one.key, one.remote_id, "deleted")

    def _under_key(self, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """Those that stand here under the number that they were entered by."""
        rows = self._by_key(delivered) if delivered else {}
        debits = self._debits(list(rows.values()))
        for one in delivered:
            if (row := rows.get(one.remote_id)) is not None:
                yield Seen(one.key, one.remote_id, "there", self._values(row, debits), detail=POSTED)

    def _values(self, row: Row, debits: Mapping[str, Decimal]) -> Shown:
        number = self._number(row)
        return {**self.compared.of(row), **({DEBIT: debits[number]} if number in debits else {})}

    def _told(self, each: TargetDocument) -> Shown:
        named = self.compared.names
        told = {"gross_amount": each.amount, "currency_code": each.currency or None}
        return {named[name]: value for name, value in told.items() if name in named and value is not None}

    def _number(self, row: Row) -> str:
        return key_text(*(row[name] for name in self._entity.keys))

    # --- calls --------------------------------------------------------------------------------------------------------

    def _by_key(self, delivered: Sequence[Delivered]) -> dict[str, Row]:
        """Remote id -> the document under it, in whatever state."""
        keys = {one.remote_id: key for one in delivered if (key := self._key(one.remote_id))}
        return {self._number(row): row for row, _ in self._client.find_keys(self._entity, list(keys.values()))}

    def _key(self, remote_id: str) -> tuple[object, ...] | None:
        """None where it is no number of the ERP's: of an order of which nothing was ever expected."""
        parts, types = key_parts(remote_id, len(self._entity.keys)), get_type_hints(self._entity.record)
        if len(parts) != len(self._entity.keys):
            return None
        try:
            return tuple(
                int(part) if types.get(name) is int else part
                for name, part in zip(self._entity.keys, parts, strict=True)
            )
        except ValueError:
            return None

    def _debits_of(self, asked: Sequence[Delivered]) -> dict[str, Decimal]:
        """As `_debits`, of vouchers that a look by reference found: that look reads headers alone."""
        return self._debits(list(self._by_key(asked).values())) if asked and self.compared.amount == DEBIT else {}

    def _debits(self, rows: Sequence[Row]) -> dict[str, Decimal]:
        """Number of a voucher -> what its rows come to; nothing of other documents."""
        if self.compared.amount != DEBIT:
            return {}
        with_lines = {self._number(row): row["lines"] for row in rows if row.get("lines")}
        left = [row for row in rows if self._number(row) not in with_lines]
        found = {number: debit_of(line["debit_amount"] for line in lines) for number, lines in with_lines.items()}
        return found | self._debits_by_rows(left)

    def _debits_by_rows(self, vouchers: Sequence[Row]) -> dict[str, Decimal]:
        rows = rows_as_set(self._entity)
        if rows is None or "debit_amount" in rows.not_selected:
            return {}
        *others, last = self._entity.keys
        groups: dict[tuple[object, ...], list[object]] = defaultdict(list)
        for row in vouchers:
            groups[tuple(row[name] for name in others)].append(row[last])
        found: dict[str, list[Decimal | None]] = defaultdict(list)
        for group, numbers in groups.items():
            of = dict(zip(others, group, strict=True))
            for row, _ in self._client.find_many(rows, last, numbers, **of):
                found[self._number(row)].append(row["debit_amount"])
        return {number: debit_of(amounts) for number, amounts in found.items()}


class ProposalsReadBack(DocumentsReadBack):
    """Posting proposals: what bills took of an order, and what we ended since nothing more is expected, is no edit."""

    def read_back(self, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        by_key = {one.key: one for one in delivered}
        for seen in super().read_back(delivered):
            yield self._less_bills(by_key[seen.key], seen)

    def _less_bills(self, one: Delivered, seen: Seen) -> Seen:
        rest = remaining(one.agreed_on(_reference(one)) or {})
        if rest is None or seen.state == "there":
            return seen if rest is None else self._with_rest(one, seen, self.expected(rest))
        if rest.is_cancelled and seen.state in ("voided", "deleted"):
            return Seen(one.key, one.remote_id, "there", detail="nothing more of this order is expected")
        if seen.state == "moved":
            try:
                row, _ = self._client.get(self._entity, self._named(seen.remote_now))
            except RecordRejected:
                return seen
            values = self.compared.of(row)
            return self._with_rest(one, Seen(one.key, one.remote_id, "there", values), self.expected(rest))
        return seen

    def _named(self, number: str) -> dict[str, object]:
        key = self._key(number)
        return dict(zip(self._entity.keys, key or (), strict=True))

    def _with_rest(self, one: Delivered, seen: Seen, rest: Shown) -> Seen:
        """Where the proposal is at what remains, as it was delivered."""
        base = one.shown if one.shown is not None else {} if one.record is None else self.expected(one.record)
        same = {name: base[name] for name, value in rest.items() if name in base and seen.values.get(name) == value}
        return Seen(seen.key, seen.remote_id, "there", {**seen.values, **same}, detail=seen.detail)


def _stands(row: Row | None) -> bool:
    return row is not None and row["obj_state"] != CANCELLED


def _state(row: Row) -> str:
    return str(row["obj_state"] or "")


def _reference(one: Delivered) -> str:
    """Under which its document stands in the ERP: Facts.reference."""
    return f"{one.flow.marks}{one.key}"
