"""Dates that cannot be meant: years ahead, before anybody's books began, due before dated. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.problems import problem

DATED_AHEAD, DUE_AHEAD = "dated_days_ahead", "due_days_ahead"
"""Options: how many days after today a document may be dated, and something may be due."""

USUAL = {DATED_AHEAD: 366, DUE_AHEAD: 1830}
EARLIEST = date(1980, 1, 1)


class Dated(NamedTuple):
    """A date of a record. `since`: the name and the date of what it cannot come before."""

    name: str
    on: date | None
    most: str = DATED_AHEAD  # the option that says how far ahead it may lie
    since: tuple[str, date | None] | None = None


def dates_can_be_meant(source: Any, target: Any, facts: Facts) -> Problem | None:
    """No date lies years ahead or before 1980, and nothing is due before it is dated."""
    failures = [(str(each.on), why) for each in source.dates() if each.on for why in date_failures(each, facts)]
    return problem("dates_can_be_meant", failures)


def date_failures(each: Dated, facts: Facts) -> Iterator[str]:
    """Why a date cannot be meant."""
    if (on := each.on) is None:
        return
    most = int(facts.options.get(each.most, USUAL[each.most]))
    cure = "Correct it at its source, or release this hold where it is meant."
    if facts.today and on > facts.today + timedelta(days=most):
        yield f"{each.name} is {on}, more than {most} days ahead (policies.{each.most}). {cure}"
    if on < EARLIEST:
        yield f"{each.name} is {on}, before {EARLIEST}. {cure}"
    if each.since and (earlier := each.since[1]) and on < earlier:
        yield f"{each.name} is {on}, before {each.since[0]} {earlier}. {cure}"
