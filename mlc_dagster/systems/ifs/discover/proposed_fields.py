"""The lines of a proposal for single fields, and what all of its lines are told against. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.systems.ifs.discover.matching import Fields, Matched, shown
from mlc_dagster.systems.shared.yaml_lines import YamlLine, scalar

SET = 2  # depth of a set's name: ifs, entity_sets, its name


@dataclass(frozen=True)
class Circumstances:
    """What the lines are told against: the companies of mlc.yaml; set, or (set, field) -> the flows that go with it."""

    companies: tuple[str, ...]
    flows_of: Mapping[str, tuple[str, ...]]
    flows_of_fields: Mapping[tuple[str, str], tuple[str, ...]]
    has_usual_surface: bool = True
    catalogue_told: bool = False

    def switches_off(self, entity: EntitySet) -> str:
        flows = self.flows_of.get(entity.name, ())
        return f"switches off: {', '.join(flows)}" if flows else "no flow reads it"

    def cost(self, entity: EntitySet, name: str) -> str:
        """What the want of a field switches off; empty where no flow is void without it."""
        flows = self.flows_of_fields.get((entity.name, name), ())
        return f"switches off: {', '.join(flows)}" if flows else ""

    def costs(self, entity: EntitySet, fields: Fields, prefix: str = "") -> dict[str, str]:
        """Field -> what the want of it switches off."""
        return {name: self.cost(entity, f"{prefix}{name}") for name in fields}


def fields_lines(
    depth: int, title: str, fields: Fields, costs: Mapping[str, str] = MappingProxyType({})
) -> Iterator[YamlLine]:
    """Under a title, a line for each field; nothing where there is none."""
    if not fields:
        return
    yield YamlLine(depth, f"{title}:")
    for name, one in fields.items():
        yield from field_lines(depth + 1, name, one, costs.get(name, ""))


def field_lines(depth: int, name: str, one: Matched, cost: str = "") -> Iterator[YamlLine]:
    """Its name on the wire and its type; or null, and below it what may be meant, as a question."""
    if one.wire is not None:
        yield YamlLine(depth, f"{name}: {scalar(one.wire)}", "; ".join(filter(None, [shown(one.kind), one.note])))
        return
    sought = f"absent; sought: {', '.join(one.sought)}" if one.sought else "each row has its own"
    yield YamlLine(depth, f"{name}: null", "; ".join(filter(None, [sought, cost])))
    if one.maybe:
        question = (
            f"? Ask the tenant's administrator whether {one.maybe} ({shown(one.kind)}) is {name}: {one.why_maybe}"
        )
        yield YamlLine(depth, f"{name}: {scalar(one.maybe)}", question, False)
