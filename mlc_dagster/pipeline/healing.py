"""Which held records would pass now: they are judged again, by today's facts, as prepare would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import msgspec

from mlc_dagster.facts import Facts
from mlc_dagster.ledger import HoldEntry, Ledger
from mlc_dagster.outcomes import Ready
from mlc_dagster.pipeline.prepare import AsRead, Look, delivered, judge_all
from mlc_dagster.vocabulary import Flow, Record, record_key


def heals(
    flow: Flow, holds: Sequence[HoldEntry], facts: Facts, ledger: Ledger, look: Look | None = None
) -> list[HoldEntry]:
    """Of these open holds of the flow those that would be ready now. Nothing heals where facts are unusable."""
    found = [(hold, record) for hold in holds if (record := _source(flow, hold)) is not None]
    if not found or facts.unusable:
        return []
    rows: list[AsRead] = [(record, None, None) for _, record in found]
    known = replace(facts, delivered=delivered(flow, rows, ledger))
    judged = judge_all(flow, rows, known, "", look, partial(ledger.decisions.of, flow.name))
    return [hold for (hold, _), one in zip(found, judged, strict=True) if isinstance(one, Ready)]


def _source(flow: Flow, hold: HoldEntry) -> Record | None:
    """The record as it was read; None where the hold keeps another one: an unreadable row, or the target's record."""
    try:
        record = msgspec.convert(hold.row, flow.source.record, strict=False)
    except msgspec.ValidationError:
        return None
    return record if record_key(record, flow.source.keys) == hold.key else None
