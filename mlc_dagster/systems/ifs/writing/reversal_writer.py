"""Reverses documents of ours that stand as they were sent, and that nobody reversed; a preliminary is cancelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.core.vocabulary import EntitySet, Row, key_text
from mlc_dagster.systems.ifs.entry_records import Invoice, JournalEntry, JournalEntryLine
from mlc_dagster.systems.ifs.line_records import CodeString
from mlc_dagster.systems.ifs.origins import is_ours
from mlc_dagster.systems.ifs.reversal_records import CERTAIN, InvoiceReversal, VoucherReversal
from mlc_dagster.systems.ifs.writing.document_entry import CANCELLED, DocumentClient
from mlc_dagster.systems.ifs.writing.document_references import find_by_reference, rows_as_set
from mlc_dagster.systems.shared.first_seen import FirstSeen

PRELIMINARY = frozenset({"AwaitingApproval", "NotApproved", "PartlyApproved", "Preliminary", "Unbalanced"})
PAID = frozenset({"PaidPosted", "PartlyPaidPosted"})


class Enters(Protocol):
    """What enters documents of the kind."""

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]: ...


class ReversalWriter:
    """Of one kind. `differs`: what a document shows otherwise than it was sent; `others`: numbers of those that may
    have reversed it already.
    """

    def __init__(
        self,
        client: DocumentClient,
        entity: EntitySet,
        documents: Enters,
        differs: Callable[[Any, Row], str],
        others: Callable[[DocumentClient, EntitySet, Any], list[str]],
    ) -> None:
        self._client, self._entity, self._documents = client, entity, documents
        self._differs, self._others = differs, others

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft. Raises what concerns them all."""
        for draft in drafts:
            try:
                yield from self._reversed(draft)
            except (RecordRejected, StaleRecord) as error:
                yield Refused(draft, error.message, CERTAIN)
            except OutcomeUnknown as error:
                yield Unanswered(draft, error.message)

    def _reversed(self, draft: Draft) -> Iterator[Outcome]:
        """What an earlier attempt entered is found by its reference; else the original is looked at just before."""
        if self._entity.is_off:
            yield Refused(
                draft, f"This tenant does not show its documents: reverse {draft.record.of} by hand.", CERTAIN
            )
            return
        if self._is_there(draft.record.external_ref):
            yield from self._entered(draft)
            return
        row = self._original(draft.record.of)
        if row["obj_state"] == CANCELLED:
            yield Saved(draft, draft.record.of, "adopted", detail=f"{draft.record.of} is cancelled")
        elif why := self._why_not(draft, row):
            yield Refused(draft, f"{why} Reverse it by hand where that is right, and accept the difference.", CERTAIN)
        elif row["obj_state"] in PRELIMINARY:
            self._client.change_state(self._entity, self._key(draft.record.of), CANCELLED)
            yield Saved(
                draft, draft.record.of, "updated", detail=f"{draft.record.of}, which was preliminary, is cancelled"
            )
        else:
            yield from self._entered(draft)

    def _entered(self, draft: Draft) -> Iterator[Outcome]:
        inner = replace(draft, record=draft.record.entry)
        return (replace(outcome, draft=draft) for outcome in self._documents.save([inner]))

    def _is_there(self, reference: str) -> bool:
        return any(find_by_reference(self._client, self._entity, [reference]).values())

    def _original(self, number: str) -> Row:
        try:
            return self._client.get(self._entity, self._key(number))[0]
        except RecordRejected as error:
            if error.status != 404:
                raise
            where = "It is deleted, or has left the hold table for the general ledger, which is not read here."
            raise RecordRejected(f"{self._entity.path} does not show {number} any more. {where}", status=404) from error

    def _why_not(self, draft: Draft, row: Row) -> str:
        record = draft.record
        if row["obj_state"] in PAID:
            return f"{record.of} is {row['obj_state']}: what was paid is not taken back by a credit alone."
        if differs := self._differs(record.original, row):
            return f"{record.of} is not as it was sent: {differs}."
        if others := self._others(self._client, self._entity, record):
            return f"{' and '.join(others)} may have reversed {record.of} already."
        return ""

    def _key(self, number: str) -> dict[str, object]:
        (parts,) = FirstSeen(self._entity, None).keys([number])
        return dict(zip(self._entity.keys, parts, strict=True))


# --- whether it stands as it was sent ---------------------------------------------------------------------------------


def voucher_differs(original: JournalEntry, row: Row) -> str:
    """Its head, and each row with account, code parts and amounts; what a tenant does not keep says nothing."""
    names = {name: name for name in ("company", "voucher_type", "voucher_date")}
    ours = Counter((_codes(line), *_amounts(line)) for line in map(msgspec.structs.asdict, original.lines))
    theirs = Counter((_codes(line), *_amounts(line)) for line in row["lines"])
    return _head(original, row, names) or _rows(ours, theirs)


