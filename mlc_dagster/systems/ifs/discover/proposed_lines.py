"""The lines of a proposal for what makes a header whole: sums, constants, children, parts, lines, actions. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mlc_dagster.systems.ifs.discover.entity_sets import FoundSet
from mlc_dagster.systems.ifs.discover.line_arrays import Child, Lines
from mlc_dagster.systems.ifs.discover.matching import Fields, shown
from mlc_dagster.systems.ifs.discover.proposed_fields import SET, Circumstances, fields_lines
from mlc_dagster.systems.shared.yaml_lines import YamlLine, inline, scalar

VERBS = {
    "Released": "Release",
    "Confirmed": "Confirm",
    "Approved": "Approve",
    "Posted": "Post",
    "Closed": "Close",
    "Stopped": "Stop",
    "Cancelled": "Cancel",
}
"""State -> how the bound action ends that leads to it: PurchaseOrder_Release."""


OF_EACH_PART = ("code_part_value",)
"""The key that each of several sets calls after itself: CodeB, CodeC."""


def around(found: FoundSet, about: Circumstances) -> Iterator[YamlLine]:
    """All that stands beside the names of a set."""
    yield from _sums(found, about)
    yield from _constants(found)
    yield from _children(found, about)
    yield from _sources(found)
    if found.lines is not None:
        yield from _lines(found, found.lines, about)
    yield from _actions(found)


def summed(found: FoundSet) -> dict[str, str]:
    """Header's field -> the lines' field that it is the sum of, where the header itself has none."""
    if found.lines is None or not found.lines.is_there:
        return {}
    lacks = {name: below for name, below in found.known.sums.items() if not found.fields[name].is_exact}
    return {name: below for name, below in lacks.items() if found.lines.fields[below].is_exact}


def _sums(found: FoundSet, about: Circumstances) -> Iterator[YamlLine]:
    if sums := summed(found):
        yield YamlLine(SET + 1, f"sums: {inline(sums)}", "the header has no such column")
    elif found.known.sums:
        is_own = all(found.fields[name].is_exact for name in found.known.sums)
        lost = "; ".join(filter(None, (about.cost(found.known.entity, name) for name in found.known.sums)))
        none = f"the lines have no amount that could be summed; {lost}".removesuffix("; ")
        words = "the header's own column is read" if is_own else none
        yield YamlLine(SET + 1, f"sums: {inline(dict.fromkeys(found.known.sums))}", words)


def _constants(found: FoundSet) -> Iterator[YamlLine]:
    known = found.known.constants
    if known and not found.constants:
        yield YamlLine(SET + 1, f"constants: {inline(dict.fromkeys(known))}", "none of these properties is there")
    if not found.constants:
        return
    yield YamlLine(SET + 1, "constants:", "sent with each create; migration tools send them, and IFS may demand them")
    for name, value in known.items():
        if name in found.constants:
            yield YamlLine(SET + 2, f"{name}: {scalar(value)}")
        else:
            yield YamlLine(SET + 2, f"{name}: null", f"no property {name}")


# --- children and parts ---------------------------------------------------------------------------------------------


def sure_children(found: FoundSet, about: Circumstances) -> list[Child]:
    """Those whose name is known; of those with a row for each company only where mlc.yaml has one company."""
    return [each for each in found.children if each.is_known and (not each.of_company or len(about.companies) == 1)]


def _children(found: FoundSet, about: Circumstances) -> Iterator[YamlLine]:
    sure = sure_children(found, about)
    if not found.known.children and not found.children:
        return
    yield YamlLine(SET + 1, "children:" if sure else "children: []", "" if sure else "none that is sure")
    for child in sure:
        yield from _child(child, about)
    unsure = [child for child in found.children if child not in sure]
    for child in unsure:
        yield YamlLine(SET + 1, "", f"? Ask the tenant's administrator: {_question(child, about)}")
    if unsure and not sure:
        yield YamlLine(SET + 1, "children:", "in the place of the line above", False)
    yield from (line._replace(is_sure=False) for child in unsure for line in _child(child, about))


def _question(child: Child, about: Circumstances) -> str:
    fields = ", ".join(f"{name} ({one.wire})" for name, one in child.fields.items())
    if child.is_known:
        companies = ", ".join(about.companies)
        return f"{child.navigation} has a row for each company; of which one ({companies}) are {fields} meant?"
    return f"does {child.navigation}, which is no known name, hold {fields}, one row for each header?"


def _child(child: Child, about: Circumstances) -> Iterator[YamlLine]:
    if child.place:
        yield YamlLine(SET + 2, f"- set: {scalar(child.place.set)}", "a set beside it, with the same key")
        yield YamlLine(SET + 3, f"projection: {scalar(child.place.projection)}")
        yield YamlLine(SET + 3, f"surface: {child.place.surface}")
        yield YamlLine(SET + 3, f'"on": {inline(child.on)}', "quoted: YAML takes a bare on for true")
    else:
        yield YamlLine(SET + 2, f"- navigation: {scalar(child.navigation)}", "an array below each row")
    if child.of_company:
        company = about.companies[0] if about.companies else ""
        yield YamlLine(SET + 3, f"company: {scalar(company)}", "one row for each company")
    yield from fields_lines(SET + 3, "fields", child.fields)


def _sources(found: FoundSet) -> Iterator[YamlLine]:
    if not found.parts:
        if any(each.form == "parts" for each in found.known.places):
            yield YamlLine(SET + 1, "sources: []", "one set holds all of them")
        return
    yield YamlLine(SET + 1, "sources:", "one set for each code part; the letter is no column of theirs")
    for part in found.parts:
        yield YamlLine(SET + 2, f"- set: {scalar(part.place.set)}", "known name")
        yield YamlLine(SET + 3, f"constants: {inline({'code_part': part.letter})}")
        own = {name: one for name, one in part.keys.fields.items() if one.wire != _usual(found.keys.fields, name)}
        own |= {name: part.keys.fields[name] for name in OF_EACH_PART}
        yield from fields_lines(SET + 3, "keys", own)
        differ = {name: one for name, one in part.fields.items() if one.wire != _usual(found.fields, name)}
        yield from fields_lines(SET + 3, "fields", differ)


def _usual(fields: Fields, name: str) -> str | None:
    return fields[name].wire if name in fields else None


# --- lines and actions ----------------------------------------------------------------------------------------------


def _lines(found: FoundSet, lines: Lines, about: Circumstances) -> Iterator[YamlLine]:
    if not lines.is_there:
        yield from _no_lines(found, lines)
        return
    if not lines.arrays and found.place.form != "grouped":
        yield YamlLine(SET + 1, "expand: never", "the lines have a set of their own, and no array below the header")
    yield YamlLine(SET + 1, "lines:")
    yield from _arrays(found, lines)
    yield from _own_set(found, lines, about)
    yield from fields_lines(SET + 2, "keys", lines.keys.fields)
    costs = about.costs(found.known.entity, lines.fields, "lines.")
    yield from fields_lines(SET + 2, "fields", lines.fields, costs)
    if lines.fields_of:
        yield YamlLine(SET + 2, "fields_of:", "where an array calls a field otherwise, or has none")
        for array, fields in lines.fields_of.items():
            yield from fields_lines(SET + 3, array, fields)


def _no_lines(found: FoundSet, lines: Lines) -> Iterator[YamlLine]:
    """Such a set is not sure: no line may be missed in silence."""
    why = lines.keys.why_not() or "no array and no set of lines was found under a known name"
    yield YamlLine(SET + 1, "", f"? Ask the tenant's administrator where the lines of {found.place} are: {why}")
    if lines.maybe:
        yield YamlLine(SET + 1, "lines:", "its rows have the key of the lines", False)
        yield YamlLine(SET + 2, f"navigation: {scalar(lines.maybe)}", "", False)


def _arrays(found: FoundSet, lines: Lines) -> Iterator[YamlLine]:
    if len(lines.arrays) == 1:
        yield YamlLine(SET + 2, f"navigation: {scalar(lines.arrays[0])}", "known name, an array below each header")
    elif lines.arrays:
        yield YamlLine(SET + 2, f"navigations: {inline(lines.arrays)}", "known names; each line is in one of them")
    elif found.place.form != "grouped":
        yield YamlLine(SET + 2, "navigations: []", "no array of lines below the header")


def _own_set(found: FoundSet, lines: Lines, about: Circumstances) -> Iterator[YamlLine]:
    place = lines.place
    yield YamlLine(SET + 2, f"set: {scalar(place.set if place else None)}", "" if place else "no set of their own")
    header = found.fields.get("last_modified")
    if place and header and header.is_exact:
        words = (
            "their own modified column" if lines.stamp else "no modified column: the nightly sweep finds what changes"
        )
        yield YamlLine(SET + 2, f"stamp: {scalar(lines.stamp or None)}", words)
    if place is None or (place.projection, place.surface) == (found.place.projection, found.place.surface):
        return
    yield YamlLine(SET + 2, f"projection: {scalar(place.projection)}", "another service than the header's")
    if about.has_usual_surface or place.surface != "main":
        yield YamlLine(SET + 2, f"surface: {place.surface}")


def _actions(found: FoundSet) -> Iterator[YamlLine]:
    """Exact: named by the type and a verb that is known. The rest is told, since a person may know what it does."""
    if not found.actions:
        return
    kind = shown(found.kind)
    exact = {state: f"{kind}_{verb}" for state, verb in VERBS.items() if f"{kind}_{verb}" in found.actions}
    if exact:
        yield YamlLine(SET + 1, "actions:", f"bound to {kind} in $metadata")
        yield from (YamlLine(SET + 2, f"{state}: {scalar(name)}") for state, name in exact.items())
    if others := [name for name in found.actions if name not in exact.values()]:
        words = f"? Other bound actions: {', '.join(others)}. Name those that lead to a state: actions: {{STATE: NAME}}"
        yield YamlLine(SET + 1, "", words)
