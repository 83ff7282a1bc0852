"""The conditions that people are told of, as the ledger has them now: one for a cause, of all its flows and days."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from mlc_dagster.core.amounts import in_text
from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger, Task
from mlc_dagster.ledger.coordination.work_entries import REFUSED, cause_of
from mlc_dagster.ledger.records.open_item_entries import CauseStock, Wanted, connection_of
from mlc_dagster.pipeline.digest import money, named
from mlc_dagster.pipeline.due_causes import by_cause
from mlc_dagster.pipeline.watching.alert import Alert
from mlc_dagster.pipeline.watching.ends import Ends, ending
from mlc_dagster.settings.alerts import AlertThresholds

FAILED_OFTEN = 2  # runs in a row
USUAL_DAYS = 5  # fewer say nothing of what is usual
FINANCE = "team:finance"


@dataclass(frozen=True)
class Watch:
    """`now` is the ledger's clock."""

    ledger: Ledger
    flows: Sequence[Flow]
    limits: AlertThresholds
    now: datetime
    ends: Ends = field(default_factory=Ends)

    def alerts(self) -> Iterator[Alert]:
        """All but what walks the whole trail: see `chain_broken`."""
        tasks = self.ledger.work.all()
        yield from self._failing(tasks)
        yield from self._due(tasks)
        yield from self._quotas()
        yield from self._not_fresh(tasks)
        yield from self._held_shares()
        yield from self._few_rows()
        yield from self._paused()
        yield from ending(self.ledger, self.ends, self.limits, self.now, self._of)
        for stock in self.ledger.open_items.causes(Wanted(connections=self._spokes)):
            yield from self._open(stock)

    def chain_broken(self) -> Iterator[Alert]:
        """Walks every line of the trail: once a day."""
        faults = [str(each) for each in self.ledger.history.verify()]
        faults += [f"{each.flow} {each.key}: {each.what}" for each in self.ledger.audit.differing()]
        if faults:
            text = "\n".join([*faults[:20], "Look: mlc audit verify"])
            subject = f"the trail was tampered with, or damaged: {len(faults)} fault(s)"
            owners = frozenset({FINANCE, *self._owners()})
            yield Alert("chain_broken", "chain broken", subject, text, owners, "/decisions")

    # --- work that does not come to its end --------------------------------------------------------------------------

    def _failing(self, tasks: Sequence[Task]) -> Iterator[Alert]:
        for cause, some in self._by_mark([task for task in tasks if task.failed]).items():
            one = some[0]
            owners, flows = self._owners(task.flow for task in some), ", ".join(sorted({task.flow for task in some}))
            text = f"{one.why}\n{len(some)} load(s) of {flows}. When it is mended: mlc retry {one.cause}"
            told = partial(Alert, cause=cause, text=text, owners=owners, place="/due")
            if one.cause == cause_of(one.connection, REFUSED):
                yield told("credential", subject=f"{one.connection} refuses the credential")
            elif (often := max(task.attempts for task in some)) >= FAILED_OFTEN:
                yield told("failed_twice", subject=f"{one.cause} made {often} runs in a row fail")

    def _due(self, tasks: Sequence[Task]) -> Iterator[Alert]:
        """Known by what keeps the days from being loaded: who was told of that knows of them."""
        days = defaultdict[str, set[str]](set)
        for task in tasks:
            days[task.flow].add(task.partition)
        late = [task for task in tasks if len(days[task.flow]) >= self.limits.days_due]
        for mark, some in self._by_mark(late).items():
            flows = sorted({task.flow for task in some})
            lines = [f"{flow}: {len(days[flow])} since {min(days[flow])}" for flow in flows]
            subject = f"{max(len(days[flow]) for flow in flows)} days are due"
            yield Alert("days_due", mark, subject, _lines([*lines, some[0].why]), self._owners(flows), "/due")

    def _by_mark(self, tasks: Sequence[Task]) -> dict[str, list[Task]]:
        """By what people are told of them: a cause that failed them, a pause, a silence, else their connection."""
        pauses, silent = self.ledger.pauses.standing(), self.ledger.work.silent()
        marks = {each.cause: each.mark for each in by_cause(tasks)}
        found = defaultdict[str, list[Task]](list)
        for task in tasks:
            name = task.connection or self._spoke(task.flow)
            if task.failed:
                mark = marks.get(task.cause, task.cause)
            elif name in pauses:
                mark = f"paused {name} {pauses[name].at}"
            else:
                mark = f"quota {name}" if name in silent else f"due {name}"
            found[mark].append(task)
        return found

    def _quotas(self) -> Iterator[Alert]:
        for name, until in sorted(self.ledger.work.silent().items()):
            text = f"It asks to be left alone until {until:%Y-%m-%d %H:%M} UTC; loads go on by themselves then."
            yield Alert("quota", f"quota {name}", f"the quota of {name} is used up", text, self._of(name), "/due")

    def _not_fresh(self, tasks: Sequence[Task]) -> Iterator[Alert]:
        """Known by what keeps its days from being loaded, as `_due` is."""
        oldest = self.now - timedelta(hours=self.limits.not_fresh_hours)
        ends = {flow: last.ended_at for flow, last in self.ledger.loads.latest().items() if flow in self._by_name}
        marks = {task.flow: mark for mark, some in self._by_mark(tasks).items() for task in some}
        late = defaultdict[str, list[str]](list)
        for flow, at in sorted(ends.items()):
            if at < oldest:
                late[marks.get(flow, f"due {self._spoke(flow)}")].append(flow)
        for mark, flows in late.items():
            lines = [f"{flow}: last loaded {ends[flow]:%Y-%m-%d %H:%M} UTC" for flow in flows]
            subject = f"{len(flows)} flow(s) not loaded for {self.limits.not_fresh_hours:g} hours"
            yield Alert("not_fresh", mark, subject, _lines(lines), self._owners(flows), "/due")

    def _paused(self) -> Iterator[Alert]:
        for name, pause in self.ledger.pauses.standing().items():
            if self.now - pause.at > timedelta(hours=self.limits.paused_hours):
                subject = f"{name} is paused still"
                yield Alert("paused", f"paused {name} {pause.at}", subject, str(pause), self._of(name), "/due")

    # --- what was read and held --------------------------------------------------------------------------------------

    def _held_shares(self) -> Iterator[Alert]:
        """One for a connection: what is wrong there is wrong in several of its flows."""
        found = defaultdict[str, dict[str, tuple[float, str]]](dict)
        for flow, last in sorted(self.ledger.loads.latest().items()):
            if flow not in self._by_name:
                continue
            pull = self.ledger.last_pull("/".join(self._by_name[flow].source.key), last.partition)
            held = self.ledger.close_rows.held_of(flow, last.partition)
            if pull and pull.pull.rows and held / pull.pull.rows > self.limits.held_share:
                text = f"{flow}: {held} of {pull.pull.rows} rows of {last.partition} are on hold."
                found[self._spoke(flow)][flow] = held / pull.pull.rows, text
        for name, shares in found.items():
            flow, (share, _) = max(shares.items(), key=lambda each: each[1][0])
            more = f" (and {len(shares) - 1} more)" if len(shares) > 1 else ""
            text = _lines([words for _, words in shares.values()])
            subject = f"{share:.0%} of {flow} is on hold{more}"
            yield Alert("held_share", f"held share {name}", subject, text, self._owners(shares), "/")

    def _few_rows(self) -> Iterator[Alert]:
        """One for a day of a system: a right that is gone concerns several of its sets."""
        found = defaultdict[tuple[str, str], dict[str, str]](dict)
        for source in sorted({"/".join(flow.source.key) for flow in self.flows if flow.source.partition == "day"}):
            if told := self._fewer(source):
                day, text = told
                found[source.partition("/")[0], day][source] = text
        for (system, day), few in found.items():
            subject = f"{', '.join(few)} ha{'s' if len(few) == 1 else 've'} few rows"
            fed = [flow.name for flow in self.flows if "/".join(flow.source.key) in few]
            text = _lines([*few.values(), "Rights, or a filter?"])
            yield Alert("few_rows", f"few rows {system} {day}", subject, text, self._owners(fed), "/due")

    def _fewer(self, source: str) -> tuple[str, str] | None:
        """(its last whole day, words) where that has fewer rows than usual."""
        today = self.now.date().isoformat()
        latest: dict[str, int] = {}
        for entry in self.ledger.pulls(source, limit=200):
            if entry.pull.partition < today:  # the running day may have few still
                latest.setdefault(entry.pull.partition, entry.pull.rows)
        if len(latest) <= USUAL_DAYS:
            return None
        day = max(latest)
        usual = statistics.median(rows for name, rows in latest.items() if name != day)
        text = f"{source}: {latest[day]} rows were read of {day}, where {usual:g} are usual."
        return (day, text) if latest[day] < usual * self.limits.few_rows_share else None

    def _open(self, stock: CauseStock) -> Iterator[Alert]:
        """Of one cause its age, and what money is in it."""
        mark = f"open {stock.cause.mark}"
        owners = frozenset(filter(None, stock.owners)) | self._owners(stock.flows)
        sums = money(stock)
        text = f"{stock.items} open in {', '.join(sorted(stock.flows))}{f': {sums}' if sums else ''}"
        told = partial(Alert, cause=mark, text=text, owners=owners, place=f"/cause/{stock.cause.mark}")
        over = {name: amount for name, amount in sorted(stock.amounts.items()) if self._is_much(name, amount)}
        if over:
            much = ", ".join(f"{in_text(amount, name)} {name}" for name, amount in over.items())
            yield told("open_amount", subject=f"{much} open: {named(stock)}")
        if stock.oldest and self.now - stock.oldest > timedelta(days=self.limits.open_days):
            yield told("open_long", subject=f"open since {stock.oldest:%Y-%m-%d}: {named(stock)}")

    def _is_much(self, currency: str, amount: Decimal) -> bool:
        most = self.limits.open_amounts.get(currency)
        return most is not None and abs(amount) >= most

    # --- whose it is -------------------------------------------------------------------------------------------------

    @property
    def _by_name(self) -> dict[str, Flow]:
        return {flow.name: flow for flow in self.flows}

    @property
    def _spokes(self) -> dict[str, str]:
        return {flow.name: flow.spoke for flow in self.flows}

    def _spoke(self, flow: str) -> str:
        return self._spokes.get(flow) or connection_of(flow)

    def _of(self, connection: str) -> frozenset[str]:
        """Who is asked about what goes to a connection; all, where nothing does."""
        mine = [flow.name for flow in self.flows if connection in (flow.spoke, flow.target.system)]
        return self._owners(mine or None)

    def _owners(self, names: Iterable[str] | None = None) -> frozenset[str]:
        """Of these flows; of all, where none are named."""
        wanted = None if names is None else set(names)
        return frozenset(flow.owner for flow in self.flows if wanted is None or flow.name in wanted)


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines)
