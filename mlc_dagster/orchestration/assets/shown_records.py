"""A few records of a run with the way to both sides: where the source and the target show them, and who decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import dagster as dg

from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.outcomes import Saved
from mlc_dagster.core.record_pages import listed, page_of_source
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.settings import Settings

SHOWN = 5


def of_target(flow: Flow) -> dict[str, Any]:
    """Where the target has all of them, as mlc.yaml says."""
    page = listed(flow.target.page)
    return {"records_in_the_target": dg.MetadataValue.url(page)} if page else {}


def of_source(page: str) -> dict[str, Any]:
    """Where the source has all of them, as mlc.yaml says."""
    return {"records_in_the_source": dg.MetadataValue.url(listed(page))} if page else {}


def delivered(flow: Flow, examples: Sequence[tuple[str, Saved]]) -> dict[str, Any]:
    """Key by key what it is in the target: nothing where a load delivered nothing."""
    found = [
        (
            (key, page_of_source(flow.source, key)),
            " is ",
            (saved.detail or saved.remote_id, saved.link),
            f", {saved.action}",
        )
        for key, saved in examples[:SHOWN]
    ]
    return {"delivered_records": reports.linked(found)} if found else {}


def held(flow: Flow, examples: Sequence[tuple[str, Problem]], settings: Settings) -> dict[str, Any]:
    """Where they are seen, and decided: nothing where no page is known."""
    keys = list(dict.fromkeys(key for key, _ in examples))[:SHOWN]
    decided = settings.alerts.page_url if settings.alerts else None
    if not keys or not (flow.source.page or decided):
        return {}
    decide = {key: (", ", ("decide", _page_of(decided, flow, key))) if decided else () for key in keys}
    return {"where_to_look": reports.linked(((key, page_of_source(flow.source, key)), *decide[key]) for key in keys)}


def _page_of(page_url: str, flow: Flow, key: str) -> str:
    """The record on the review page; its key may hold any character."""
    asked = urlencode({"key": key}, errors="backslashreplace")
    return f"{page_url.rstrip('/')}/record/{quote(flow.name, errors='backslashreplace')}?{asked}"
