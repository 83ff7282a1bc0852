"""New suppliers and customers that may be there already, under a number that is gone or in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlc_dagster.core.difference_kinds import PROBABLE_DOUBLE
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import record_key
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.rules.namesakes import SPELT, is_not_known_under_another_key, marks_of


def keep_marks(flow: Flow, records: Sequence[Any], ledger: Ledger) -> None:
    """Remember by what these are known beside their keys, where a rule of the flow asks for it."""
    if is_not_known_under_another_key in flow.rules:
        ledger.masters.keep(flow.name, _marks(flow, records))


def namesakes(flow: Flow, records: Sequence[Any], ledger: Ledger) -> dict[str, tuple[str, str]]:
    """Key of a record that was never delivered -> (what it has in common, the key that was delivered with it)."""
    if is_not_known_under_another_key not in flow.rules:
        return {}
    marks = {key: [each for each in some if not each.startswith(SPELT)] for key, some in _marks(flow, records).items()}
    new = {key: each for key, each in marks.items() if each}
    for key in ledger.remote_ids(flow.name, new):
        del new[key]
    there = ledger.masters.delivered(flow.name, list(dict.fromkeys(mark for each in new.values() for mark in each)))
    return {
        key: (mark, other)
        for key, each in new.items()
        for mark in reversed(each)  # a VAT number says more than a name
        for other in there.get(mark, ())[:1]
    }


def tell_alike(flow: Flow, created: Sequence[str], ledger: Ledger, run: Run) -> int:
    """Of those that were made just now: whose name one has that is there, in another spelling. A difference of each."""
    if is_not_known_under_another_key not in flow.rules or not created:
        return 0
    marks = ledger.masters.marks(flow.name, created)
    there = ledger.masters.delivered(flow.name, list({mark for each in marks.values() for mark in each}))
    found: list[Found] = []
    for key, mine in sorted(marks.items()):
        exact = {other for mark in mine if not mark.startswith(SPELT) for other in there.get(mark, ())}
        spelt = {other for mark in mine if mark.startswith(SPELT) for other in there.get(mark, ())} - exact - {key}
        others = sorted(other for other in spelt if other not in created or other < key)
        if others:
            words = f"{others[0]} has the same name and country, but for its spelling"
            found.append(Found(key, PROBABLE_DOUBLE, "", key, words))
    return ledger.differences.see(flow.name, found, run) if found else 0


def _marks(flow: Flow, records: Sequence[Any]) -> dict[str, list[str]]:
    return {record_key(each, flow.source.keys): list(marks_of(each)) for each in records}
