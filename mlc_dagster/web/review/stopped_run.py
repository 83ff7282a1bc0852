"""What a guard stopped: the plan of that run, and two people who allow it once, for these contents alone."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from mlc_dagster.core.amounts import parsed
from mlc_dagster.core.vocabulary import EXACT, plain
from mlc_dagster.ledger import HoldEntry, Run
from mlc_dagster.ledger.records.decisions import DecisionRefused
from mlc_dagster.ledger.records.open_item_entries import OpenItem
from mlc_dagster.ledger.records.proposals import Proposal, mark_of
from mlc_dagster.ledger.records.selections import RUNNING, Selection
from mlc_dagster.pipeline.guards import RULE
from mlc_dagster.web.review.bulk_run import REVIEW
from mlc_dagster.web.review.deciding import SHORTEST
from mlc_dagster.web.review.open_record import nothing_there
from mlc_dagster.web.review.selecting import LARGEST, MOST
from mlc_dagster.web.review.visits import Refused, Visit, tell

ALLOW = "allow"
RELEASED_FOR = timedelta(days=7)


class StoppedRun:
    """Of a flow and partition: what the guard holds there, and nothing else does."""

    action = ALLOW

    def __init__(self, visit: Visit, flow: str, partition: str) -> None:
        self.visit, self.flow, self.partition = visit, flow, partition
        found = [hold for hold in visit.ledger.history.each_open(flow, RULE) if hold.partition == partition]
        self.holds = sorted((hold for hold in found if hold.rules == (RULE,)), key=lambda hold: hold.id)
        self.left_out = len(found) - len(self.holds)  # held by other rules, too: they stay

    items: Sequence[OpenItem] = ()  # of no cause of its own, on the list of approvals

    @property
    def companies(self) -> frozenset[str]:
        return frozenset(hold.company for hold in self.holds)

    @property
    def company(self) -> str:
        """Whose role is asked for; of several companies: that of all."""
        return next(iter(self.companies)) if len(self.companies) == 1 else ""

    @property
    def guards(self) -> list[str]:
        """In the words of the guard, with its number and the plan's."""
        return sorted({problem.reason for hold in self.holds for problem in hold.problems})

    @cached_property
    def counts(self) -> Counter[str]:
        known = self.visit.ledger.remote_ids(self.flow, [hold.key for hold in self.holds])
        return Counter("updates" if hold.key in known else "creates" for hold in self.holds)

    @cached_property
    def sums(self) -> dict[tuple[str, str], Decimal]:
        """(company, currency) -> the sum; never added over either."""
        found: dict[tuple[str, str], Decimal] = {}
        for hold in self.holds:
            place = (hold.company, hold.currency)
            found[place] = EXACT.add(found.get(place, Decimal(0)), parsed(hold.amount) or Decimal(0))
        return dict(sorted(found.items()))

    @property
    def largest(self) -> list[HoldEntry]:
        return sorted(self.holds, key=lambda hold: -abs(parsed(hold.amount) or Decimal(0)))[:LARGEST]

    @property
    def money(self) -> tuple[Decimal | None, str]:
        """Of the largest sum in one currency."""
        return max(((each, name) for (_, name), each in self.sums.items()), default=(None, ""))

    def mark(self, action: str) -> str:
        return mark_of(*self.holds) if self.holds and action == ALLOW else ""

    @property
    def looked_at(self) -> dict[str, str]:
        counted = {name: str(self.counts[name]) for name in ("creates", "updates")}
        sums = {f"sum {company} {name}".strip(): f"{plain(each):f}" for (company, name), each in self.sums.items()}
        return {**counted, **sums, "the guard says": "; ".join(self.guards)[:300]}

    @property
    def url(self) -> str:
        return self.visit.site.url(f"/stopped/{quote(self.flow)}", partition=self.partition)

    def released(self) -> list[str]:
        """The keys that were let pass, and that no run has taken up."""
        found = self.visit.ledger.history.released(self.flow, self.visit.now - RELEASED_FOR)
        return [one.key for one, place in found if place == self.partition and RULE in one.rules]


