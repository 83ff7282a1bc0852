"""Many at once: what is chosen is frozen with its contents, shown with its sums, and decided on in the background."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from starlette.responses import JSONResponse, Response

from mlc_dagster.core.amounts import parsed
from mlc_dagster.ledger.records.open_item_entries import OpenItem, Wanted
from mlc_dagster.ledger.records.selections import ENDED, OPEN, RUNNING, STOPPED, Selection
from mlc_dagster.pipeline.guards import RULE as GUARD
from mlc_dagster.rules.waiving import FOUR_EYES, UNWAIVABLE
from mlc_dagster.web.review.bulk_run import Running
from mlc_dagster.web.review.deciding import SHORTEST
from mlc_dagster.web.review.open_record import nothing_there
from mlc_dagster.web.review.visits import Refused, Visit, tell

MOST, AT_ONCE, LARGEST = 5_000, 1_000, 5
ACTIONS = ("release", "discard")


class Counted(NamedTuple):
    """What a selection comes to: (company, currency) -> the sum; never added over either."""

    sums: dict[tuple[str, str], Decimal]
    largest: list[OpenItem]


def freeze(visit: Visit, action: str, found: Sequence[OpenItem]) -> Response:
    """From here on it is of these items and contents alone. Raises Refused."""
    if len(found) > MOST:
        raise Refused(400, f"At most {MOST:,} are decided on at once.", "Narrow the filter.")
    one = Selection(visit.user.name, action, [], [])
    for item in found:
        if why := _why_not(visit, action, item):
            one.left_out.append((item.flow, item.key, why))
        else:
            one.items.append((item.id, item.content, item.cause.what))
            one.keys.append((item.flow, item.key))
    name = secrets.token_hex(16)
    visit.ledger.selections.freeze(name, one)
    return visit.back(visit.site.url(f"/selections/{name}"))


def every(visit: Visit, wanted: Wanted) -> list[OpenItem]:
    """All of a filter, one more than may be decided on at the most."""
    found: list[OpenItem] = []
    while len(found) <= MOST:
        after = found[-1].place if found else None
        page = visit.ledger.open_items.items(wanted, after, AT_ONCE)
        found += page
        if len(page) < AT_ONCE:
            break
    return found[: MOST + 1]


def _why_not(visit: Visit, action: str, item: OpenItem) -> str:
    """Why it is left out; empty where it can be decided on."""
    rules, company = item.cause.rules, item.cause.company
    if item.cause.differs:
        return "a difference is decided on by itself"
    if not visit.may("decide", company):
        return f"you have not the role decide for company {company or '(not told)'}"
    if action == "release":
        if kept := [rule for rule in rules if rule in UNWAIVABLE]:
            return f"cannot be waived: {UNWAIVABLE[kept[0]]}"
        if not FOUR_EYES.isdisjoint(rules):
            return "bank details are never released in bulk"
        if GUARD in rules:
            return "a guard stopped its run: two people allow that as a whole, or each by itself"
    policy = visit.site.settings.policies.two_people
    if policy is not None and policy.asks(action, company, parsed(item.amount), item.currency):
        return "above the limit: two people decide on it by itself"
    return "" if item.content else "an earlier release held it, and kept no fingerprint: replay it first"


def selection(visit: Visit) -> Response:
    """What is asked, how far it is, what came of each."""
    name, one = _own(visit)
    running = visit.site.running.has(name)
    if visit.wants_json:
        told = {"state": one.state, "all": len(one.items), "done": one.done, "left_out": len(one.left_out)}
        not_decided = [{"flow": flow, "key": key, "why": why} for flow, key, why in _not_decided(one)]
        return JSONResponse({**told, "tried": len(one.outcomes), "not_decided": not_decided})
    items = _items(visit, one) if one.state == OPEN else []
    return visit.page(
        "selection.html",
        name=name,
        one=one,
        counted=_counted(items),
        running=running,
        not_decided=_not_decided(one),
        rest=one.keys[len(one.outcomes) :] if one.state in (STOPPED, RUNNING) and not running else [],
        shortest=SHORTEST,
        problem="",
    )


def act(visit: Visit) -> Response:
    """Begin, stop, go on. Begun twice it is one. Raises Refused."""
    name, one = _own(visit)
    here, answer = visit.site.url(f"/selections/{name}"), visit.form.get("answer", "")
    running: Running = visit.site.running
    if answer == "stop":
        running.stop(name)
        return visit.back(here)
    if answer not in ("begin", "go on"):
        raise Refused(400, "Begin it, stop it, or go on.")
    if one.state == ENDED or running.has(name):
        return visit.back(here)
    reason = one.reason or visit.form.get("reason", "").strip()[:2000]
    if len(reason) < SHORTEST:
        raise Refused(422, f"Say why, in at least {SHORTEST} signs: the trail keeps it.", "Go back: nothing is begun.")
    tell("selection", visit.request, who=visit.user.name, selection=name, action=one.action, items=str(len(one.items)))
    one = replace(one, reason=reason, state=RUNNING)
    running.begin(visit.ledger, name, one, visit.may)
    return visit.back(here)


def _own(visit: Visit) -> tuple[str, Selection]:
    """Raises Refused, 404: it is somebody else's, or there is none."""
    name = str(visit.request.path_params["name"])
    one = visit.ledger.selections.of(name)
    if one is None or visit.user.name not in one.who.split(", confirmed by "):
        raise nothing_there()
    return name, one


def _items(visit: Visit, one: Selection) -> list[OpenItem]:
    return visit.ledger.open_items.chosen((False, number) for number, *_ in one.items)


def _counted(items: Sequence[OpenItem]) -> Counted:
    sums: dict[tuple[str, str], Decimal] = {}
    for each in items:
        place = (each.cause.company, each.currency)
        sums[place] = sums.get(place, Decimal(0)) + (parsed(each.amount) or Decimal(0))
    largest = sorted(items, key=lambda each: each.place.rank)[:LARGEST]
    return Counted(dict(sorted(sums.items())), largest)


def _not_decided(one: Selection) -> list[tuple[str, str, str]]:
    """(flow, key, why), those that were left out with them."""
    tried = zip(one.keys, one.outcomes, strict=False)
    return [*((flow, key, why) for (flow, key), why in tried if why), *one.left_out]
