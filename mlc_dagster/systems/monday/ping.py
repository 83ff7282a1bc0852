"""What a ping asks of monday.com: whose token it is, each board with its columns, clock, and the points left."""

from __future__ import annotations

import time
from collections.abc import Iterator

from mlc_dagster.core.errors import MlcError
from mlc_dagster.systems.monday.boards.layout import BoardFault
from mlc_dagster.systems.monday.client import MondayClient
from mlc_dagster.systems.monday.connect import connect
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.systems.shared.findings import Finding, Question, budget, clock, rate, refused, wrong


def ask_monday(question: Question) -> Iterator[Finding]:
    """Whose token it is, and whether each board has the columns that mlc.yaml names, of a type that fits."""
    section = question.section(MondaySettings)
    try:
        client = connect(section, *question.secrets, budget, tries=2, **question.kept)
        yield Finding("monday", "sign-in", True, client.who())
    except MlcError as error:
        yield refused("monday", "sign-in", error)
        return
    try:
        found = [_flaw(section, flow, flaw) for flow, flaw in client.board_faults()]
    except MlcError as error:
        found = [refused("monday", "boards", error)]
    yield from found
    if not found:
        yield Finding("monday", "boards", True, f"{len(list(section.boards.used()))}, with their columns")
    yield from clock("monday", client.api)
    yield _rate(section, client)


def _flaw(section: MondaySettings, flow: str, flaw: BoardFault) -> Finding:
    """A board or a column that is missing or does not fit; what the first load makes is no mistake."""
    where = f"monday.boards.{flow}"
    if flaw.column is None:
        return wrong("monday", "boards", flaw.words, f"{flaw.cure} {where}.board names it.")
    made = section.create_columns and flaw.is_absent
    cure = "The first load makes it: monday.create_columns is on." if made else _cure(where, flaw)
    setting = " monday.key_column in mlc.yaml names it." if flaw.is_of_the_key else ""
    what = "key" if flaw.is_of_the_key else "mlc.yaml"
    return Finding("monday", what, made, f"{flaw.words}\n  {cure}{setting}")


def _cure(where: str, flaw: BoardFault) -> str:
    if flaw.cure:
        return f"{flaw.cure} See {where}."
    if flaw.is_absent:
        return f"Make it on the board, correct {where}.columns in mlc.yaml, or set monday.create_columns there."
    if "links to" in flaw.words:
        made = "monday takes the board of a link column when it is made, and never changes it by its API"
        return f"Make another link column, and name it under {where}.columns in mlc.yaml: {made}."
    return f"Name another column under {where}.columns in mlc.yaml, or make one of that type on the board."


def _rate(section: MondaySettings, client: MondayClient) -> Finding:
    """The points of the last answer. How many calls are left monday tells only when there are none."""
    calls = f"{section.calls_per_minute} calls a minute, {section.calls_per_day} a day"
    points = client.points
    if points.left is None:
        return rate("monday", (), f"{points.a_minute:,} points and {calls}")
    seconds = max(0.0, points.anew_at - time.monotonic())
    left = f"{points.left:,} points left, anew in {seconds:.0f} s"
    return rate("monday", [left, f"{calls} by mlc.yaml"], calls)
