"""The first load of master data: suppliers and customers of any age, once, where nothing was ever delivered."""

from __future__ import annotations

from collections.abc import Sequence

from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.automation.due import asked_by
from mlc_dagster.settings import Settings

WHY = "the first load: master data of any age"


def ask_for_it(flows: Sequence[Flow], settings: Settings, ledger: Ledger) -> list[str]:
    """The first day of master data, which holds all that is older too, is due for the flows that are loaded for the
    first time: these. By whatever asks for a run of theirs first, and once: a ledger of an earlier release sends
    nothing unasked.
    """
    first = settings.partitions_start.isoformat()
    mine = [flow for flow in flows if flow.source.is_master and _never_begun(flow, first, settings, ledger)]
    if mine:
        ledger.work.ask_all(asked_by(mine, first), WHY)
    return [flow.name for flow in mine]


def _never_begun(flow: Flow, first: str, settings: Settings, ledger: Ledger) -> bool:
    if ledger.loads.has(flow.name, first) or not ledger.is_first_load(flow.name):
        return False
    if settings.is_shadow(flow.target.system) and ledger.last_pull("/".join(flow.source.key), first):
        return False  # nothing is delivered, so that nothing would end it
    return all(task.partition != first for task in ledger.work.all([flow.name]))
