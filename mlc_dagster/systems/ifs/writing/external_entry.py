"""A document goes into the books by a load of its own: loaded, checked, created; its number is read until it is there.

The load's id is made of our reference: what an answer was lost of is found again under it, and never loaded twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Protocol

from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved
from mlc_dagster.core.vocabulary import EntitySet, Row, key_text
from mlc_dagster.systems.ifs.external_records import CHECKED, CREATED, ExternalWay
from mlc_dagster.systems.ifs.odata.changesets import Step, StepAnswer
from mlc_dagster.systems.ifs.schema.parts import lines_alone
from mlc_dagster.systems.ifs.writing.document_references import Found, short
from mlc_dagster.systems.ifs.writing.document_steps import on_wire

MOST = 9  # loads of one document: each content that was refused is one
TURNS = 6  # of reading a load and acting on it, before it is left to the next time
ANSWERED = "target_answered"
"""The rule under which what IFS has not finished is looked up again by itself."""


class LoadClient(Protocol):
    """What a load needs of the client."""

    def get(self, entity: EntitySet, key: Mapping[str, object]) -> Found: ...
    def find_many(self, entity: EntitySet, field: str, values: Iterable[object], **also: object) -> list[Found]: ...
    def change_set(self, service_of: EntitySet | str, steps: Sequence[Step]) -> list[StepAnswer]: ...
    def create_step(self, entity: EntitySet, row: Mapping[str, Any]) -> Step: ...
    def act(self, entity: EntitySet, key: Mapping[str, object], state: str, etag: str) -> None: ...


class ExternalDocument(Protocol):
    """How a document of one kind stands in a load."""

    def rows(self, record: Any) -> list[tuple[str, Row]]:
        """(array, row) for each row, under record fields, without its number."""

    def remote_id(self, load: Row) -> str:
        """The ERP's key of the document that was made; empty while there is none."""


class ExternalEntry:
    """Documents of one kind, by loads."""

    def __init__(self, client: LoadClient, way: ExternalWay, document: ExternalDocument, name: str) -> None:
        self._client, self._way, self._document, self._name = client, way, document, name
        self._there: dict[str, list[Row]] = {}  # reference -> its loads, in the order of their numbers

    def look(self, drafts: Sequence[Draft]) -> None:
        """Find the loads of these documents, of this attempt and of earlier ones."""
        of = {load_id: draft.record.external_ref for draft in drafts for load_id in load_ids(draft.record.external_ref)}
        found: dict[str, list[Row]] = defaultdict(list)
        for row, _ in self._client.find_many(self._way.loads, "load_id", of):
            found[of[str(row["load_id"])]].append(row)
        self._there = {ref: sorted(rows, key=lambda row: str(row["load_id"])) for ref, rows in found.items()}

    def enter(self, draft: Draft) -> Outcome:
        """Raises RecordRejected, StaleRecord, OutcomeUnknown."""
        ours = self._numbered(draft.record)
        loads = [self._whole(row) for row in self._there.get(draft.record.external_ref, ())]
        live = [load for load in loads if not _errors(load)]
        same = [load for load in loads if _same(load["lines"], ours)]
        if len(live) > 1 or (live and live[0] not in same):
            return Refused(draft, self._says_of_others(live))
        if found := live or same[-1:]:
            return self._carried_on(draft, self._key(found[0]))
        return self._carried_on(draft, self._loaded(draft, len(loads), ours))

    # --- one load ------------------------------------------------------------------------------------------------

    def _loaded(self, draft: Draft, before: int, ours: Sequence[tuple[str, Row]]) -> dict[str, object]:
        if before >= MOST:
            raise RecordRejected(f"IFS has {MOST} loads of this {self._name} with errors. Delete them there.")
        key = {"company": draft.record.company, "load_id": load_ids(draft.record.external_ref)[before]}
        steps = [self._client.create_step(self._way.loads, key)]
        for array, row in ours:
            steps.append(Step("POST", f"$1/{array}", on_wire(self._array(array), row)))
        self._client.change_set(self._way.loads, steps)
        return key

    def _carried_on(self, draft: Draft, key: Mapping[str, object]) -> Outcome:
        """From whatever state it is in to the document's number, as far as IFS goes. Each answer is looked at."""
        acted: list[str] = []
        for _ in range(TURNS):
            load, etag = self._client.get(self._way.loads, key)
            if number := self._document.remote_id(load):
                return Saved(draft, number, "created", detail=f"{number} (load {key['load_id']})")
            step = self._next(load, acted)
            if step is None:
                return self._unfinished(draft, load, acted)
            try:
                self._client.act(self._way.loads, key, step, etag)
                acted.append(step)
            except StaleRecord:
                continue  # somebody else has it in hand: what it is now is read
        raise OutcomeUnknown(f"load {key['load_id']} is changed by others all the time")

    def _next(self, load: Row, acted: Sequence[str]) -> str | None:
        """The action that it needs: each is sent once, and an error that stands is checked again once."""
        if load["obj_state"] == self._way.awaiting or CREATED in acted:
            return None
        if load["obj_state"] == self._way.checked and not _errors(load):
            return CREATED
        return None if CHECKED in acted else CHECKED

    def _unfinished(self, draft: Draft, load: Row, acted: Sequence[str]) -> Outcome:
        named = f"load {load['load_id']} in company {load['company']}"
        if errors := _errors(load):
            cure = "Correct it at its source or in IFS; the load stays there with its errors until it is deleted."
            return Refused(draft, f"IFS refuses the {self._name}, {named}: {' '.join(errors)} {cure}")
        if load["obj_state"] == self._way.awaiting:
            why = f"IFS waits for another user to approve the {self._name}, {named}. It is looked up again by itself."
            return Refused(draft, why, ANSWERED, in_doubt=True)
        if CREATED in acted:
            why = f"IFS was told to create the {self._name}, {named}, which is {load['obj_state']}: there is no number"
            return Refused(draft, f"{why} yet. It is looked up again by itself.", ANSWERED, in_doubt=True)
        where = f"ifs.external_loads.{self._way.loads.name}"
        why = f"IFS answered the check of {named}, and it is {load['obj_state']}, not {self._way.checked}."
        return Refused(draft, f"{why} Correct {where}.actions.{CHECKED} or {where}.checked in mlc.yaml.")

    # --- what is there -------------------------------------------------------------------------------------------

    def _whole(self, row: Row) -> Row:
        return self._client.get(self._way.loads, self._key(row))[0]

    def _key(self, row: Row) -> dict[str, object]:
        return {name: row[name] for name in self._way.loads.keys}

    def _numbered(self, record: Any) -> list[tuple[str, Row]]:
        """Numbered through, whatever array they stand in; what is None is left out, for IFS to fill in."""
        return [
            (array, {"record_no": number, **{name: value for name, value in row.items() if value is not None}})
            for number, (array, row) in enumerate(self._document.rows(record), 1)
        ]

    def _array(self, array: str) -> EntitySet:
        lines = self._way.loads.lines
        assert lines is not None
        return lines_alone(self._way.loads, lines, array, array)

    def _says_of_others(self, live: Sequence[Row]) -> str:
        named = " and ".join(f"{load['load_id']} ({load['obj_state']})" for load in live)
        made = [number for load in live if (number := self._document.remote_id(load))]
        what = f"IFS has this {self._name} with another content or twice: load {named}"
        if made:
            return f"{what}, entered as {' and '.join(made)}. Correct it in IFS by hand, then discard this hold."
        return f"{what}. Delete what is not to be created in IFS, then release this hold."


