"""Objects in a target that carry our key, and that the ledger does not know."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from mlc_dagster.core.difference_kinds import EXTRA_IN_THE_TARGET, MERGED_IN_THE_TARGET
from mlc_dagster.core.outcomes import Delivered, Seen
from mlc_dagster.core.targets import FindsOurs
from mlc_dagster.ledger.records.differences import AGREED, Difference, Found
from mlc_dagster.pipeline.taken_back import reversal_name
from mlc_dagster.pipeline.verified import Verified
from mlc_dagster.pipeline.verify import Asked, in_words


def look_for_extras(asked: Asked, since: datetime | None, account: Verified) -> None:
    """Those that were touched since then, None: all; what was found earlier and is gone is closed.

    Nothing is looked for in a target that cannot be searched for our keys. Raises as `verify`.
    """
    if not hasattr(asked.client, "ours_in"):
        return
    flow, ledger, client = asked.flow, asked.ledger, cast(FindsOurs, asked.client)
    known = frozenset(ledger.remote_ids(flow.name).values()) | _merged_into(asked)
    known |= frozenset(ledger.remote_ids(reversal_name(flow.name)).values())  # ours too
    before = {(one.key, one.field): one for one in _open(asked)}
    seen = [one for one in client.ours_in(flow, since, known) if one.remote_id not in known]
    there = {(one.key, one.remote_id) for one in seen}
    seen += _still_there(asked, [one for place, one in before.items() if place not in there and one.field not in known])
    there = {(one.key, one.remote_id) for one in seen}
    found = [_found(asked, one) for one in seen]
    account.extra += len(found)
    account.opened += ledger.differences.see(flow.name, found, asked.run)
    over = [one.id for place, one in before.items() if place not in there]
    account.closed += ledger.differences.close(over, AGREED, asked.run)
    for one, each in zip(seen, found, strict=True):
        account.sum(None, asked.worth(one.values))
        account.name(each.key, in_words(each))


def _merged_into(asked: Asked) -> frozenset[str]:
    """What ours were merged into is told as that."""
    found = asked.ledger.differences.open(asked.flow.name, limit=None)
    return frozenset(one.theirs for one in found if one.kind == MERGED_IN_THE_TARGET and one.theirs)


def _open(asked: Asked) -> list[Difference]:
    found = asked.ledger.differences.open(asked.flow.name, limit=None)
    return [one for one in found if one.kind == EXTRA_IN_THE_TARGET]


def _still_there(asked: Asked, before: list[Difference]) -> list[Seen]:
    """Found earlier, and not touched since: asked for by its id. What a person relinked meanwhile is known."""
    flow = asked.flow
    wanted = [Delivered(flow, one.key, one.field) for one in before]
    seen = asked.client.read_back(flow.target, wanted) if wanted else ()
    return [one for one in seen if one.state in ("there", "moved")]


def _found(asked: Asked, one: Seen) -> Found:
    worth = asked.worth(one.values)
    amount = None if worth is None or worth.amount is None else f"{worth.amount:f}"
    currency = worth.currency if worth and amount else None
    return Found(one.key, EXTRA_IN_THE_TARGET, one.remote_id, None, one.detail or one.remote_id, amount, currency)
