"""What a record is made of, as its page shows it: fields, lines, story, what was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlc_dagster.web.review.open_record import OpenRecord
from mlc_dagster.web.review.shown_text import moment
from mlc_dagster.web.review.visits import Visit

STORY, FIELDS, LINES, LONGEST = 200, 200, 200, 2_000


def fields(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, _text(value)) for name, value in list(row.items())[:FIELDS] if not isinstance(value, list | dict)]


def tables(row: Mapping[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """(name, columns, lines) of each list of lines."""
    found = []
    for name, lines in row.items():
        if isinstance(lines, list) and lines and all(isinstance(line, dict) for line in lines):
            columns = list(dict.fromkeys(key for line in lines for key in line))[:20]
            found.append((name, columns, [[_text(line.get(each)) for each in columns] for line in lines[:LINES]]))
    return found


def _text(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} signs)"


def story(visit: Visit, found: OpenRecord) -> list[dict[str, str]]:
    lines = visit.ledger.trail(found.flow, found.key)[-STORY:]
    return [
        {
            "at": moment(line.at, visit.preferences.timezone),
            "event": line.event.value,
            "detail": line.detail[:LONGEST],
            "run": line.run_id[:8],
        }
        for line in lines
    ]


def sent(visit: Visit, found: OpenRecord) -> list[tuple[str, str]]:
    """What was sent under this key: (since when, content)."""
    contents = visit.ledger.contents.of(found.flow, found.key)[-3:]
    return [
        (
            moment(one.first_sent_at, visit.preferences.timezone),
            json.dumps(one.content, indent=1, ensure_ascii=False)[:20_000],
        )
        for one in contents
    ]


def tables_sent(visit: Visit, found: OpenRecord) -> list[tuple[str, list[str], list[list[str]]]]:
    """The lines of what was sent last: those that a reversal has with the other sign."""
    contents = visit.ledger.contents.of(found.flow, found.key)
    return tables(contents[-1].content) if contents and isinstance(contents[-1].content, Mapping) else []
