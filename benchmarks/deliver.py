"""Seconds to deliver 10,000 companies to a HubSpot-like upsert: ours with its ledger, beside dlt and bare httpx.

`python -m benchmarks.deliver [companies]`. Server and writer are processes of their own.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec

from benchmarks import ledger as filling
from benchmarks.deliver_server import BATCH, serve
from benchmarks.peer_dlt import deliver_dlt, deliver_dlt_threads
from benchmarks.read import free_port, wait_for
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import fingerprint
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import load
from mlc_dagster.systems.hubspot.api import classify, objects
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.systems.hubspot.flows import FLOWS
from mlc_dagster.systems.hubspot.objects.properties import KEY, of_company
from mlc_dagster.systems.hubspot.records import Company
from mlc_dagster.transport.client import ApiClient, LocalBudget

FLOW = next(flow for flow in FLOWS if flow.name == "hubspot/supplier_companies")
COMPANIES = 10_000
THERE = 1_000_000  # deliveries of a ledger that has grown
UNPACED = 19_000  # what the limit of 190 batches lets through at once: beyond it who keeps no budget is refused
UPSERT = objects("companies", "batch/upsert")

Figures = dict[str, float]
Writer = Callable[[int, int, "multiprocessing.Queue[Figures]"], None]
"""(companies, port, where the figures go): delivers all companies, in a process of its own."""


def company(number: int) -> Company:
    return Company(
        key=f"SUPPLIER/S{number}",
        role="Supplier",
        number=f"S{number}",
        name=f"Supplier {number} AB",
        company_code="0010",
        gl_account="4010",
        gl_account_name="Raw materials",
        cost_center="CC100",
        dimensions="B=CC100",
        country="SE",
        currency="SEK",
        payment_terms="30 days",
        vat_no=f"SE5560{number:06}01",
    )


def run(companies: int = COMPANIES, writer_of: Writer | None = None) -> Figures:
    """Seconds, processor seconds, and what the server counted; ours says as well what the unchanged cost."""
    spawn = multiprocessing.get_context("spawn")
    port = free_port()
    server = spawn.Process(target=serve, args=(port,), daemon=True)
    server.start()
    try:
        wait_for(port)
        results: multiprocessing.Queue[Figures] = spawn.Queue()
        writer = spawn.Process(target=writer_of or deliver_ours, args=(companies, port, results))
        writer.start()
        figures = results.get(timeout=600)
        writer.join(timeout=60)
        counts = httpx.get(f"http://127.0.0.1:{port}/counts").json()
        assert counts["companies"] == companies, counts
        speed = companies / figures["seconds"]
        return {"records_per_second": speed, **figures, "refused": counts["refused"]}
    finally:
        server.terminate()
        server.join()


def deliver_ours(companies: int, port: int, results: multiprocessing.Queue[Figures]) -> None:
    """A first load, and the same once more: every record through the real ledger, in a file of SQLite."""
    _deliver(companies, port, results, there=0)


def deliver_grown(companies: int, port: int, results: multiprocessing.Queue[Figures]) -> None:
    """As `deliver_ours`, where the ledger holds a million deliveries under keys that come as if by chance."""
    _deliver(companies, port, results, there=THERE)


def _deliver(companies: int, port: int, results: multiprocessing.Queue[Figures], there: int) -> None:
    named = filling.keys(there + companies, scattered=True)
    records = [company(number) for number in range(companies)]
    ready = [
        Ready(key, "2026-11-05T09:00:00.000000Z", fingerprint(each), each)
        for key, each in zip(named[there:], records, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{folder}/ledger.db") as ledger:
        filling.fill(ledger, FLOW.name, named[:there])
        first, api = _client(port), _client(port)
        once, busy = _timed(lambda: load(FLOW, ready, first, ledger, Run("first", "2026-11-05")))
        again, _ = _timed(lambda: load(FLOW, ready, api, ledger, Run("second", "2026-11-05")))
    figures = {"seconds": once, "processor_seconds": busy, "requests": first.traffic.requests}
    results.put({**figures, "unchanged_seconds": again, "unchanged_requests": api.traffic.requests})


def _client(port: int) -> HubspotClient:
    budget = LocalBudget(190, 10.0)
    api = ApiClient("hubspot", f"http://127.0.0.1:{port}", budget=budget, classify=classify)
    return HubspotClient(api, budget=budget, calls=190)


def deliver_bare(companies: int, port: int, results: multiprocessing.Queue[Figures]) -> None:
    """httpx with eight calls in flight: no ledger, no outcome looked at but the status. What the machine allows."""
    records = [company(number) for number in range(companies)]
    batches = [records[start : start + BATCH] for start in range(0, companies, BATCH)]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client, ThreadPoolExecutor(8) as threads:
        seconds, busy = _timed(lambda: list(threads.map(lambda batch: post(client, batch), batches)))
    results.put({"seconds": seconds, "processor_seconds": busy, "requests": len(batches)})


def post(client: httpx.Client, batch: Sequence[Company]) -> None:
    rows = [of_company(each) for each in batch]
    inputs = [{"id": row[KEY], "idProperty": KEY, "properties": row, "objectWriteTraceId": row[KEY]} for row in rows]
    client.post(UPSERT, content=msgspec.json.encode({"inputs": inputs})).raise_for_status()


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    started, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - busy


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COMPANIES
    writers = {"ours": deliver_ours, "ours, 1,000,000 in the ledger": deliver_grown}
    if count <= UNPACED:
        writers["bare httpx"] = deliver_bare
    if count <= UNPACED and importlib.util.find_spec("dlt"):
        writers |= {"dlt": deliver_dlt, "dlt, 8 threads": deliver_dlt_threads}
    for _title, _writer in writers.items():
        print(f"{_title:15}", ", ".join(f"{name} {value:,.2f}" for name, value in run(count, _writer).items()))
