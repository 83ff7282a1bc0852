"""What a person chose to decide on at once: frozen with its contents, and what became of each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.records.review_notes import ReviewNotes

OPEN, RUNNING, STOPPED, ENDED = "open", "running", "stopped", "ended"


@dataclass
class Selection:
    """Of items with the contents that they had; `reasons`: why one was left out, or was not decided on."""

    who: str
    action: str  # release, discard
    items: list[tuple[int, str, str]]  # (id of the hold, content, rules), in the order in which they are decided on
    keys: list[tuple[str, str]]  # (flow, key) of each
    left_out: list[tuple[str, str, str]] = field(default_factory=list)  # (flow, key, why)
    state: str = OPEN
    reason: str = ""
    outcomes: list[str] = field(default_factory=list)  # of the first ones: empty where it was decided, else why not

    @property
    def done(self) -> int:
        return sum(not each for each in self.outcomes)


class Selections:
    """Each under the key of a form: it is forgotten with that."""

    def __init__(self, database: Database) -> None:
        self._notes = ReviewNotes(database)

    def freeze(self, name: str, one: Selection) -> None:
        self._notes.begin(_once(name), one.who)
        self.put(name, one)

    def put(self, name: str, one: Selection) -> None:
        self._notes.end(_once(name), json.dumps(asdict(one)))

    def of(self, name: str) -> Selection | None:
        text = self._notes.outcome(_once(name))
        if not text:
            return None
        told = json.loads(text)
        for each in ("items", "keys", "left_out"):
            told[each] = [tuple(one) for one in told[each]]
        return Selection(**told)


def _once(name: str) -> str:
    return f"selection {name}"
