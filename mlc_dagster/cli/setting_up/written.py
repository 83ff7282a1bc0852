"""mlc.yaml and .env as `mlc init` writes them: short, what was chosen and why, and nothing that has its usual value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from mlc_dagster.core.vocabulary import EntitySet, LineSet
from mlc_dagster.settings import Settings
from mlc_dagster.settings.plain_yaml import Reader
from mlc_dagster.systems.configuration import erp_settings
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.shared.discovery import Setting, settings_lines
from mlc_dagster.systems.shared.yaml_lines import page, scalar

_SET = re.compile(r"    ([a-z_]+):")
HEAD = """# Written by `mlc init`. `mlc check` names every mistake by its path; all that there is: mlc.example.yaml.
# Secrets never stand here: they are in .env, the environment or the vault.

"""


@dataclass
class Draft:
    """What is known so far."""

    partitions_start: date
    companies: dict[str, dict[str, str]] = field(default_factory=dict)
    sections: dict[str, list[Setting]] = field(default_factory=dict)
    proposals: dict[str, str] = field(default_factory=dict)  # connection -> YAML below its section, as discovered

    def say(self, connection: str, settings: Iterable[Setting]) -> None:
        self.sections.setdefault(connection, []).extend(settings)

    def text(self) -> str:
        """The whole file."""
        parts = [f"partitions_start: {self.partitions_start.isoformat()}\n", self._companies()]
        parts += [self._section(name) for name in self.sections]
        return HEAD + "\n".join(parts)

    def _companies(self) -> str:
        lines = [f"  {scalar(code)}: {{{_pairs(said)}}}" for code, said in self.companies.items()]
        return "companies:\n" + "\n".join(lines) + "\n"

    def _section(self, name: str) -> str:
        own = page(settings_lines(self.sections[name])) if self.sections[name] else ""
        found = f"{own.strip(chr(10))}\n{self.proposals.get(name, '')}".strip("\n")
        return f"{name}:\n{found}\n" if found else f"{name}: {{}}\n"


def without_the_usual(proposal: str, settings: Settings) -> str:
    """The ERP's proposal without the sets that are read just so by the preset's own names, and its words of use."""
    said = as_read(proposal)
    section = erp_settings(settings)
    whole = IfsSettings.model_validate({**section.model_dump(exclude_unset=True), **said})
    usual = catalogue_for(whole.model_copy(update={"entity_sets": {}}))
    proposed = catalogue_for(whole)
    same = {
        name for name in said.get("entity_sets", {}) if _spelt_out(proposed.get(name)) == _spelt_out(usual.get(name))
    }
    kept = [line for name, line in _blocks(proposal) if name not in same and not line.startswith("  #")]
    if same >= set(said.get("entity_sets", {})):
        kept = [line for line in kept if line.strip() != "entity_sets:"]
    return "\n".join(kept)


def _spelt_out(found: EntitySet | LineSet | None) -> Any:
    """With the name on the wire of each field, also where it is the usual one."""
    if found is None:
        return None
    named = {name: wire_name(name, found.wire) for name in found.record.__struct_fields__ if name not in found.absent}
    lines = {"lines": _spelt_out(found.lines)} if isinstance(found, EntitySet) else {}
    return replace(found, wire=named, **lines)


def as_read(text: str) -> dict[str, Any]:
    """As a file of settings is read: its scalars are text."""
    reader = Reader(text)
    try:
        return dict(reader.get_single_data() or {})
    finally:
        reader.dispose()


def _blocks(proposal: str) -> Iterator[tuple[str, str]]:
    """(set that a line is of, line); empty of those above all sets."""
    name = ""
    for line in proposal.splitlines():
        if found := _SET.match(line):
            name = found.group(1)
        elif not line.startswith("    "):
            name = ""
        yield name, line


def env_text(before: str, secrets: Mapping[str, str]) -> str:
    """The .env with these, after what it has. Raises ValueError for a value of several lines."""
    if any("\n" in value for value in secrets.values()):
        raise ValueError("a secret has several lines")
    lines = [f"{name}={_quoted(value)}\n" for name, value in secrets.items()]
    return before + ("\n" if before and not before.endswith("\n") else "") + "".join(lines)


def _quoted(value: str) -> str:
    """As dotenv reads it again, whatever signs it has."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _pairs(said: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {scalar(value)}" for name, value in said.items())


def merged(settings: Sequence[Setting], chosen: Sequence[Setting]) -> list[Setting]:
    """A chosen entry of a table joins the table that was matched: `tax_rules.V25` is one of `tax_rules`."""
    tables = {each.path: dict(each.value) for each in settings if isinstance(each.value, Mapping)}
    alone = []
    for each in chosen:
        table, _, entry = each.path.partition(".")
        if entry and (table in tables or "." not in entry) and table not in ("boards", "paths"):
            tables.setdefault(table, {})[entry] = each.value
        else:
            alone.append(each)
    whys = {each.path: each.why for each in settings}
    plain = [each for each in settings if each.path not in tables]
    return [*plain, *(Setting(path, value, whys.get(path, "chosen")) for path, value in tables.items()), *alone]
