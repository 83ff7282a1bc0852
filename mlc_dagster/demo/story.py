"""What the demo tells: what moved, what was held and why, and that the same again moves nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table

from mlc_dagster import settings as settings_file
from mlc_dagster.core.amounts import currency_decimals
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.terminal import Terminal, plain
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.demo.comparisons import books
from mlc_dagster.demo.comparisons.agreement import amounts, compared, disagreements
from mlc_dagster.demo.comparisons.compared import Compared
from mlc_dagster.demo.folder import absolute, is_demo, kept, replaced, strangers
from mlc_dagster.demo.instance import FILE, settle
from mlc_dagster.demo.later_life.story import show_later_life
from mlc_dagster.demo.place import TIMES, Place, real_places
from mlc_dagster.demo.runs import Runs
from mlc_dagster.orchestration.automation.running import USUAL_HOME, FlowCounts
from mlc_dagster.orchestration.settings_check import checked
from mlc_dagster.settings import DEMO_FOLDER, Settings
from mlc_dagster.settings import file_modes as private
from mlc_dagster.shipped import here_or_shipped
from mlc_dagster.systems import configuration

COLUMNS = {
    "read": "read",
    "held": "held",
    "created": "new",
    "updated": "changed",
    "adopted": "adopted",
    "unchanged": "same",
    "superseded": "older",
    "discarded": "discarded",
    "out_of_scope": "other",
    "requests": "calls",
    "seconds": "s",
}
"""What is counted -> its heading: with the longest flow's name a line has less than a hundred characters."""
RARE = ("adopted", "superseded", "discarded")  # shown where there are any
CAUSES = 12
"""So many are shown; the rest is counted."""


def run_demo(folder: Path, days: int, profiles: Sequence[str], out: Terminal, *, whole: bool = False) -> None:
    """Seed, move, move again, compare. Raises MlcError where anything does not add up.

    `whole`: then people go on in every system, and a third pass tells what becomes of that.

    `profiles`: the tenants that the sandbox stands for, such as `ifs.pages`.
    """
    private.keep_private()
    started, place = time.monotonic(), Place(absolute(folder))
    instance, own = here_or_shipped(FILE).read_text(encoding="utf-8"), settings_file.environment().config.is_file()
    with replaced(folder, real_places()) as before:
        if before:
            out.print(f"replaces the demo of {before.words} in {folder}", highlight=False)
        for name in strangers(folder):
            out.print(f"[dim]not the demo's, left as it is: {plain(f'{folder}/{name}')}[/]", highlight=False)
        with place.lay_out(days, instance, profiles) as taken:
            place.enter()
            _show(place, days, profiles, taken, out, whole)
    look = "mlc ui --demo" if own else "make ui"
    out.print(f"Took {time.monotonic() - started:.0f} s. Now look at it: [bold]{look}[/]")


def _show(place: Place, days: int, profiles: Sequence[str], taken: socket.socket, out: Terminal, whole: bool) -> None:
    many = "1 day" if days == 1 else f"{days} days"
    there = f"a sandbox of {', '.join(configuration.flows())}"
    out.print(f"[bold]mlc_dagster[/]: {many} from a sandbox ERP to {there}. State goes to {place.folder}/")
    out.print(
        f"[dim]The sandbox allows {TIMES:,} times the calls of the real systems, or this would take half an hour.[/]"
    )
    with place.sandbox(days, profiles, taken):
        settings = configuration.load(place.config)
        runs = Runs(days, sorted(settings.companies), _on(settings), out)
        _passes(place, runs, settings, out)
        if whole:
            show_later_life(place, runs, settings, out)


def _passes(place: Place, runs: Runs, settings: Settings, out: Terminal) -> None:
    flows = runs.flows
    first = runs.everything("first pass")
    _print_moved(first, "What moved", out)
    _print_held(first, out)
    before = place.writes(ERP, *configuration.flows())
    second = runs.everything("second pass")
    _print_moved(second, "The same again", out)
    writes = place.writes(ERP, *configuration.flows()) - before
    with compared(place, flows) as found:
        _print_books(found, settings, out)
        unread = list(_unread(second, flows, found.state(ERP)["rows"]))
        differences = list(disagreements(found, settings))
    _conclude([first, second], writes, [*unread, *differences], out)


def _on(settings: Settings) -> tuple[Flow, ...]:
    """The flows that the demo's settings ask for."""
    off = {name for connection in settings.targets for name in configuration.switched_off(settings, connection)}
    known = configuration.flows(settings)
    return tuple(flow for name in settings.targets for flow in known[name] if flow.name not in off)


def _unread(last: dict[str, FlowCounts], flows: Sequence[Flow], rows: dict[str, int]) -> Iterator[str]:
    """A line for each entity set of which the sandbox holds another number of rows than were read."""
    for flow in flows:
        if flow.source.partition == "company" or flow.source.system != ERP:
            continue  # those of companies that mlc.yaml does not list are not read
        read, there = last[flow.name].prepared["rows_read"], rows[flow.source.path]
        if read != there:
            yield f"{flow.name}: {read} rows read, the ERP holds {there} in {flow.source.path}"


