"""What a load costs in the ledger alone: by its size, by the order of its keys, and by how many go in a batch."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, insert

from mlc_dagster.core.outcomes import Draft, Ready, Saved, State
from mlc_dagster.core.vocabulary import Record, fingerprint, key_text, version_of
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records import chain
from mlc_dagster.ledger.tables import attempts, chains, deliveries, flows

FLOW = "hubspot/customer_companies"
RECORDS = 10_000
JUDGED_AT_ONCE = 1_000
BULK = 50_000
AT = datetime(2026, 11, 1, tzinfo=UTC)
VERSION = "2026-11-05T10:00:00.000000Z"
SEED = 20261105


class Company(Record, frozen=True, kw_only=True):
    customer_id: str


def keys(count: int, *, scattered: bool) -> list[str]:
    """Keys as the ERP gives them out, one after the other, or as if by chance."""
    if not scattered:
        return [key_text(f"C{number:08d}") for number in range(count)]
    dice = random.Random(SEED)
    return [key_text(f"{dice.getrandbits(64):016x}") for _ in range(count)]


def ready(named: Sequence[str]) -> list[Ready]:
    return [Ready(key, VERSION, fingerprint(Company(customer_id=key)), Company(customer_id=key)) for key in named]


def fill(ledger: Ledger, flow: str, named: Sequence[str]) -> None:
    """Everything of the flow under these keys was delivered: one row and two lines of the trail for each, in bulk."""
    if not named:
        return
    with ledger._database.writing() as connection:
        connection.execute(insert(flows), {"flow": flow, "began_at": AT})
        head = chain.START
        _filled_index(connection, dropped=True)
        in_order = sorted(named)
        for start in range(0, len(named), BULK):
            head = _fill(connection, flow, in_order[start : start + BULK], head)
        _filled_index(connection, dropped=False)
        connection.execute(insert(chains), {"flow": flow, "seq": head.seq, "hash": head.hash})


def _filled_index(connection: Connection, *, dropped: bool) -> None:
    """An index that is built at once is built sooner than one that grows."""
    index = next(each for each in attempts.indexes if each.name == "attempts_by_key")
    (index.drop if dropped else index.create)(connection)


def _fill(connection: Connection, flow: str, named: Sequence[str], head: chain.Head) -> chain.Head:
    common = {"flow": flow, "version": "2026-11-01T10:00:00.000000Z", "run_id": "0" * 32, "partition": "2026-11-01"}
    known = {**common, "fingerprint": "f" * 32, "detail": ""}
    rows = [{**known, "key": key, "remote_id": key, "link": "https://app.test/" + key} for key in named]
    connection.execute(insert(deliveries), [{**row, "delivered_at": AT} for row in rows])
    lines = [
        {**known, "key": key, "remote_id": remote_id, "event": event, "at": AT}
        for event in ("sent", "created")
        for key, remote_id in zip(named, [None if event == "sent" else key for key in named], strict=True)
    ]
    head = chain.chained(head, (flow, version_of(AT), known["run_id"], known["partition"]), lines)
    connection.execute(insert(attempts), lines)
    return head


def load(ledger: Ledger, records: Sequence[Ready], batch: int, run: Run) -> tuple[float, float]:
    """(wall, CPU) seconds of judging, beginning and finishing all of them under a lease, as a load does."""
    wall, work = time.perf_counter(), time.process_time()
    with ledger.lease(f"load {FLOW}", run.run_id) as lease:
        for start in range(0, len(records), JUDGED_AT_ONCE):
            chunk = records[start : start + JUDGED_AT_ONCE]
            standings = ledger.judge(FLOW, chunk)
            for first in range(0, len(chunk), batch):
                sent = chunk[first : first + batch]
                ledger.begin(FLOW, [(one, standings[one.key].remote_id) for one in sent], run=run, lease=lease)
                answers = [(one, Saved(Draft(one.key, one.record), f"h-{one.key}", "created")) for one in sent]
                ledger.finish(FLOW, answers, run=run, lease=lease)
    return time.perf_counter() - wall, time.process_time() - work


def run(
    size: int = 1_000_000,
    *,
    scattered: bool = True,
    batch: int = 100,
    records: int = RECORDS,
    repeats: int = 3,
    url: str | None = None,
    empty_url: str | None = None,
) -> dict[str, float]:
    """Seconds of a load with `size` deliveries in the ledger and with none, turn by turn, and how they compare.

    Half of the records are new, half were delivered before. On SQLite in a folder of its own where no `url` is given.
    """
    with tempfile.TemporaryDirectory() as folder:
        full = Ledger.open(url or f"sqlite:///{Path(folder) / 'full.db'}")
        empty = Ledger.open(empty_url or f"sqlite:///{Path(folder) / 'empty.db'}")
        with full, empty:
            fresh = records * repeats
            named = keys(size + fresh, scattered=scattered)
            dice = random.Random(SEED)
            fill(full, FLOW, named[:size])
            old, new = dice.sample(named[:size], min(size, fresh) // 2), named[size:]
            found: dict[str, list[tuple[float, float]]] = {"full": [], "empty": []}
            for turn in range(repeats):
                half = records // 2
                mixed = old[turn * half : (turn + 1) * half] + new[turn * half : (turn + 1) * half]
                if len(mixed) < records:
                    mixed = new[turn * records : (turn + 1) * records]
                dice.shuffle(mixed)
                wanted = ready(mixed)
                found["empty"].append(load(empty, wanted, batch, Run(f"run-{turn}", "2026-11-05")))
                found["full"].append(load(full, wanted, batch, Run(f"run-{turn}", "2026-11-05")))
                assert {each.state for each in full.judge(FLOW, wanted).values()} == {State.UNCHANGED}
    return _figures(found, records)


def _figures(found: dict[str, list[tuple[float, float]]], records: int) -> dict[str, float]:
    wall = {name: statistics.median(each[0] for each in runs) for name, runs in found.items()}
    work = {name: statistics.median(each[1] for each in runs) for name, runs in found.items()}
    return {
        "records_per_second": records / wall["full"],
        "seconds": wall["full"],
        "seconds with an empty ledger": wall["empty"],
        "times": wall["full"] / wall["empty"],
        "cpu seconds": work["full"],
        "cpu times": work["full"] / work["empty"],
    }


if __name__ == "__main__":
    for in_batch, count in ((100, RECORDS), (1, 1_000)):
        for deliveries_there in (0, 100_000, 1_000_000):
            for by_chance in (False, True):
                result = run(deliveries_there, scattered=by_chance, batch=in_batch, records=count)
                told = ", ".join(f"{name} {value:,.2f}" for name, value in result.items())
                order = "scattered" if by_chance else "in order"
                print(f"{count:,} records by {in_batch}, {deliveries_there:,} there, {order}: {told}", flush=True)
