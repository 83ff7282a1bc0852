"""Where a command of records looks, and whether what it is asked about exists: a wrong place is never an all-clear."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlc_dagster import pipeline
from mlc_dagster import settings as settings_file
from mlc_dagster.cli.terminal import beside
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.ledger import Ledger, place_of
from mlc_dagster.pipeline import guards
from mlc_dagster.rules import waiving
from mlc_dagster.settings import Settings
from mlc_dagster.systems.moves import FLOWS
from mlc_dagster.systems.procurify.vendors import MATCHED
from mlc_dagster.systems.settings_check import HOUSE

EVERY_FLOW = frozenset({*pipeline.BUILT_IN, guards.RULE, *waiving.AT_THE_LOAD, MATCHED})
"""Rules that any flow may hold by, beside its own: those of the row, of the run, and of the load."""


class NotFound(MlcError):
    """Nothing goes by this name."""


@contextmanager
def ledger(*, writes: bool = False) -> Iterator[Ledger]:
    """The ledger that the environment names, told on stderr. Raises Misconfigured where there is none: none is made."""
    url = settings_file.environment().database_url
    with Ledger.existing(url) if writes else Ledger.to_read(url) as opened:
        tell(f"ledger: {shown(url)}")
        yield opened


def shown(url: str) -> str:
    """A file as seen from here, or host and database."""
    place = place_of(url)
    here = str(Path.cwd())
    return place.removeprefix(f"{here}/") if url.startswith("sqlite") else place


def tell(words: str) -> None:
    """Beside the answer, on stderr: stdout may be JSON."""
    beside(words)


def settings_here() -> Settings | None:
    """What mlc.yaml says; None where there is none, or it has mistakes: the ledger can be asked without it."""
    path = settings_file.environment().config
    if not path.is_file():
        return None
    try:
        return settings_file.load(path)
    except Misconfigured:
        tell(f"{path} has mistakes, so it is not known which flows are on: mlc check names them")
        return None


def why_off(name: str, settings: Settings | None) -> str:
    """Why a flow of the house is switched off; empty where it is on, or nobody says."""
    if settings is None:
        return ""
    section = settings.targets.get(HOUSE[name].spoke)
    if section is None:
        return f"mlc.yaml has no section `{HOUSE[name].spoke}:`"
    return section.switched_off.get(name, "")


def expect(opened: Ledger, *, flow: str | None = None, rule: str | None = None, system: str | None = None) -> None:
    """Raises NotFound, with the nearest names, where a flow, a rule or a system is none.

    What is switched off is answered from the ledger's history where it has any, and said to be off.
    """
    settings = settings_here() if flow is not None or system is not None else None
    if flow is not None:
        _expect_flow(opened, flow, settings)
    if system is not None:
        _expect_system(opened, system, settings)
    if rule is not None:
        _expect_rule(opened, rule, flow)


def flow_that_is_on(name: str, settings: Settings) -> None:
    """Raises NotFound: what is not on is neither planned nor replayed."""
    on = [each for each in HOUSE if not why_off(each, settings)]
    if name not in HOUSE:
        raise NotFound(f"there is no flow {name}{offered(name, HOUSE)}", cure=f"Flows that are on: {', '.join(on)}")
    if why := why_off(name, settings):
        raise NotFound(f"{name} is switched off: {why}", cure=f"Flows that are on: {', '.join(on)}")


def _expect_flow(opened: Ledger, name: str, settings: Settings | None) -> None:
    why = why_off(name, settings) if name in HOUSE else "this release has no flow of this name"
    if not why:
        return
    recorded = opened.history.flows()
    if name in recorded:
        tell(f"{name} is no flow that is on ({why}): this is what the ledger has of it")
    elif name in HOUSE:
        raise NotFound(
            f"{name} is switched off: {why}; the ledger has nothing of it",
            cure="Switch it on in mlc.yaml, or leave --flow out to ask about every flow.",
        )
    else:
        raise _none(f"there is no flow {name}", name, {*HOUSE, *recorded})


def _expect_system(opened: Ledger, name: str, settings: Settings | None) -> None:
    if name == ERP:
        return
    if name not in FLOWS:
        raise _none(f"there is no system {name}", name, [ERP, *FLOWS])
    if settings is None or name in settings.targets:
        return
    if opened.history.flows().isdisjoint(flow.name for flow in FLOWS[name]):
        raise NotFound(
            f"{name} is switched off: mlc.yaml has no section `{name}:`; the ledger has nothing of it",
            cure="Add the section to mlc.yaml, or leave --system out to ask about every system.",
        )
    tell(f"{name} is switched off (mlc.yaml has no section `{name}:`): this is what the ledger has of it")


def _expect_rule(opened: Ledger, name: str, flow: str | None) -> None:
    asked = [flow] if flow in HOUSE else HOUSE
    known = frozenset[str]().union(*(rules_of(each) for each in asked if each))
    if name in known or name in opened.history.rules(flow):
        return
    words = f"{flow} has no rule {name}" if flow in HOUSE else f"there is no rule {name}"
    raise _none(words, name, known)


def _none(words: str, name: str, known: Collection[str]) -> NotFound:
    """With the nearest names; with all where none is near."""
    near = offered(name, known)
    return NotFound(f"{words}{near}", cure=None if near else f"There are: {', '.join(sorted(known))}")


def rules_of(flow: str) -> frozenset[str]:
    """All that a flow of the house may hold a record by."""
    return EVERY_FLOW.union(rule.__name__ for rule in HOUSE[flow].rules)