def run_ui(port: int, out: Terminal, *, demo: bool = False) -> None:
    """Dagster's UI: on your own mlc.yaml where there is one, else on the demo with its sandbox beside it."""
    private.keep_private()  # of Dagster, too: it keeps its runs beside ours
    chosen, own = settings_file.is_chosen(), settings_file.environment().config
    if chosen and not demo:
        checked(own)  # a mistake is told here, in one line, and not in the UI with a stack
        _dagster(port, here_or_shipped("workspace.yaml"), out)
        return
    if not is_demo(DEMO_FOLDER):
        raise Misconfigured(
            f"there is no demo in {DEMO_FOLDER} to look at" if demo else "there is neither an mlc.yaml nor a demo here",
            cure="`make demo`, or copy mlc.example.yaml to mlc.yaml.",
        )
    place, workspace = Place(absolute(DEMO_FOLDER)), here_or_shipped("workspace.yaml").resolve()
    with kept(DEMO_FOLDER):
        place.enter()
        with place.sandbox():
            _dagster(port, workspace, out)


def _dagster(port: int, workspace: Path, out: Terminal) -> None:
    home = Path(os.environ.get("DAGSTER_HOME") or USUAL_HOME).resolve()
    private.make_folder(home)
    if told := settle(home, here_or_shipped(FILE)):
        out.print(f"[yellow]{plain(told)}[/]", soft_wrap=True)
    out.print(f"http://127.0.0.1:{port}  (Ctrl-C stops it)")
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
    for word in (signal.SIGINT, signal.SIGTERM):  # a service is stopped as a person stops it, in the background too
        signal.signal(word, signal.default_int_handler)
    known = {**os.environ, "DAGSTER_HOME": str(home)}
    process = subprocess.Popen(command, env=known, start_new_session=True)  # noqa: S603 - our own command
    try:
        process.wait()
    except KeyboardInterrupt:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End `dagster dev` with all that it started: asked first, then told. A run in flight goes on where it ended."""
    for word, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, word)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
        time.sleep(0.5)


def _print_moved(flows: dict[str, FlowCounts], title: str, out: Terminal) -> None:
    found = {name: _counts(flow) for name, flow in flows.items()}
    shown = [name for name in COLUMNS if name not in RARE or any(counts[name] for counts in found.values())]
    table = _table(title, "flow")
    for name in shown:
        table.add_column(COLUMNS[name], justify="right")
    for flow, counts in found.items():
        table.add_row(
            flow, *(f"{counts[name]:,.1f}" if name == "seconds" else f"{counts[name]:,.0f}" for name in shown)
        )
    out.print(table)


def _counts(flow: FlowCounts) -> Counter[str]:
    return flow.ends + Counter(
        read=flow.prepared["rows_read"],
        ready=flow.prepared["ready"],
        requests=flow.loaded["requests"],
        seconds=flow.loaded["seconds"],
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table


def _print_held(flows: dict[str, FlowCounts], out: Terminal) -> None:
    """By the rule that is not met, in whichever flows: the causes one by one are `mlc open`'s."""
    rules: dict[str, Counter[str]] = {}
    for name, flow in flows.items():
        held = {key.removeprefix("held: "): n for key, n in flow.prepared.items() if key.startswith("held: ")}
        for rule, count in {**held, "target_accepts_it": flow.loaded["held"]}.items():
            if count:
                rules.setdefault(rule, Counter())[name] += count
    table = _table("Held, and why: each with its reason in the UI", "rule that is not met")
    for name in ("records", "flows"):
        table.add_column(name, justify="right")
    worst = sorted(rules.items(), key=lambda one: -one[1].total())
    for rule, found in worst[:CAUSES]:
        table.add_row(rule, f"{found.total():,.0f}", f"{len(found)}")
    out.print(table)
    if more := worst[CAUSES:]:
        records = sum(found.total() for _, found in more)
        out.print(f"[dim]and {records:,.0f} by {len(more)} rules more[/]")


def _print_books(found: Compared, settings: Settings, out: Terminal) -> None:
    """What is in the ERP's books now: both sides of its vouchers, and what the bills of a SaaS came to."""
    table = _table("The books: vouchers in IFS", "company")
    for name in ("vouchers", "debit", "credit"):
        table.add_column(name, justify="right")
    for side in books.sides(found.state(ERP)["documents"]):
        decimals = settings.companies[side.company].decimals if side.company in settings.companies else 2
        table.add_row(side.company, f"{side.vouchers:,}", f"{side.debit:,.{decimals}f}", f"{side.credit:,.{decimals}f}")
    out.print(table)
    for title, owed in amounts(found, settings):
        table = _table(title, "currency")
        for name in ("bills", "posted in IFS", "held", "difference"):
            table.add_column(name, justify="right")
        for each in owed:
            figures = (each.owed, each.posted, each.held, each.owed - each.posted - each.held)
            decimals = currency_decimals(each.currency, None)
            table.add_row(each.currency, *(f"{amount:,.{decimals}f}" for amount in figures))
        out.print(table)


def _conclude(passes: Sequence[dict[str, FlowCounts]], writes: int, differences: list[str], out: Terminal) -> None:
    """Say what was checked, and fail where a check did not hold."""
    lost = [name for counts in passes for name, flow in counts.items() if not flow.accounted]
    checked = {
        "every row is read, and delivered, unchanged, held, superseded, discarded or out of scope: once": not lost,
        f"the second pass sent {writes} writes": writes == 0,
        "each system holds what the ledger says, record by record and to the cent": not differences,
    }
    for words, holds in checked.items():
        out.print(f"{'[green]✓[/]' if holds else '[red]✗[/]'} {words}")
    for line in [*lost, *differences[:20]]:
        out.print(f"  {line}")
    if not all(checked.values()):
        raise MlcError("the demo found a difference; please report it with the lines above")
