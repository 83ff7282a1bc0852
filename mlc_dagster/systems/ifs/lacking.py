"""Which flows a tenant cannot feed, or take: it has no such set, or lacks fields without which records are void.

Such a flow is off, with the reason, instead of sending records that lack them: silence would be the worst answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, EntitySet
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.entry_records import ENTRIES, INVOICES, PROPOSALS
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.ifs.supplier_records import PARTNERS

WRITTEN = {
    INVOICES.name: ifs.SUPPLIER_INVOICES,
    PROPOSALS.name: ifs.POSTING_PROPOSALS,
    ENTRIES.name: ifs.VOUCHERS,
    PARTNERS.name: ifs.SUPPLIERS,
}
"""Target -> the entity set that its records are in."""


def lacking(flow: Flow, catalogue: Mapping[str, EntitySet], section: IfsSettings) -> str:
    """Why this tenant has the flow off; empty where it does not."""
    if flow.source.system == ERP:
        return _of_source(flow, catalogue.get(flow.source.name, flow.source))
    if flow.target.system == ERP and flow.target.name in WRITTEN:
        return _of_target(flow, catalogue[WRITTEN[flow.target.name].name], section)
    return ""


def _of_source(flow: Flow, entity: EntitySet) -> str:
    if entity.is_off:
        return _no_set(entity)
    gone = missing(entity, flow.reads)
    if not gone:
        return ""
    places = sorted({"lines.fields" if name.startswith("lines.") else "fields" for name in gone})
    where = " and ".join(f"ifs.entity_sets.{entity.name}.{place}" for place in places)
    sites = ", or ifs.sites (site: company)" if "company" in gone and entity.sites is not None else ""
    words = f"this tenant's {entity.name} has no {', '.join(gone)}; name it in mlc.yaml, where there is one"
    return f"{words}: {where}{sites}"


def missing(entity: EntitySet, fields: tuple[str, ...]) -> list[str]:
    """Those of these fields ("lines.account" for a line's) that the tenant does not have."""
    lines = entity.lines.absent if entity.lines else frozenset[str]()
    by_site = {"company"} if entity.sites else set[str]()
    gone = entity.absent - by_site - entity.sums.keys() | {f"lines.{name}" for name in lines}
    return [name for name in fields if name in gone]


def _of_target(flow: Flow, entity: EntitySet, section: IfsSettings) -> str:
    """Invoices and vouchers may go another way than by a create in the set."""
    by = {INVOICES.name: section.invoices_by, ENTRIES.name: section.vouchers_by}.get(flow.target.name, "post")
    if by != "post":
        return ""
    other = f", or ifs.{flow.target.name.removeprefix('supplier_')}_by: external"
    way = other if flow.target.name in (INVOICES.name, ENTRIES.name) else ""
    if entity.is_off:
        return f"{_no_set(entity)}{way}"
    if entity.header_from_rows:
        return (
            f"this tenant shows {entity.name} as rows of a query service, to which nothing can be posted; "
            f"name a set that takes them: ifs.entity_sets.{entity.name}{way}"
        )
    return ""


def _no_set(entity: EntitySet) -> str:
    where = f"ifs.entity_sets.{entity.name}.set"
    return f"this tenant has no {entity.name}; name it in mlc.yaml, where there is one: {where}"
