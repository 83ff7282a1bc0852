"""C30: tenants that differ. Each flow under each profile is exact, or off by a setting that it names."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.demo.place import SECRETS
from mlc_dagster.pipeline import Loaded
from mlc_dagster.sandbox.ifs.profiles import PROFILES
from mlc_dagster.sandbox.registry import parts
from mlc_dagster_tests.promises import tenant_flows as flows
from mlc_dagster_tests.promises import tenant_outcomes as outcomes
from mlc_dagster_tests.promises.kinds import Kind
from mlc_dagster_tests.promises.seeds import FEW, HOW_MANY

LIKE = {"no-workflow": ("ifs.fiscal_year_starts=7",)}
"""What a tenant is laid beside where its books themselves are others: the same year under the seed's names."""
Run = tuple[Loaded | MlcError, Any, list[str]]


def spoke(kind: Kind) -> str:
    """The SaaS of a flow."""
    first, name = kind.flow.split("/")
    return name.split("_from_")[1].split("_")[0] if first == ERP else first


@dataclass(frozen=True)
class Case:
    profile: str
    beside: str  # a profile of the SaaS; empty: its usual one
    kind: Kind

    def __str__(self) -> str:
        return f"{self.kind}-{self.profile}{'-' if self.beside else ''}{self.beside}"


def cases(everything: bool) -> list[Case]:
    """Every flow under every profile of the ERP, and every pair of a profile of the ERP and one of a SaaS by some flow;
    `everything`: each flow under each pair.
    """
    found: dict[str, Case] = {}
    for system in sorted({spoke(kind) for kind in flows.EVERY}):
        kinds = [kind for kind in flows.EVERY if spoke(kind) == system]
        others = ["", *parts()[system].profiles]
        made = [Case(p, o, k) for p in PROFILES for o in others for k in kinds]
        if not everything:
            by_kind = [
                Case(profile, others[(i + j) % len(others)], kind)
                for i, profile in enumerate(PROFILES)
                for j, kind in enumerate(kinds)
            ]
            pairs = {(case.profile, case.beside) for case in by_kind}
            left = [
                case for n, case in enumerate(made) if (case.profile, case.beside) not in pairs and _is_nth(n, kinds)
            ]
            made = [*by_kind, *left]
        found.update({str(case): case for case in made})
    return [case for case in found.values() if case.profile != "seed" or case.beside]


def _is_nth(number: int, kinds: list[Kind]) -> bool:
    """One flow for each pair, another one for the next."""
    return number % len(kinds) == (number // len(kinds)) % len(kinds)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[str, ...], Kind, str], Run]:
    """(profiles, kind, the profile whose companies mlc.yaml describes) -> what became of it; the same is run once."""
    known: dict[tuple[tuple[str, ...], str, str], Run] = {}

    def made(profiles: tuple[str, ...], kind: Kind, like: str) -> Run:
        if (place := (profiles, kind.flow, like)) not in known:
            known[place] = _run(tmp_path_factory.mktemp("tenant"), profiles, kind, like)
        return known[place]

    return made


def _run(folder: Path, profiles: tuple[str, ...], kind: Kind, like: str) -> Run:
    with flows.box_of(profiles, kind) as box:
        tenant = flows.tenant(folder, box, like)
        try:
            for name in kind.first:
                tenant.run(name)
                if holds := tenant.holds(name):
                    return Loaded(), None, holds
                box.ifs.approve()  # what another user does meanwhile
            if meanwhile := flows.MEANWHILE.get(kind.flow):
                meanwhile(box)
            loaded = tenant.run(kind.flow)
        except MlcError as error:
            return error, None, []
        return loaded, flows.held(box, kind.flow), tenant.holds(kind.flow)


def _in_groups(found: list[Case]) -> list[Any]:
    """One worker runs all of a flow: what they are laid beside is run once."""
    return [pytest.param(case, marks=pytest.mark.xdist_group(f"C30 {case.kind}")) for case in found]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.promise(
    "C30", "each flow under each of the ERP's profiles, each pair of a profile of the ERP and one of a SaaS"
)
@pytest.mark.parametrize("case", _in_groups(cases(int(os.environ.get(HOW_MANY, FEW)) > FEW)), ids=str)
def test_c30_a_flow_is_exact_or_off_by_a_setting(case: Case, run: Callable[..., Run]) -> None:
    own, flow = (f"{spoke(case.kind)}.{case.beside}",) if case.beside else (), case.kind.flow
    ended, found, holds = run((f"ifs.{case.profile}", *own), case.kind, case.profile)
    if setting := outcomes.off_by(case.profile, flow):
        told = [str(ended)] if isinstance(ended, Misconfigured) else holds
        assert told and all(setting in each for each in told), (ended, holds)
        return
    as_seed, wanted, held_then = run((*LIKE.get(case.profile, ()), *own), case.kind, case.profile)
    assert isinstance(as_seed, Loaded) and isinstance(ended, Loaded), (as_seed, ended)
    assert len(holds) == len(held_then) and (holds == [] or case.beside), holds
    assert ended.delivered == as_seed.delivered
    left = outcomes.left_by(case.profile, flow)
    wrong = [each for each in flows.unequal(found, wanted) if not _is_told(*each, *left)]
    assert wrong == []


def _is_told(
    place: str, found: Any, wanted: Any, empty: frozenset[str], beside: frozenset[str], other: frozenset[str]
) -> bool:
    """What docs/profiles.md says of this tenant: a field that it lacks is empty, one that it demands is filled."""
    name = place.rpartition("/")[2]
    return (name in empty and found in (None, "", [])) or (name in beside and wanted is None) or name in other


@pytest.mark.promise("C30", "docs/profiles.md: each profile and each flow")
def test_c30_the_page_says_what_these_tests_hold_to_be_true() -> None:
    assert outcomes.PAGE.read_text(encoding="utf-8") == outcomes.page()
    assert outcomes.NEEDS.keys() == {kind.flow for kind in flows.EVERY} and outcomes.LACKS.keys() == PROFILES.keys()
