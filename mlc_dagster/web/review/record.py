"""One record: what is wrong, both sides, what happened, what was sent, what can be done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from mlc_dagster.ledger import Run
from mlc_dagster.ledger.records.decisions import DecisionRefused
from mlc_dagster.ledger.records.users import Role
from mlc_dagster.web.review.bulk_run import REVIEW
from mlc_dagster.web.review.deciding import DECISIONS, SHORTEST, ask_for, decide, offers
from mlc_dagster.web.review.lists import item_as_json
from mlc_dagster.web.review.neighbours import neighbours_of
from mlc_dagster.web.review.open_record import OpenRecord, nothing_there, record_of
from mlc_dagster.web.review.sentences import said
from mlc_dagster.web.review.shown_text import moment
from mlc_dagster.web.review.visits import Refused, Visit, fingerprint

STORY, FIELDS, LINES, LONGEST = 200, 200, 200, 2_000


class Typed(NamedTuple):
    """What a form had, to be shown again with what stands in its way."""

    problem: str = ""
    reason: str = ""
    action: str = ""


def record(visit: Visit) -> Response:
    found = _asked(visit)
    if visit.wants_json:
        return JSONResponse({"items": [item_as_json(visit, one) for one in found.items], "story": _story(visit, found)})
    if not found.is_open and not _story(visit, found):
        raise nothing_there()
    return page(visit, found)


def page(visit: Visit, found: OpenRecord, status: int = 200, typed: Typed = Typed()) -> Response:  # noqa: B008
    """`typed`: of a form that came to nothing; its words are kept."""
    key = found.key
    place = visit.ledger.stakes.places(found.flow, [key]).get(key)
    row = found.hold.row if found.hold else {}
    once = visit.query.get("once", "")
    return visit.page(
        "record.html",
        status,
        record=found,
        causes=[said(one.cause, visit.site.titles) for one in found.items],
        money=found.money,
        offers=offers(visit, found),
        proposals=visit.ledger.proposals.standing(found.flow, key),
        fields=_fields(row),
        tables=_tables(row),
        story=_story(visit, found),
        sent=_sent(visit, found),
        place=place,
        outward=visit.site.outward(place.link) if place else "",
        typed=typed,
        done=visit.ledger.notes.outcome(once) or "" if once else "",
        decided=None if found.is_open else visit.ledger.taking_back.last(found.flow, key),
        decided_mark=decided_mark(visit, found),
        taken_up=_taken_up(visit, found),
        neighbours=neighbours_of(visit, found),
        reasons=visit.ledger.taking_back.reasons(visit.user.name) if found.is_open else [],
        may={role: visit.may(role, found.company) for role in ("work", "decide", "confirm")},
        here=visit.site.record_url(found.flow, key),
        shortest=SHORTEST,
    )


def _taken_up(visit: Visit, found: OpenRecord) -> str:
    """When a run takes a decision up."""
    due = [task.due_at for task in visit.ledger.work.all([found.flow])]
    seconds = max(0.0, (min(due) - visit.now).total_seconds()) if due else 0.0
    return f"in about {int(seconds) // 10 * 10 + 10} s" if due else "with the next run"


def act(visit: Visit) -> Response:
    """A form of the record's page. Sent twice it is one decision; of another content than was looked at: 409."""
    found, action = _asked(visit), visit.form.get("action", "")
    here = visit.site.record_url(found.flow, found.key)
    once = visit.form.get("once", "")
    if not (once.isascii() and once.isalnum() and 16 <= len(once) <= 64):
        raise Refused(400, "This form is none of the page's.", "Load the page again.")
    after = _after(visit, found, here, once)
    if not visit.ledger.notes.begin(once, visit.user.name):
        return visit.back(after)
    try:
        outcome = _done(visit, found, action)
    except Stopped as stopped:
        visit.ledger.notes.give_back(once)
        typed = Typed(str(stopped), visit.form.get("reason", ""), action)
        return page(visit, record_of(visit, found.flow, found.key), stopped.status, typed)
    except BaseException:
        visit.ledger.notes.give_back(once)
        raise
    visit.ledger.notes.end(once, outcome)
    return visit.back(after)


