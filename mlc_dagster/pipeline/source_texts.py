"""The text by which a delivery knows the source record that it was made from, made anew of what is read now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import Record, fingerprint
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline.prepare import delivered, held_reasons


def source_texts(flow: Flow, records: Mapping[str, Record], facts: Facts, ledger: Ledger) -> dict[str, str]:
    """Key -> what prepare would put down as the source of a record (Ready.source)."""
    rows = [(record, None, None) for record in records.values()]
    known = replace(facts, delivered=delivered(flow, rows, ledger), held=held_reasons(flow, ledger))
    return {key: source_text(flow, record, known) for key, record in records.items()}


def source_text(flow: Flow, record: Record, facts: Facts) -> str:
    """Of one record. `facts`: with what it refers to."""
    return fingerprint(record)


def comparable(one: str | None, other: str | None) -> bool:
    """Whether two such texts tell whether their sources differ."""
    return bool(one and other)
