"""What Cin7 kept of what it was sent: an answer of 200 proves nothing (measured on real accounts). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.shown_values import kept_otherwise
from mlc_dagster.systems.cin7.api import Document, covers

LONGEST = 400
TEXTS = frozenset({"Email"})
"""What is the same in other letters."""


def lost_fields(sent: Document, answer: Document) -> Iterator[str]:
    """`RequiredBy is None, sent was "2026-12-01"`, for each member that the answer has otherwise. One that it does not
    have proves nothing; rows of a list may come in any order.
    """
    for name, ours in sent.items():
        if name not in answer or covers(answer, {name: ours}):
            continue
        theirs = answer[name]
        if name in TEXTS and kept_otherwise(ours, theirs):
            continue
        if isinstance(ours, Mapping):
            yield from (f"{name}.{each}" for each in lost_fields(ours, theirs or {}))
        elif isinstance(ours, list | tuple):
            yield from _lost_rows(name, ours, theirs or [])
        else:
            yield f"{name} is {_text(theirs)}, sent was {_text(ours)}"


def _lost_rows(name: str, ours: list[Any] | tuple[Any, ...], theirs: list[Any]) -> Iterator[str]:
    """Each row is looked for among all: people's own may stand beside ours."""
    for place, row in enumerate(ours, 1):
        unlike = [list(lost_fields(row, other)) for other in theirs]
        if [] in unlike:
            continue
        nearest = min(unlike, key=len, default=["not there"])
        yield f"{name}, row {place}: {', '.join(nearest)}"


def _text(value: Any) -> str:
    return "empty" if value is None or value == "" else str(value)


def refuse_losses(what: str, sent: Document, answer: Document) -> None:
    """Raises RecordRejected, with what was sent and what Cin7 keeps, field by field."""
    if lost := "; ".join(lost_fields(sent, answer)):
        raise RecordRejected(
            f"Cin7 took {what}, and keeps it otherwise: {lost[:LONGEST]}. Look there: enter it by hand, or correct "
            "what keeps Cin7 from taking it, and replay."
        )
