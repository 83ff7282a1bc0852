"""Leads supplier invoices to another state by the tenant's bound action: one that is found as it was approved, from the
state that mlc.yaml names, and looked at afterwards. An answer proves nothing; what did not change is not reported so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.outcomes import Delivered, Draft, Outcome, Refused, Saved, Seen, Shown, Unanswered, refuse_owned
from mlc_dagster.core.vocabulary import EntitySet, Row, key_text
from mlc_dagster.systems.ifs.entry_records import TEXT
from mlc_dagster.systems.ifs.state_records import InvoiceState
from mlc_dagster.systems.ifs.writing.document_entry import CANCELLED, UNCHANGED_RULE
from mlc_dagster.systems.ifs.writing.document_references import Found
from mlc_dagster.systems.ifs.writing.document_steps import action_to
from mlc_dagster.systems.ifs.writing.read_back import Compared, FindsDocuments
from mlc_dagster.systems.ifs.writing.row_writes import TRIES, StateNotChangedError
from mlc_dagster.systems.shared.first_seen import FirstSeen
from mlc_dagster.systems.shared.saving import rule_of

FROM = "@from_state"
"""In what is shown: kept, and never compared."""
STATE_FIELDS = ("company", "obj_state", "gross_amount", "currency_code")


class ChangesStates(FindsDocuments, Protocol):
    """What leading a row to a state needs of the client."""

    api: Any

    def get(self, entity: EntitySet, key: Mapping[str, object]) -> Found: ...
    def update(self, entity: EntitySet, key: Mapping[str, object], changes: Mapping[str, Any], etag: str) -> Found: ...
    def act(self, entity: EntitySet, key: Mapping[str, object], state: str, etag: str) -> None: ...


class InvoiceStateWriter:
    """One invoice after the other."""

    def __init__(self, client: ChangesStates, invoices: EntitySet) -> None:
        self._client, self._entity = client, invoices

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft. Raises what concerns them all."""
        for draft in drafts:
            try:
                yield self._saved(draft)
            except (RecordRejected, StaleRecord) as error:
                yield Refused(draft, error.message, rule_of(error))
            except OutcomeUnknown as error:
                yield Unanswered(draft, error.message)

    def _saved(self, draft: Draft) -> Outcome:
        record: InvoiceState = draft.record
        if self._entity.is_off:
            raise RecordRejected(f"This tenant shows no supplier invoices: lead {record.invoice_no} there by hand.")
        action_to(self._entity, record.to_state)  # it raises before anything is asked
        key = self._key(record)
        number = key_text(*key.values())
        refuse_owned(draft, number, f"invoice {number}", "IFS")
        if draft.was_delivered:
            return self._moved_on(draft, number, self._client.get(self._entity, key)[0])
        return self._led(draft, number, key)

    def _led(self, draft: Draft, number: str, key: Mapping[str, object]) -> Saved:
        """Acted on with the version that was read and judged; after a 412 or a lost answer that begins anew."""
        record, last = draft.record, None
        for times in range(TRIES + 1):
            row, etag = self._client.get(self._entity, key)
            if row["obj_state"] == record.to_state:
                action, note = ("updated", "") if times else ("adopted", ", as it was before")
                return Saved(draft, number, action, f"{number} is {record.to_state}{note}")  # type: ignore[arg-type]
            self._judge(record, number, row, was_sent=last is not None)
            if times and last is None:
                raise StateNotChangedError(self._entity, key, record.to_state, row["obj_state"])
            if times == TRIES:
                break
            if isinstance(last, OutcomeUnknown):
                self._client.api.breathe(times)
            last = self._acted(record, key, row, etag)
        assert last is not None
        raise type(last)(f"{last.message} (given up after {TRIES} tries)") from last

    def _acted(
        self, record: InvoiceState, key: Mapping[str, object], row: Row, etag: str
    ) -> StaleRecord | OutcomeUnknown | None:
        try:
            if text := self._with_note(record, row):
                _, etag = self._client.update(self._entity, key, {"text": text}, etag)
            self._client.act(self._entity, key, record.to_state, etag)
        except (StaleRecord, OutcomeUnknown) as error:
            return error
        return None

    def _with_note(self, record: InvoiceState, row: Row) -> str:
        """The invoice's text with who approved it behind it; empty where it stands there, or there is no such field."""
        there = row.get("text") or ""
        if "text" in self._entity.not_selected or not record.text or record.text in there:
            return ""
        text = f"{there}; {record.text}" if there else record.text
        if len(text) > TEXT:
            raise RecordRejected(
                f"{text!r} has {len(text)} characters, and an invoice's text takes {TEXT}: no room to say who. "
                "Shorten the text in IFS; this follows by itself."
            )
        return text

    # --- which invoice ------------------------------------------------------------------------------------------------

    def _key(self, record: InvoiceState) -> dict[str, object]:
        """Of the one invoice of this supplier and number; in two companies it is none. Raises RecordRejected."""
        rows = [
            row
            for row, _ in self._client.find_many(self._entity, "invoice_no", [record.invoice_no])
            if row["supplier_id"] == record.supplier_id and row["obj_state"] != CANCELLED
        ]
        named = f"invoice {record.invoice_no} of supplier {record.supplier_id}"
        if not rows:
            raise RecordRejected(f"IFS has no {named}, or it is cancelled. Register it; this follows by itself.")
        if len(rows) > 1 or rows[0]["company"] != record.company:
            found = " and ".join(sorted(self._number(row) for row in rows))
            raise RecordRejected(
                f"IFS has {named} as {found}, and company {record.company} was approved. Which one is meant is for a "
                "person to say: cancel what is too many, or lead the right one there by hand and discard this."
            )
        return {name: rows[0][name] for name in self._entity.keys}

    def _number(self, row: Row) -> str:
        return key_text(*(row[name] for name in self._entity.keys))

    # --- whether it is what was approved ------------------------------------------------------------------------------

    def _judge(self, record: InvoiceState, number: str, row: Row, *, was_sent: bool) -> None:
        """Raises RecordRejected where it is not, or not in the state from which it is led."""
        if why := _is_not_it(record, row):
            raise RecordRejected(f"Invoice {number}: {why} Nothing was changed.")
        if row["obj_state"] != record.from_state:
            meanwhile = " Somebody moved it meanwhile." if was_sent else ""
            raise RecordRejected(
                f"Invoice {number} is {row['obj_state'] or 'in no state'}, and is led to {record.to_state} from "
                f"{record.from_state} alone.{meanwhile} Lead it there by hand where that is right, and discard this."
            )

    def _moved_on(self, draft: Draft, number: str, row: Row) -> Outcome:
        """What was led there once goes its own way: it is never led a second time."""
        record: InvoiceState = draft.record
        if why := _is_not_it(record, row):
            return Refused(draft, f"Invoice {number} was led to {record.to_state} already. {why}", UNCHANGED_RULE)
        if row["obj_state"] == record.from_state:
            words = f"Invoice {number} was led to {record.to_state}, and somebody set it back to {record.from_state}."
            return Refused(draft, f"{words} Lead it by hand, or discard this hold.", UNCHANGED_RULE)
        return Saved(draft, number, "adopted", f"{number} is {row['obj_state']}")


