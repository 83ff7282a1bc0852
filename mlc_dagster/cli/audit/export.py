"""`mlc audit export`: the trail of a period, for an auditor."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from mlc_dagster.cli.shared.expected_names import expect
from mlc_dagster.cli.shared.lookup import NotFound, ledger, tell
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.inert import inert

if TYPE_CHECKING:
    from mlc_dagster.ledger import ExportedLine

COLUMNS = ("flow", "line", "at", "what", "key", "version", "fingerprint", "remote_id", "detail", "run", "partition")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mlc audit export --period 2026-11 --out trail-2026-11.csv")
def export(
    period: Annotated[str, typer.Option(help="A month or a day, UTC: 2026-11, or 2026-11-03.")],
    flow: Annotated[str | None, typer.Option("--flow", help="Of this flow alone; `pulls` for the reads.")] = None,
    out: Annotated[Path | None, typer.Option(help="A file that is not there yet. Default: what stdout is.")] = None,
) -> None:
    """Every line of the trail of a month or a day, with the last hash of each flow, for an auditor.

    As CSV, each line with its hash. Who keeps the hashes can tell later, with `mlc audit verify --json`, that nobody
    rewrote the trail before them.
    """
    start, end = _period(period)
    with ledger() as opened:
        expect(opened, flow=None if flow == "pulls" else flow)
        with _written(out) as file:
            sheet = csv.writer(file)
            sheet.writerow((*COLUMNS, "hash"))
            count = 0
            for line in opened.audit.exported(start, end, flow):
                sheet.writerow(_cells(line))
                count += 1
    if not count:
        raise NotFound(f"the trail has no line of {period}", cure="Another period, or another flow?")
    if out is not None:
        tell(f"{count:,} lines in {out}")


def _cells(line: ExportedLine) -> tuple[str, ...]:
    return tuple(f"'{cell}" if cell.startswith(FORMULA) else cell for cell in (inert(str(each)) for each in line))


def _period(text: str) -> tuple[datetime, datetime]:
    """Half open. Raises Misconfigured."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}", text):
            start = datetime.strptime(f"{text}-01", "%Y-%m-%d").replace(tzinfo=UTC)
            return start, (start + timedelta(days=32)).replace(day=1)
        start = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        return start, start + timedelta(days=1)
    except ValueError:
        raise Misconfigured(f"found --period {inert(text)}", cure="A month or a day: 2026-11, or 2026-11-03.") from None


@contextmanager
def _written(out: Path | None) -> Iterator[IO[str]]:
    """Raises Misconfigured where the file is there already: it may be what an auditor has signed."""
    if out is None:
        yield sys.stdout
        return
    try:
        with out.open("x", encoding="utf-8", newline="") as file:
            yield file
    except FileExistsError:
        raise Misconfigured(f"{out} is there already", cure="Give another name; nothing is overwritten.") from None
