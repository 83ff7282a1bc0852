"""What the ERP takes back by a state that it says, after the target had it: other words than for what was not sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlc_dagster.core.difference_kinds import TAKEN_BACK
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import Held, Ledger, Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.hold_columns import narrow
from mlc_dagster.ledger.records.stakes import InTarget
from mlc_dagster.rules.records import STATED

log = logger("mlc_dagster.pipeline")

Places = dict[str, InTarget]
"""Key -> where the target has it."""


def places(flow: Flow, held: Sequence[Held], ledger: Ledger) -> Places:
    """Of what is held by the ERP's state, that which the target has, or may have, already."""
    keys = [one.key for one in held if any(problem.rule in STATED for problem in one.problems)]
    found = ledger.stakes.places(flow.name, keys) if keys else {}
    return {key: place for key, place in found.items() if place.remote_id}


def said(flow: Flow, held: Sequence[Held], there: Places) -> list[Held]:
    """The same, in words that say where the target has it, and what is to be done there."""
    if not there:
        return list(held)
    return [_said(flow, one, there[one.key]) if one.key in there else one for one in held]


def _said(flow: Flow, one: Held, place: InTarget) -> Held:
    target = flow.title or flow.target.system
    where = f"{place.number} ({place.link})" if place.link else place.number
    reason = (
        f"was delivered, and the ERP took it back since: {{state}}. {target} has it as {where}: cancel it there by "
        "hand, then discard this hold. The difference stays open until both sides agree, or a person decides."
    )
    problems = tuple(
        Problem(problem.rule, f"The record {reason.format(state=_state(one))}", problem.subject)
        if problem.rule in STATED
        else problem
        for problem in one.problems
    )
    return replace(one, problems=problems)


def tell(flow: Flow, held: Sequence[Held], there: Places, ledger: Ledger, run: Run) -> int:
    """Open the differences of these; how many are new. What a person decided stays so until it is delivered anew."""
    mine = [one for one in held if one.key in there]
    if not mine:
        return 0
    decided = ledger.differences.decided(flow.name, [one.key for one in mine], TAKEN_BACK)
    found = [_found(one, there[one.key], ledger, flow) for one in mine if one.key not in decided]
    if new := ledger.differences.see(flow.name, found, run):
        words = "%s: %d delivered record(s) were taken back in the ERP; they stay open until both sides agree"
        log.warning(words, flow.name, new)
    return new


def _found(one: Held, place: InTarget, ledger: Ledger, flow: Flow) -> Found:
    """With what was delivered, where that is known; else with what the record says now."""
    stake = ledger.stakes.of(flow.name, [one.key]).get(one.key)
    told = narrow((), one.row)
    amount = stake.amount if stake and stake.amount else told["amount"] or None
    currency = stake.currency if stake and stake.currency else told["currency"] or None
    return Found(one.key, TAKEN_BACK, "", place.number, _state(one), amount, currency)


def _state(one: Held) -> str:
    return str(one.row.get("obj_state") or "taken back")
