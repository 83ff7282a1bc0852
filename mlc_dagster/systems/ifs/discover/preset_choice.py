"""Which preset of names a proposal begins with: the nearest, as long as nothing of its own is left beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import EntitySet, LineSet
from mlc_dagster.settings.plain_yaml import Reader
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.discover.entity_sets import Absent, FoundSet
from mlc_dagster.systems.ifs.settings import EntitySetSettings, Preset
from mlc_dagster.systems.shared.yaml_lines import YamlLine, page

Proposed = Mapping[str, EntitySetSettings]


def proposed_by(sets: Sequence[YamlLine]) -> Proposed:
    """What lines of sets say, as mlc.yaml is read."""
    said = Reader(page(sets)).get_single_data()
    return {name: EntitySetSettings.model_validate(each) for name, each in said.items()}


def preset_for(found: Sequence[FoundSet | Absent], proposed: Proposed) -> Preset:
    """The preset whose places were found more often."""
    there = [one for one in found if isinstance(one, FoundSet) and not one.doubt]
    seed = sum(
        (one.known.entity.projection, one.known.entity.path) == (one.place.projection, one.place.set) for one in there
    )
    return "seed" if 2 * seed > len(there) or not _is_whole(proposed) else "cloud"


def _is_whole(proposed: Proposed) -> bool:
    """Whether the names of `cloud` add nothing to what is proposed."""
    try:
        cloud, seed = (ifs.catalogue(proposed, preset) for preset in ("cloud", "seed"))
    except Misconfigured:
        return False
    as_asked = {name: replace(each, expand=cloud[name].expand) for name, each in seed.items()}  # that is no name
    return {name: in_use(each) for name, each in cloud.items()} == {
        name: in_use(each) for name, each in as_asked.items()
    }


def in_use(entity: EntitySet) -> EntitySet | None:
    """A set without names that nobody asks for; None where the whole set is off."""
    if entity.is_off:
        return None
    wire = {name: on_wire for name, on_wire in entity.wire.items() if name not in entity.absent}
    return replace(entity, wire=wire, lines=entity.lines and _lines_in_use(entity, entity.lines))


def _lines_in_use(entity: EntitySet, lines: LineSet) -> LineSet:
    """Of lines that are a set of their own, and in no array, the names of arrays mean nothing; nor does their stamp
    where the header has none.
    """
    wire = {name: on_wire for name, on_wire in lines.wire.items() if name not in lines.absent}
    stamp = lines.stamp if lines.path and entity.modified else ""
    if entity.expand == "never" and lines.path:
        return replace(lines, wire=wire, stamp=stamp, navigation="", wire_of={}, absent_of={})
    return replace(lines, wire=wire, stamp=stamp)
