"""Procurify in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster.sandbox.limits import RollingCounts
from mlc_dagster.sandbox.part import Part, Shared
from mlc_dagster.sandbox.procurify.api import ProcurifySandbox
from mlc_dagster.sandbox.procurify.profiles import PROFILES, Domain
from mlc_dagster.sandbox.procurify.seed import demo_settings, sow_procurify
from mlc_dagster.sandbox.procurify.tokens import CLIENT_ID, CLIENT_SECRET


def _made(shared: Shared, limits: Mapping[str, int]) -> ProcurifySandbox:
    counts = RollingCounts(limits["requests_per_second"], shared.minute / 60)
    return ProcurifySandbox(counts, shared.journal, shared.lock, shared.traits or Domain())


PART = Part(
    name="procurify",
    make=_made,
    settings=demo_settings,
    secrets={"PROCURIFY_CLIENT_ID": CLIENT_ID, "PROCURIFY_CLIENT_SECRET": CLIENT_SECRET},
    limits={"requests_per_second": 2},
    sow=sow_procurify,
    traits=Domain(),
    profiles=PROFILES,
)
