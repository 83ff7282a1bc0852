"""What commands print: all of it goes through here, and nothing of it acts on the terminal but our own colours."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.inert import inert, inert_json, inert_lines


class Terminal(Console):
    """A console whose texts are inert; `:name:` in a value stays as it is, and is no picture."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"emoji": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(inert_lines(text), **options)


class Listing(Table):
    """A table in which a value has one line."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*(inert(cell) if isinstance(cell, str) else cell for cell in cells), **options)


def terminal(width: int = 160, *, highlight: bool = False) -> Terminal:
    """On stdout. A log file is as wide as it needs to be; a terminal folds what is long."""
    return Terminal(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else width, highlight=highlight)


def beside(words: str) -> None:
    """On stderr, in grey: stdout may be JSON."""
    Terminal(stderr=True, highlight=False).print(f"[dim]{plain(words)}[/]", soft_wrap=True)


def plain(value: str) -> str:
    """A value inside markup: one line, and no markup of its own."""
    return escape(inert(value))


def paragraph(words: str) -> str:
    """As `plain`, for words that have lines of ours: an error with its cure."""
    return escape(inert_lines(words))


def say(words: str, *, err: bool = False) -> None:
    """One line."""
    typer.echo(inert(words), err=err)


def tell_error(error: MlcError) -> None:
    """On stderr: what happened, and its cure on a line of its own."""
    typer.echo(inert_lines(str(error)), err=True)


def say_json(found: Any) -> None:
    typer.echo(inert_json(json.dumps(found, ensure_ascii=False, indent=2, default=str)))
