"""What these comparisons are made of: what the systems hold, as the sandbox itself tells, and what was delivered.

That what was delivered is there, as it was agreed, and that nothing else carries our key is asked of `verify`, as every
night. These comparisons stay beside it, since they go round all that verify is made of: no client of ours reads here,
and none says what it sent. What a client writes wrongly and reads back as wrongly is agreed for verify; one hand wrote
both. Here amounts, numbers and links are held against the prepared record and the source's own document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlc_dagster.core.arrow_columns import read_ready
from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.storage.row_store import RowStore

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """`state`: system -> what the sandbox holds of it."""

    state: Callable[[str], Any]
    flows: Sequence[Flow]
    ledger: Ledger
    store: RowStore

    def to(self, system: str) -> list[Flow]:
        return [flow for flow in self.flows if flow.target.system == system]

    def delivered(self, flow: Flow) -> dict[str, str]:
        """Key -> remote id."""
        return self.ledger.remote_ids(flow.name)

    def newest(self, flow: Flow) -> Iterator[tuple[str, str, Any]]:
        """(key, remote id, record) of what was delivered and is stored as ready."""
        delivered = self.delivered(flow)
        ready = {
            one.key: one.record
            for partition in self.store.partitions(prepared_key(flow))
            for batch in self.store.read(prepared_key(flow), partition)
            for one in read_ready(batch, flow.target.record)
        }
        yield from ((key, remote_id, ready[key]) for key, remote_id in delivered.items() if key in ready)

    def doubled(self, flow: Flow, there: str) -> Iterator[str]:
        """A line where two keys of a flow have one record."""
        delivered = self.delivered(flow)
        if shared := len(delivered) - len(set(delivered.values())):
            yield f"{flow.name}: {shared} keys share {there}"

    def known(self, system: str) -> set[str]:
        """Every id that a flow to this system has delivered."""
        return {remote_id for flow in self.to(system) for remote_id in self.delivered(flow).values()}
