"""What a vendor in Airbase says of the fields that the ERP keeps too, and a supplier of the ERP beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mlc_dagster.core.outcomes import Agreed, Draft
from mlc_dagster.systems.airbase.api import Document, id_of
from mlc_dagster.systems.airbase.records import Vendor
from mlc_dagster.systems.shared.supplier_match import Meeting, Words

TERMS = "payment_terms"
"""A field that some tenants' vendors have, and others' not."""


def link(vendor_id: str) -> str:
    """How a vendor in Airbase is called elsewhere."""
    return f"airbase-vendor-{vendor_id}"


def said(row: Document) -> dict[str, Any]:
    """The shared fields as this tenant's vendors have them; a field that they do not have is left out."""
    return {name: row[name] or "" for name in ("name", "email", TERMS) if name in row}


class Vendors:
    """How vendors meet suppliers. `terms`: the ERP's payment terms -> their names in Airbase; none: not shared."""

    def __init__(self, terms: Mapping[str, str]) -> None:
        self._words = Words("Airbase", terms)

    def meet(self, draft: Draft, theirs: Document | None) -> tuple[Vendor, Meeting]:
        """The vendor with only those values that Airbase is to take, and how it was decided.

        Raises DisagreementError where a person must decide.
        """
        record: Vendor = draft.record
        ours = {"name": record.name, "email": record.email, TERMS: record.payment_term}
        shared = ours if self._words.terms else {name: ours[name] for name in ("name", "email")}
        met = Meeting(draft, self._words, shared, said(theirs) if theirs else {})
        return (_settled(record, met, theirs), met) if theirs else (record, met)

    def concluded(self, met: Meeting, row: Document, *, wrote: bool) -> tuple[str, Agreed]:
        """(the ERP's key, what both agree on). Airbase gives its vendors no modified time."""
        return met.concluded(said(row), "", link(id_of(row)), wrote=wrote)


def _settled(record: Vendor, met: Meeting, theirs: Document) -> Vendor:
    """What Airbase keeps is sent as it is there: a name is required in every body."""
    changes = {
        "name": theirs.get("name") if met.leaves("name") else record.name,
        "email": None if met.leaves("email") else met.written.get("email", record.email),
        "payment_term": None if TERMS not in theirs or met.leaves(TERMS) else record.payment_term,
    }
    return msgspec.structs.replace(record, **changes)
