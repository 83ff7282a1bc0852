"""The records that were delivered last, as they were sent: from the ledger, which keeps each content once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Ledger


def sent_records(flow: Flow, ledger: Ledger, keys: Sequence[str]) -> dict[str, Ready]:
    """Key -> what was delivered last, as it was ready then. Left out: what was erased, or sent by an older release, or
    what the record of this release has no room for.
    """
    found: dict[str, Ready] = {}
    for key, sent in ledger.contents.delivered(flow.name, keys).items():
        try:
            record = msgspec.convert(sent.content, flow.target.record, strict=False)
        except msgspec.ValidationError:
            continue
        found[key] = Ready(key, sent.version, sent.fingerprint, record, source=sent.source)
    return found
