"""Suppliers and customers with their accounts by company, where mlc.yaml names the array or set that holds them.

IFS keeps defaults of a supplier by company, and which entity shows them differs (facts/ifs-tenants.md names none): they
are read as the lines of the supplier's set, `ifs.entity_sets.supplier_set.lines: {navigation: ..., set: ...}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlc_dagster.core.vocabulary import EntitySet, LineSet, Record
from mlc_dagster.systems.ifs.partner_records import (
    CustomerAccount,
    CustomerOfCompanies,
    SupplierAccount,
    SupplierOfCompanies,
)
from mlc_dagster.systems.ifs.settings import EntitySetSettings, LineSetSettings

_BY_COMPANY: Mapping[str, tuple[type[Record], type[Record]]] = {
    "supplier_set": (SupplierOfCompanies, SupplierAccount),
    "customer_set": (CustomerOfCompanies, CustomerAccount),
}


def with_accounts(entity: EntitySet, overrides: Mapping[str, EntitySetSettings]) -> EntitySet:
    """The set as it is, or with lines that have no name yet: `catalogue_of` gives them those of mlc.yaml."""
    names = overrides.get(entity.name)
    if entity.name not in _BY_COMPANY or names is None or names.lines == LineSetSettings():
        return entity
    record, account = _BY_COMPANY[entity.name]
    lines = LineSet("accounts", "", "", account, (*entity.keys, "company"))
    has_array = bool(names.lines.navigation or names.lines.navigations)
    return replace(entity, record=record, lines=lines, expand=entity.expand if has_array else "never")


def without_accounts(entity: EntitySet) -> EntitySet:
    """To be written: a supplier is made without them."""
    return replace(entity, lines=None)
