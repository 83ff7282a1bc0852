"""One line of a ping's answer, and what the lines of all systems have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import NAMES, secret
from mlc_dagster.settings import environment
from mlc_dagster.transport.client import ApiClient, LocalBudget

NOT_SIGNED_IN = re.compile(r"\bsign-in at |: 401\b|cannot reach ")
"""What a system would say to every question alike."""

SKEW = 120.0  # seconds; more is no matter of a slow answer


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


def sealed(name: str) -> str:
    """A secret from the environment, else from the vault: the ledger is opened only where a master key is set."""
    with ExitStack() as opened:
        return secret(name, lambda: opened.enter_context(Ledger.to_read(environment().database_url)))


def unset(system: str) -> Finding | None:
    """The secrets of a connection that nobody has set, all at once."""
    try:
        missing = [name for name in NAMES[system] if not sealed(name).strip()]
    except MlcError as error:
        return refused(system, "sign-in", error)
    if not missing:
        return None
    commands = " and ".join(f"mlc credentials set {name}" for name in missing)
    cure = f"Set in the environment or in .env, or seal: {commands}. Never in mlc.yaml."
    return wrong(system, "sign-in", f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set", cure)
