"""What the commands that show records have in common: tables as wide as the screen, times, the way to a record."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table

from mlc_dagster.cli.shared.lookup import NotFound
from mlc_dagster.core import commands
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.inert import inert
from mlc_dagster.core.near_names import nearest
from mlc_dagster.core.terminal import Listing

if TYPE_CHECKING:
    from mlc_dagster.ledger import HoldEntry, Ledger

NEAREST = 5  # keys that are named where one was misspelt


def table(*columns: str, title: str = "") -> Table:
    made = Listing(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in columns:
        made.add_column(name, overflow="fold")
    return made


def moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def shortened(text: str, most: int) -> str:
    """In one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def held(opened: Ledger, key: str, flow: str | None) -> HoldEntry:
    """The one open hold of a key. Raises NotFound: with the nearest keys, or with the flows to choose from."""
    found = opened.history.open_holds(key=key, flow=flow)
    if not found and any(flow in (None, hold.flow) for hold in opened.history.holds(key)):
        cure = f"What became of it: {commands.offered('audit show', key)}"
        raise NotFound(f"{inert(key)} is not on hold any more", cure=cure)
    if not found:
        raise nothing(opened, f"no record {key!r} is on hold{f' in {flow}' if flow else ''}", key, flow)
    return the_one(found, key)


def the_one(found: list[HoldEntry], key: str) -> HoldEntry:
    if len(found) > 1:
        flows = ", ".join(hold.flow for hold in found)
        raise NotFound(
            f"{inert(key)} is on hold in {len(found)} flows: {flows}", cure=f"Say which: --flow {found[0].flow}"
        )
    return found[0]


def nothing(opened: Ledger, words: str, key: str, flow: str | None) -> NotFound:
    """What was asked for is not there; the nearest of what is on hold, or ever moved, may be meant."""
    on_hold = nearest(key, opened.history.open_keys(flow), NEAREST)
    moved = [each for each in nearest(key, opened.history.keys_like(key, flow), NEAREST) if each not in on_hold]
    cures = [f"Nearest on hold: {', '.join(map(inert, on_hold))}."] * bool(on_hold)
    cures += [f"Nearest in the trail: {', '.join(map(inert, moved))}."] * bool(moved)
    return NotFound(words, cure=" ".join(cures) or "`mlc holds list` shows what is on hold.")


def person(named: str) -> str:
    """Who acts: the one who is named, else the login name. Raises Misconfigured where there is none."""
    try:
        return named.strip() or getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        raise Misconfigured("this machine does not know who you are", cure="Say it: --who NAME") from None
