"""Which deliveries are of a period: by the date of the document, else by the day that they were delivered from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger.records.hold_columns import narrow
from mlc_dagster.pipeline.batches import JUDGED_AT_ONCE, chunks
from mlc_dagster.pipeline.verify import Asked


def dated_in(asked: Asked, keys: Sequence[str], period: str) -> list[str]:
    """Of these keys those whose date begins so: "2026-11"."""
    return list(_dated_in(asked, keys, period))


def _dated_in(asked: Asked, keys: Sequence[str], period: str) -> Iterator[str]:
    for chunk in chunks(keys, JUDGED_AT_ONCE):
        sent = asked.sent(chunk)
        places = asked.ledger.history.delivered_from(asked.flow.name, chunk)
        for key in chunk:
            dated = _date_of(sent.get(key)) or places.get(key, ("", ""))[0]
            if dated.startswith(period):
                yield key


def _date_of(ready: Ready | None) -> str | None:
    return narrow((), msgspec.to_builtins(ready.record))["dated"] if ready else None
