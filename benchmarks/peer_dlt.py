"""The same rows read by dlt, from the same server, into Parquet: as its documentation shows, and with Arrow pages."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from typing import Any

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
