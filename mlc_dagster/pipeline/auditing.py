"""The whole story of a record: every read that it came from, every attempt and answer, every hold and decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Attempt, Decision, Event, HoldEntry, Ledger, PullEntry

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class AuditLine:
    """One line of the story."""

    at: datetime
    what: str  # "read", an event of the trail, "told", "agreed"
    detail: str
    run_id: str = ""
    partition: str = ""
    version: str = ""
    remote_id: str = ""


@dataclass(frozen=True)
class Story:
    """What happened to a key in one flow, oldest first, and the holds and the decision that stand beside it."""

    flow: str
    happened: tuple[AuditLine, ...]
    holds: tuple[HoldEntry, ...]
    decision: Decision | None

    def as_json(self) -> dict[str, Any]:
        return {
            "flow": self.flow,
            "happened": [asdict(each) for each in self.happened],
            "holds": [asdict(hold) for hold in self.holds],
            "decision": None if self.decision is None else asdict(self.decision),
        }


def stories(ledger: Ledger, key: str, flows: Mapping[str, Flow]) -> list[Story]:
    """By flow. `flows`: those that the house knows; what the ledger tells of others stands without its reads."""
    trails, holds = ledger.history.trail(key), ledger.history.holds(key)
    decisions = {each.flow: each for each in ledger.history.decisions(key)}
    beside = {name: list(_beside(ledger, key, flow)) for name, flow in flows.items()}
    named = {*trails, *(hold.flow for hold in holds), *decisions, *(name for name, told in beside.items() if told)}
    return [
        Story(
            name,
            _in_order(
                [
                    *_reads(ledger, flows.get(name), trails.get(name, [])),
                    *_starts(ledger, name, trails.get(name, [])),
                    *map(_line, trails.get(name, [])),
                    *beside.get(name, []),
                ]
            ),
            tuple(hold for hold in holds if hold.flow == name),
            decisions.get(name),
        )
        for name in sorted(named)
    ]


def _in_order(happened: Iterable[AuditLine]) -> tuple[AuditLine, ...]:
    return tuple(sorted(happened, key=lambda each: each.at))


def _line(line: Attempt) -> AuditLine:
    return AuditLine(
        line.at, str(line.event), line.detail, line.run_id, line.partition, line.version, line.remote_id or ""
    )


def _starts(ledger: Ledger, flow: str, trail: list[Attempt]) -> Iterator[AuditLine]:
    """Who started the runs that wrote of it, and who else a run of its partitions, also where that changed nothing."""
    runs, partitions = {line.run_id for line in trail}, {line.partition for line in trail if line.partition}
    yield from (_line(line) for line in ledger.audit.starts(flow, runs, partitions) if line.event == Event.STARTED)


def _reads(ledger: Ledger, flow: Flow | None, trail: list[Attempt]) -> Iterator[AuditLine]:
    """Of each line of the trail the read that it came from: the latest of its partition that had ended by then."""
    if flow is None:
        return
    entity, seen = "/".join(flow.source.key), set[int]()
    for partition in dict.fromkeys(line.partition for line in trail if line.partition):
        pulls = ledger.pulls(entity, partition, limit=None)
        for line in trail:
            if line.partition == partition and (pull := _latest(pulls, line.at)) and pull.id not in seen:
                seen.add(pull.id)
                yield _read(pull)


def _latest(newest_first: list[PullEntry], at: datetime) -> PullEntry | None:
    return next((each for each in newest_first if (each.pull.ended_at or NEVER) <= at), None)


def _read(entry: PullEntry) -> AuditLine:
    pull = entry.pull
    detail = f"{pull.entity}: {pull.rows} rows in {pull.requests} requests; {pull.filter or 'no filter'}"
    return AuditLine(pull.ended_at or NEVER, "read", detail, entry.run_id, pull.partition)


def _beside(ledger: Ledger, key: str, flow: Flow) -> Iterator[AuditLine]:
    """What webhooks told of it, and what both sides agreed on."""
    for told in ledger.inbox.of_subject(flow.source.system, key):
        taken = f"taken {told.taken_at:%Y-%m-%d %H:%M:%S}" if told.taken_at else "not taken yet"
        yield AuditLine(told.received_at, "told", f"{told.source}: {told.kind} ({told.event_id}), {taken}")
    if flow.pair and (met := ledger.history.agreed(key).get(flow.pair)):
        content, at, run_id = met
        yield AuditLine(at, "agreed", "; ".join(f"{name}: {value}" for name, value in content.items()), run_id)
