"""Supplier invoices and posting proposals in the ERP's books; an invoice takes the place of its orders' proposals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.outcomes import Agreed, Begun, Draft, Outcome, Refused, Saved, Shown
from mlc_dagster.core.vocabulary import EntitySet, Row
from mlc_dagster.systems.ifs.entry_records import Invoice, Proposal
from mlc_dagster.systems.ifs.origins import is_ours
from mlc_dagster.systems.ifs.writing.document_entry import (
    CANCELLED,
    DocumentClient,
    DocumentKind,
    DocumentWriter,
    Found,
    lines_of,
    standing,
)
from mlc_dagster.systems.ifs.writing.document_references import find_by_reference
from mlc_dagster.systems.ifs.writing.document_steps import action_to
from mlc_dagster.systems.ifs.writing.external_entry import ExternalEntry
from mlc_dagster.systems.ifs.writing.order_parts import (
    ORDER,
    OrderParts,
    as_text,
    by_order,
    from_row,
    is_as_it_stands,
    remaining,
    whole_order,
)
from mlc_dagster.systems.ifs.writing.read_back import INVOICE_FIELDS, Compared, expected_document
from mlc_dagster.systems.ifs.writing.row_writes import StateNotChangedError


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
    """Supplier invoices. One that a person entered by hand is adopted; proposals of its orders end, or are reduced."""

    def __init__(
        self, client: DocumentClient, kind: DocumentKind, proposals: EntitySet, by_load: ExternalEntry | None = None
    ) -> None:
        super().__init__(client, kind, by_load)
        self._proposals = proposals
        self._rests = ProposalWriter(client, DocumentKind(proposals, "posting proposal"))
        self._parts = OrderParts()

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        self._parts = OrderParts()
        yield from super().save(drafts)

    def _there(self, drafts: Sequence[Draft]) -> dict[str, list[Found]]:
        """By our reference; else by company, supplier and number, where a person or another integration entered it."""
        found = super()._there(drafts)
        if self._kind.entity.is_off:
            return found
        absent = [draft.record for draft in drafts if not standing(found.get(draft.record.external_ref, ()))]
        new = {record.identity(): record for record in absent}
        numbers = {number for _, _, number in new}
        for row, etag in self._client.find_many(self._kind.entity, "invoice_no", numbers):
            record = new.get((row["company"], row["supplier_id"] or "", row["invoice_no"] or ""))
            if record is not None and row["obj_state"] != CANCELLED and not is_ours(row["external_ref"]):
                found.setdefault(record.external_ref, []).append((row, etag))
        return found

    def _saved(self, draft: Draft, found: Found | None, ended: Sequence[Row]) -> Iterator[Outcome]:
        """The invoice, then the end of the proposals, or what remains of them: it is not done before both are."""
        if CANCELLED not in self._proposals.actions and self._live_proposals(draft.record):
            action_to(self._proposals, CANCELLED)  # it raises: the costs would be in the books twice
        for outcome in super()._saved(draft, found, ended):
            if isinstance(outcome, Saved) and (draft.record.proposals or draft.record.billed):
                yield Begun(draft, outcome.remote_id)
                self._cancel_proposals(draft.record)
                outcome = replace(outcome, also_agreed=tuple(self._reduced(draft)))
            yield outcome

    def _row_to_enter(self, draft: Draft) -> Row | None:
        """Alone where its orders have proposals and nobody named what ends them: then it is perhaps not entered."""
        may_end = CANCELLED in self._proposals.actions or not (draft.record.proposals or draft.record.billed)
        return super()._row_to_enter(draft) if may_end else None

    def _reduced(self, draft: Draft) -> Iterator[tuple[str, Agreed]]:
        """Each order less this bill and all others. One that has no proposal yet has it that way when it comes."""
        live = dict(self._live_proposals(draft.record))
        for order, lines in by_order(draft.record.billed).items():
            content = self._parts.of(draft, order) | {draft.record.external_ref: as_text(lines)}
            if order in live:
                content.setdefault(ORDER, whole_order(from_row(self._rests.whole(live[order]))))
                self._rests.reduce(content)
            yield self._parts.keep(order, content)

    def _cancel_proposals(self, record: Invoice) -> None:
        for _, row in self._live_proposals(record) if record.proposals else ():
            self._client.change_state(self._proposals, {name: row[name] for name in self._proposals.keys}, CANCELLED)

    def _live_proposals(self, record: Invoice) -> list[tuple[str, Row]]:
        """(reference, row)"""
        wanted = {*record.proposals, *by_order(record.billed)}
        found = find_by_reference(self._client, self._proposals, wanted) if wanted else {}
        return [(order, row) for order, rows in found.items() for row, _ in rows if row["obj_state"] != CANCELLED]

    def otherwise(self, record: Invoice, row: Row) -> Shown:
        compared = Compared(self._kind.entity, INVOICE_FIELDS)
        return compared.otherwise(expected_document(compared, record), row)

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
        return {**_payable(record), "invoice_no": record.invoice_no, **dates, "lines": lines_of(record)}


class ProposalWriter(DocumentWriter):
    """Posting proposals. A changed order gets a new one in place of the old, in one change set; of an order that is
    billed in part it is what remains.
    """

    def __init__(self, client: DocumentClient, kind: DocumentKind) -> None:
        super().__init__(client, kind)
        self._in_vain: StateNotChangedError | None = None  # an action that IFS answered, and that changed nothing
        self._parts = OrderParts()

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        self._parts = OrderParts()
        yield from super().save(drafts)

    def whole(self, row: Row) -> Row:
        """With its lines."""
        return self._client.get(self._kind.entity, self.key(row))[0]

    def reduce(self, content: Mapping[str, str]) -> None:
        """Leave of an order's proposal what remains. Raises as `save` would refuse."""
        rest = remaining(content)
        assert rest is not None
        draft = Draft(rest.external_ref, rest)
        found = self._one(draft, standing(self._there([draft])[rest.external_ref]))
        for outcome in self._as_it_is_to_be(draft, found) if found else ():
            if isinstance(outcome, Refused):
                raise RecordRejected(outcome.reason)

    def _saved(self, draft: Draft, found: Found | None, ended: Sequence[Row]) -> Iterator[Outcome]:
        """The order less what bills took of it, those seen now and those known before."""
        record: Proposal = draft.record
        rests, content = self._rest_of(draft)
        is_billed = len(content) > 1
        outcomes = (
            [self._absent(rests, ended, is_billed=is_billed, is_over=self._is_over(draft))]
            if found is None
            else self._as_it_is_to_be(rests, found, is_billed=is_billed)
        )
        for outcome in outcomes:
            if isinstance(outcome, Saved):
                outcome = replace(outcome, agreed=self._parts.keep(record.external_ref, content))
            yield replace(outcome, draft=draft)

    def _rest_of(self, draft: Draft) -> tuple[Draft, dict[str, str]]:
        """The draft of what remains of an order, and what is known of it."""
        record: Proposal = draft.record
        known = self._parts.of(draft, record.external_ref) | {ORDER: whole_order(record)}
        seen = {name: as_text([line for line in record.bills if line.bill == name]) for name in _bills(record)}
        content = {name: text for name, text in (known | seen).items() if name not in record.given_back}
        rest = remaining(content)
        assert rest is not None
        return replace(draft, record=rest), content

    def _is_over(self, draft: Draft) -> bool:
        """Whether what was known of an order left nothing to be expected, so that its proposal was ended by us."""
        last = remaining(self._parts.of(draft, draft.record.external_ref))
        return last is not None and last.is_cancelled

    def _row_to_enter(self, draft: Draft) -> Row | None:
        rests, _ = self._rest_of(draft)
        is_entered = draft.anew or not draft.was_delivered or self._is_over(draft)
        return self.row(rests.record) if is_entered and not rests.record.is_cancelled else None

    def _absent(self, draft: Draft, ended: Sequence[Row], *, is_billed: bool, is_over: bool) -> Outcome:
        """Of an order that no proposal stands for. `is_over`: we ended it, since nothing more was expected."""
        record: Proposal = draft.record
        if record.is_cancelled and (is_billed or record.is_final or ended):
            number = draft.remote_id or record.external_ref
            return Saved(draft, number, "adopted", detail="nothing more of this order is expected")
        if record.is_cancelled:
            return self._refused(draft, "is cancelled")
        if ended and not (is_over or draft.anew):
            return self._was_cancelled(draft, ended)
        if draft.was_delivered and not (is_over or draft.anew):
            return self._refused(draft, f"{draft.remote_id} was entered, and is gone from IFS")
        action = "updated" if draft.was_delivered else "created"
        return self._said(draft, self._entered(record), action)

    def _as_it_is_to_be(self, draft: Draft, found: Found, *, is_billed: bool = True) -> Iterator[Outcome]:
        record: Proposal = draft.record
        if is_billed and not record.is_cancelled and is_as_it_stands(record, self.whole(found[0])):
            yield self._said(draft, found[0], "adopted")
        elif record.is_cancelled:
            row, _ = self._client.change_state(self._kind.entity, self.key(found[0]), CANCELLED)
            yield self._said(draft, row, "updated")
        elif draft.was_delivered or self.differences(draft.record, found[0]):
            yield from self._replaced(draft, *found)
        else:
            yield self._said(draft, found[0], "adopted")

    def _replaced(self, draft: Draft, row: Row, etag: str) -> Iterator[Outcome]:
        """The end of the old one is read again before anything is called saved."""
        if self._in_vain:
            raise RecordRejected(f"The posting proposal {self.remote_id(row)} stays as it is: {self._in_vain.message}")
        old = self._client.state_step(self._kind.entity, self.key(row), CANCELLED, etag)
        made, _ = self._client.create_document(self._kind.entity, self.row(draft.record), [old])
        yield Begun(draft, self.remote_id(made))
        try:
            self._client.change_state(self._kind.entity, self.key(row), CANCELLED)
        except StateNotChangedError as error:
            self._in_vain = error
            both = f"{self.remote_id(row)} and {self.remote_id(made)} both stand for {draft.record.external_ref}"
            raise RecordRejected(f"{both}: cancel {self.remote_id(row)} in IFS. {error.message}") from error
        yield self._said(draft, made, "updated")

    def compared(self, record: Proposal) -> dict[str, Any]:
        return {
            "company": record.company,
            "supplier_id": record.supplier_id,
            "currency_code": record.currency,
            "gross_amount": record.gross_amount,
        }

    def row(self, record: Proposal) -> Row:
        """A line has two amounts; in a foreign currency the company's own is the ERP's to make, at its rate."""
        lines = [{**line, "currency_amount": line["amount"]} for line in lines_of(record)]
        if record.is_foreign:
            lines = [{**line, "amount": None} for line in lines]
        return {**_payable(record), "invoice_date": record.dated, "lines": lines}


def _bills(record: Proposal) -> dict[str, None]:
    return dict.fromkeys(line.bill for line in record.bills)
