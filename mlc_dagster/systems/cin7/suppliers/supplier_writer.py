"""Suppliers in Cin7: found by the ERP's key or by name, merged, and never doubled; what people keep there stays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from mlc_dagster.core.errors import MlcError, RecordRejected, StillInDoubt
from mlc_dagster.core.outcomes import Draft, Outcome, Saved
from mlc_dagster.core.shown_values import shown_otherwise
from mlc_dagster.systems.cin7.api import Cin7Api, Document, covers, same_id
from mlc_dagster.systems.cin7.kept_fields import refuse_losses
from mlc_dagster.systems.cin7.records import Contact, Supplier
from mlc_dagster.systems.cin7.suppliers.read_back import SHOWN_AS, expected_supplier, plain_fields, shown_supplier
from mlc_dagster.systems.cin7.suppliers.supplier_fields import (
    MARK,
    agreed_values,
    code_names,
    match_supplier,
    only_changes,
)
from mlc_dagster.systems.cin7.suppliers.supplier_lists import with_entries
from mlc_dagster.systems.shared.saving import GoneError
from mlc_dagster.systems.shared.supplier_match import SupplierMatch

FRESH = 60.0  # seconds that a list is taken for the truth
CLOCKS = timedelta(minutes=15)  # between Cin7's clock and ours

_SCALARS = (
    "Name",
    "Currency",
    "PaymentTerm",
    "TaxRule",
    "AccountPayable",
    "Status",
    "Discount",
    "Comments",
    "TaxNumber",
)
_SLOTS = ("AttributeSet", *(f"AdditionalAttribute{number}" for number in range(1, 11)))
_LISTS = ("Addresses", "Contacts")


class SupplierWriter:
    """The suppliers of one Cin7 account. The list of all is read once and kept for a minute, with what we write."""

    def __init__(
        self,
        api: Cin7Api,
        clock: Callable[[], float] = time.monotonic,
        terms: Mapping[str, str] | None = None,
        address_types: Mapping[str, str] | None = None,
    ) -> None:
        """`terms`, `address_types`: the ERP's -> their names in Cin7."""
        self._api, self._clock, self._code_names = api, clock, code_names(terms or {})
        self._types = address_types or {}
        self._rows: dict[str, Document] = {}
        self._read_at: float | None = None

    def listed(self) -> Sequence[Document]:
        """All suppliers, deprecated ones too."""
        if self._read_at is None or self._clock() - self._read_at > FRESH:
            started = self._clock()
            rows = self._api.pages("/supplier", "SupplierList", IncludeDeprecated="true")
            self._rows = {str(row["ID"]).casefold(): row for row in rows}
            self._read_at = started
        return list(self._rows.values())

    def forget(self) -> None:
        """Read the list anew when it is asked for next."""
        self._read_at = None

    def save(self, draft: Draft) -> Iterator[Outcome]:
        """One outcome. Raises RecordRejected, OutcomeUnknown for this draft; others for all."""
        try:
            yield self._saved(draft)
        except MlcError:
            self._read_at = None  # what we know of the list may be what went wrong
            raise

    def _saved(self, draft: Draft) -> Saved:
        known = self.by_id(draft.remote_id) if draft.remote_id else None
        if known is None and (same := self._match(draft)):
            match = self._matched(draft, same)
            if covers(same, self._body(draft.record, match, same)):
                return self._told(draft, same, "adopted", match)
            known = self.by_id(same["ID"]) or same
        if known is None and draft.was_delivered and not draft.anew:
            raise GoneError("Cin7", f"supplier {draft.record.name} ({draft.remote_id})")
        return self._create(draft) if known is None else self._update(draft, known)

    def by_id(self, remote_id: str) -> Document | None:
        """As Cin7 has it now; None: it has none of this id."""
        rows = self._api.get("/supplier", ID=remote_id, IncludeDeprecated="true").get("SupplierList") or []
        return next((row for row in rows if same_id(row["ID"], remote_id)), None)

    def _match(self, draft: Draft) -> Document | None:
        """By key, by the mark of our contact, then by name. Raises StillInDoubt where two answer."""
        supplier: Supplier = draft.record
        rows, mark = self.listed(), f"{MARK}{supplier.key}"
        for found in (
            [row for row in rows if key_of(row, supplier) == supplier.key],
            [row for row in rows if mark in _marks(row)],
            [row for row in rows if _folded(row.get("Name")) == _folded(supplier.name)],
        ):
            if len(found) > 1:
                raise StillInDoubt(
                    f"Cin7 has two suppliers for {supplier.key} {supplier.name}: {_named(found)}. "
                    "Deprecate or rename one."
                )
            if found:
                return found[0]
        self._refuse_what_may_be_ours(draft, rows)
        return None

    def _refuse_what_may_be_ours(self, draft: Draft, rows: Sequence[Document]) -> None:
        """An attempt to make it went unanswered, and it was corrected since. Where its key has no slot in Cin7,
        whatever was made or changed since then may be it.
        """
        supplier: Supplier = draft.record
        if not draft.may_be_elsewhere or supplier.attribute_set or draft.look_since is None:
            return
        since = (draft.look_since - CLOCKS).strftime("%Y-%m-%dT%H:%M:%S")
        alike = [row for row in rows if str(row.get("LastModifiedOn") or since)[:19] >= since and not _marks(row)]
        if alike:
            raise StillInDoubt(
                f"Cin7 may have {supplier.key} {supplier.name} already, as {_named(alike)}, from an attempt that was "
                "not answered, and it keeps no key of IFS. Give the right one the name that it has in IFS, and replay. "
                "If none of them is it, create it in Cin7 under this name."
            )

    def _create(self, draft: Draft) -> Saved:
        match = self._matched(draft, None)
        body = self._with_entries(merged(draft.record, {}), match)
        return self._told(draft, self._write("POST", body, repeatable=False), "created", match)

    def _update(self, draft: Draft, known: Document) -> Saved:
        supplier: Supplier = draft.record
        other = key_of(known, supplier)
        if other and other != supplier.key:
            raise RecordRejected(
                f"Cin7's supplier {known['Name']} ({known['ID']}) carries the key {other}, not {supplier.key}. "
                "Two suppliers cannot be one: rename one in IFS, or correct the key in Cin7."
            )
        match = self._matched(draft, known)
        body = self._body(supplier, match, known)
        if covers(known, body):
            return self._told(draft, known, "adopted", match)
        nothing_new = all(row.get("ID") for name in _LISTS for row in body[name])
        return self._told(draft, self._write("PUT", body, repeatable=nothing_new), "updated", match)

    def _matched(self, draft: Draft, row: Document | None) -> SupplierMatch:
        return match_supplier(draft, self._code_names, row, self._types)

    def _body(self, supplier: Supplier, match: SupplierMatch, row: Document) -> dict[str, Any]:
        """The whole supplier as it is sent: what Cin7 has, and over it what it is to take."""
        return self._with_entries(merged(only_changes(supplier, match, row), row), match)

    def _with_entries(self, body: dict[str, Any], match: SupplierMatch) -> dict[str, Any]:
        return with_entries(body, match.written, match.lists, self._types)

    def _told(self, draft: Draft, row: Document, action: Any, match: SupplierMatch) -> Saved:
        agreed = agreed_values(draft, match, row, self._types, wrote=action == "updated")
        shown = shown_otherwise(expected_supplier(draft.record), shown_supplier(row))
        shown = match.without_taken(shown, SHOWN_AS)
        detail = "; ".join([str(row.get("Name") or ""), *match.lists.removed])
        return Saved(draft, str(row["ID"]), action, detail=detail, agreed=agreed, shown=shown)

    def _write(self, method: str, body: Document, *, repeatable: bool) -> Document:
        row: Document = self._api.write(method, "/supplier", body, repeatable=repeatable)["SupplierList"][0]
        self._rows[str(row["ID"]).casefold()] = row
        sent = {name: value for name, value in body.items() if name not in _SLOTS}  # a set may lack them: ping says so
        refuse_losses(f"supplier {row.get('Name')}", sent, row)
        return row


