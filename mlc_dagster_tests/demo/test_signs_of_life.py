"""The demo says that it is at work, how far it is, and how long it takes: also where there is no terminal."""

from __future__ import annotations

from io import StringIO

from mlc_dagster.core.terminal import Terminal
from mlc_dagster.demo.signs_of_life import EVERY, Bar, Lines


def test_where_there_is_no_terminal_a_line_comes_every_two_seconds_with_run_step_and_time_left() -> None:
    told, now = StringIO(), [0.0]
    with Lines(Terminal(file=told, width=100), "first pass", 40, clock=lambda: now[0]) as shown:
        shown.run("run 3 of 11")
        for _ in range(20):
            now[0] += EVERY / 2
            shown.step("cin7/purchases 2026-11-05: 12 delivered")
    lines = told.getvalue().splitlines()
    assert lines[0] == "first pass begins" and lines[-1] == "first pass took 20 s"
    assert len(lines) == 2 + 10 and all(len(line) <= 130 for line in lines)
    assert lines[5] == "  run 3 of 11, 10 of 40 days, some 30 s left: cin7/purchases 2026-11-05: 12 delivered"


def test_what_is_said_of_a_step_is_no_markup_and_is_cut() -> None:
    told, now = StringIO(), [0.0]
    with Lines(Terminal(file=told, width=200), "third pass", None, clock=lambda: now[0]) as shown:
        now[0] = 5.0
        shown.step(f"[red]{'x' * 500}")
    assert "[red]xxx" in told.getvalue() and max(map(len, told.getvalue().splitlines())) < 100


def test_on_a_terminal_a_bar_shows_the_run_and_ends_with_its_block() -> None:
    told = StringIO()
    out = Terminal(file=told, width=100, force_terminal=True)
    with Bar(out, "first pass", 2) as shown:
        shown.run("run 1 of 2")
        shown.step("a day")
        shown.step("another day")
    assert "run 1 of 2" in told.getvalue() and "another day" in told.getvalue()