def load_ids(reference: str) -> list[str]:
    """ "M7F3A09C2D1E4-1" and those that follow it, of at most 20 characters."""
    digest = blake2b(reference.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest().upper()
    return [f"M{digest}-{number}" for number in range(1, MOST + 1)]


def _errors(load: Row) -> list[str]:
    """IFS's codes and words, by row. A row that has its number is done, whatever stands beside it."""
    return [
        f"row {row['record_no']}: {row['error_code']}: {row['error_text'] or 'no text'}."
        for row in sorted(load["lines"], key=lambda row: int(row["record_no"]))
        if row["error_code"]
    ]


def _same(theirs: Sequence[Row], ours: Sequence[tuple[str, Row]]) -> bool:
    """Whether a load has what we would send. What IFS filled in beside it does not count."""
    by_number = {row["record_no"]: row for row in theirs}
    return len(theirs) == len(ours) and all(
        all(by_number.get(row["record_no"], {}).get(name) == value for name, value in row.items()) for _, row in ours
    )


class ExternalVouchers:
    """A voucher is its rows."""

    def __init__(self, array: str) -> None:
        self._array = array

    def rows(self, record: Any) -> list[tuple[str, Row]]:
        head = {
            "transaction_date": record.voucher_date,
            "voucher_type": record.voucher_type,
            "accounting_year": record.year(),
            "user_group": record.user_group,
            "external_ref": short(record.external_ref),
        }
        return [(self._array, {**head, **_coded(line, record.text)}) for line in record.lines]

    def remote_id(self, load: Row) -> str:
        row = load["lines"][0] if load["lines"] else {}
        numbers = {each["voucher_no"] for each in load["lines"]}
        if None in numbers or len(numbers) != 1 or row["accounting_year"] is None:
            return ""
        return key_text(load["company"], row["voucher_type"], row["accounting_year"], row["voucher_no"])


class ExternalInvoices:
    """An invoice stands in one array, its lines in another."""

    def __init__(self, invoices: str, items: str) -> None:
        self._invoices, self._items = invoices, items

    def rows(self, record: Any) -> list[tuple[str, Row]]:
        head = {
            "supplier_id": record.supplier_id,
            "invoice_no": record.invoice_no,
            "invoice_date": record.invoice_date,
            "due_date": record.due_date,
            "currency_code": record.currency,
            "net_amount": record.net_amount,
            "vat_amount": record.vat_amount,
            "gross_amount": record.gross_amount,
            "po_reference": record.po_reference,
            "text": record.text,
            "external_ref": short(record.external_ref),
        }
        number = {"invoice_no": record.invoice_no}
        lines = [(self._items, {**number, **_coded(line, None)}) for line in record.lines]
        return [(self._invoices, head), *lines]

    def remote_id(self, load: Row) -> str:
        made = [row["invoice_id"] for row in load["lines"] if row["invoice_id"] is not None]
        return key_text(load["company"], made[0]) if made else ""


def _coded(line: Any, text: str | None) -> Row:
    """A line under the fields of an external row."""
    names = type(line).__struct_fields__
    return {**{name: getattr(line, name) for name in names}, "text": line.text or text}
