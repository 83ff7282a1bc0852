"""The vault in the ledger of this place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlc_dagster.cli.shared.lookup import ledger

if TYPE_CHECKING:
    from mlc_dagster.ledger.vault import Vault


@contextmanager
def vault(*, writes: bool = True) -> Iterator[Vault]:
    """Raises Misconfigured where there is no ledger, or no master key."""
    from mlc_dagster.ledger.credentials import master_keys

    with ledger(writes=writes) as opened:
        yield opened.vault(master_keys())
