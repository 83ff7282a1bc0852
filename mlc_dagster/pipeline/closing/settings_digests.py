"""What of mlc.yaml is kept at the start of a run: where each value stands, and a digest of it. Never a value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.settings import Settings


def see(settings: Settings, ledger: Ledger, run: Run) -> bool:
    """Keep it where it is another one than the run before saw. Whether it is."""
    entries = digests(settings)
    return ledger.settings_history.see(_digest(sorted(entries.items())), entries, run)


def digests(settings: Settings) -> dict[str, str]:
    """Path -> digest: "cin7.accounts.4010"."""
    return dict(_flat("", settings.model_dump(mode="json", exclude_none=True)))


def _flat(before: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, each in value.items():
            yield from _flat(f"{before}.{name}" if before else str(name), each)
    else:
        yield before, _digest(value)


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()
