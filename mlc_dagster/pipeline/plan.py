"""What a load would do with the stored rows of a partition, field by field. Nothing is written, anywhere."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.ledger import Held, Ledger, Standing
from mlc_dagster.pipeline.decisions import Discarded
from mlc_dagster.pipeline.prepare import AsRead, Look, OutOfScope, facts_of, judge_all
from mlc_dagster.pipeline.registered_anew import Registrations

Does = Literal["create", "change", "look first", "nothing", "superseded", "held", "discarded", "out of scope"]

_DOES: dict[State, Does] = {
    State.NEW: "create",
    State.CHANGED: "change",
    State.UNCHANGED: "nothing",
    State.SUPERSEDED: "superseded",
    State.IN_DOUBT: "look first",
}
WRITES: frozenset[Does] = frozenset({"create", "change", "look first"})

Before = Callable[[Sequence[str]], Mapping[str, Record]]
"""Of these keys, the record that was delivered last, where it is still kept."""


class Change(NamedTuple):
    """A field that would be written. `before` is None where nothing was delivered, or is not kept any more."""

    field: str  # "lines[0].price"
    before: str | None
    after: str | None  # None: the field is not sent any more


@dataclass(frozen=True)
class Step:
    """What would become of one record."""

    key: str
    does: Does
    changes: tuple[Change, ...] = ()
    why: str = ""  # of a hold: the rules with their reasons; of what is out of scope: its word
    mark: str = ""  # differs when the record, or what the ledger says of it, differs


@dataclass(frozen=True)
class Plan:
    """The steps of one flow and partition."""

    flow: str
    partition: str
    steps: tuple[Step, ...]

    @property
    def counts(self) -> Counter[str]:
        return Counter(step.does for step in self.steps)

    @property
    def writes(self) -> int:
        return sum(step.does in WRITES for step in self.steps)

    @property
    def digest(self) -> str:
        """Equal for equal plans: what `apply` compares."""
        text = json.dumps([self.flow, self.partition, sorted((s.key, s.does, s.mark) for s in self.steps)])
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def plan(
    flow: Flow,
    batches: Iterable[Iterable[AsRead]],
    facts: Facts,
    ledger: Ledger,
    partition: str,
    before: Before,
    look: Look | None = None,
) -> Plan:
    """The same judgement as prepare, and the same question to the ledger as load; nothing is held, nothing is sent."""
    steps = (step for batch in batches for step in _steps(flow, list(batch), facts, ledger, partition, before, look))
    return Plan(flow.name, partition, tuple(steps))


def _steps(
    flow: Flow,
    rows: Sequence[AsRead],
    facts: Facts,
    ledger: Ledger,
    partition_key: str,
    before: Before,
    look: Look | None,
) -> Iterator[Step]:
    known = facts_of(flow, rows, facts, ledger)
    others = Registrations(flow, ledger)
    judged = list(judge_all(flow, rows, known, partition_key, look, partial(ledger.decisions.of, flow.name), others))
    ready = [one for one in judged if isinstance(one, Ready)]
    standings = ledger.judge(flow.name, ready)
    earlier = before([one.key for one in ready if standings[one.key].state is State.CHANGED])
    for one in judged:
        if isinstance(one, Ready):
            yield step_of(one, standings[one.key], earlier.get(one.key))
        else:
            yield _left(one)


def step_of(one: Ready, standing: Standing, earlier: Record | None) -> Step:
    """What a load would do with a ready record that stands so."""
    does = _DOES[standing.state]
    mark = f"{one.fingerprint} {standing.state.value} {standing.remote_id} {standing.delivered_version}"
    return Step(one.key, does, tuple(differences(earlier, one.record)) if does in WRITES else (), mark=mark)


def _left(one: Held | Discarded | OutOfScope) -> Step:
    if isinstance(one, OutOfScope):
        return Step(one.key, "out of scope", why=one.why)
    if isinstance(one, Held):
        return Step(one.key, "held", why="; ".join(f"{p.rule}: {p.reason}" for p in one.problems), mark=one.content)
    return Step(one.key, "discarded")


def differences(earlier: Record | None, record: Record) -> Iterator[Change]:
    """The fields whose values differ; of a record that was never delivered, all that have one."""
    old, new = dict(_flat(earlier)), dict(_flat(record))
    for name in dict.fromkeys([*new, *old]):
        if old.get(name) != new.get(name):
            yield Change(name, old.get(name), new.get(name))


def _flat(record: Record | None) -> Iterator[tuple[str, str]]:
    if record is not None:
        yield from _flattened("", msgspec.to_builtins(record))


def _flattened(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for field, each in value.items():
            yield from _flattened(f"{name}.{field}" if name else str(field), each)
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from _flattened(f"{name}[{place}]", each)
    elif value not in (None, ""):
        yield name, str(value)
