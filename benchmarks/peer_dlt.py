"""The same by dlt, at the same server: rows read into Parquet, and companies delivered, as its documentation shows."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

PAGE = 5000


def read_dlt(rows: int, port: int, results: multiprocessing.Queue[dict[str, float]]) -> None:
    """dlt's REST client with an offset paginator, rows as dicts."""
    _measure(rows, port, results, arrow=False)


def read_dlt_arrow(rows: int, port: int, results: multiprocessing.Queue[dict[str, float]]) -> None:
    """The same, each page handed over as an Arrow table."""
    _measure(rows, port, results, arrow=True)


def _measure(rows: int, port: int, results: multiprocessing.Queue[dict[str, float]], *, arrow: bool) -> None:
    os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="ERROR")
    import dlt

    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench",
            destination=dlt.destinations.filesystem(f"file://{folder}/out"),
            dataset_name="d",
            pipelines_dir=folder,
        )
        resource_ = dlt.resource(_pages(port, arrow), name="wide")
        started = time.perf_counter()
        pipeline.run(resource_, loader_file_format="parquet")
        seconds = time.perf_counter() - started
        read = pipeline.last_trace.last_normalize_info.row_counts["wide"]
    assert read == rows, read
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results.put({"rows_per_second": rows / seconds, "seconds": seconds, "peak_mb": peak})


def _pages(port: int, arrow: bool) -> Iterator[Any]:
    import pyarrow as pa
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import OffsetPaginator

    paginator = OffsetPaginator(limit=PAGE, limit_param="$top", offset_param="$skip", total_path="'@odata.count'")
    client = RESTClient(f"http://127.0.0.1:{port}", paginator=paginator, data_selector="value")
    for page in client.paginate("WideSet", params={"$orderby": "LastModified,Key"}):
        yield pa.Table.from_pylist(list(page)) if arrow else page


def deliver_dlt(companies: int, port: int, results: multiprocessing.Queue[dict[str, float]]) -> None:
    """dlt's custom destination as its documentation shows it, one batch after the other."""
    _deliver(companies, port, results, threads=1)


def deliver_dlt_threads(companies: int, port: int, results: multiprocessing.Queue[dict[str, float]]) -> None:
    """The same, eight load jobs at once: each file is a job, so the rows are split into files of 100."""
    _deliver(companies, port, results, threads=8)


def _deliver(companies: int, port: int, results: multiprocessing.Queue[dict[str, float]], *, threads: int) -> None:
    os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="ERROR", LOAD__WORKERS=str(threads))
    if threads > 1:
        os.environ.update(DATA_WRITER__FILE_MAX_ITEMS="100", DATA_WRITER__BUFFER_MAX_ITEMS="100")
    import dlt

    from benchmarks.deliver import company, post

    client = httpx.Client(base_url=f"http://127.0.0.1:{port}")
    companies_by_key = {each.key: each for each in map(company, range(companies))}

    @dlt.destination(batch_size=100, name="portal", naming_convention="direct", skip_dlt_columns_and_tables=True)
    def portal(items: list[dict[str, Any]], table: dict[str, Any]) -> None:
        post(client, [companies_by_key[item["key"]] for item in items])

    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline("bench", destination=portal, pipelines_dir=folder)
        rows = [msgspec.to_builtins(each) for each in companies_by_key.values()]
        started, busy = time.perf_counter(), time.process_time()
        pipeline.run(rows, table_name="companies")
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
    results.put({"seconds": seconds, "processor_seconds": busy})
