"""Whether mlc.yaml says what the house knows: flows, entity sets, fields, cron lines; and whether it was filled in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mlc_dagster.core.bank_details import is_named
from mlc_dagster.core.cron_times import EXPECTED, when
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.orchestration.record_pages import SETTING, strange_pages
from mlc_dagster.settings import Settings, document, placeholders
from mlc_dagster.settings.addresses import is_plain
from mlc_dagster.settings.mistakes import Mistake, found, named, shown_name
from mlc_dagster.settings.schedules import ON_CHANGE
from mlc_dagster.settings.section import TargetSection
from mlc_dagster.settings.sections import connections_in
from mlc_dagster.systems.configuration import flows as all_flows
from mlc_dagster.systems.configuration import known_flows, settled
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.settings import ABSENT, EntitySetSettings, LineSetSettings, Preset, preset_of
from mlc_dagster.systems.registry import sections, systems


def checked(path: Path) -> Settings:
    """The settings in a file, good for a start. Raises Misconfigured with all that is wrong in it, by line."""
    text = document.read(path)
    return settled(text, [*of_the_house(text.content), *placeholders.mistakes(text.content, sections())])


def plain_addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    """(system, why) of each whose address is not encrypted."""
    for name, section in settings.connections.items():
        addresses = [getattr(section, each, None) or "" for each in ("base_url", "token_url")]
        if section.plain_http and any(map(is_plain, addresses)):
            yield name, section.plain_http


def of_the_house(content: Any) -> Iterator[Mistake]:
    """What the settings alone cannot know; asked of the text, so that other mistakes do not hide it."""
    known = _flows(content)
    yield from strange_flows(("guards",), _section(content, "guards"), known)
    yield from strange_flows(("verify", "flows"), _section(content, "verify", "flows"), known)
    yield from strange_cut_overs(_section(content, "cut_over"), known)
    yield from strange_lives(_section(content, "later_life"), known)
    yield from _entity_sets(_section(content, ERP))
    schedules = _section(content, "schedules")
    yield from _times(("schedules",), schedules)
    for kind in ("systems", "flows"):
        yield from _times(("schedules", kind), _section(schedules, kind))
    yield from strange_flows(("schedules", "flows"), _section(schedules, "flows"), known)
    yield from _strange_systems(_section(schedules, "systems"), content)
    yield from _never_asked(schedules, known)
    if daily := _section(content, "alerts").get("daily"):  # empty: there is no daily word
        yield from _times(("alerts",), {"daily": daily})
    for connection in known_connections(content):
        yield from _extra_fields(content, connection, known)
        yield from strange_pages(connection, _section(content, connection, SETTING), known.values())


def known_connections(content: Any) -> dict[str, str]:
    """Connection -> system, of all that the text names and all that there are."""
    return connections_in(content, sections())


def _flows(content: Any) -> dict[str, Flow]:
    known = known_connections(content).items()
    return {
        each.name: each for name, system in known for flow in systems()[system].flows for each in [flow.under(name)]
    }


def strange_flows(where: tuple[str, ...], named: Iterable[str], known: Collection[str]) -> Iterator[Mistake]:
    """Flows that a section names and that there are not. `where` it stands in the file."""
    for name in named:
        if name not in known:
            near = offered(name, known) or f"; there are: {', '.join(known)}"
            yield Mistake((*where, name), f"there is no such flow{near}")


def strange_cut_overs(named: Iterable[str], known: Mapping[str, Flow]) -> Iterator[Mistake]:
    """The same, and flows of master data: that has no date, and counts whatever its age."""
    yield from strange_flows(("cut_over",), named, known)
    for name in named:
        if name in known and not hasattr(known[name].source.record, "dates"):
            yield Mistake(("cut_over", name), "what it moves has no date: a cut-over is one of documents")


def strange_lives(lives: Mapping[str, Any], known: Mapping[str, Flow]) -> Iterator[Mistake]:
    """What is said of flows that there are not, or of which nothing can be reversed."""
    yield from strange_flows(("later_life",), lives, known)
    for name, said in lives.items():
        if name in known and _says(said) == "reverse" and known[name].reversing is None:
            able = ", ".join(flow.name for flow in known.values() if flow.reversing)
            words = f"nothing of this flow can be reversed; expected hold, or one of {able}"
            yield Mistake(("later_life", name, "on_taken_back"), words)


def _says(said: Any) -> Any:
    return said.get("on_taken_back") if isinstance(said, dict) else getattr(said, "on_taken_back", None)


def _entity_sets(section: dict[str, Any]) -> Iterator[Mistake]:
    named = {str(name): _names(names) for name, names in _section(section, "entity_sets").items()}
    said, told = section.get("catalogue"), preset_of(str(section.get("base_url", "")))
    begins_with: Preset = next((each for each in ("cloud", "seed") if each == said), told)
    yield from (Mistake(path, sentence) for path, sentence in ifs.wrong_names(named, begins_with))


def _names(content: Any) -> EntitySetSettings:
    """What can be read of an entity set's names: what else is wrong with it is told with the other mistakes."""
    try:
        return EntitySetSettings.model_validate(content)
    except ValidationError:
        lines = LineSetSettings(fields={**_texts(content, "lines", "fields")})
        fields, extra = _texts(content, "fields"), _texts(content, "extra_fields")
        return EntitySetSettings.model_construct(fields={**fields}, extra_fields=extra, lines=lines)