def _is_not_it(record: InvoiceState, row: Row) -> str:
    """Why the invoice is not what was approved; empty where it is."""
    gross, net, currency = row["gross_amount"], row["net_amount"], row["currency_code"]
    if gross is None and net is None:
        return "it shows no amount, so that nothing says that it is what was approved."
    if record.amount not in (gross, net) or currency != record.currency:
        return f"{record.amount} {record.currency} was approved, and it comes to {gross} {currency} (net {net})."
    return ""


class InvoiceStatesReadBack:
    """An invoice that was led to a state may go further: told is one that went back, or comes to another amount."""

    def __init__(self, client: FindsDocuments, invoices: EntitySet) -> None:
        self._client, self._entity = client, invoices
        self.compared = Compared(invoices, STATE_FIELDS, "gross_amount")

    def expected(self, record: InvoiceState) -> Shown:
        values = {"company": record.company, "obj_state": record.to_state, "gross_amount": record.amount}
        own = self.compared.of({**values, "currency_code": record.currency})
        return {**own, FROM: record.from_state}

    def read_back(self, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """By their keys, many with a request."""
        if self._entity.is_off or not delivered:
            return
        keys = {one.remote_id: self._typed(one.remote_id) for one in delivered}
        rows = {
            key_text(*(row[name] for name in self._entity.keys)): row
            for row, _ in self._client.find_keys(self._entity, list(keys.values()))
        }
        for one in delivered:
            row = rows.get(one.remote_id)
            if row is None:
                yield Seen(one.key, one.remote_id, "deleted")
            elif row["obj_state"] == CANCELLED:
                yield Seen(one.key, one.remote_id, "voided", detail=f"{one.remote_id}, cancelled in IFS")
            else:
                yield Seen(one.key, one.remote_id, "there", self._shown(one, row), detail=str(row["obj_state"] or ""))

    def _shown(self, one: Delivered, row: Row) -> Shown:
        sent = self.expected(one.record) if one.record is not None else one.shown or {}
        names, there = self.compared.names, dict(self.compared.of(row))
        state, amount = names.get("obj_state", ""), names.get("gross_amount", "")
        if there.get(state) != sent.get(FROM) and state in sent:
            there[state] = sent[state]
        if row["net_amount"] is not None and sent.get(amount) == row["net_amount"]:
            there[amount] = sent[amount]
        return {**there, FROM: sent.get(FROM)}

    def _typed(self, remote_id: str) -> tuple[object, ...]:
        return tuple(FirstSeen(self._entity, None).keys([remote_id])[0])
