"""New suppliers and customers that may be there already, under a number that is gone or in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import record_key
from mlc_dagster.ledger import Ledger
from mlc_dagster.rules.namesakes import is_not_known_under_another_key, marks_of


def keep_marks(flow: Flow, records: Sequence[Any], ledger: Ledger) -> None:
    """Remember by what these are known beside their keys, where a rule of the flow asks for it."""
    if is_not_known_under_another_key in flow.rules:
        ledger.masters.keep(flow.name, _marks(flow, records))


def namesakes(flow: Flow, records: Sequence[Any], ledger: Ledger) -> dict[str, tuple[str, str]]:
    """Key of a record that was never delivered -> (what it has in common, the key that was delivered with it)."""
    if is_not_known_under_another_key not in flow.rules:
        return {}
    new = {key: each for key, each in _marks(flow, records).items() if each}
    for key in ledger.remote_ids(flow.name, new):
        del new[key]
    there = ledger.masters.delivered(flow.name, list(dict.fromkeys(mark for each in new.values() for mark in each)))
    return {
        key: (mark, other)
        for key, each in new.items()
        for mark in reversed(each)  # a VAT number says more than a name
        for other in there.get(mark, ())[:1]
    }


def _marks(flow: Flow, records: Sequence[Any]) -> dict[str, list[str]]:
    return {record_key(each, flow.source.keys): list(marks_of(each)) for each in records}
