"""Whether what a command is asked about exists: flows, rules, systems; with the nearest names where it does not."""

from __future__ import annotations

from collections.abc import Collection

from mlc_dagster import pipeline
from mlc_dagster.cli.shared.lookup import NotFound, settings_here, tell
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline import guards
from mlc_dagster.pipeline.prepare import NOT_REVERSED
from mlc_dagster.pipeline.reversing import CERTAIN
from mlc_dagster.pipeline.taken_back import REVERSED
from mlc_dagster.rules import waiving
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.registry import systems

EVERY_FLOW = frozenset({*pipeline.BUILT_IN, guards.RULE, NOT_REVERSED, CERTAIN, *waiving.AT_THE_LOAD})
"""Rules that any flow may hold by, beside its own: those of the row, of the run, and of the load."""


def why_off(name: str, settings: Settings | None) -> str:
    """Why a flow of the house is switched off; empty where it is on, or nobody says."""
    if settings is None:
        return ""
    connection = configuration.known_flows(settings)[name].spoke
    if connection not in settings.targets:
        return f"mlc.yaml has no section `{connection}:`"
    return configuration.switched_off(settings, connection).get(name, "")


def expect(opened: Ledger, flow: str | None, rule: str | None, system: str | None) -> None:
    """Raises NotFound: expected_names.expect says when."""
    settings = settings_here()
    if flow is not None:
        _expect_flow(opened, flow, settings)
    if system is not None:
        _expect_system(opened, system, settings)
    if rule is not None:
        _expect_rule(opened, rule, flow, settings)


def flow_that_is_on(name: str, settings: Settings) -> None:
    """Raises NotFound: what is not on is neither planned nor replayed."""
    known = configuration.known_flows(settings)
    on = [each for each in known if not why_off(each, settings)]
    if name not in known:
        raise NotFound(f"there is no flow {name}{offered(name, known)}", cure=f"Flows that are on: {', '.join(on)}")
    if why := why_off(name, settings):
        raise NotFound(f"{name} is switched off: {why}", cure=f"Flows that are on: {', '.join(on)}")


def _expect_flow(opened: Ledger, name: str, settings: Settings | None) -> None:
    known = configuration.known_flows(settings)
    if name.removesuffix(REVERSED) in known and known[name.removesuffix(REVERSED)].reversing:
        name = name.removesuffix(REVERSED)  # what reverses its documents
    why = why_off(name, settings) if name in known else "this release has no flow of this name"
    if not why:
        return
    recorded = opened.history.flows()
    if name in recorded:
        tell(f"{name} is no flow that is on ({why}): this is what the ledger has of it")
    elif name in known:
        raise NotFound(
            f"{name} is switched off: {why}; the ledger has nothing of it",
            cure="Switch it on in mlc.yaml, or leave --flow out to ask about every flow.",
        )
    else:
        raise _none(f"there is no flow {name}", name, {*known, *recorded})


def _expect_system(opened: Ledger, name: str, settings: Settings | None) -> None:
    if name == ERP:
        return
    flows = configuration.flows(settings)
    if name not in flows:
        raise _none(f"there is no system {name}", name, [ERP, *flows])
    if settings is None or name in settings.targets:
        return
    if opened.history.flows().isdisjoint(flow.name for flow in flows[name]):
        raise NotFound(
            f"{name} is switched off: mlc.yaml has no section `{name}:`; the ledger has nothing of it",
            cure="Add the section to mlc.yaml, or leave --system out to ask about every system.",
        )
    tell(f"{name} is switched off (mlc.yaml has no section `{name}:`): this is what the ledger has of it")


def _expect_rule(opened: Ledger, name: str, flow: str | None, settings: Settings | None) -> None:
    flows = configuration.known_flows(settings)
    asked = [flows[flow]] if flow in flows else list(flows.values())
    known = frozenset[str]().union(*map(rules_of, asked))
    if name in known or name in opened.history.rules(flow):
        return
    words = f"{flow} has no rule {name}" if flow in flows else f"there is no rule {name}"
    raise _none(words, name, known)


def _none(words: str, name: str, known: Collection[str]) -> NotFound:
    """With the nearest names; with all where none is near."""
    near = offered(name, known)
    return NotFound(f"{words}{near}", cure=None if near else f"There are: {', '.join(sorted(known))}")


def rules_of(flow: Flow) -> frozenset[str]:
    """All that a flow may hold a record by."""
    by_client = systems()[flow.system or flow.spoke].holds_by
    return EVERY_FLOW.union(by_client, (rule.__name__ for rule in flow.rules))
