"""A loaded asset whose connection is in shadow: everything but writes, and what would have been written is told."""

from __future__ import annotations

from functools import partial
from typing import Any

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.assets.delivered import last_delivered
from mlc_dagster.orchestration.assets.guarding import stored
from mlc_dagster.orchestration.assets.started_by import run_of
from mlc_dagster.pipeline.shadow import ShadowLoad, shadow

log = logger("mlc_dagster.loads")

WORDS = "**In shadow** ({system}.mode in mlc.yaml): nothing is written; what would be is told: `mlc shadow`."


def partition(context: dg.AssetExecutionContext, flow: Flow, name: str) -> dict[str, Any]:
    """One day as a load would take it; its account, as the UI shows it."""
    store, ledger = context.resources.storage.store, context.resources.ledger.open
    run, before = run_of(context, name), partial(last_delivered, flow, store, ledger)
    found = shadow(flow, stored(store, flow, name, needed=True), ledger, run, before)
    words = "%s %s: in shadow, %d would be written, %d of them told now; nothing was sent"
    log.info(words, flow.name, name, found.would_write, found.told)
    return account(found)


def account(found: ShadowLoad) -> dict[str, Any]:
    """Plain numbers, and a table of what is told now."""
    rows = [(step.key, step.does, reports.changes_in_a_line(step.changes)) for step in found.examples]
    told = {"told_now": reports.table(("record", "would", "fields"), rows)} if rows else {}
    return {
        "mode": "shadow",
        "ready": found.asked,
        "would_create": found.does["create"],
        "would_change": found.does["change"],
        "would_look_first": found.does["look first"],
        "unchanged": found.does["nothing"],
        "superseded": found.does["superseded"],
        "discarded": found.does["discarded"],
        "differences_told": found.told,
        **told,
    }
