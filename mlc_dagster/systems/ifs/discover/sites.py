"""Whose each site is: a tenant's own list, for documents that have a site and no company."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mlc_dagster.core.errors import MlcError
from mlc_dagster.systems.ifs.discover.entity_sets import Absent, FoundSet
from mlc_dagster.systems.ifs.discover.known_names import Place
from mlc_dagster.systems.ifs.discover.services import Services
from mlc_dagster.systems.shared.yaml_lines import YamlLine, scalar

SITES = Place("CompanySiteHandling", "CompanySiteSet")
"""Key Contract, with Company (public code: facts/ifs-tenants.md, 3.8)."""


def sites_of(found: Iterable[FoundSet | Absent], services: Services) -> dict[str, str]:
    """Site -> company, where a set needs it and the tenant tells it; else nothing."""
    if not any(isinstance(one, FoundSet) and _needs_sites(one) for one in found):
        return {}
    model = services.of(SITES).model
    types = model.properties(SITES.set) or {}
    if [types.get(name) for name in ("Contract", "Company")] != ["Edm.String"] * 2:
        return {}
    try:
        rows = services.rows(SITES, ("Contract", "Company"), ("Contract",))
    except MlcError:  # then it is asked about, as where there is no such list
        return {}
    pairs = ((row.get("Contract"), row.get("Company")) for row in rows)
    return {site: company for site, company in pairs if isinstance(site, str) and isinstance(company, str)}


def without_site(found: FoundSet | Absent, sites: Mapping[str, str]) -> FoundSet | Absent:
    """A set with a site and no company is not read before mlc.yaml says whose the sites are."""
    if isinstance(found, Absent) or sites or not _needs_sites(found):
        return found
    words = "it has a site and no company: say whose each site is (ifs.sites), then take its lines in"
    return replace(found, doubt="; ".join(filter(None, [found.doubt, words])))


def site_lines(sites: Mapping[str, str]) -> Iterator[YamlLine]:
    if sites:
        yield YamlLine(1, "sites:", f"site: company, as {SITES} has them")
        yield from (YamlLine(2, f"{scalar(site)}: {scalar(company)}") for site, company in sites.items())


def _needs_sites(found: FoundSet) -> bool:
    fields = found.fields
    return "contract" in fields and fields["contract"].is_exact and not fields["company"].is_exact
