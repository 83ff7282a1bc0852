"""Why stored rows are refused, in a sentence that says what brings them back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger.records.stored import Entry

PREPARED = "_prepared"
"""How the name of an asset ends whose rows were made of stored ones."""


class RowsRefused(MlcError):
    """Stored rows are not there, or not as they were stored: never taken for an empty day, nor for a right one."""


def refused(asset: Sequence[str], partition: str, why: str) -> RowsRefused:
    name = "/".join(asset)
    how = "they are prepared again from what was read" if name.endswith(PREPARED) else "they are read again"
    return RowsRefused(f"{name} {partition}: {why}", cure=f"Materialize {name} for {partition} again: {how}.")


def never_stored(asset: Sequence[str], partition: str, root: object) -> RowsRefused:
    return refused(asset, partition, f"nothing was ever stored at {root}, which is no empty day")


def removed(asset: Sequence[str], partition: str, entry: Entry) -> RowsRefused:
    words = f"its rows had their time, and were removed on {_day(entry.written_at)}"
    return refused(asset, partition, f"expired: {words}")


def missing(asset: Sequence[str], partition: str, path: object, known: Entry) -> RowsRefused:
    words = f"{_rows(known.rows)} stored on {_day(known.written_at)}, and {path} is not there"
    return refused(asset, partition, f"the ledger knows of {words}")


def altered(
    asset: Sequence[str], partition: str, path: object, known: Entry, found: str, size: int, whose: str
) -> RowsRefused:
    """`whose`: what the file says that it holds, `ifs/supplier_set 2026-11-05`; empty where it does not say."""
    other = f"; it holds {whose}" if whose and whose != f"{'/'.join(asset)} {partition}" else ""
    was = f"{known.size:,} bytes with SHA-256 {known.digest[:12]}..., {_rows(known.rows)}, on {_day(known.written_at)}"
    words = f"{path} is not what was stored: {size:,} bytes with SHA-256 {found[:12]}...{other}"
    return refused(asset, partition, f"{words}; stored were {was}")


def unreadable(asset: Sequence[str], partition: str, path: object, why: object) -> RowsRefused:
    return refused(asset, partition, f"{path} is no whole file of rows: {' '.join(str(why).split())[:200]}")


def of_an_older_release(asset: Sequence[str], partition: str, columns: Sequence[str]) -> RowsRefused:
    words = f"a release stored it that had no {', '.join(columns[:5])}{' and others' * (len(columns) > 5)}"
    return refused(asset, partition, f"{words}: what it lacks is not taken for empty")


def of_another(asset: Sequence[str], partition: str, path: object, whose: str) -> RowsRefused:
    return refused(asset, partition, f"{path} holds {whose}")


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
