"""One line of a ping's answer, and what the lines of all systems have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mlc_dagster.core.errors import MlcError
from mlc_dagster.settings import Settings
from mlc_dagster.settings.section import SystemConnection
from mlc_dagster.transport.client import ApiClient, LocalBudget

NOT_SIGNED_IN = re.compile(r"\bsign-in at |: 401\b|cannot reach ")
"""What a system would say to every question alike."""

SKEW = 120.0  # seconds; more is no matter of a slow answer


SomeSection = TypeVar("SomeSection", bound=SystemConnection)


@dataclass(frozen=True)
class Question:
    """What a ping is about: one connection, and the secrets that it signs in with, in the order of their names."""

    connection: str
    settings: Settings
    secrets: tuple[str, ...] = field(repr=False)
    kept: Mapping[str, Any] = field(default_factory=dict)  # as System.keeps has it for `connect`

    def section(self, kind: type[SomeSection]) -> SomeSection:
        """What mlc.yaml says of the connection."""
        section = self.settings.section(self.connection)
        assert isinstance(section, kind), f"{self.connection} is no connection of {kind.__name__}"
        return section


@dataclass(frozen=True)
class Finding:
    """One line of the answer: of `system` ("ifs"), on `what`. Where it is not `ok`, its last line is the cure."""

    system: str
    what: str
    ok: bool
    answer: str


def wrong(system: str, what: str, fault: str, cure: str) -> Finding:
    return Finding(system, what, False, f"{fault}\n  {cure}")


def refused(system: str, what: str, *errors: MlcError) -> Finding:
    """What one question met, the same words once; the first cure is the cure."""
    faults = "; ".join(dict.fromkeys(error.message for error in errors))
    usual = f"Ask again in a while. Where it stays, check {system} in mlc.yaml, or ask who runs the system."
    return wrong(system, what, faults, next((error.cure for error in errors if error.cure), usual))


def clock(system: str, api: ApiClient) -> Iterator[Finding]:
    """How far the system's clock is from ours; nothing where it tells no time."""
    skew = api.skew_seconds
    if skew is None:
        return
    if abs(skew) > SKEW:
        cure = "Set the clock of this machine (NTP); where it is right, tell who runs the system."
        yield wrong(system, "clock", f"{skew:+.0f} s from ours", cure)
    else:
        yield Finding(system, "clock", True, f"{skew:+.1f} s from ours")


def rate(system: str, left: Iterable[str], configured: str) -> Finding:
    """What the system says is left; where it says nothing, what mlc.yaml allows."""
    told = ", ".join(each for each in left if each)
    return Finding(system, "rate", True, told or f"{configured} by mlc.yaml; {system} does not tell what is left")


def budget(name: str, calls: int, seconds: float) -> LocalBudget:
    """A ping does not share the ledger's budget: it works without a ledger, and asks a dozen times."""
    return LocalBudget(calls, seconds)