def key_of(row: Document, supplier: Supplier) -> str:
    """The ERP's key that a supplier in Cin7 carries."""
    return key_in(row, supplier.slot, supplier.attribute_set)


def key_in(row: Document, slot: str, attribute_set: str) -> str:
    """The text of our slot; under another attribute set the slot means something else."""
    ours = attribute_set and row.get("AttributeSet") == attribute_set
    return str(row.get(slot) or "") if ours else ""


def merged(supplier: Supplier, theirs: Document) -> dict[str, Any]:
    """The whole supplier as it is sent: theirs, and over it what IFS has a value for.

    An address or contact without its ID would be added once more, so each carries the ID that Cin7 gave it.
    """
    kept = {name: theirs[name] for name in ("ID", *_SCALARS, *_SLOTS) if theirs.get(name) is not None}
    return {
        **kept,
        **{name: value for name, value in plain_fields(supplier).items() if value is not None},
        **_slot(supplier, theirs),
        "Addresses": _addresses(supplier, theirs.get("Addresses") or []),
        "Contacts": _contacts(supplier.contact, theirs.get("Contacts") or []),
    }


def _slot(supplier: Supplier, theirs: Document) -> dict[str, str]:
    """The key goes into its slot, unless people use another attribute set for this supplier."""
    if not supplier.attribute_set or theirs.get("AttributeSet") not in (None, "", supplier.attribute_set):
        return {}
    return {"AttributeSet": supplier.attribute_set, supplier.slot: supplier.key}


