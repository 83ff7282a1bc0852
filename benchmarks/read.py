"""Rows read per second, and memory at its highest: 200,000 rows of 25 fields, 5,000 a page, 150 ms each, to Parquet.

`python -m benchmarks.read [rows]`. Server and reader are processes of their own.
"""

from __future__ import annotations

import multiprocessing
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import httpx

from benchmarks.read_server import serve
from mlc_dagster.core.arrow_columns import source_schema
from mlc_dagster.core.vocabulary import EntitySet, Pull, Record, Scope, Window
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.systems.ifs.client import IfsClient, classify
from mlc_dagster.transport.client import ApiClient

ROWS = 200_000
DAY = Scope("2026-11-05", Window.day(date(2026, 11, 5)))


class Wide(Record, frozen=True, kw_only=True):
    """25 fields: of an order, in number and kind."""

    key: str
    text0: str | None = None
    text1: str | None = None
    text2: str | None = None
    text3: str | None = None
    text4: str | None = None
    text5: str | None = None
    text6: str | None = None
    text7: str | None = None
    text8: str | None = None
    text9: str | None = None
    text10: str | None = None
    text11: str | None = None
    text12: str | None = None
    text13: str | None = None
    amount0: Decimal | None = None
    amount1: Decimal | None = None
    amount2: Decimal | None = None
    amount3: Decimal | None = None
    amount4: Decimal | None = None
    day0: date | None = None
    day1: date | None = None
    number: int | None = None
    flag: bool | None = None
    last_modified: datetime | None = None


WIDE = EntitySet("ifs", "wide_set", "Wide", "WideSet", Wide, keys=("key",))


Reader = Callable[[int, int, "multiprocessing.Queue[dict[str, float]]"], None]
"""(rows, port, where the figures go): reads all rows from the server, in a process of its own."""


def run(rows: int = ROWS, reader_of: Reader | None = None) -> dict[str, float]:
    """Rows per second, seconds, requests, and the reader's memory at its highest, in MB."""
    spawn = multiprocessing.get_context("spawn")
    port = free_port()
    server = spawn.Process(target=serve, args=(rows, port), daemon=True)
    server.start()
    try:
        wait_for(port)
        results: multiprocessing.Queue[dict[str, float]] = spawn.Queue()
        reader = spawn.Process(target=reader_of or read_ours, args=(rows, port, results))
        reader.start()
        reader.join(timeout=600)
        if reader.exitcode != 0:
            raise RuntimeError(f"the reader ended with {reader.exitcode}")
        return results.get(timeout=10)
    finally:
        server.terminate()
        server.join()


def read_ours(rows: int, port: int, results: multiprocessing.Queue[dict[str, float]]) -> None:
    api = ApiClient("ifs", f"http://127.0.0.1:{port}", classify=classify)
    client, pull = IfsClient(api), Pull("ifs/wide_set", DAY.partition)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        written = RowStore(folder).write(WIDE.key, DAY.partition, source_schema(Wide), client.read(WIDE, DAY, pull))
        seconds = time.perf_counter() - started
    assert written == pull.rows == rows, (written, pull)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results.put({"rows_per_second": rows / seconds, "seconds": seconds, "requests": pull.requests, "peak_mb": peak})


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/$count", timeout=5)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError("the server did not start")


if __name__ == "__main__":
    for _name, _value in run(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS).items():
        print(f"{_name:20} {_value:>12,.1f}")