class Stopped(Exception):
    """The form comes to nothing, and its page is shown again with what was typed."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def _after(visit: Visit, found: OpenRecord, here: str, once: str) -> str:
    """Where a form leads: to the record, which names what comes next on the list that it was on."""
    named = {"once": once, "cause": next((one.cause.mark for one in found.items), "")}
    named["next"] = neighbours_of(visit, found).next_item
    return f"{here}&{urlencode({name: value for name, value in named.items() if value})}"


def _done(visit: Visit, found: OpenRecord, action: str) -> str:
    reason = visit.form.get("reason", "").strip()[:LONGEST]
    if action in DECISIONS:
        visit.expect("decide", found.company)
        _expect_same(visit, found, action)
        if len(reason) < SHORTEST:
            raise Stopped(422, f"Say why, in at least {SHORTEST} signs: the trail keeps it.")
        try:
            return decide(visit, found, action, reason)
        except Refused as error:
            if error.status == 409:
                raise Stopped(409, f"{error.headline} {error.words}") from None
            raise
    if action == "take_back":
        return _taken_back(visit, found, reason)
    return _worked(visit, found, action, reason)


def decided_mark(visit: Visit, found: OpenRecord) -> str:
    last = None if found.is_open else visit.ledger.taking_back.last(found.flow, found.key)
    return fingerprint(*last) if last else ""


def _taken_back(visit: Visit, found: OpenRecord, reason: str) -> str:
    visit.expect("decide", found.company)
    last = visit.ledger.taking_back.last(found.flow, found.key)
    if last is None or fingerprint(*last) != visit.form.get("mark", ""):
        raise Stopped(409, f"Nothing was taken back: {_what_changed(visit, found)}. Your reason is kept below.")
    if len(reason) < SHORTEST:
        raise Stopped(422, f"Say why, in at least {SHORTEST} signs: the trail keeps it.")
    try:
        visit.ledger.taking_back.take_back(found.flow, found.key, last, (visit.user.name, reason), Run(REVIEW))
    except DecisionRefused as error:
        raise Stopped(409, f"Nothing was taken back: {error.message}.") from None
    return "Taken back: it is on hold as before."


def _expect_same(visit: Visit, found: OpenRecord, action: str) -> None:
    if visit.form.get("mark", "") != found.mark(action) or not found.mark(action):
        raise Stopped(409, f"Nothing was decided: {_what_changed(visit, found)}. Your reason is kept below.")


def _what_changed(visit: Visit, found: OpenRecord) -> str:
    lines = visit.ledger.trail(found.flow, found.key)
    last = f"{lines[-1].event.value}, {lines[-1].at:%Y-%m-%d %H:%M} UTC: {lines[-1].detail}" if lines else "?"
    state = "it has changed since you loaded the page" if found.is_open else "it is not open any more"
    return f"{state} ({last[:300]})"


def _worked(visit: Visit, found: OpenRecord, action: str, text: str) -> str:
    role: Role = "work"
    visit.expect(role, found.company)
    who, to = visit.user.name, visit.form.get("to", "").strip()[:80]
    if action == "assign" and found.is_open:
        visit.ledger.open_items.assign([(one.cause.differs, one.id) for one in found.items], to)
        visit.ledger.notes.assigned(found.flow, found.key, who, to)
        return f"Assigned to {to or 'nobody'}."
    if action == "note":
        if not text:
            raise Stopped(422, "The note is empty.")
        visit.ledger.notes.add(found.flow, found.key, who, text)
        return "Noted."
    if action == "look" and found.hold:
        ask_for(visit, found, f"{who} asked to look again")
        return "Asked for: it is judged again by the next run, and sent only if it passes."
    raise Refused(404, "There is no such action here.")


def _asked(visit: Visit) -> OpenRecord:
    parts = visit.request.path_params
    return record_of(visit, f"{parts['connection']}/{parts['flow']}", visit.query.get("key", ""))


# --- what is shown ----------------------------------------------------------------------------------------------------


def _fields(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, _text(value)) for name, value in list(row.items())[:FIELDS] if not isinstance(value, list | dict)]


def _tables(row: Mapping[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """(name, columns, lines) of each list of lines."""
    found = []
    for name, lines in row.items():
        if isinstance(lines, list) and lines and all(isinstance(line, dict) for line in lines):
            columns = list(dict.fromkeys(key for line in lines for key in line))[:20]
            found.append((name, columns, [[_text(line.get(each)) for each in columns] for line in lines[:LINES]]))
    return found


def _text(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} signs)"


def _story(visit: Visit, found: OpenRecord) -> list[dict[str, str]]:
    lines = visit.ledger.trail(found.flow, found.key)[-STORY:]
    return [
        {
            "at": moment(line.at, visit.preferences.timezone),
            "event": line.event.value,
            "detail": line.detail[:LONGEST],
            "run": line.run_id[:8],
        }
        for line in lines
    ]


def _sent(visit: Visit, found: OpenRecord) -> list[tuple[str, str]]:
    """What was sent under this key: (since when, content)."""
    contents = visit.ledger.contents.of(found.flow, found.key)[-3:]
    return [
        (
            moment(one.first_sent_at, visit.preferences.timezone),
            json.dumps(one.content, indent=1, ensure_ascii=False)[:20_000],
        )
        for one in contents
    ]
