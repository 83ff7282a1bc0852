"""What a system brings into the sandbox: one declaration in its folder, `PART` in part.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.profiles import Profile
from mlc_dagster.sandbox.seed.partners import Season

Control = Callable[[Any, Any], Any]
"""(system, parsed body) -> what is answered. Raises ValueError or TypeError: what is wrong with the body."""


@dataclass(frozen=True)
class Shared:
    """What the systems of one sandbox have in common, and what this one is like."""

    journal: Journal
    lock: RLock  # one call at a time
    minute: float  # seconds that a minute of the limits lasts
    traits: Any = None  # what this account is like: of the class of Part.traits


@dataclass(frozen=True)
class Account:
    """How a system comes to serve another account than the usual one."""

    serve: Callable[[Any, str], None]  # (system, id of the account)
    beside: Callable[[int], str] | None = None
    """The id that it has in the nth sandbox beside the first; None: it stays, since calls are signed by it."""


@dataclass(frozen=True)
class Part:
    """A remote system in small."""

    name: str  # "cin7": the first part of its paths, and of what mlc.yaml calls it
    make: Callable[[Shared, Mapping[str, int]], Any]  # (shared, its limits) -> a sandbox.system.System
    settings: Callable[[str], dict[str, Any]]  # address of the sandbox -> the section of mlc.yaml; its scalars are text
    secrets: Mapping[str, str]  # name -> the value that it takes: known to everybody
    limits: Mapping[str, int]  # how many calls a credential may make, as the real one has it
    costs: Mapping[str, int] = field(default_factory=dict)  # what a call takes of a limit that counts something else
    sow: Callable[[Any, Season, Any], None] = field(default=lambda system, season, erp: None)
    """(system, season, ERP): what it holds in the demo. The ERP is sown already. A random number is drawn from a
    generator of its own, so that what the others hold stays as it is.
    """
    companies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The demo's company -> what mlc.yaml says of it for this system."""
    controls: Mapping[tuple[str, str], Control] = field(default_factory=dict)
    """(method, name) -> what the sandbox does under /_sandbox/<system>/<name>, for tests in another process."""
    account: Account | None = None  # None: it tells none
    traits: Any = None  # a frozen dataclass: what its accounts differ in, as it is usually; None: in nothing
    profiles: Mapping[str, Profile] = field(default_factory=dict)  # `mlc sandbox --profile <name of the part>.<key>`
    nearest: tuple[str, ...] = ()  # those nearest to what is recorded of real accounts; empty: its usual one
