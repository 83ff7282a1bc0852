"""Enters documents in the ERP's books: looked for first, entered whole, never changed behind an accountant's back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.outcomes import Begun, Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.core.vocabulary import EntitySet, Row, key_text
from mlc_dagster.systems.ifs.entry_records import Invoice, JournalEntry, Proposal
from mlc_dagster.systems.ifs.odata.changesets import Step
from mlc_dagster.systems.ifs.writing.document_steps import change

CANCELLED = "Cancelled"
"""The ObjState of a document that counts no more."""

UNCHANGED_RULE = "not_changed_after_posting"
Found = tuple[Row, str]
"""A row as the tenant keeps it, and its ETag."""


class DocumentClient(Protocol):
    """What entering a document needs of the client."""

    def create_document(self, entity: EntitySet, row: Mapping[str, Any], also: Sequence[Step] = ()) -> Found: ...
    def get(self, entity: EntitySet, key: Mapping[str, object]) -> Found: ...
    def find(self, entity: EntitySet, most: int = 10, *, latest_by: str = "", **conditions: object) -> list[Found]: ...
    def find_many(self, entity: EntitySet, field: str, values: Iterable[str]) -> list[Found]: ...
    def modify(self, entity: EntitySet, key: Mapping[str, object], change: Any) -> Found: ...


@dataclass(frozen=True)
class DocumentKind:
    """What invoices, proposals and vouchers differ in."""

    entity: EntitySet
    name: str  # "invoice", for reasons


class DocumentWriter:
    """Documents of one kind, told apart by their external reference."""

    def __init__(self, client: DocumentClient, kind: DocumentKind) -> None:
        self._client, self._kind = client, kind

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft, at most one Begun before it. Raises what concerns them all."""
        there = self._there(drafts)
        for draft in drafts:
            try:
                yield from self._saved(draft, self._one(draft, there.get(draft.record.external_ref, ())))
            except (RecordRejected, StaleRecord) as error:
                yield Refused(draft, error.message)
            except OutcomeUnknown as error:
                yield Unanswered(draft, error.message)

    def _there(self, drafts: Sequence[Draft]) -> dict[str, list[Found]]:
        """External reference -> the documents that stand under it. Cancelled ones do not count."""
        found: dict[str, list[Found]] = defaultdict(list)
        references = {draft.record.external_ref for draft in drafts}
        for row, etag in self._client.find_many(self._kind.entity, "external_ref", references):
            if row["obj_state"] != CANCELLED:
                found[str(row["external_ref"])].append((row, etag))
        return found

    def _one(self, draft: Draft, rows: Sequence[Found]) -> Found | None:
        """The one that is there. Raises RecordRejected for two: that is a matter for a person, who is told both."""
        if len(rows) > 1:
            named = " and ".join(self.remote_id(row) for row, _ in rows)
            raise RecordRejected(f"IFS has two documents for {draft.record.external_ref}: {named}. Cancel one of them.")
        return rows[0] if rows else None

    def _saved(self, draft: Draft, found: Found | None) -> Iterator[Outcome]:
        if found is not None:
            yield self._kept(draft, found[0])
        elif draft.was_delivered:
            yield self._refused(draft, f"{draft.remote_id} was entered, and is cancelled in IFS, or gone")
        else:
            row, _ = self._client.create_document(self._kind.entity, self.row(draft.record))
            yield self._said(draft, row, "created")

    def _kept(self, draft: Draft, row: Row) -> Saved | Refused:
        """What is there already: ours from an earlier attempt, or another by now."""
        different = self.differences(draft.record, row)
        if different:
            return self._refused(draft, f"{self.remote_id(row)} is entered, and {'; '.join(different)}")
        if draft.was_delivered:
            return self._refused(draft, f"{self.remote_id(row)} is entered, and the record was changed since")
        return self._said(draft, row, "adopted")

    def _refused(self, draft: Draft, why: str) -> Refused:
        cure = "Correct it in IFS by hand, then release this hold; or discard it."
        return Refused(draft, f"The {self._kind.name} {why}. {cure}", UNCHANGED_RULE)

    def _said(self, draft: Draft, row: Row, action: Any) -> Saved:
        return Saved(draft, self.remote_id(row), action, detail=self.remote_id(row))

    def remote_id(self, row: Row) -> str:
        """ "0010/88001": the ERP's own key."""
        return key_text(*(row[name] for name in self._kind.entity.keys))

    def differences(self, record: Any, row: Row) -> list[str]:
        """What the two say otherwise. Lines are not compared: accountants code them anew."""
        return [
            f"its {name.replace('_', ' ')} is {row[name]} there and {ours} here"
            for name, ours in self.compared(record).items()
            if row.get(name) != ours
        ]

    def compared(self, record: Any) -> dict[str, Any]:
        return {"company": record.company}

    def row(self, record: Any) -> Row:
        """The record as a row of the entity set, with its lines."""
        raise TypeError(f"{type(record).__name__} is entered by nobody")


def _lines(record: Any) -> list[Row]:
    return [msgspec.structs.asdict(line) for line in record.lines]


def _payable(record: Invoice | Proposal) -> Row:
    return {
        "company": record.company,
        "supplier_id": record.supplier_id,
        "currency_code": record.currency,
        "net_amount": record.net_amount,
        "vat_amount": record.vat_amount,
        "gross_amount": record.gross_amount,
        "po_reference": record.po_reference,
        "external_ref": record.external_ref,
        "text": record.text,
    }


