"""The stored rows beside what the ledger knows of them, file by file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.upkeep.soundness import Look
from mlc_dagster.orchestration.storage.refused_rows import RowsRefused
from mlc_dagster.orchestration.storage.row_store import TENANT, RowStore


def look(root: str, ledger: Ledger, tenant: str = "", most: int = 10) -> Look:
    """Reads each file of a tenant whole; sentences for the first few that are not as they were stored."""
    store = RowStore(root, ledger.stored, tenant)
    known, faults, expired = set[tuple[str, str]](), list[str](), 0
    for entries in ledger.stored.all():
        last = entries[-1]
        known.add((last.asset, last.partition))
        if last.is_removal:
            expired += 1
            continue
        try:
            store.check(tuple(last.asset.split("/")), last.partition)
        except RowsRefused as error:
            faults.append(str(error).replace("\n  ", ". "))
    others = sum(place not in known for place in _files(store))
    words = f"{len(known) - expired:,} files at {store.root}"
    words += f"; {expired:,} whose time was over" * bool(expired)
    words += f"; {others:,} of another release or ledger, not compared" * bool(others)
    more = [f"{len(faults) - most:,} more"] if len(faults) > most else []
    return Look("stored rows", words, (*faults[:most], *more))


def _files(store: RowStore) -> Iterator[tuple[str, str]]:
    """(asset, partition) of every file that lies there."""
    if not store.root.exists():
        return
    for path in store.root.glob("**/*.parquet"):
        inside = PurePosixPath(path.path).relative_to(PurePosixPath(store.root.path))
        if not path.name.startswith(".") and not inside.parts[0].startswith(TENANT):
            yield str(inside.parent), unquote(path.stem)
