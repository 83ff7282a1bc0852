"""What a system's discovery brings home: settings that are sure, choices that a person makes, and a line for each thing
that was found or not. Nothing was written, here or there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlc_dagster.systems.shared.findings import Finding
from mlc_dagster.systems.shared.yaml_lines import Inline, YamlLine, inline, page, scalar

OPTIONS = 12
"""So many are named beside a choice that nobody has made yet."""
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class CodesInUse:
    """The codes that the ERP's latest records name, each with how many records do."""

    companies: Mapping[str, str] = field(default_factory=dict)  # code -> the currency that it is named with most
    payment_terms: Counter[str] = field(default_factory=Counter)
    tax_codes: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)
    sites: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Setting:
    """What mlc.yaml should say: `path` below the connection's section, dotted."""

    path: str
    value: Inline
    why: str = ""


@dataclass(frozen=True)
class Choice:
    """What a person decides. Left open, what it is about is held, and says so."""

    path: str
    words: str
    options: tuple[str, ...]
    usual: str = ""  # proposed, where something speaks for it; empty: nothing does

    @property
    def listed(self) -> str:
        more = f", ... ({len(self.options)} in all)" if len(self.options) > OPTIONS else ""
        return f": {', '.join(self.options[:OPTIONS])}{more}" if self.options else ""


@dataclass(frozen=True)
class Discovery:
    """`proposal`: YAML to be put under the connection's section."""

    proposal: str
    findings: tuple[Finding, ...]
    settings: tuple[Setting, ...] = ()
    choices: tuple[Choice, ...] = ()


def discovered(
    system: str, settings: Sequence[Setting], choices: Sequence[Choice], findings: Sequence[Finding]
) -> Discovery:
    """With the page that says it: a choice that is open is a comment with its options."""
    title = f"Proposed by `mlc discover {system}`; nothing was changed. A question mark is for a person to decide."
    return Discovery(page(_lines(title, settings, choices)), tuple(findings), tuple(settings), tuple(choices))


def settings_lines(settings: Sequence[Setting]) -> Iterator[YamlLine]:
    """Below their section: `boards.suppliers` is a level deeper, with its neighbours."""
    tree: dict[str, Any] = {}
    for each in settings:
        *above, name = each.path.split(".")
        place = tree
        for part in above:
            place = place.setdefault(part, {})
        place[name] = each
    yield from _branch(tree, 1)


def _branch(tree: Mapping[str, Any], depth: int) -> Iterator[YamlLine]:
    for name, found in tree.items():
        if isinstance(found, Setting):
            yield YamlLine(depth, f"{scalar(name)}: {inline(found.value)}", found.why)
        else:
            yield YamlLine(depth, f"{scalar(name)}:")
            yield from _branch(found, depth + 1)


def _lines(title: str, settings: Sequence[Setting], choices: Sequence[Choice]) -> Iterator[YamlLine]:
    yield YamlLine(1, "", title)
    yield from settings_lines(settings)
    for choice in choices:
        yield YamlLine(1, f"{choice.path}: ?", f"{choice.words}{choice.listed}", is_sure=False)


# --- which of theirs a code of the ERP is -----------------------------------------------------------------------------


def by_name_or_number(codes: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Code -> the one name that is equal to it, in any case, or the only one with its number: 30 is "30 days"."""
    there = list(names)
    found = {code: _the_only(code, there) for code in codes}
    return {code: name for code, name in found.items() if name}


def by_percent(codes: Iterable[str], percents: Mapping[str, object]) -> dict[str, str]:
    """Code -> the only name of its percentage: V25 is the rule of 25 %."""
    found = {}
    for code in codes:
        number = _DIGITS.search(code)
        fit = [name for name, percent in percents.items() if number and _is_number(percent, number.group())]
        if len(fit) == 1:
            found[code] = fit[0]
    return found


def table_of(
    path: str, words: str, found: Mapping[str, str], codes: Counter[str], names: Iterable[str]
) -> Iterator[Setting | Choice]:
    """The table of what was matched, and a choice for each code that was not, the most used first."""
    if found:
        yield Setting(path, dict(found), "matched by name or number: look at each")
    options = tuple(sorted(names))
    for code, number in codes.most_common():
        if code not in found:
            yield Choice(f"{path}.{code}", f"{words} {code} of the ERP ({number} records)", options)


def _the_only(code: str, names: Sequence[str]) -> str:
    same = [name for name in names if name.casefold() == code.casefold()]
    numbers = _DIGITS.findall(code)
    alike = [name for name in names if numbers and _DIGITS.findall(name) == numbers]
    fit = same or alike
    return fit[0] if len(fit) == 1 else ""


def _is_number(percent: object, digits: str) -> bool:
    try:
        return float(str(percent)) == float(digits)
    except ValueError:
        return False