def _texts(content: Any, *path: str) -> dict[str, str]:
    found = ((str(name), ABSENT if value is None else value) for name, value in _section(content, *path).items())
    return {name: value for name, value in found if isinstance(value, str)}


def _times(where: tuple[str, ...], said: dict[str, Any]) -> Iterator[Mistake]:
    """Lines of cron that Dagster would refuse; what is no line at all is told by the settings."""
    from mlc_dagster.orchestration.automation.crons import is_cron  # Dagster takes a second to load

    for name, text in said.items():
        if not isinstance(text, str) or text == ON_CHANGE or name == "time_zone":
            continue
        with suppress(ValueError):
            if not is_cron(when(text).cron):
                yield Mistake((*where, name), f"{found((), text)}; expected {EXPECTED}")


def _never_asked(schedules: dict[str, Any], known: Mapping[str, Flow]) -> Iterator[Mistake]:
    """What is loaded on change alone, though no sensor hears of its changes: it would never be loaded."""
    by_flow, by_system = _section(schedules, "flows"), _section(schedules, "systems")
    for name, flow in known.items():
        told = flow.source.system == ERP and flow.source.partition == "day"
        if told or by_flow.get(name, by_system.get(flow.spoke)) != ON_CHANGE:
            continue
        where = ("flows", name) if name in by_flow else ("systems", flow.spoke)
        yield Mistake(
            ("schedules", *where),
            f"nothing tells when {flow.source.name} changes, so that {name} would never "
            f"be loaded; expected a time for it under schedules.flows, such as daily at 06:00",
        )


def _strange_systems(named: Iterable[str], content: Any) -> Iterator[Mistake]:
    """Of the ERP nothing is timed by itself: what is read of it is read for those that it goes to."""
    there = known_connections(content)
    for name in named:
        if name not in there:
            yield Mistake(("schedules", "systems", name), f"there is no such system{offered(name, there)}")


def _extra_fields(content: Any, connection: str, flows: Mapping[str, Flow]) -> Iterator[Mistake]:
    """Fields that mlc.yaml adds to a target, and that the flow's source does not have."""
    for name, fields in _section(content, connection, "extra_fields").items():
        flow = flows.get(f"{connection}/{name}")
        if flow is not None and isinstance(fields, dict):
            added = _section(content, ERP, "entity_sets", flow.source.name, "extra_fields")
            known = {*flow.source.record.__struct_fields__, *added}
            for field in [field for field in fields if field not in known or is_named(field)]:
                yield Mistake((connection, "extra_fields", name, field), strange_field(flow, field, known))


def strange_field(flow: Flow, field: str, known: set[str]) -> str:
    if field in known:
        return "bank details are never carried to another system; expected another field"
    where = f"ifs.entity_sets.{flow.source.name}.extra_fields.{shown_name(field)}: Cf_..."
    return f"{flow.source.name} has no such field{offered(field, known)}. One of your ERP's own is named first: {where}"


def _section(content: Any, *path: str) -> dict[Any, Any]:
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


# --- the same of settings that are parsed already --------------------------------------------------------------------


def check_extras(flows: Sequence[Flow], section: TargetSection) -> None:
    """Raises Misconfigured where mlc.yaml adds a field that the flow's source does not have."""
    for flow in flows:
        known, extras = flow.source.record.__struct_fields__, section.extras.get(flow.key[-1], {})
        if unknown := sorted(field for field in extras if field not in known or is_named(field)):
            where = f"{flow.spoke}.extra_fields.{flow.key[-1]}.{unknown[0]}"
            raise Misconfigured(f"{where} in mlc.yaml: {strange_field(flow, unknown[0], set(known))}")


def check_guards(settings: Settings) -> None:
    """Raises Misconfigured where mlc.yaml guards, looks at or cuts over a flow that there is not."""
    known = known_flows(settings)
    strange = (
        strange_flows(("guards",), settings.guards, known),
        strange_flows(("verify", "flows"), settings.verify.flows, known),
        strange_cut_overs(settings.cut_over, known),
    )
    for wrong in chain.from_iterable(strange):
        raise Misconfigured(f"{named(wrong.path)} in mlc.yaml: {wrong.sentence}")


def check_lives(settings: Settings) -> None:
    """Raises Misconfigured where mlc.yaml would reverse what cannot be reversed."""
    known = {flow.name: flow for table in all_flows(settings).values() for flow in table}
    for wrong in strange_lives(dict(settings.later_life), known):
        raise Misconfigured(f"{named(wrong.path)} in mlc.yaml: {wrong.sentence}")
