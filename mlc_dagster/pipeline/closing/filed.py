"""A month end as it is filed: a page that prints on A4, and tables for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from mlc_dagster.core.inert import inert
from mlc_dagster.pipeline.closing.signing import Closed

MOST = 500  # documents that the page names; the tables have all
MOST_CHANGED = 40
APART = {
    "rounded_up": "theirs is more, by rounding",
    "rounded_down": "theirs is less, by rounding",
    "accepted": "theirs was accepted by a person",
    "foreign": "in a foreign currency",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a text for that begins so."""


def page(closed: Closed) -> str:
    """HTML with all that it needs in itself; what came from other systems is text in it, and nothing else."""
    options = {"apart": APART, "most": MOST, "most_changed": MOST_CHANGED}
    return _template().render(c=_inert(closed.as_json()), **options)


def tables(closed: Closed) -> dict[str, str]:
    """Name -> CSV: the figures, the sums by account, what differs, what was posted after the month, the decisions."""
    told = closed.as_json()
    figures = [
        (flow["flow"], name, counted["number"], currency, amount)
        for flow in told["flows"]
        for name in ("delivered", "held", "differing", "not_shown", *APART)
        for counted in [flow[name]]
        for currency, amount in (counted["amounts"] or {"": ""}).items()
    ]
    sums = [{"flow": flow["flow"], **row} for flow in told["flows"] for row in flow["sums"]]
    return {
        "figures": _csv(("flow", "what", "number", "currency", "amount"), figures),
        "sums": _of_rows(sums, ("flow", "account", "currency", "ours", "theirs", "difference")),
        "differences": _of_rows(told["differences"], _DIFFERENCE),
        "posted_after": _of_rows(told["posted_after"], _POSTED),
        "decisions": _of_rows(told["decisions"], ("at", "flow", "key", "what", "detail", "run_id")),
    }


_DIFFERENCE = (*("flow", "key", "number", "kind", "field", "ours", "theirs", "amount", "currency", "since", "link"),)
_POSTED = ("flow", "key", "dated", "posted_at", "number", "amount", "currency", "after_the_signature")


def write(closed: Closed, folder: Path) -> list[Path]:
    """The page and the tables into a folder, which is made where there is none; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    company = "".join(each if each.isalnum() else "_" for each in closed.figures.books.company) or "none"
    name = f"close-{closed.figures.books.period}-{company}-v{closed.version.number}"
    files = {f"{name}.html": page(closed)}
    files |= {f"{name}-{table}.csv": f"\ufeff{text}" for table, text in tables(closed).items()}
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8", newline="")
    return [folder / file for file in files]


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"money": _money, "is_amount": lambda text: bool(Decimal(text))}
    return environment.get_template("month_end.html")


def _money(text: str) -> str:
    return f"{Decimal(text):,f}"


def _inert(value: Any) -> Any:
    """Control and direction signs are made visible in every text."""
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, dict):
        return {inert(str(name)): _inert(each) for name, each in value.items()}
    return [_inert(each) for each in value] if isinstance(value, list) else value


def _of_rows(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> str:
    return _csv(names, ([row[name] for name in names] for row in rows))


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(each) for each in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> str:
    """A text that a spreadsheet would work out stands behind an apostrophe; a number is a number."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdigit()
