"""What is ready is delivered once in effect, and each outcome is remembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import ACCEPTED as ACCEPTED
from mlc_dagster.core.outcomes import EVER as EVER
from mlc_dagster.core.outcomes import Client, Ready
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline.batches import JUDGED_AT_ONCE, Slice, chunks
from mlc_dagster.pipeline.delivery import ANSWERED as ANSWERED
from mlc_dagster.pipeline.delivery import Delivery
from mlc_dagster.pipeline.fresh import SecondRead
from mlc_dagster.pipeline.kept_back import Policy, WhatPeopleDid
from mlc_dagster.pipeline.load_result import Loaded as Loaded

log = logger("mlc_dagster.pipeline")

LEASE_SECONDS = 20.0
LONGEST_REQUEST = 60.0  # seconds that a target may be at work on what it was sent


def load(
    flow: Flow,
    ready: Iterable[Ready],
    client: Client,
    ledger: Ledger,
    run: Run,
    *,
    lease_seconds: float = LEASE_SECONDS,
    longest_request: float = LONGEST_REQUEST,
    slice_: Slice | None = None,
    account: Callable[[], None] | None = None,
    fresh: SecondRead | None = None,
    policy: Policy = "report",
    again: frozenset[str] = frozenset(),
    anew: frozenset[str] = frozenset(),
    restored: frozenset[str] = frozenset(),
    also_unchanged: bool = False,
) -> Loaded:
    """Deliver what is new or changed, look first where an earlier attempt has no answer, and remember each outcome.

    One writer at a time for a flow, or for all that share `flow.writer`: a second load waits, and then finds
    everything unchanged. A writer that was killed is out of the way after `lease_seconds`, and what it sent last is
    looked for when that is answered, or never will be: `longest_request` seconds later.
    A pause of the target, given at any time, lets the batch in flight end; the rest is counted as paused. So it is
    where the target asks for a silence that nobody waits for, and after the first batch that ends when the slice is
    over, which the loads of a run share.
    `account` (identity.AccountCheck) is asked before the first record is judged: another account has nothing of it.
    `fresh`: what is about to be sent and was read a while ago, or on hold, is read again by its key, and judged anew.
    What people deleted in the target is held; where the `policy` of its looks is hold, what differs there as well.
    `again`: keys that a person, or the policy restore, asked for once more: sent also where nothing changed. `anew`:
    those of them that are made again where people deleted them; `restored`: those of which a person said that ours
    counts, also over what people changed in a record that both sides may change. What is stale is counted, and sent
    only where `also_unchanged` says so, or a person released it since it was sent.
    Raises AccessDenied, TransientError, Misconfigured, LeaseLost; what was delivered until then is in the ledger.
    """
    loaded, started = Loaded(), time.monotonic()

    def waiting(owner: str) -> None:
        log.info("%s: waiting for run %s, which is delivering", flow.name, owner)

    with ledger.lease(f"load {flow.writer or flow.name}", run.run_id, seconds=lease_seconds, on_wait=waiting) as lease:
        people, slice_ = WhatPeopleDid(flow, client, ledger, policy, again, anew, restored), slice_ or Slice()
        delivery = Delivery(
            flow, client, ledger, lease, run, loaded, longest_request, slice_, account, fresh, people, also_unchanged
        )
        if flow.writer:  # what another flow has under way may be the same record
            lease.settle(longest_request)
        for chunk in chunks(ready, JUDGED_AT_ONCE):
            delivery.take(chunk)
        delivery.look_at_what_was_left()
        delivery.look_again()
        delivery.hold_what_was_refused()
    loaded.seconds = time.monotonic() - started
    return loaded
