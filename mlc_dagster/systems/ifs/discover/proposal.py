"""What was found, as `entity_sets` of mlc.yaml: a line for each name, and beside it what it rests on. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.systems.ifs.discover.entity_sets import Absent, FoundSet
from mlc_dagster.systems.ifs.discover.proposed_fields import (
    SET,
    Circumstances,
    field_lines,
    fields_lines,
)
from mlc_dagster.systems.ifs.discover.proposed_lines import OF_EACH_PART, around, summed, sure_children
from mlc_dagster.systems.ifs.discover.sampling import Sample
from mlc_dagster.systems.shared.yaml_lines import YamlLine, scalar

APART = ("last_modified", "obj_state")
"""Fields that have a word of their own: stamp and state."""


def absent_set(found: Absent, about: Circumstances) -> Iterator[YamlLine]:
    """A set that is not there: off, and what was asked."""
    entity = found.known.entity
    yield YamlLine(SET, f"{entity.name}:", f"absent; {about.switches_off(entity)}")
    yield YamlLine(SET + 1, "set: null", found.why[0] if found.why else "")
    for words in found.why[1:]:
        yield YamlLine(SET + 1, "", words)
    question = f"which service and set hold {_title(entity)}? Set projection, set, keys and fields here then."
    yield YamlLine(SET + 1, "", f"? Ask the tenant's administrator: {question}")


def doubtful_set(found: FoundSet, sample: Sample, about: Circumstances) -> Iterator[YamlLine]:
    """A set that is likely, and not exact: off, with what would be proposed as comments."""
    entity = found.known.entity
    yield YamlLine(SET, f"{entity.name}:", f"not sure; until it is, it {about.switches_off(entity)}")
    yield YamlLine(SET + 1, "set: null")
    doubt = found.doubt or sample.why
    yield YamlLine(SET + 1, "", f"? Ask the tenant's administrator: is {found.place} {_title(entity)}? {doubt}")
    for line in found_set(found, sample, about):
        if line.depth > SET and line.text:
            yield line._replace(is_sure=False)


def found_set(found: FoundSet, sample: Sample, about: Circumstances) -> Iterator[YamlLine]:
    """A set whose name, key and service match exactly."""
    yield YamlLine(SET, f"{found.known.entity.name}:", _read(found, sample, about))
    yield from _names(found, about)
    of_each = OF_EACH_PART if found.parts else ()
    yield from fields_lines(SET + 1, "keys", {n: one for n, one in found.keys.fields.items() if n not in of_each})
    elsewhere = {*APART, *summed(found), *(name for child in sure_children(found, about) for name in child.fields)}
    own = {name: one for name, one in found.fields.items() if name not in elsewhere}
    yield from fields_lines(SET + 1, "fields", own, about.costs(found.known.entity, own))
    yield from _stamp_and_state(found)
    yield from around(found, about)


def _title(entity: EntitySet) -> str:
    return entity.name.removesuffix("_set").removesuffix("_head").replace("_", " ") + "s"


def _read(found: FoundSet, sample: Sample, about: Circumstances) -> str:
    if sample.rows:
        return f"{found.place}: one row was read"
    if sample.rows is None:
        return f"{found.place}: {sample.why}"
    companies = ", ".join(about.companies)
    words = f"{found.place}: 0 rows. It is empty, or the service user may not see the companies"
    return f"{words} ({companies}): IFS answers both with an empty list"


def _names(found: FoundSet, about: Circumstances) -> Iterator[YamlLine]:
    place = found.place
    where = found.found_by or ("known name, in the service catalogue" if about.catalogue_told else "known name")
    yield YamlLine(SET + 1, f"projection: {scalar(place.projection)}", where)
    if not found.parts:
        named = "known name" if place.set in {each.set for each in found.known.places} else "found by key and fields"
        yield YamlLine(SET + 1, f"set: {scalar(place.set)}", named)
    if about.has_usual_surface or place.surface != "main":
        yield YamlLine(SET + 1, f"surface: {place.surface}")
    if place.form == "grouped":
        words = "no set of headers: rows that share these keys are one; nothing can be posted to it"
        yield YamlLine(SET + 1, "header_from_rows: true", words)
    elif any(each.form == "grouped" for each in found.known.places):
        yield YamlLine(SET + 1, "header_from_rows: false")


def _stamp_and_state(found: FoundSet) -> Iterator[YamlLine]:
    for word, name in (("stamp", "last_modified"), ("state", "obj_state")):
        if name in found.fields:
            yield from field_lines(SET + 1, word, found.fields[name])
    if found.known.entity.partition == "day":
        stamp = found.fields.get("last_modified")
        is_stamped = stamp is not None and stamp.is_exact
        words = "" if is_stamped else "no modified column: keys and ETags are compared"
        yield YamlLine(SET + 1, f"delta: {'modified' if is_stamped else 'sweep'}", words)
