"""What a load would do with the stored rows of a partition, field by field. Nothing is written, anywhere."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec

from mlc_dagster.core.facts import Books, Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.core.vocabulary import Record, record_key
from mlc_dagster.ledger import Held, Ledger, Standing
from mlc_dagster.pipeline.decisions import Discarded
from mlc_dagster.pipeline.prepare import AsRead, Look, OutOfScope, facts_of, judge_all, read_number
from mlc_dagster.pipeline.registered_anew import Registrations

Does = Literal["create", "change", "look first", "nothing", "stale", "superseded", "held", "discarded", "out of scope"]

_DOES: dict[State, Does] = {
    State.NEW: "create",
    State.CHANGED: "change",
    State.UNCHANGED: "nothing",
    State.STALE: "stale",
    State.SUPERSEDED: "superseded",
    State.IN_DOUBT: "look first",
}
WRITES: frozenset[Does] = frozenset({"create", "change", "look first"})
DIFFERS: frozenset[Does] = WRITES | {"stale"}
"""What is stale is shown with its changes, and written only where somebody asks for it."""

_WAS_THERE = frozenset({State.CHANGED, State.STALE})

Before = Callable[[Sequence[str]], Mapping[str, Record]]
"""Of these keys, the record that was delivered last, where it is still kept."""


Coming = Mapping[str, Mapping[str, str]]
"""Flow -> key -> currency, of what the same plan delivers before and the target does not have yet."""


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
    after: tuple[str, ...] = ()  # flows of the same plan that deliver first what it refers to
    mark: str = ""  # differs when the record, or what the ledger says of it, differs

    def value_of(self, field: str) -> str:
        """As it would be written; empty where it has none."""
        return next((each.after or "" for each in self.changes if each.field == field), "")


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
    def brings(self) -> dict[str, str]:
        """Key -> currency (empty: it has none), of what the target has after it and had not before."""
        new = (step for step in self.steps if step.does in ("create", "look first"))
        return {step.key: step.value_of("currency") for step in new}

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
    coming: Coming | None = None,
) -> Plan:
    """The same judgement as prepare, and the same question to the ledger as load; nothing is held, nothing is sent.

    `coming`: what the same plan delivers before. What refers to that is not held, and says after what it comes.
    """
    one = partial(_steps, flow, facts, ledger, partition, before, look, coming or {})
    return Plan(flow.name, partition, tuple(step for batch in batches for step in one(batch)))


def _steps(
    flow: Flow,
    facts: Facts,
    ledger: Ledger,
    partition_key: str,
    before: Before,
    look: Look | None,
    coming: Coming,
    batch: Iterable[AsRead],
) -> Iterator[Step]:
    rows, number, of = list(batch), read_number(batch), partial(ledger.decisions.of, flow.name)
    ours = facts_of(flow, rows, facts, ledger)
    there, after, currencies = with_what_comes(flow, rows, ours.delivered, coming)
    known = replace(ours, delivered=there, unusable={}, books=with_suppliers(facts.books, currencies))
    seen = None if look is None else lambda records: with_suppliers(look(records), currencies)
    found = judge_all(flow, rows, known, partition_key, seen, of, Registrations(flow, ledger), number)
    judged = [_not_validated(one, facts.unusable, partition_key) for one in found]
    ready = [one for one in judged if isinstance(one, Ready)]
    standings = ledger.judge(flow.name, ready)
    earlier = before([one.key for one in ready if standings[one.key].state in _WAS_THERE])
    for one in judged:
        step = step_of(one, standings[one.key], earlier.get(one.key)) if isinstance(one, Ready) else _left(one)
        yield replace(step, after=after.get(one.key, ()))


def with_what_comes(
    flow: Flow, rows: Sequence[AsRead], there: Mapping[str, Mapping[str, str]], coming: Coming
) -> tuple[dict[str, dict[str, str]], dict[str, tuple[str, ...]], dict[str, str]]:
    """The remote ids that records refer to, with words in the place of those to come; key -> the flows they come by;
    these words -> the currency of what comes.
    """
    known, after = {name: dict(ids) for name, ids in there.items()}, dict[str, tuple[str, ...]]()
    currencies: dict[str, str] = {}
    for record in (record for record, _, _ in rows if record is not None and flow.needs_key is not None):
        for needed, keys in flow.needs_key(record).items() if flow.needs_key else ():
            name = flow.here(needed)
            wanted = ({keys} if isinstance(keys, str) else set(keys)) - there.get(needed, {}).keys()
            if found := {each: f"after {name} {each}" for each in wanted if each in coming.get(name, {})}:
                key = record_key(record, flow.source.keys)
                after[key] = (*after.get(key, ()), name)
                known.setdefault(needed, {}).update(found)
                currencies |= {words: coming[name][each] for each, words in found.items()}
    return known, after, currencies


def with_suppliers(books: Books, currencies: Mapping[str, str]) -> Books:
    """The books as they are when what comes is there."""
    return replace(books, supplier_currency={**books.supplier_currency, **currencies}) if currencies else books


def _not_validated(one: Any, unusable: Mapping[str, str], partition: str) -> Any:
    """Where there is nothing to validate against all is held; what else is wrong with it is told as well."""
    if not unusable or not isinstance(one, Ready | Held):
        return one
    problems = [Problem(rule, reason) for rule, reason in unusable.items()]
    if isinstance(one, Ready):
        return Held(one.key, one.version, tuple(problems), {}, partition, one.fingerprint)
    return replace(one, problems=(*problems, *(each for each in one.problems if each.rule not in unusable)))


def step_of(one: Ready, standing: Standing, earlier: Record | None) -> Step:
    """What a load would do with a ready record that stands so."""
    does = _DOES[standing.state]
    mark = f"{one.fingerprint} {standing.state.value} {standing.remote_id} {standing.delivered_version}"
    return Step(one.key, does, tuple(differences(earlier, one.record)) if does in DIFFERS else (), mark=mark)


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
