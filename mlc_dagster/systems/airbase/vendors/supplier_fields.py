"""What a vendor in Airbase says of the fields that the ERP keeps too, and a supplier of the ERP beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mlc_dagster.core.outcomes import Agreed, Draft
from mlc_dagster.systems.airbase.api import Document, id_of
from mlc_dagster.systems.airbase.records import Vendor
from mlc_dagster.systems.airbase.vendors.vendor_details import (
    details_in,
    refuse_strangers,
    whole_entries,
    with_details,
)
from mlc_dagster.systems.ifs.supplier_child_records import PostalAddress
from mlc_dagster.systems.shared.supplier_lists import Aligned, Lists, aligned
from mlc_dagster.systems.shared.supplier_match import CodeNames, SupplierMatch

TERMS = "payment_terms"
"""A field that some tenants' vendors have, and others' not."""


def vendor_reference(vendor_id: str) -> str:
    """How a vendor in Airbase is called elsewhere."""
    return f"airbase-vendor-{vendor_id}"


def shared_fields(row: Document) -> dict[str, Any]:
    """The shared fields as this tenant's vendors have them; a field that they do not have is left out."""
    return {name: row[name] or "" for name in ("name", "email", TERMS) if name in row}


class VendorMatching:
    """How vendors meet suppliers. `terms`: the ERP's payment terms -> their names in Airbase; none: not shared."""

    def __init__(self, terms: Mapping[str, str], paths: Mapping[str, str] | None = None, main_type: str = "") -> None:
        """`paths`: where a vendor holds its contact and its address; `main_type`: the ERP's type of that address."""
        self._code_names, self._paths, self._main_type = CodeNames("Airbase", terms), paths or {}, main_type

    def match(self, draft: Draft, theirs: Document | None) -> tuple[Vendor, SupplierMatch]:
        """The vendor with only those values that Airbase is to take, and how it was decided.

        Raises DisagreementError where a person must decide.
        """
        record: Vendor = draft.record
        ours = {"name": record.name, "email": record.email, TERMS: record.payment_term}
        shared = ours if self._code_names.terms else {name: ours[name] for name in ("name", "email")}
        lists = self._aligned(draft, theirs or {})
        refuse_strangers(lists, draft.agreed(record.key), "Airbase")
        match = SupplierMatch(draft, self._code_names, shared, shared_fields(theirs) if theirs else {}, lists)
        return (_changes_alone(record, match, theirs), match) if theirs else (record, match)

    def _aligned(self, draft: Draft, row: Document) -> Aligned:
        record: Vendor = draft.record
        there = details_in(row, self._paths)
        places = there.addresses
        typed = (
            None if places is None else [msgspec.structs.replace(each, address_type=self._main_type) for each in places]
        )
        saas = Lists(
            there.contacts if record.contacts is not None else None, typed if record.addresses is not None else None
        )
        own = self._typed(record.addresses or ())
        erp = Lists(record.contacts, own if record.addresses is not None else None)
        return aligned(erp, saas, draft.agreed(record.key), whole=False)

    def _typed(self, places: Iterable[PostalAddress]) -> list[PostalAddress]:
        return [msgspec.structs.replace(each, address_type=self._main_type) for each in places]

    def with_details(
        self, body: dict[str, Any], match: SupplierMatch | None, theirs: Document | None
    ) -> dict[str, Any]:
        """The body with what Airbase is to take of contact and address."""
        if match is None or not self._paths:
            return body
        return with_details(body, match.written, whole_entries(match.ours, match.lists), theirs or {}, self._paths)

    def agreed_values(self, draft: Draft, match: SupplierMatch, row: Document, *, wrote: bool) -> tuple[str, Agreed]:
        """(the ERP's key, what both agree on). Airbase gives its vendors no modified time."""
        lists = self._aligned(draft, row)
        return match.agreed_values(shared_fields(row), "", vendor_reference(id_of(row)), wrote=wrote, lists=lists)


def _changes_alone(record: Vendor, match: SupplierMatch, theirs: Document) -> Vendor:
    """What Airbase keeps is sent as it is there: a name is required in every body."""
    changes = {
        "name": theirs.get("name") if match.leaves("name") else record.name,
        "email": None if match.leaves("email") else match.written.get("email", record.email),
        "payment_term": None if TERMS not in theirs or match.leaves(TERMS) else record.payment_term,
    }
    return msgspec.structs.replace(record, **changes)
