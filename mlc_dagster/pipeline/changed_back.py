"""Of a pair of flows: what is as one delivered it, and may have been changed back by the other since."""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, key_text
from mlc_dagster.ledger import Ledger, Standing
from mlc_dagster.pipeline.drafts import RESTS


def changed_back(flow: Flow, standings: Mapping[str, Standing], ledger: Ledger) -> frozenset[str]:
    """What is as it was delivered, or stale, of a pair whose other flow has delivered something else since."""
    if not flow.pair:
        return frozenset()
    same = {key: one.remote_id for key, one in standings.items() if one.state in RESTS}
    into_erp = flow.target.system == ERP
    erps = {key: key_text(remote_id) if into_erp else key for key, remote_id in same.items()}
    return ledger.agreements.newer(flow.pair, flow.name, erps)
