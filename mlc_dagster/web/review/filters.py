"""The query string as a filter: what it does not understand is refused in words, never left out in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from types import MappingProxyType
from urllib.parse import urlencode

from mlc_dagster.core.amounts import scaled
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import version_of
from mlc_dagster.ledger.records.open_item_entries import MonthWanted, Place, Wanted
from mlc_dagster.pipeline.closing.month import Month

NAMES = (
    "company",
    "connection",
    "flow",
    "kind",
    "rule",
    "owner",
    "tag",
    "explained",
    "age",
    "amount_from",
    "amount_to",
    "currency",
    "period",
    "month",
    "text",
)
LONGEST = 200  # signs of a value


class FilterMistake(ValueError):
    """A filter that says nothing that can be asked for."""


def asked(query: Mapping[str, str]) -> dict[str, str]:
    """Those filters that are set."""
    return {name: query[name].strip()[:LONGEST] for name in NAMES if query.get(name, "").strip()}


def address(query: Mapping[str, str], **more: str) -> str:
    """The query string of these filters: `company=20&text=P1`."""
    named = {**asked(query), **{name: value for name, value in more.items() if value}}
    return urlencode(named, errors="backslashreplace")


def wanted(
    query: Mapping[str, str],
    companies: frozenset[str] | None,
    connections: Mapping[str, str],
    zones: Mapping[str, tzinfo] = MappingProxyType({}),
) -> Wanted:
    """`zones`: company -> where it is, if not in UTC. Raises FilterMistake."""
    found = asked(query)
    first = Wanted(companies=companies, connections=connections, company=found.get("company"))
    named = {name: found.get(name, "") for name in ("connection", "flow", "rule", "text")}
    owner = {"nobody": ""}.get(found.get("owner", ""), found.get("owner"))
    limits = {name: _amount(found, name) for name in ("amount_from", "amount_to")}
    narrowed = replace(first, connection=named["connection"], flow=named["flow"], rule=named["rule"])
    narrowed = replace(narrowed, text=named["text"], owner=owner, currency=found.get("currency"))
    narrowed = replace(narrowed, tag=_tag(found), explained=_explained(found))
    narrowed = replace(narrowed, amount_from=limits["amount_from"], amount_to=limits["amount_to"])
    narrowed = replace(narrowed, month=_month(found, zones))
    start, end = _period(found.get("period", ""))
    return replace(narrowed, differs=_kind(found), before=_before(found), dated_from=start, dated_to=end)


def place(query: Mapping[str, str]) -> Place | None:
    """Where the next page begins. Raises FilterMistake."""
    try:
        return Place.of(query["after"]) if query.get("after") else None
    except (ValueError, OverflowError):
        raise FilterMistake("after: no place in the list; begin at its top") from None


def _kind(found: Mapping[str, str]) -> bool | None:
    kinds = {"": None, "hold": False, "difference": True}
    if (kind := found.get("kind", "")) not in kinds:
        raise FilterMistake("kind: expected hold or difference")
    return kinds[kind]


def _tag(found: Mapping[str, str]) -> str:
    tag = found.get("tag", "")
    if "," in tag:
        raise FilterMistake("tag: expected one tag")
    return tag


def _explained(found: Mapping[str, str]) -> bool | None:
    answers = {"": None, "yes": True, "no": False}
    if (answer := found.get("explained", "")) not in answers:
        raise FilterMistake("explained: expected yes or no")
    return answers[answer]


def _before(found: Mapping[str, str]) -> datetime | None:
    text = found.get("age", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise FilterMistake("age: expected a number of days, such as 9")
    return datetime.now(UTC) - timedelta(days=int(text))


def _amount(found: Mapping[str, str], name: str) -> int | None:
    text = found.get(name, "").replace(",", "")
    if not text:
        return None
    if (number := scaled(text)) is None:
        raise FilterMistake(f"{name}: expected an amount, such as 1000.50")
    return number


def _month(found: Mapping[str, str], zones: Mapping[str, tzinfo]) -> MonthWanted | None:
    text = found.get("month", "")
    if not text:
        return None
    try:
        month = Month.of(text)
    except Misconfigured:
        raise FilterMistake("month: expected one, such as 2026-11") from None
    zone = zones.get(found.get("company", ""), UTC)
    ends = (version_of(at) for at in (month.begins_at(zone), month.ends_at(zone)))
    return MonthWanted(month.first, month.last, *ends)


def _period(text: str) -> tuple[date | None, date | None]:
    if not text:
        return None, None
    try:
        start = date.fromisoformat(f"{text}-01" if len(text) == 7 else text)
    except ValueError:
        raise FilterMistake("period: expected a month or a day, such as 2026-11") from None
    after = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return start, (after - timedelta(days=1) if len(text) == 7 else start)
