"""Faults on demand: what networks, gateways and busy servers do to a call."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass
class Fault:
    """What goes wrong with the calls that match. `times=None` goes on until the faults are cleared.

    drop="before" closes the connection and the system never sees the call; drop="after" lets it act first; with
    `reset` the connection is not closed but reset.
    truncate sends half of the answer's body. Without status, drop or truncate the call is only delayed (seconds).
    With `acts` the system acts at once, whatever becomes of its answer: it comes late, or the status takes its place.
    """

    system: str | None = None  # "ifs", "cin7"; None: any
    method: str | None = None
    path: str = ""  # a part of the percent-encoded path
    times: int | None = 1
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    delay: float = 0.0
    drop: Literal["before", "after"] | None = None
    reset: bool = False
    truncate: bool = False
    acts: bool = False
    share: float = 1.0  # of the matching calls, by a seeded random
    hits: int = 0

    def __post_init__(self) -> None:
        if self.drop not in (None, "before", "after"):
            raise ValueError(f'drop is "before", "after" or nothing; found {self.drop!r}')

    def matches(self, system: str, method: str, path: str) -> bool:
        return (
            self.system in (None, system)
            and (self.method is None or self.method.upper() == method)
            and self.path in path
            and (self.times is None or self.hits < self.times)
        )


class Faults:
    """The faults that are waiting for their calls, first come first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._random = random.Random(7)

    def add(self, **fault: Any) -> Fault:
        """Let the next matching calls go wrong; the fields of Fault. Raises TypeError for a name it does not have."""
        added = Fault(**fault)
        with self._lock:
            self._waiting.append(added)
        return added

    def reseed(self, number: int) -> None:
        """Let chance choose other calls, or the same again."""
        with self._lock:
            self._random.seed(number)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, system: str, method: str, path: str) -> Fault | None:
        """The fault that this call meets, if any."""
        with self._lock:
            for fault in self._waiting:
                if fault.matches(system, method, path) and self._random.random() < fault.share:
                    fault.hits += 1
                    return fault
        return None
