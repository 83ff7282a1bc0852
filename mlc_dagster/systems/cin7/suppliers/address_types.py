"""Address types and countries of the ERP and of Cin7: what stands for what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.problems import problem
from mlc_dagster.systems.ifs.supplier_child_records import PostalAddress
from mlc_dagster.systems.shared.countries import COUNTRIES

TABLE, USUAL = "address_types", "Business"
CODES = {name.casefold(): code for code, name in COUNTRIES.items()}


def shared_addresses(addresses: Iterable[PostalAddress] | None, facts: Facts) -> tuple[PostalAddress, ...] | None:
    """The ERP's addresses but for those of types that mlc.yaml leaves out; one without a type is the usual one's."""
    if addresses is None:
        return None
    types = facts.table(TABLE)
    usual = erp_types(types).get(USUAL)
    typed = [each if each.address_type else msgspec.structs.replace(each, address_type=usual) for each in addresses]
    return tuple(each for each in typed if types.get(each.address_type or "", "not in the table"))


def erp_types(types: Mapping[str, str]) -> dict[str, str]:
    """Cin7's type -> the ERP's."""
    return {there: ours for ours, there in types.items() if there}


def in_erp_words(addresses: Iterable[PostalAddress], types: Mapping[str, str]) -> tuple[PostalAddress, ...]:
    """Cin7's addresses; a country that has no code says nothing, a type that stands for none is null."""
    back = erp_types(types)
    return tuple(
        msgspec.structs.replace(
            each,
            address_type=back.get(each.address_type or ""),
            country=CODES.get((each.country or "").strip().casefold()) if each.country else "",
        )
        for each in addresses
    )


def address_type_is_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Each address is of a type that stands for one of the other side, by cin7.address_types."""
    if target.addresses is None:
        return None
    types = facts.table(TABLE)
    of_erp = hasattr(source, "supplier_id")
    known = types.keys() if of_erp else erp_types(types).keys()
    strange = [each.address_type or "" for each in source.addresses if each.address_type not in known]
    strange = [kind for kind in strange if kind or not of_erp]
    there = "IFS" if of_erp else "Cin7"
    why = "stands for none of the other side. Name it in cin7.address_types in mlc.yaml (empty: not shared)"
    return problem(
        "address_type_is_mapped",
        [(kind, f"address type {kind or '(none)'} of {there} {why}, or change it in {there}.") for kind in strange],
    )
