"""What a remote system publishes: its operations and forms as they stand in published/<system>.yaml, our own words.

A file has `title`, `sources` (name -> certainty and what it is), `forms` (name -> member -> words, see words.py; the
member `*` is any other one, `_source` says where the form stands) and `operations`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from mlc_dagster_tests.contracts.words import Kind, Value, value

FOLDER = Path(__file__).parent / "published"


class Certainty(Enum):
    """How we know, the surest first."""

    RECORDED = "recorded"
    SPECIFICATION = "specification"
    DOCUMENTATION = "documentation"
    PUBLIC_CODE = "public code"
    GUESS = "guess"

    @property
    def counts(self) -> bool:
        return self is not Certainty.GUESS


@dataclass(frozen=True)
class Source:
    name: str
    certainty: Certainty
    what: str


@dataclass(frozen=True)
class Form:
    """An object: member -> what it must be. `rest` is what any other member must be; without it there is no other."""

    name: str
    source: str
    members: Mapping[str, Value]
    rest: Value | None = None


@dataclass(frozen=True)
class Operation:
    """One thing that a system can be asked for. Bodies and answers are values: mostly the name of a form."""

    name: str
    method: str
    path: str
    source: str
    about: str = ""
    encoding: str = "json"  # of its body: "json", "form", "multipart"
    parts: Mapping[str, Value] = field(default_factory=dict)  # of the path
    query: Mapping[str, Value] = field(default_factory=dict)
    headers: Mapping[str, Value] = field(default_factory=dict)
    body: Value | None = None
    answers: Mapping[str, Value] = field(default_factory=dict)  # "200" or "4xx" -> what comes
    answered: Mapping[str, Value] = field(default_factory=dict)  # headers of what comes
    xml: Mapping[str, str] = field(
        default_factory=dict
    )  # of $metadata: container, types, and an attribute it is without

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        named = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+?)", re.escape(self.path))
        return re.compile(named)

    def answer(self, status: int) -> Value | None:
        return self.answers.get(str(status)) or self.answers.get(f"{status // 100}xx")


@dataclass(frozen=True)
class Published:
    """All that we know of one system."""

    system: str
    title: str
    sources: Mapping[str, Source]
    forms: Mapping[str, Form]
    operations: tuple[Operation, ...]

    def operation(self, method: str, path: str) -> Operation | None:
        """The first that fits: what is written out stands above what has a name in braces."""
        return next((o for o in self.operations if o.method == method and o.pattern.fullmatch(path)), None)

    def certainty(self, source: str) -> Certainty:
        return self.sources[source].certainty


def published(system: str) -> Published:
    """Raises ValueError where the file names a form or a source that it does not have."""
    content = yaml.safe_load((FOLDER / f"{system}.yaml").read_text(encoding="utf-8"))
    sources = {
        name: Source(name, Certainty(each["certainty"]), each["what"]) for name, each in content["sources"].items()
    }
    forms = {name: _form(name, members) for name, members in content["forms"].items()}
    common = content.get("everywhere", {})
    operations = tuple(_operation(each, common) for each in content["operations"])
    found = Published(system, content["title"], sources, forms, operations)
    _refuse_unknown(found)
    return found


def systems() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def _form(name: str, members: Mapping[str, str]) -> Form:
    named = {each: value(said) for each, said in members.items() if each not in ("_source", "*")}
    return Form(name, members["_source"], named, value(members["*"]) if "*" in members else None)


def _operation(content: Mapping[str, Any], common: Mapping[str, Any]) -> Operation:
    method, _, path = content["call"].partition(" ")
    answers = {**common.get("answers", {}), **content["answers"]}
    return Operation(
        content["name"],
        method,
        path,
        content["source"],
        content.get("about", ""),
        content.get("encoding", "json"),
        _values(content.get("path", {})),
        _values({**common.get("query", {}), **content.get("query", {})}),
        _values({**common.get("headers", {}), **content.get("headers", {})}),
        value(content["body"]) if "body" in content else None,
        _values({str(status): said for status, said in answers.items() if said != "never"}),
        _values({**common.get("answered", {}), **content.get("answered", {})}),
        content.get("xml", {}),
    )


def _values(said: Mapping[str, str]) -> dict[str, Value]:
    return {name: _body(words) for name, words in said.items()}


def _body(words: str) -> Value:
    """xml, multipart and count are judged by their own rules."""
    return Value((), said=words) if words in ("xml", "multipart", "count") else value(words)


def _refuse_unknown(found: Published) -> None:
    values = [v for form in found.forms.values() for v in (*form.members.values(), *filter(None, [form.rest]))]
    for each in found.operations:
        values += [*each.parts.values(), *each.query.values(), *each.headers.values(), *each.answers.values()]
        values += [*each.answered.values(), *filter(None, [each.body])]
    named = {kind.named for v in values for kind in _all(v.kinds) if kind.word == "form"}
    used = {v.source for v in values if v.source} | {form.source for form in found.forms.values()}
    used |= {each.source for each in found.operations}
    if unknown := (named - set(found.forms)) | (used - set(found.sources)):
        raise ValueError(f"{found.system}.yaml names {sorted(unknown)}, and does not say what they are")


def _all(kinds: tuple[Kind, ...]) -> list[Kind]:
    return [each for kind in kinds for each in (kind, *_all(kind.of))]