def stopped(visit: Visit) -> Response:
    """The plan of one partition; without one, which partitions there are. Raises Refused, 404."""
    flow = _flow(visit)
    partition = visit.query.get("partition", "")
    if not partition:
        places = Counter(hold.partition for hold in visit.ledger.history.each_open(flow, RULE) if _sees(visit, hold))
        return visit.page("stopped_runs.html", flow=flow, places=sorted(places.items(), reverse=True))
    return _shown(visit, _expect_seen(visit, StoppedRun(visit, flow, partition)))


def act(visit: Visit) -> Response:
    """Propose to allow it, or withdraw what no run has taken yet. Raises Refused."""
    run = _expect_seen(visit, StoppedRun(visit, _flow(visit), visit.query.get("partition", "")))
    visit.expect("decide", run.company)
    reason = visit.form.get("reason", "").strip()[:2000]
    if len(reason) < SHORTEST:
        return _shown(visit, run, 422, f"Say why, in at least {SHORTEST} signs: the trail keeps it.", reason)
    if visit.form.get("action") == "withdraw":
        return _withdrawn(visit, run, reason)
    if len(run.holds) > MOST:
        return _shown(visit, run, 409, f"More than {MOST:,} records are not allowed at once: raise the guard.", reason)
    if not run.holds or visit.form.get("mark") != run.mark(ALLOW):
        return _shown(visit, run, 409, "What is held has changed since you loaded the page: look at it again.", reason)
    said = (visit.user.name, reason)
    visit.ledger.proposals.propose(
        run.flow, run.partition, ALLOW, run.mark(ALLOW), run.company, said, shown=run.looked_at
    )
    return visit.back(visit.site.url("/approvals"))


def allow(visit: Visit, run: StoppedRun, one: Proposal) -> str:
    """Each is released by itself, in the background; the address where one sees how far it is."""
    who = f"{one.who}, confirmed by {visit.user.name}"
    items = [(hold.id, hold.content, f",{','.join(hold.rules)},") for hold in run.holds]
    keys = [(hold.flow, hold.key) for hold in run.holds]
    selection, name = Selection(who, "release", items, keys, reason=one.reason, state=RUNNING), secrets.token_hex(16)
    visit.ledger.selections.freeze(name, selection)
    visit.site.running.begin(visit.ledger, name, selection, lambda _, company: visit.user.may("confirm", company))
    tell("allowed", visit.request, who=who, selection=name, items=str(len(items)))
    return visit.site.url(f"/selections/{name}")


def _withdrawn(visit: Visit, run: StoppedRun, reason: str) -> Response:
    taken, back = 0, visit.ledger.taking_back
    for key in run.released():
        last = back.last(run.flow, key)
        try:
            assert last is not None
            back.take_back(run.flow, key, last, (visit.user.name, reason), Run(REVIEW, run.partition))
        except DecisionRefused:
            taken += 1
    if taken:
        again = StoppedRun(visit, run.flow, run.partition)
        return _shown(visit, again, 409, f"{taken} of them were taken up by a run already; the others are on hold.")
    return visit.back(run.url)


def _shown(visit: Visit, run: StoppedRun, status: int = 200, problem: str = "", typed: str = "") -> Response:
    if visit.wants_json:
        return JSONResponse({"flow": run.flow, "partition": run.partition, **run.looked_at}, status)
    proposals = [one for one in visit.ledger.proposals.standing(run.flow, run.partition) if one.action == ALLOW]
    return visit.page(
        "stopped_run.html",
        status,
        run=run,
        mark=run.mark(ALLOW),
        proposals=proposals,
        released=len(run.released()),
        problem=problem,
        typed=typed,
        shortest=SHORTEST,
        most=MOST,
    )


def _flow(visit: Visit) -> str:
    parts = visit.request.path_params
    name = f"{parts['connection']}/{parts['flow']}"
    if name not in visit.site.known_flows:
        raise nothing_there()
    return name


def _sees(visit: Visit, hold: HoldEntry) -> bool:
    return visit.sees(hold.company)


def _expect_seen(visit: Visit, run: StoppedRun) -> StoppedRun:
    """All of it, or nothing: an allowance is of a whole run. Raises Refused, 404."""
    if not all(visit.sees(company) for company in run.companies):
        raise Refused(
            404, "There is nothing here that you can see.", "Of this run records of other companies are held."
        )
    return run
