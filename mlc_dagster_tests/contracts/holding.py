"""Exchanges held to what is published: both sides, our request and the sandbox's answer."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from mlc_dagster_tests.contracts.checking import Checker, Fault
from mlc_dagster_tests.contracts.parts import apart
from mlc_dagster_tests.contracts.published import Certainty, Operation, Published
from mlc_dagster_tests.contracts.recorder import Exchange
from mlc_dagster_tests.contracts.words import Value

REQUEST, ANSWER = "request", "answer"


@dataclass(frozen=True)
class Misfit:
    """Something on the wire that is not as published."""

    system: str
    operation: str
    side: str
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.system}: {self.operation}, {self.side}: {self.where} {self.why}"


@dataclass
class Account:
    """What was held: how often each operation was seen, and what did not fit."""

    seen: Counter[tuple[str, str]]  # (system, operation)
    shapes: dict[str, set[str]]  # system -> its distinct exchanges
    rests_on: Counter[Certainty]  # distinct exchanges by what their operation rests on
    misfits: Counter[Misfit]


def hold(exchanges: Iterable[Exchange], told: dict[str, Published]) -> Account:
    """Every exchange; distinct ones are counted by operation, query names, status and the shapes of both bodies."""
    account = Account(Counter(), {}, Counter(), Counter())
    for each in apart(exchanges):
        known = told[each.system]
        operation = known.operation(each.method, each.path)
        if operation is None:
            why = f"{each.method} {each.path} is not published"
            account.misfits[Misfit(each.system, "none", REQUEST, "path", re.sub(r"\d{3,}", "N", why))] += 1
            continue
        account.seen[each.system, operation.name] += 1
        shape = _shape_of(each, operation)
        if shape not in account.shapes.setdefault(each.system, set()):
            account.shapes[each.system].add(shape)
            account.rests_on[known.certainty(operation.source)] += 1
        for side, fault in faults(each, operation, known):
            account.misfits[Misfit(each.system, operation.name, side, fault.where, fault.why)] += 1
    return account


def faults(each: Exchange, operation: Operation, known: Published) -> Iterator[tuple[str, Fault]]:
    checker, source = Checker(known), operation.source
    if match := operation.pattern.fullmatch(each.path):
        parts = {name: unquote(text) for name, text in match.groupdict().items()}
        yield from _sided(REQUEST, _named(checker, operation.parts, parts, "path", source))
    query = dict(parse_qsl(each.query, keep_blank_values=True))
    yield from _sided(REQUEST, _named(checker, operation.query, _typed(operation.query, query), "query", source))
    yield from _sided(REQUEST, _headers(checker, operation.headers, each.asked, source))
    yield from _sided(REQUEST, _body(checker, operation, each, known))
    yield from _sided(ANSWER, _answer(checker, operation, each, known))
    if each.status < 400:
        yield from _sided(ANSWER, _headers(checker, operation.answered, each.answered, source))


def _body(checker: Checker, operation: Operation, each: Exchange, known: Published) -> Iterator[Fault]:
    if operation.body is None:
        if each.sent:
            yield Fault("body", "is sent, and none is published", known.certainty(operation.source))
        return
    if operation.encoding == "multipart":
        return  # its parts are exchanges of their own
    found = dict(parse_qsl(each.sent.decode())) if operation.encoding == "form" else parsed(each.sent)
    yield from checker.faults(operation.body, found, "", operation.source)


def _answer(checker: Checker, operation: Operation, each: Exchange, known: Published) -> Iterator[Fault]:
    wanted, certainty = operation.answer(each.status), known.certainty(operation.source)
    if wanted is None:
        if certainty.counts:
            yield Fault("status", f"is {each.status}, and {', '.join(operation.answers)} are published", certainty)
        return
    if wanted.said == "xml":
        yield from _xml(each, operation.xml, certainty)
        return
    if wanted.said == "multipart":
        return
    if wanted.said == "count":
        yield from _count(each, certainty)
        return
    is_json = "json" in each.answered.get("content-type", "") or not each.got
    if not is_json and certainty.counts:
        yield Fault("content-type", f"is {each.answered.get('content-type')}, not application/json", certainty)
        return
    yield from checker.faults(wanted, parsed(each.got), "", operation.source)


def _count(each: Exchange, certainty: Certainty) -> Iterator[Fault]:
    """A number alone, as plain text (OData 4.01, Part 1, 11.2.10)."""
    if "text/plain" not in each.answered.get("content-type", ""):
        yield Fault("content-type", f"is {each.answered.get('content-type')}, not text/plain", certainty)
    if not each.got.removeprefix(b"\xef\xbb\xbf").isdigit():
        yield Fault("body", f"is {each.got[:40]!r}, not a number", certainty)


def _xml(each: Exchange, told: Mapping[str, str], certainty: Certainty) -> Iterator[Fault]:
    """$metadata: its container, the types of its properties, and what it does not say."""
    if "xml" not in each.answered.get("content-type", ""):
        yield Fault("content-type", f"is {each.answered.get('content-type')}, not application/xml", certainty)
    nodes = list(ElementTree.fromstring(each.got).iter())
    names = {node.get("Name") for node in nodes if node.tag.endswith("}EntityContainer")}
    if told and names != {told["container"]}:
        yield Fault("EntityContainer", f"has a name of its own, not {told['container']}", certainty)
    if told and any(told["without"] in node.attrib for node in nodes):
        yield Fault("Property", f"has the attribute {told['without']}, which is nowhere there", certainty)
    simple = {node.get("Type", "") for node in nodes if node.get("Type", "").startswith("Edm.")}
    for strange in sorted(each.removeprefix("Edm.") for each in simple):
        if told and strange not in told["types"].split("|"):
            yield Fault("Property", f"is of type Edm.{strange}, which is nowhere there", certainty)


def _named(
    checker: Checker, wanted: Mapping[str, Value], found: Mapping[str, Any], where: str, source: str
) -> Iterator[Fault]:
    certainty = checker.certainty(source)
    if not certainty.counts:
        return
    for name, text in found.items():
        if name in wanted:
            yield from checker.faults(wanted[name], text, f"{where}.{name}", source)
        elif where == "query":
            yield Fault(f"query.{name}", "is sent, and not published", certainty)
    for name, each in wanted.items():
        if each.required and name not in found:
            yield Fault(f"{where}.{name}", "is missing", certainty)


def _headers(checker: Checker, wanted: Mapping[str, Value], found: Mapping[str, str], source: str) -> Iterator[Fault]:
    named = {name: found[name] for name in wanted if name in found}
    yield from _named(checker, wanted, _typed(wanted, named), "header", source)


def _typed(wanted: Mapping[str, Value], found: Mapping[str, str]) -> dict[str, Any]:
    """Text of a query or a header as what it says: numbers and booleans have no quotes there."""
    return {name: _plain(wanted.get(name), text) for name, text in found.items()}


def _plain(wanted: Value | None, text: str) -> Any:
    words = {kind.word for kind in wanted.kinds} if wanted else set()
    if "integer" in words and re.fullmatch(r"-?\d+", text):
        return int(text)
    if "boolean" in words and text in ("true", "false"):
        return text == "true"
    return text


def _sided(side: str, found: Iterable[Fault]) -> Iterator[tuple[str, Fault]]:
    return ((side, each) for each in found)


def parsed(body: bytes) -> Any:
    """None for an empty body; numbers exact."""
    if not body.strip():
        return None
    try:
        return json.loads(body, parse_float=Decimal)
    except ValueError:
        return body.decode("utf-8", "replace")


def _shape_of(each: Exchange, operation: Operation) -> str:
    query = sorted(name for name, _ in parse_qsl(each.query, keep_blank_values=True))
    return f"{operation.name} {query} {shape(parsed(each.sent))} {each.status} {shape(parsed(each.got))}"


def shape(found: Any) -> str:
    if isinstance(found, dict):
        return "{" + ",".join(f"{name}:{shape(each)}" for name, each in sorted(found.items())) + "}"
    if isinstance(found, list):
        return "[" + "|".join(sorted({shape(each) for each in found})) + "]"
    return type(found).__name__
