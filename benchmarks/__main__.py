"""`make bench`: what this machine reads, prepares, delivers, beside dlt in the same run; writes docs/benchmarks.md."""

from __future__ import annotations

import importlib.util
import os
import platform
import statistics
from collections.abc import Callable
from pathlib import Path

from benchmarks import deliver, prepare, read
from benchmarks.peer_dlt import deliver_dlt, deliver_dlt_threads, read_dlt, read_dlt_arrow

REPEATS = 3
PAGE = Path("docs/benchmarks.md")
Figures = dict[str, float]


def measured(run: Callable[[], Figures]) -> dict[str, tuple[float, float, float]]:
    """Name -> (median, least, most) of a few runs."""
    runs = [run() for _ in range(REPEATS)]
    figures = {name: [each[name] for each in runs] for name in runs[0]}
    return {name: (statistics.median(each), min(each), max(each)) for name, each in figures.items()}


def main() -> None:
    lines = [f"| {words} | {_cell(found)} |" for words, found in _figures()]
    cores, system = os.cpu_count(), f"{platform.machine()}, Python {platform.python_version()}"
    text = HEAD.format(cores=cores, system=system, repeats=REPEATS) + "\n".join(lines) + "\n" + TAIL
    PAGE.write_text(text, encoding="utf-8")
    print(text)


def _figures() -> list[tuple[str, dict[str, tuple[float, float, float]]]]:
    rows = [("read 200,000 rows of 25 fields to Parquet", measured(lambda: read.run(200_000)))]
    if importlib.util.find_spec("dlt"):
        rows.append(("the same with dlt", measured(lambda: read.run(200_000, read_dlt))))
        rows.append(("the same with dlt, Arrow pages", measured(lambda: read.run(200_000, read_dlt_arrow))))
    rows.append(("read 1,000,000 rows", measured(lambda: read.run(1_000_000))))
    rows.append(("prepare orders of four lines: read, map, 12 rules, fingerprint", measured(prepare.run)))
    rows.append(("deliver 10,000 companies, ledger included", measured(deliver.run)))
    rows.append(
        ("the same with bare httpx, eight in flight", measured(lambda: deliver.run(writer_of=deliver.deliver_bare)))
    )
    if importlib.util.find_spec("dlt"):
        rows.append(("the same with dlt", measured(lambda: deliver.run(writer_of=deliver_dlt))))
        rows.append(("the same with dlt, 8 threads", measured(lambda: deliver.run(writer_of=deliver_dlt_threads))))
    return rows


def _cell(found: dict[str, tuple[float, float, float]]) -> str:
    speed = found.get("rows_per_second") or found["records_per_second"]
    peak = f"{found['peak_mb'][0]:,.0f} MB" if "peak_mb" in found else ""
    return f"{speed[0]:,.0f} | {speed[1]:,.0f} to {speed[2]:,.0f} | {peak}"


HEAD = """# What was measured

`make bench` on {cores} cores, {system}; medians of {repeats} runs. Reader and server are processes of their own on one
machine; the server takes 150 ms for each page of 5,000 rows, whatever is asked.

| what | a second | from ... to | memory at its highest |
|---|---:|---:|---:|
"""
TAIL = """
Reading keeps eight requests in flight, each a slice of the window walked by keyset, and decodes JSON into columns;
dlt pages one by one with `$skip`, as its documentation shows. Preparing is one core, without the network. Delivering
is to an upsert of 100 a batch that takes 100 ms and allows 190 calls in ten seconds.

Where the time of preparing goes, in microseconds of one core for an order of four lines, the least of many runs when
all is quiet: reading 6.5 (half of it the records' types being checked), mapping 8.5, version, key and the way between
3, fingerprint 3.7 (984 bytes of JSON, then the hash), twelve rules 13.5: amounts_add_up 3.9, amounts_fit 2.9,
gl_accounts_exist 2.0, texts_fit 1.9, the other eight 2.8. That is 36, and 35,000 a second would be 28.6. It is not
less because each line is computed three times (for its tax, against the ERP's amount, in the order's total): a total
kept in the line would change every fingerprint, and with it deliver everything again. Each number and each text is
asked one by one, so that a reason can name it; and what is stored is checked again when it is read.
"""

if __name__ == "__main__":
    main()
