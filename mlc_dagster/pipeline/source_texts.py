"""What a flow would put down as the source of a record, for a sweep that compares it with what was delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.source_fingerprints import SourceFingerprints
from mlc_dagster.core.source_fingerprints import compares as comparable
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline.prepare import delivered, held_reasons

__all__ = ["comparable", "source_texts"]


def source_texts(flow: Flow, records: Mapping[str, Record], facts: Facts, ledger: Ledger) -> dict[str, str]:
    """Key -> what prepare would put down as the source of a record (Ready.source)."""
    rows = [(record, None, None) for record in records.values()]
    known = replace(facts, delivered=delivered(flow, rows, ledger), held=held_reasons(flow, ledger))
    sources = SourceFingerprints(flow)
    return {key: sources.of(record, known) for key, record in records.items()}
