"""Single records are sent once more, as they were ready: by a person's word, or by the policy restore."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Client, Ready
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline.load import load
from mlc_dagster.pipeline.load_result import Loaded


def send_again(
    flow: Flow,
    ready: Sequence[Ready],
    client: Client,
    ledger: Ledger,
    run: Run,
    anew: frozenset[str] = frozenset(),
    account: Callable[[], None] | None = None,
    by_person: bool = False,
    **times: Any,
) -> list[Loaded]:
    """Each under the partition that it was delivered from. `anew`: those that are made again where they are gone.
    `by_person`: he said that ours counts, also where both sides may change a record; a policy does not know that.

    Raises as `load`.
    """
    places = ledger.history.delivered_from(flow.name, [one.key for one in ready])
    by_partition = defaultdict[str, list[Ready]](list)
    for one in ready:
        by_partition[places.get(one.key, ("", ""))[0]].append(one)
    keys = frozenset(one.key for one in ready)
    return [
        load(
            flow,
            some,
            client,
            ledger,
            Run(run.run_id, partition, run.by, run.by_person),
            account=account,
            again=frozenset(one.key for one in some),
            anew=anew,
            restored=keys if by_person else frozenset(),
            **times,
        )
        for partition, some in sorted(by_partition.items())
    ]
