"""What a ping asks of monday.com: whose token it is, each board with its columns, clock, and the points left."""

from __future__ import annotations

import time
from collections.abc import Iterator

from mlc_dagster.connections import monday_client
from mlc_dagster.errors import Misconfigured, MlcError
from mlc_dagster.ping.finding import Finding, budget, clock, rate, refused, sealed
from mlc_dagster.settings import Settings
from mlc_dagster.settings.monday import AnyBoard, MondaySettings
from mlc_dagster.systems.monday.boards import Boards
from mlc_dagster.systems.monday.calls import MondayApi
from mlc_dagster.systems.monday.client import MondayClient


def ask_monday(settings: Settings) -> Iterator[Finding]:
    """Whose token it is, and whether each board has the columns that mlc.yaml names, of a type that fits."""
    assert settings.monday is not None
    try:
        client = monday_client(settings.monday, sealed("MONDAY_TOKEN"), budget, tries=2)
        yield Finding("monday", "sign-in", True, client.who())
    except MlcError as error:
        yield refused("monday", "sign-in", error)
        return
    try:
        found = [*_columns(settings.monday, client), *_keys(settings.monday, client)]
    except MlcError as error:
        found = [refused("monday", "boards", error)]
    yield from found
    if not found:
        yield Finding("monday", "boards", True, f"{len(list(settings.monday.boards.used()))}, with their columns")
    yield from clock("monday", client.api)
    yield _rate(settings.monday, client)


def _columns(section: MondaySettings, client: MondayClient) -> Iterator[Finding]:
    """A line for each column that is missing or does not fit."""
    for words in client.missing():
        absent, where = "has no column" in words, _setting(section, words)
        made = section.create_columns and absent
        cure = "The first load makes it: monday.create_columns is on." if made else _cure(where, absent)
        yield Finding("monday", "mlc.yaml", made, f"{words}\n  {cure}")


def _cure(where: str, absent: bool) -> str:
    if absent:
        return f"Make it on the board, correct {where}.columns in mlc.yaml, or set monday.create_columns there."
    return f"Name another column under {where}.columns in mlc.yaml, or make one of that type on the board."


def _setting(section: MondaySettings, words: str) -> str:
    """Where mlc.yaml names the board that a sentence is about."""
    flows = [flow for flow, board in section.boards.used() if f"({board.board})" in words]
    return f"monday.boards.{flows[0]}" if flows else "monday.boards.*"


def _keys(section: MondaySettings, client: MondayClient) -> Iterator[Finding]:
    """The key's column, which every board needs; and that the board is one that keeps amounts."""
    boards = Boards(MondayApi(client.api, client.points, budget("monday", 60, 60.0)), section.key_column, create=False)
    used: list[tuple[str, AnyBoard]] = list(section.boards.used())
    if used:
        boards.refresh([board.board for _, board in used])
    for _, board in used:
        try:
            boards.layout(board.board, ())
        except Misconfigured as error:
            made = section.create_columns and "has no column" in error.message
            cure = "The first load makes it: monday.create_columns is on." if made else error.cure
            setting = "monday.key_column in mlc.yaml names it."
            yield Finding("monday", "key", made, f"{error.message}\n  {cure} {setting}")


def _rate(section: MondaySettings, client: MondayClient) -> Finding:
    """The points of the last answer. How many calls are left monday tells only when there are none."""
    calls = f"{section.calls_per_minute} calls a minute, {section.calls_per_day} a day"
    points = client.points
    if points.left is None:
        return rate("monday", (), f"{points.a_minute:,} points and {calls}")
    seconds = max(0.0, points.anew_at - time.monotonic())
    left = f"{points.left:,} points left, anew in {seconds:.0f} s"
    return rate("monday", [left, f"{calls} by mlc.yaml"], calls)
