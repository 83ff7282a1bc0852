"""Do Procurify's vendors and the ERP's suppliers agree? Which stands for which, and what differs. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.ifs.records import Supplier
from mlc_dagster.systems.procurify.records import VendorRow
from mlc_dagster.systems.procurify.statuses import listed
from mlc_dagster.systems.shared.countries import country_code
from mlc_dagster.systems.shared.supplier_match import folded_name


class Drift(NamedTuple):
    """One line of the report. `why` is empty where the two agree."""

    kind: Literal["matched", "different", "unmatched"]
    vendor_id: str
    vendor: str
    supplier_id: str
    why: str = ""


def drifts(
    vendors: Iterable[VendorRow], suppliers: Iterable[Supplier], known: Mapping[str, str], facts: Facts
) -> Iterator[Drift]:
    """A line for each active vendor of the types that are suppliers. `known`: vendor -> supplier, of what was linked
    already; then by external id, then by exact name and country where one alone fits.
    """
    index = _SupplierIndex(suppliers)
    for vendor in sorted(vendors, key=lambda each: (len(each.vendor_id), each.vendor_id)):
        if vendor.is_active and listed(vendor.type, "vendor_types", facts):
            linked = known.get(key_text(vendor.vendor_id))
            yield _drift(vendor, index.find(vendor, linked), is_linked=linked is not None)


def _drift(vendor: VendorRow, found: Sequence[Supplier], *, is_linked: bool) -> Drift:
    named = (vendor.vendor_id, vendor.name or "")
    if not found:
        number = f"IFS has no supplier {vendor.external_id}" if vendor.external_id else "It has no external id"
        why = f"{number}, and none of this name and country. Enter the number in Procurify, or create the supplier."
        return Drift("unmatched", *named, "", why)
    if len(found) > 1:
        numbers = ", ".join(each.supplier_id for each in found)
        return Drift("unmatched", *named, "", f"It may be {numbers}. Enter the right number as its external id.")
    why = "; ".join(_differences(vendor, found[0], is_linked))
    return Drift("different" if why else "matched", *named, found[0].supplier_id, why)


def _differences(vendor: VendorRow, supplier: Supplier, is_linked: bool) -> Iterator[str]:
    """What both keep and each says otherwise; what one side leaves empty is no difference, but for the number."""
    pairs = {
        "name": (folded_name(vendor.name), folded_name(supplier.name)),
        "country": (country_code(vendor.country), supplier.country),
        "currency": (vendor.currency, supplier.currency_code),
        "mail address": (folded_name(vendor.email), folded_name(supplier.email)),
    }
    yield from (f"{name} is {a} there and {b} in IFS" for name, (a, b) in pairs.items() if a and b and a != b)
    if is_linked and not vendor.external_id:
        yield "its external id is empty, as Procurify leaves it where a vendor was deactivated: it is the one it was"
    elif vendor.external_id != supplier.supplier_id:
        yield f"its external id is {vendor.external_id or 'empty'}, and not the supplier's number"
    if supplier.blocked:
        yield "the supplier is blocked in IFS"


class _SupplierIndex:
    """The suppliers, by what tells them apart."""

    def __init__(self, suppliers: Iterable[Supplier]) -> None:
        self._by_number: dict[str, Supplier] = {}
        self._by_name: dict[tuple[str, str | None], list[Supplier]] = defaultdict(list)
        for each in suppliers:
            self._by_number[each.supplier_id] = each
            self._by_name[folded_name(each.name), each.country].append(each)

    def find(self, vendor: VendorRow, known: str | None) -> Sequence[Supplier]:
        for number in (known, vendor.external_id):
            if number in self._by_number:
                return [self._by_number[number or ""]]
        country = country_code(vendor.country)
        return self._by_name.get((folded_name(vendor.name), country), ()) if country else ()
