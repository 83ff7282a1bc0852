"""Looks whether a target holds one of our documents twice, and says so to whoever listens."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from mlc_dagster.core.duplicates import AllowsDuplicates, Crosswalk, Duplicate, TargetScan, doubles, sentence
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger

CHECK = "no_duplicates"
MOST_BACK = timedelta(days=45)
"""How long a double that nobody removes is looked at again."""

log = logger("mlc_dagster.duplicates")


class Ledger(Protocol):
    """What a look asks of the ledger."""

    def remote_ids(self, flow: str) -> dict[str, str]: ...


@dataclass(frozen=True)
class Looked:
    """What came of a look at one flow's documents."""

    flow: Flow
    since: datetime
    compared: int
    found: tuple[Duplicate, ...] = ()
    unread: int = 0

    @property
    def is_clear(self) -> bool:
        return not self.found and not self.unread

    @property
    def again_since(self) -> datetime | None:
        """From when the next look must begin to see these doubles again; None: there are none, or nobody dated them."""
        newest = [max((each.at for each in double.documents if each.at), default=None) for double in self.found]
        return min((at for at in newest if at is not None), default=None)

    def sentences(self) -> list[str]:
        """Each double as a sentence, with both numbers and what to do; and what could not be looked at."""
        assert self.flow.target.twice is not None
        told = [sentence(self.flow.target.twice, double) for double in self.found]
        return [*told, *([self._not_read()] if self.unread else [])]

    def _not_read(self) -> str:
        system, name = self.flow.target.system, self.flow.target.name.replace("_", " ")
        return (
            f"{system}: {self.unread} of its {name} were not read, since that would use up the calls that loads need: "
            f"nothing is known of them. Look at fewer hours by hand: mlc duplicates --system {system} --since 2"
        )


@dataclass
class Looks:
    """The looks at one target system, each target once for all flows that share it."""

    client: AllowsDuplicates
    ledger: Ledger
    _seen: dict[tuple[str, datetime], TargetScan] = field(default_factory=dict)

    def at(self, flow: Flow, since: datetime) -> Looked:
        """Raises MlcError: then nothing is known."""
        name = (flow.target.name, since)
        if name not in self._seen:
            self._seen[name] = self.client.scan_documents(flow.target, since, self._crosswalk(flow))
        seen = self._seen[name]
        found = tuple(double for double in doubles(seen.documents) if double.marked(flow.marks))
        return Looked(flow, since, seen.compared, found, seen.unread)

    def _crosswalk(self, flow: Flow) -> Crosswalk:
        """The client asks by its system's own names of flows."""
        return lambda name: self.ledger.remote_ids(flow.here(name))


def may_be_doubled(flows: Sequence[Flow]) -> list[Flow]:
    """Those whose target has no unique key."""
    return [flow for flow in flows if flow.target.twice is not None]


def sentences(looked: Sequence[Looked]) -> list[str]:
    """What all looks found, each once: flows that share a target share its doubles."""
    return list(dict.fromkeys(text for each in looked for text in each.sentences()))


def tell(looked: Sequence[Looked]) -> list[str]:
    """The sentences, logged as well: doubles that are certain as errors, the rest as warnings."""
    certain = {text for each in looked for text in _certain(each)}
    told = sentences(looked)
    for text in told:
        log.log(logging.ERROR if text in certain else logging.WARNING, "%s", text)
    return told


def _certain(looked: Looked) -> list[str]:
    assert looked.flow.target.twice is not None
    return [sentence(looked.flow.target.twice, double) for double in looked.found if double.is_certain]


def scan_start(now: datetime, hours: float, again: datetime | None) -> datetime:
    """From when to look: so many hours back, and further where a double that was told is still to be looked at."""
    usual = now - timedelta(hours=hours)
    return usual if again is None else max(min(usual, again), now - MOST_BACK)
