"""monday.com in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster.sandbox.limits import RollingCounts
from mlc_dagster.sandbox.monday.api import TOKEN, MondaySandbox
from mlc_dagster.sandbox.monday.oauth import PATH
from mlc_dagster.sandbox.monday.seed import DEMO_MONDAY, sow_monday
from mlc_dagster.sandbox.monday.traits import Traits
from mlc_dagster.sandbox.part import Account, Part, Shared


def _made(shared: Shared, limits: Mapping[str, int]) -> MondaySandbox:
    counts = RollingCounts(limits["calls_per_minute"], shared.minute)
    traits = shared.traits or Traits()
    return MondaySandbox(counts, shared.journal, shared.lock, limits, shared.minute, traits)


def _serve(system: MondaySandbox, account: str) -> None:
    system.resolvers.account_id = account


PART = Part(
    name="monday",
    make=_made,
    settings=lambda url: {**DEMO_MONDAY, "base_url": f"{url}/monday", "token_url": url + PATH},
    secrets={"MONDAY_TOKEN": TOKEN},
    limits={
        "calls_per_minute": 1000,
        "calls_per_day": 10_000,
        "points_per_minute": 10_000_000,  # of a personal token
    },
    costs={"points_per_write": 30_000, "points_per_column": 0},
    sow=sow_monday,
    traits=Traits(),
    account=Account(_serve, lambda number: str(9_000_001 + number)),
)