def _addresses(supplier: Supplier, theirs: Sequence[Document]) -> list[Document]:
    """IFS gives the country alone: it is set on the business address, or makes one whose first line is the name."""
    if supplier.country is None:
        return list(theirs)
    place = _place(theirs, lambda row: row.get("Type") == "Business")
    new = {"Line1": supplier.name, "Country": supplier.country, "Type": "Business", "DefaultForType": True}
    return _replaced(theirs, place, {"Country": supplier.country}, new)


def _contacts(contact: Contact | None, theirs: Sequence[Document]) -> list[Document]:
    """Our own contact by its mark; else a person with this address or name, who keeps everything but the address."""
    if contact is None:
        return list(theirs)
    mine = _place(theirs, lambda row: row.get("Comment") == contact.mark)
    if mine is not None:
        return _replaced(theirs, mine, {"Name": contact.name, "Email": contact.email}, {})
    place = _place(theirs, lambda row: _folded(row.get("Email")) == _folded(contact.email))
    if place is None:
        place = _place(theirs, lambda row: _folded(row.get("Name")) == _folded(contact.name))
    new = {"Name": contact.name, "Email": contact.email, "Comment": contact.mark, "Default": not theirs}
    return _replaced(theirs, place, {"Email": contact.email}, new)


def _place(rows: Sequence[Document], fits: Callable[[Document], bool]) -> int | None:
    return next((place for place, row in enumerate(rows) if fits(row)), None)


def _replaced(
    rows: Sequence[Document], place: int | None, change: Mapping[str, Any], new: Mapping[str, Any]
) -> list[Document]:
    """The rows with one changed, or one more."""
    if place is None:
        return [*rows, new]
    return [*rows[:place], {**rows[place], **change}, *rows[place + 1 :]]


def _marks(row: Document) -> set[str]:
    """What our own contact carries in its comment."""
    comments = {str(contact.get("Comment") or "") for contact in row.get("Contacts") or ()}
    return {comment for comment in comments if comment.startswith(MARK)}


def _named(rows: Sequence[Document]) -> str:
    return " and ".join(f"{row['Name']} ({row['ID']})" for row in rows)


def _folded(text: Any) -> str:
    return str(text or "").strip().casefold()
