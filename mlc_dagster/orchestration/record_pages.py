"""Where people see records in their own systems, as mlc.yaml says: what may be named there, and flows that know it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.record_pages import OF_A_TARGET, places
from mlc_dagster.core.vocabulary import ERP, EntitySet
from mlc_dagster.settings import Settings
from mlc_dagster.settings.mistakes import Mistake
from mlc_dagster.systems.ifs.records import ENTITY_SETS

SETTING = "record_pages"


def known_places(connection: str, flows: Iterable[Flow]) -> dict[str, tuple[str, ...]]:
    """What of a connection may have pages -> what their addresses may name."""
    every = list(flows)
    sources = [each for each in ENTITY_SETS if each.system == connection]
    sources += [flow.source for flow in every if flow.source.system == connection]
    targets = {flow.target.name: OF_A_TARGET for flow in every if flow.target.system == connection}
    return {**targets, **{each.name: (*each.keys, "key") for each in sources}}


def strange_pages(connection: str, said: Mapping[Any, Any], flows: Iterable[Flow]) -> Iterator[Mistake]:
    """Pages of what there is not, and addresses that name what nobody fills in."""
    known = known_places(connection, flows)
    for name, page in said.items():
        if name not in known:
            near = offered(str(name), known) or f"; expected one of {', '.join(known)}"
            yield Mistake((connection, SETTING, str(name)), f"there is nothing of that name{near}")
        elif strange := [each for each in places(str(page)) if each not in known[name]]:
            may = ", ".join(f"{{{each}}}" for each in known[name])
            yield Mistake((connection, SETTING, str(name)), f"found {{{strange[0]}}} in it; expected {may}")


def with_pages(flow: Flow, settings: Settings) -> Flow:
    """The flow, with the pages of both its sides."""
    target = settings.section(flow.target.system).record_pages.get(flow.target.name, "")
    return replace(flow, source=with_page(flow.source, settings), target=replace(flow.target, page=target))


def with_page(entity: EntitySet, settings: Settings) -> EntitySet:
    return replace(entity, page=settings.section(entity.system or ERP).record_pages.get(entity.name, ""))
