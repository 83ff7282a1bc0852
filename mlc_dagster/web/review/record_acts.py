"""A form of a record's page: done, or shown again with what stands in its way, and its words kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from urllib.parse import urlencode

from starlette.responses import Response

from mlc_dagster.ledger import Run
from mlc_dagster.ledger.records.action_requests import RequestRefused
from mlc_dagster.ledger.records.decisions import DecisionRefused
from mlc_dagster.ledger.records.ways_back import Said, WordRefused
from mlc_dagster.web.review.bulk_run import REVIEW
from mlc_dagster.web.review.deciding import DECISIONS, SHORTEST, ask_for, decide
from mlc_dagster.web.review.neighbours import neighbours_of
from mlc_dagster.web.review.open_record import OpenRecord, record_of
from mlc_dagster.web.review.record import LONGEST_ID, Typed, accepted_mark, asked, decided_mark, last_day, page
from mlc_dagster.web.review.tags import tags_of
from mlc_dagster.web.review.visits import Refused, Visit

LONGEST = 2_000


def act(visit: Visit) -> Response:
    """A form of the record's page. Sent twice it is one decision; of another content than was looked at: 409."""
    found, action = asked(visit), visit.form.get("action", "")
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
    reason = (visit.form.get("reason", "").strip() or visit.form.get("again", "").strip())[:LONGEST]
    if action in DECISIONS:
        return _decided(visit, found, action, reason)
    if action in _TAKEN_BACK:
        return _taken_back(visit, found, action, reason)
    if action in ("explain", "end_explanation"):
        return _explained(visit, found, action, reason)
    return _worked(visit, found, action, reason)


def _decided(visit: Visit, found: OpenRecord, action: str, reason: str) -> str:
    visit.expect("decide", found.company)
    _expect_same(visit, found, action)
    _expect_reason(reason)
    argument = visit.form.get("argument", "").strip() if action == "relink" else ""
    if action == "relink" and not (argument.isprintable() and 0 < len(argument) <= LONGEST_ID):
        raise Stopped(422, f"Say which record it is there: its id, of {LONGEST_ID} signs at most.")
    try:
        return decide(visit, found, action, reason, argument)
    except Refused as error:
        if error.status == 409:
            raise Stopped(409, f"{error.headline} {error.words}") from None
        raise


# --- the way back -----------------------------------------------------------------------------------------------------


def _decision(visit: Visit, found: OpenRecord, said: Said) -> str:
    last = visit.ledger.taking_back.last(found.flow, found.key)
    assert last is not None
    visit.ledger.taking_back.take_back(found.flow, found.key, last, said, Run(REVIEW))
    return "Taken back: it is on hold as before."


def _acceptance(visit: Visit, found: OpenRecord, said: Said) -> str:
    last = visit.ledger.accepts_taken_back.last(found.flow, found.key)
    assert last is not None
    visit.ledger.accepts_taken_back.take_back(found.flow, found.key, last, said, Run(REVIEW))
    return "Taken back: it differs as before."


def _request(visit: Visit, found: OpenRecord, said: Said) -> str:
    last = visit.ledger.action_requests.last(found.flow, found.key)
    assert last is not None
    visit.ledger.action_requests.withdraw(last, said)
    return "Withdrawn: no run does it."


def _request_mark(visit: Visit, found: OpenRecord) -> str:
    last = visit.ledger.action_requests.last(found.flow, found.key)
    return str(last.id) if last is not None and last.ended_at is None else ""


_TAKEN_BACK: dict[str, tuple[Callable[[Visit, OpenRecord], str], Callable[[Visit, OpenRecord, Said], str]]] = {
    "take_back": (decided_mark, _decision),
    "take_back_accept": (accepted_mark, _acceptance),
    "withdraw": (_request_mark, _request),
}
"""Action -> (the mark of what it is about, what it does)."""


