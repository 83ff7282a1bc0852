"""Which flows are off by what a tenant lacks: beside the line that says so, and once altogether. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, EntitySet
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.lacking import lacking
from mlc_dagster.systems.ifs.settings import IfsSettings

CHART = ifs.ACCOUNTS.name
NO_CHART = f"there is no {CHART}: without a chart of accounts nothing is loaded that is posted"


def flows_of_sets(flows: Iterable[Flow], section: IfsSettings) -> dict[str, tuple[str, ...]]:
    """Set of the catalogue -> the flows that are off where the tenant does not have it."""
    every = {name: replace(each, is_off=False) for name, each in ifs.catalogue({}, "seed").items()}
    known = list(flows)
    return {
        name: tuple(flows_off(known, {**every, name: replace(each, is_off=True)}, section))
        for name, each in every.items()
    }


def flows_of_fields(flows: Iterable[Flow]) -> dict[tuple[str, str], tuple[str, ...]]:
    """(set, field; "lines.account" for a line's) -> the flows that are off where the tenant does not have it."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for flow in flows:
        for name in flow.reads if flow.source.system == ERP else ():
            place = (flow.source.name, name)
            found[place] = (*found.get(place, ()), flow.name)
    return found


def flows_off(flows: Iterable[Flow], catalogue: Mapping[str, EntitySet], section: IfsSettings) -> dict[str, str]:
    """Flow -> why it is off under a catalogue."""
    return dict(_off(flows, catalogue, section))


def _off(flows: Iterable[Flow], catalogue: Mapping[str, EntitySet], section: IfsSettings) -> Iterator[tuple[str, str]]:
    for flow in flows:
        why = lacking(flow, catalogue, section)
        if not why and flow.checks_accounts and catalogue[CHART].is_off:
            why = NO_CHART
        if why:
            yield flow.name, why
