"""Suppliers of a SaaS in the ERP's supplier master: found or made once, and merged with what people changed there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Protocol

from mlc_dagster.core.errors import MlcError, OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.outcomes import Agreed, Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.core.vocabulary import EntitySet, Row, key_text
from mlc_dagster.systems.ifs.supplier_records import Partner
from mlc_dagster.systems.ifs.writing.child_rows import NOTHING, Below, ChildRows
from mlc_dagster.systems.ifs.writing.document_entry import Found
from mlc_dagster.systems.ifs.writing.supplier_outcome import Action, outcome
from mlc_dagster.systems.ifs.writing.supplier_values import (
    EXISTS,
    UNIQUE,
    MayBeOursError,
    NotOneError,
    lists_of,
    merged_with,
    said,
    told,
    without_children,
)
from mlc_dagster.systems.shared.saving import rule_of
from mlc_dagster.systems.shared.supplier_lists import Aligned
from mlc_dagster.systems.shared.three_way_merge import (
    link_of,
    without_conflicts,
)

FRESH = 60.0  # seconds that the list of names is taken for the truth
CLOCKS = timedelta(minutes=15)  # between the ERP's clock and ours
ELSEWHERE = timedelta(days=1)  # the ERP dates a supplier in the time zone of its server


class SupplierClient(Protocol):
    """What the supplier master needs of the client."""

    def every(self, entity: EntitySet) -> list[Found]: ...
    def find(self, entity: EntitySet, most: int = 10, *, latest_by: str = "", **conditions: object) -> list[Found]: ...
    def find_many(self, entity: EntitySet, field: str, values: Iterable[object], **also: object) -> list[Found]: ...
    def create(self, entity: EntitySet, row: Mapping[str, Any]) -> Found: ...
    def modify(self, entity: EntitySet, key: Mapping[str, object], change: Callable[[Row], Mapping[str, Any]]) -> Found:
        """Reads first, sends If-Match; after a 412 reads and asks `change` again, three tries at most."""


class SupplierWriter:
    """The supplier master. All names are read once and kept for a minute, when something must be found by name."""

    def __init__(self, client: SupplierClient, entity: EntitySet, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._entity, self._clock = client, without_children(entity), clock
        self._below = ChildRows(client, entity)
        self._kept = replace(self._entity, absent=self._entity.absent - self._below.fields)
        self._names: dict[str, list[Row]] = {}
        self._others: set[str] = set()  # names and numbers that the drafts in hand tell
        self._read_at: float | None = None

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft. Raises what concerns them all."""
        if any(draft.is_in_doubt for draft in drafts):
            self._read_at = None
        there = self._there(drafts)
        taken: dict[str, str] = {}  # number -> the record that it belongs to
        self._others = {name for draft in drafts for name in _identities(draft)}
        for draft in drafts:
            try:
                yield self._saved(draft, there, taken)
            except (RecordRejected, StaleRecord) as error:
                yield Refused(draft, error.message, rule_of(error), isinstance(error, MayBeOursError))
            except OutcomeUnknown as error:
                self._read_at = None
                yield Unanswered(draft, error.message)

    def _there(self, drafts: Sequence[Draft]) -> Mapping[str, Row]:
        """Number -> supplier, of the numbers that drafts carry and the ERP has."""
        numbers = {number for draft in drafts if (number := draft.remote_id or draft.record.supplier_id)}
        found = self._client.find_many(self._entity, "supplier_id", numbers) if numbers else []
        return {str(row["supplier_id"]): row for row, _ in found}

    def _saved(self, draft: Draft, there: Mapping[str, Row], taken: dict[str, str]) -> Saved:
        row = self._found(draft, there)
        if row is None:
            return self._created(draft, taken)
        number = str(row["supplier_id"])
        agreed = draft.agreed(key_text(number))
        self._refuse_a_second(draft.record, number, taken.get(number) or link_of(agreed))
        taken[number] = draft.record.external_ref
        below = self._below.below(number, told(draft.record))
        lists = lists_of(self._below, draft, below, agreed)
        row = {**row, **below.values}
        merged = merged_with(self._kept, draft, row, agreed, lists)
        if merged.to_erp or merged.conflicts:
            return self._merged(draft, row, agreed, below, lists)
        values = said(self._kept, draft, agreed, row, lists)
        return outcome(self._kept, draft, row, "adopted", agreed, values, (), lists=lists)

    def _refuse_a_second(self, partner: Partner, number: str, first: str) -> None:
        if first and first != partner.external_ref and partner.supplier_id != number:
            raise NotOneError(
                f"IFS has one supplier {partner.name}, {number}, and it belongs to {first}: {partner.external_ref} has "
                f"the same name. Rename one, make one of the two, or enter the number of the ERP where it belongs.",
                UNIQUE,
            )

    # --- which one ----------------------------------------------------------------------------------------------------

    def _found(self, draft: Draft, there: Mapping[str, Row]) -> Row | None:
        """By our own crosswalk, by the number that the SaaS carries, by name; None: the ERP does not have it."""
        ours, carried = draft.remote_id, draft.record.supplier_id
        if ours and carried and ours != carried:
            raise NotOneError(
                f"{draft.record.external_ref} was supplier {ours} of the ERP, and carries the number {carried} now. "
                f"Enter {ours} there again.",
                UNIQUE,
            )
        for number, whose in ((ours, "belongs to"), (carried, "stands on")):
            if known := there.get(number or ""):
                return known
            if number:
                why = f"Supplier {number} {whose} {draft.record.external_ref}, and IFS does not have it (any more)."
                raise NotOneError(f"{why} Restore it in IFS, or discard this hold.", EXISTS)
        return self._named(draft)

    def _named(self, draft: Draft) -> Row | None:
        """The one of this name, in this country where both sides name one."""
        partner: Partner = draft.record
        names = self._listed()
        found = names.get(_folded(partner.name), [])
        if len(found) > 1:
            raise NotOneError(
                f"IFS has {len(found)} suppliers of the name {partner.name}: {_numbers(found)}. "
                f"Enter the right number with {partner.external_ref}, or rename one.",
                UNIQUE,
            )
        if found and (there := found[0]["country"]) and partner.country and there != partner.country:
            raise NotOneError(
                f"IFS has {partner.name} in {there}, supplier {_numbers(found)}, and {partner.external_ref} is in "
                f"{partner.country}. Correct the country, or enter the right number, or rename one.",
                UNIQUE,
            )
        if not found:
            self._refuse_what_may_be_ours(draft, [row for rows in names.values() for row in rows])
        return found[0] if found else None

    def _refuse_what_may_be_ours(self, draft: Draft, rows: Sequence[Row]) -> None:
        """An attempt to make it went unanswered, and it was corrected since: the ERP keeps no key of another system, so
        whatever was made there since then, and belongs to nobody else, may be it.
        """
        if not draft.may_be_elsewhere or draft.look_since is None:
            return
        since = draft.look_since - CLOCKS
        made = [row for row in rows if _made_on(row, since.date()) >= since.date() - ELSEWHERE]
        alike = [row for row in made if not {_folded(row["name"]), str(row["supplier_id"])} & self._others]
        alike = [row for row in alike if not self._owner(draft, row)]
        if alike:
            ref = draft.record.external_ref
            raise MayBeOursError(
                f"IFS may have {ref} already, as {_numbers(alike)}, from an attempt that was not answered, before it "
                f"was corrected. Enter the right number with {ref}, or give it the name that it has in IFS. If none of "
                "them is it, create it in IFS and enter its number.",
                UNIQUE,
            )

    def _owner(self, draft: Draft, row: Row) -> str:
        """Whose it is already, of the records of this system."""
        return link_of(draft.agreed(key_text(str(row["supplier_id"]))))

    def _listed(self) -> Mapping[str, list[Row]]:
        """All suppliers by their names; read anew after a minute, and where an earlier attempt is in doubt."""
        if self._read_at is None or self._clock() - self._read_at > FRESH:
            started, self._names = self._clock(), {}
            for row, _ in self._client.every(self._entity):
                self._keep(row)
            self._read_at = started
        return self._names

    def _keep(self, row: Row, before: Row | None = None) -> None:
        """What was written is known without reading it."""
        if before is not None:
            old = _folded(before["name"])
            others = [each for each in self._names.get(old, []) if each["supplier_id"] != before["supplier_id"]]
            self._names[old] = others
        self._names.setdefault(_folded(row["name"]), []).append(row)

    # --- writing ------------------------------------------------------------------------------------------------------

    def _created(self, draft: Draft, taken: dict[str, str]) -> Saved:
        partner: Partner = draft.record
        if not partner.may_create:
            raise NotOneError(
                f"IFS has no supplier {partner.name}, and none is made there for {partner.external_ref}, by mlc.yaml. "
                "Create it in IFS, or discard this hold.",
                EXISTS,
            )
        lists = lists_of(self._below, draft, NOTHING, None)
        values = said(self._kept, draft, None, {}, lists)
        header = {name: value for name, value in values.items() if value and self._is_header(name)}
        try:
            row, _ = self._client.create(self._entity, header)
        except MlcError:
            self._read_at = None
            raise
        self._keep(row)
        taken[str(row["supplier_id"])] = partner.external_ref
        self._write_below(row, values, lists, NOTHING)
        row = {**row, **{name: values.get(name) for name in self._below.fields}}
        return outcome(self._kept, draft, row, "created", None, values, values, lists=lists)

    def _is_header(self, name: str) -> bool:
        """Whether a field is a column of the supplier's own row."""
        return "/" not in name and name not in self._below.fields

    def _write_below(self, row: Row, written: Mapping[str, str], lists: Aligned, below: Below) -> None:
        """What stands in the children, after the supplier itself; the entries that were made get their ids."""
        number = str(row["supplier_id"])
        self._below.write(number, {name: written[name] for name in written if name in self._below.fields}, below)
        lists.pairs.update(self._below.write_lists(number, written, lists, below))

    def _merged(self, draft: Draft, known: Row, agreed: Agreed | None, below: Below, lists: Aligned) -> Saved:
        """Only what the ERP is to take is written, on what was just read; where that changed meanwhile, once more."""
        written, left = dict[str, str](), set[str]()

        def change(row: Row) -> Mapping[str, Any]:
            merged = without_conflicts(
                merged_with(self._kept, draft, {**row, **below.values}, agreed, lists),
                draft.title or "the other system",
            )
            written.clear()
            written.update(merged.to_erp)
            left.clear()
            left.update(merged.to_saas)
            return {name: value or None for name, value in merged.to_erp.items() if self._is_header(name)}

        row, _ = self._client.modify(self._entity, {"supplier_id": known["supplier_id"]}, change)
        self._keep(row, known)
        self._write_below(row, written, lists, below)
        action: Action = "updated" if written else "adopted"
        row = {**row, **below.values, **{name: written[name] for name in written if name in self._below.fields}}
        values = said(self._kept, draft, agreed, row, lists)
        return outcome(self._kept, draft, row, action, agreed, values, written, left, lists)


def _identities(draft: Draft) -> set[str]:
    """What finds it, whoever else looks: its name, and its number in the ERP."""
    return {_folded(draft.record.name), *filter(None, (draft.remote_id, draft.record.supplier_id))}


def _made_on(row: Row, unknown: date) -> date:
    made: date | None = row["creation_date"] or (row["last_modified"].date() if row["last_modified"] else None)
    return made or unknown


def _numbers(rows: Sequence[Row]) -> str:
    return " and ".join(sorted(str(row["supplier_id"]) for row in rows))


def _folded(text: Any) -> str:
    return str(text or "").strip().casefold()