def _taken_back(visit: Visit, found: OpenRecord, action: str, reason: str) -> str:
    visit.expect("decide", found.company)
    mark_of, take_back = _TAKEN_BACK[action]
    mark = mark_of(visit, found)
    if not mark or mark != visit.form.get("mark", ""):
        raise Stopped(409, f"Nothing was taken back: {_what_changed(visit, found)}. Your reason is kept below.")
    _expect_reason(reason)
    try:
        return take_back(visit, found, Said(visit.user.name, reason))
    except (DecisionRefused, WordRefused, RequestRefused) as error:
        raise Stopped(409, f"Nothing was taken back: {error.message}.") from None


# --- why it may differ for a while ------------------------------------------------------------------------------------


def _explained(visit: Visit, found: OpenRecord, action: str, reason: str) -> str:
    visit.expect("decide", found.company)
    _expect_same(visit, found, action)
    _expect_reason(reason)
    said = Said(visit.user.name, reason)
    try:
        if action == "end_explanation":
            visit.ledger.explanations.end(found.differences, said)
            return "Its explanation has ended."
        until = _day(visit)
        visit.ledger.explanations.explain(found.differences, until, said)
        return f"Explained until {until.isoformat()}; it is open still, and counts in the close."
    except WordRefused as error:
        raise Stopped(409, f"Nothing was explained: {error.message}.") from None


def _day(visit: Visit) -> date:
    today = visit.now.date()
    last = last_day(today)
    try:
        until = date.fromisoformat(visit.form.get("until", ""))
    except ValueError:
        raise Stopped(422, f"Say until when, such as {last.isoformat()}.") from None
    if not today <= until <= last:
        raise Stopped(422, f"From today to {last.isoformat()}, the end of the next period.")
    return until


# --- what changes no books --------------------------------------------------------------------------------------------


def _worked(visit: Visit, found: OpenRecord, action: str, text: str) -> str:
    visit.expect("work", found.company)
    who, to = visit.user.name, visit.form.get("to", "").strip()[:80]
    if action == "assign" and found.is_open:
        visit.ledger.open_items.assign([(one.cause.differs, one.id) for one in found.items], to)
        visit.ledger.notes.assigned(found.flow, found.key, who, to)
        return f"Assigned to {to or 'nobody'}."
    if action in ("tag", "untag") and found.is_open:
        tags = tags_of(visit.form.get("tag", ""))
        visit.ledger.tags.put(found.items, tags, on=action == "tag")
        return f"Tagged {', '.join(tags)}." if action == "tag" else f"Not tagged {', '.join(tags)} any more."
    if action == "note":
        if not text:
            raise Stopped(422, "The note is empty.")
        visit.ledger.notes.add(found.flow, found.key, who, text)
        return "Noted."
    if action == "look" and found.hold:
        ask_for(visit, found, f"{who} asked to look again")
        return "Asked for: it is judged again by the next run, and sent only if it passes."
    raise Refused(404, "There is no such action here.")


# --- what stands in the way -------------------------------------------------------------------------------------------


def _expect_reason(reason: str) -> None:
    if len(reason) < SHORTEST:
        raise Stopped(422, f"Say why, in at least {SHORTEST} signs: the trail keeps it.")


def _expect_same(visit: Visit, found: OpenRecord, action: str) -> None:
    if visit.form.get("mark", "") != found.mark(action) or not found.mark(action):
        raise Stopped(409, f"Nothing was decided: {_what_changed(visit, found)}. Your reason is kept below.")


def _what_changed(visit: Visit, found: OpenRecord) -> str:
    lines = visit.ledger.trail(found.flow, found.key)
    last = f"{lines[-1].event.value}, {lines[-1].at:%Y-%m-%d %H:%M} UTC: {lines[-1].detail}" if lines else "?"
    state = "it has changed since you loaded the page" if found.is_open else "it is not open any more"
    return f"{state} ({last[:300]})"
