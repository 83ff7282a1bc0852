"""What waits for a second person: content then and now, confirmed or refused by somebody else who is signed in."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import JSONResponse, Response

from mlc_dagster.ledger.records.proposals import CONFIRMED, REFUSED, VOID, Proposal
from mlc_dagster.web.review.deciding import SHORTEST, carry_out, expect_possible
from mlc_dagster.web.review.looking_there import BothDocuments, both_documents
from mlc_dagster.web.review.open_record import OpenRecord, nothing_there, record_of
from mlc_dagster.web.review.sentences import Said
from mlc_dagster.web.review.stopped_run import ALLOW, StoppedRun, allow
from mlc_dagster.web.review.visits import Refused, Visit, tell


class ThenAndNow(NamedTuple):
    """One value: as it was when it was proposed, and now. None: it was, or is, not there."""

    name: str
    then: str | None
    now: str | None

    @property
    def differs(self) -> bool:
        return self.then != self.now


class Approval(NamedTuple):
    """A proposal, and what is open of its record now."""

    proposal: Proposal
    record: OpenRecord | StoppedRun
    causes: list[Said]
    void: str  # why it cannot be confirmed any more
    own: bool  # he proposed it himself
    beside: list[ThenAndNow]
    both: BothDocuments | None = None  # of a relink


def approvals(visit: Visit) -> Response:
    found = [_approval(visit, one) for one in visit.ledger.proposals.standing() if visit.sees(one.company)]
    if visit.wants_json:
        listed = [one.proposal for one in found]
        return JSONResponse({"approvals": [{"id": one.id, "flow": one.flow, "key": one.key} for one in listed]})
    return visit.page("approvals.html", approvals=found, only=None)


def one(visit: Visit) -> Response:
    """One, also after it has ended: a mail leads here. Raises Refused, 404."""
    found = visit.ledger.proposals.of(int(visit.request.path_params["number"]))
    if found is None or not visit.sees(found.company):
        raise nothing_there()
    shown = _approval(visit, found)
    if found.argument and found.ended_at is None:
        shown = shown._replace(both=both_documents(visit, found.flow, found.key, found.argument))
    return visit.page("approvals.html", approvals=[shown], only=found)


def approve(visit: Visit) -> Response:
    """Confirm or refuse. Raises Refused."""
    one = visit.ledger.proposals.of(int(visit.request.path_params["number"]))
    if one is None or not visit.sees(one.company):
        raise nothing_there()
    visit.expect("confirm", one.company)
    if one.who.casefold() == visit.user.name.casefold():  # whatever his session
        tell("refused", visit.request, who=visit.user.name, why="confirms his own proposal")
        raise Refused(403, "You proposed it yourself: somebody else has to confirm it.")
    if one.ended_at is not None:
        raise Refused(409, f"It waits no more: {one.ended_how} by {one.ended_by}.")
    if visit.form.get("answer") == "refuse":
        return _refused(visit, one)
    if visit.form.get("answer") != "confirm":
        raise Refused(400, "Confirm it, or refuse it.")
    return _confirmed(visit, one)


def _refused(visit: Visit, one: Proposal) -> Response:
    reason = visit.form.get("reason", "").strip()[:2000]
    if len(reason) < SHORTEST:
        raise Refused(422, f"Say why, in at least {SHORTEST} signs: the trail keeps it.")
    visit.ledger.proposals.end(one, REFUSED, visit.user.name, reason)
    return visit.back(visit.site.url("/approvals"))


def _confirmed(visit: Visit, one: Proposal) -> Response:
    record = StoppedRun(visit, one.flow, one.key) if one.action == ALLOW else record_of(visit, one.flow, one.key)
    if why := _void(visit, one, record):
        visit.ledger.proposals.end(one, VOID, visit.user.name, why)
        raise Refused(409, f"The proposal is void: {why}.", "Nothing was decided. It can be proposed anew.")
    if isinstance(record, StoppedRun):
        if not visit.ledger.proposals.end(one, CONFIRMED, visit.user.name):
            raise Refused(409, "It waits no more: somebody was faster.")
        return visit.back(allow(visit, record, one))
    expect_possible(visit, record, one.action)
    who = f"{one.who}, confirmed by {visit.user.name}"
    carry_out(visit, record, one.action, who, one.reason, confirmed=True, argument=one.argument or "")
    visit.ledger.proposals.end(one, CONFIRMED, visit.user.name)
    return visit.back(visit.site.url("/approvals"))


def _approval(visit: Visit, one: Proposal) -> Approval:
    record: OpenRecord | StoppedRun
    try:
        record = StoppedRun(visit, one.flow, one.key) if one.action == ALLOW else record_of(visit, one.flow, one.key)
    except Refused:
        record = OpenRecord(one.flow, one.key, one.company)
    causes = [visit.site.said(item.cause) for item in record.items]
    own = one.who.casefold() == visit.user.name.casefold()
    return Approval(one, record, causes, _void(visit, one, record), own, _beside(one, record))


def _beside(one: Proposal, record: OpenRecord | StoppedRun) -> list[ThenAndNow]:
    """What differs first. Nothing where it is not kept what was looked at."""
    then, now = one.looked_at, record.looked_at
    found = [ThenAndNow(name, then.get(name), now.get(name)) for name in dict.fromkeys([*then, *now])]
    return sorted(found, key=lambda each: not each.differs) if then else []


def _void(visit: Visit, one: Proposal, record: OpenRecord | StoppedRun) -> str:
    """Why; empty where it stands."""
    if record.mark(one.action) != one.content:
        return "its content has changed since, or it is open no more"
    if one.is_too_old(visit.now):
        return "it is older than 14 days"
    proposer = visit.ledger.users.of(one.who)
    if proposer is not None and not proposer.may("decide", one.company):
        return f"{one.who} has the role no more"
    if visit.ledger.users.has_left(one.who):
        return f"{one.who} may sign in no more"
    return ""