def invoice_differs(original: Invoice, row: Row) -> str:
    """Likewise. A tenant that shows no lines of invoices is asked for their sums alone."""
    names = {
        name: name for name in ("company", "supplier_id", "invoice_no", "net_amount", "vat_amount", "gross_amount")
    }
    ours = Counter((_codes(line), line["amount"]) for line in map(msgspec.structs.asdict, original.lines))
    theirs = Counter((_codes(line), line["amount"]) for line in row["lines"])
    return _head(original, row, names | {"currency_code": "currency"}) or (_rows(ours, theirs) if theirs else "")


def _head(original: Any, row: Row, names: Mapping[str, str]) -> str:
    """`names`: the ERP's field -> ours."""
    told = [(name, row.get(name), getattr(original, ours)) for name, ours in names.items()]
    return "; ".join(f"{name} is {theirs} there and was {ours}" for name, theirs, ours in told if theirs != ours)


def _rows(ours: Counter[Any], theirs: Counter[Any]) -> str:
    if ours == theirs:
        return ""
    return f"{(theirs - ours).total()} of its rows are others than the {ours.total()} that were sent"


def _codes(line: Row) -> tuple[str, ...]:
    return tuple(line.get(name) or "" for name in CodeString.__struct_fields__)


def _amounts(line: Row) -> tuple[Decimal, Decimal]:
    return (line["debit_amount"] or Decimal(0), line["credit_amount"] or Decimal(0))


# --- whether somebody reversed it -------------------------------------------------------------------------------------


def vouchers_the_other_way(client: DocumentClient, vouchers: EntitySet, record: VoucherReversal) -> list[str]:
    """Numbers of vouchers, not entered by us, that undo its rows: on the other side, or below zero on the same one."""
    rows = rows_as_set(vouchers)
    if rows is None:
        return []
    swapped = _rows_of(record.entry.lines)
    negated = Counter(
        (account, -debit, -credit) for account, debit, credit in _rows_of(record.original.lines).elements()
    )
    keys: dict[tuple[object, ...], None] = {}
    for undone in (swapped, negated):
        amount = max((each[2] for each in undone), key=abs, default=Decimal(0))
        keys |= dict.fromkeys(_vouchers_with(client, vouchers, rows, record, amount))
    found = (client.get(vouchers, dict(zip(vouchers.keys, key, strict=True)))[0] for key in keys)
    return [
        key_text(*(row[name] for name in vouchers.keys))
        for row in found
        if _is_anothers(row) and _undoes(row, (swapped, negated))
    ]


def _vouchers_with(
    client: DocumentClient, vouchers: EntitySet, rows: EntitySet, record: VoucherReversal, credit: Decimal
) -> Iterator[tuple[object, ...]]:
    """Keys of those with a row of this credit, from the original's year on: company and year are keys."""
    for year in range(record.original.year() or 0, (record.entry.year() or 0) + 2):
        also = {"company": record.company, "accounting_year": year}
        for row, _ in client.find_many(rows, "credit_amount", [credit], **also):
            yield tuple(row[name] for name in vouchers.keys)


def _rows_of(lines: Iterable[JournalEntryLine]) -> Counter[tuple[str, Decimal, Decimal]]:
    return Counter((line.account or "", *_amounts(msgspec.structs.asdict(line))) for line in lines)


def _undoes(row: Row, ways: Sequence[Counter[tuple[str, Decimal, Decimal]]]) -> bool:
    return Counter((line.get("account") or "", *_amounts(line)) for line in row["lines"]) in ways


def credits_of(client: DocumentClient, invoices: EntitySet, record: InvoiceReversal) -> list[str]:
    """Numbers of invoices of the supplier, not entered by us, over the reversal's amount."""
    entry = record.entry
    also = {"company": record.company, "supplier_id": entry.supplier_id}
    rows = client.find_many(invoices, "gross_amount", [entry.gross_amount], **also)
    return [key_text(*(row[name] for name in invoices.keys)) for row, _ in rows if _is_anothers(row)]


def _is_anothers(row: Row) -> bool:
    return row["obj_state"] != CANCELLED and not is_ours(row.get("external_ref"))


def voucher_reversals(client: DocumentClient, vouchers: EntitySet, documents: Enters) -> ReversalWriter:
    return ReversalWriter(client, vouchers, documents, voucher_differs, vouchers_the_other_way)


def invoice_reversals(client: DocumentClient, invoices: EntitySet, documents: Enters) -> ReversalWriter:
    return ReversalWriter(client, invoices, documents, invoice_differs, credits_of)
