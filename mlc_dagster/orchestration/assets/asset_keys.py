"""What the assets of a flow are called."""

from __future__ import annotations

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, EntitySet


def prepared_key(flow: Flow) -> tuple[str, ...]:
    """cin7/purchases -> cin7/purchases_prepared: lineage nodes show only the last segment."""
    return (*flow.key[:-1], f"{flow.key[-1]}_prepared")


def read_of(entity: EntitySet) -> str:
    """What stands in the place of a flow where a partition was not read."""
    return f"read {'/'.join(entity.key)}"


def group_of(flow: Flow) -> str:
    """The collapsed lineage reads: the ERP, then the SaaS, then back into the ERP."""
    return f"{ERP}_inbound" if flow.target.system == ERP else flow.target.system