class InvoiceWriter(DocumentWriter):
    """Supplier invoices. One that a person entered by hand is adopted; proposals of its orders are cancelled."""

    def __init__(self, client: DocumentClient, kind: DocumentKind, proposals: EntitySet) -> None:
        super().__init__(client, kind)
        self._proposals = proposals

    def _there(self, drafts: Sequence[Draft]) -> dict[str, list[Found]]:
        """By our reference; else by company, supplier and number, where a person entered the same by hand."""
        found = super()._there(drafts)
        new = {draft.record.identity(): draft.record for draft in drafts if draft.record.external_ref not in found}
        numbers = {number for _, _, number in new}
        for row, etag in self._client.find_many(self._kind.entity, "invoice_no", numbers):
            record = new.get((row["company"], row["supplier_id"] or "", row["invoice_no"] or ""))
            if record is not None and row["obj_state"] != CANCELLED and not row["external_ref"]:
                found.setdefault(record.external_ref, []).append((row, etag))
        return found

    def _saved(self, draft: Draft, found: Found | None) -> Iterator[Outcome]:
        """The invoice, then the end of the proposals: it is not done before both are."""
        for outcome in super()._saved(draft, found):
            if isinstance(outcome, Saved) and draft.record.proposals:
                yield Begun(draft, outcome.remote_id)
                self._cancel_proposals(draft.record)
            yield outcome

    def _cancel_proposals(self, record: Invoice) -> None:
        for row, _ in self._client.find_many(self._proposals, "external_ref", record.proposals):
            if row["obj_state"] != CANCELLED:
                key = {name: row[name] for name in self._proposals.keys}
                self._client.modify(self._proposals, key, _cancellation)

    def compared(self, record: Invoice) -> dict[str, Any]:
        return {
            "company": record.company,
            "supplier_id": record.supplier_id,
            "invoice_no": record.invoice_no,
            "currency_code": record.currency,
            "gross_amount": record.gross_amount,
        }

    def row(self, record: Invoice) -> Row:
        dates = {"invoice_date": record.invoice_date, "due_date": record.due_date}
        return {**_payable(record), "invoice_no": record.invoice_no, **dates, "lines": _lines(record)}


def _cancellation(row: Row) -> Mapping[str, Any]:
    return {} if row["obj_state"] == CANCELLED else {"obj_state": CANCELLED}


class ProposalWriter(DocumentWriter):
    """Posting proposals. A changed order gets a new one in place of the old, in one change set."""

    def _saved(self, draft: Draft, found: Found | None) -> Iterator[Outcome]:
        if found is None:
            yield self._refused(draft, "is cancelled") if draft.record.is_cancelled else self._entered(draft)
        elif draft.record.is_cancelled:
            row, _ = self._client.modify(self._kind.entity, self._key(found[0]), _cancellation)
            yield self._said(draft, row, "updated")
        elif draft.was_delivered or self.differences(draft.record, found[0]):
            yield self._replaced(draft, *found)
        else:
            yield self._said(draft, found[0], "adopted")

    def _entered(self, draft: Draft) -> Saved:
        row, _ = self._client.create_document(self._kind.entity, self.row(draft.record))
        return self._said(draft, row, "updated" if draft.was_delivered else "created")

    def _replaced(self, draft: Draft, row: Row, etag: str) -> Saved:
        old = change(self._kind.entity, self._key(row), {"obj_state": CANCELLED}, etag)
        made, _ = self._client.create_document(self._kind.entity, self.row(draft.record), [old])
        return self._said(draft, made, "updated")

    def _key(self, row: Row) -> dict[str, object]:
        return {name: row[name] for name in self._kind.entity.keys}

    def compared(self, record: Proposal) -> dict[str, Any]:
        return {
            "company": record.company,
            "supplier_id": record.supplier_id,
            "currency_code": record.currency,
            "gross_amount": record.gross_amount,
        }

    def row(self, record: Proposal) -> Row:
        lines = [{**line, "currency_amount": line["amount"]} for line in _lines(record)]
        return {**_payable(record), "invoice_date": record.dated, "lines": lines}


class VoucherWriter(DocumentWriter):
    """Vouchers."""

    def row(self, record: JournalEntry) -> Row:
        return {
            "company": record.company,
            "voucher_type": record.voucher_type,
            "voucher_date": record.voucher_date,
            "accounting_year": record.year(),
            "user_group": record.user_group,
            "text": record.text,
            "external_ref": record.external_ref,
            "lines": _lines(record),
        }

    def compared(self, record: JournalEntry) -> dict[str, Any]:
        return {"company": record.company, "voucher_type": record.voucher_type, "voucher_date": record.voucher_date}

    def differences(self, record: JournalEntry, row: Row) -> list[str]:
        """Accountants code rows anew; what they come to stays. Read where a voucher is there already, which is rare."""
        if found := super().differences(record, row):
            return found
        whole, _ = self._client.get(self._kind.entity, {name: row[name] for name in self._kind.entity.keys})
        theirs, ours = _debit(whole["lines"]), _debit(_lines(record))
        return [] if theirs == ours else [f"its debit is {theirs} there and {ours} here"]


def _debit(lines: Sequence[Row]) -> Decimal:
    return sum((line["debit_amount"] or Decimal(0) for line in lines), Decimal(0))
