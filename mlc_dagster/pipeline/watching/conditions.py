"""The conditions that people are told of, as the ledger has them now: one for a cause, of all its flows and days."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger, Task
from mlc_dagster.ledger.coordination.work_entries import REFUSED, cause_of
from mlc_dagster.ledger.records.open_item_entries import CauseStock
from mlc_dagster.settings.alerts import AlertThresholds, Kind

FAILED_OFTEN = 2  # runs in a row
USUAL_DAYS = 5  # fewer say nothing of what is usual
FINANCE = "team:finance"


@dataclass(frozen=True)
class Alert:
    """One message."""

    kind: Kind
    cause: str  # "cin7:refused": told once while it stands
    subject: str
    text: str
    owners: frozenset[str]
    place: str = ""  # where it is decided, below the review page's address


@dataclass(frozen=True)
class Watch:
    """`now` is the ledger's clock."""

    ledger: Ledger
    flows: Sequence[Flow]
    limits: AlertThresholds
    now: datetime

    def alerts(self) -> Iterator[Alert]:
        """All but what walks the whole trail: see `chain_broken`."""
        tasks = self.ledger.work.all()
        yield from self._failing(tasks)
        yield from self._due(tasks)
        yield from self._quotas()
        yield from self._not_fresh()
        yield from self._held_shares()
        yield from self._few_rows()
        yield from self._paused()
        for stock in self.ledger.open_items.causes():
            yield from self._open(stock)

    def chain_broken(self) -> Iterator[Alert]:
        """Walks every line of the trail: once a day."""
        faults = [str(each) for each in self.ledger.history.verify()]
        faults += [f"{each.flow} {each.key}: {each.what}" for each in self.ledger.audit.differing()]
        if faults:
            text = "\n".join([*faults[:20], "Look: mlc audit verify"])
            subject = f"the trail was tampered with, or damaged: {len(faults)} fault(s)"
            yield Alert("chain_broken", "chain broken", subject, text, frozenset({FINANCE, *self._owners()}))

    # --- work that does not come to its end --------------------------------------------------------------------------

    def _failing(self, tasks: Sequence[Task]) -> Iterator[Alert]:
        by_cause = defaultdict[str, list[Task]](list)
        for task in tasks:
            if task.failed:
                by_cause[task.cause].append(task)
        for cause, some in by_cause.items():
            one = some[0]
            owners, flows = self._owners(task.flow for task in some), ", ".join(sorted({task.flow for task in some}))
            text = f"{one.why}\n{len(some)} load(s) of {flows}. When it is mended: mlc retry {cause}"
            if cause == cause_of(one.connection, REFUSED):
                yield Alert("credential", cause, f"{one.connection} refuses the credential", text, owners)
            elif max(task.attempts for task in some) >= FAILED_OFTEN:
                often = max(task.attempts for task in some)
                yield Alert("failed_twice", cause, f"{cause} made {often} runs in a row fail", text, owners)

    def _due(self, tasks: Sequence[Task]) -> Iterator[Alert]:
        by_flow = defaultdict[str, set[str]](set)
        for task in tasks:
            by_flow[task.flow].add(task.partition)
        many = {flow: days for flow, days in by_flow.items() if len(days) >= self.limits.days_due}
        if many:
            lines = [f"{flow}: {len(days)} since {min(days)}" for flow, days in sorted(many.items())]
            subject = f"{max(map(len, many.values()))} days are due"
            yield Alert("days_due", f"due {' '.join(sorted(many))}", subject, _lines(lines), self._owners(many), "/due")

    def _quotas(self) -> Iterator[Alert]:
        for name, until in sorted(self.ledger.work.silent().items()):
            text = f"It asks to be left alone until {until:%Y-%m-%d %H:%M} UTC; loads go on by themselves then."
            owners = self._owners(flow.name for flow in self.flows if flow.spoke == name)
            yield Alert("quota", f"quota {name}", f"the quota of {name} is used up", text, owners, "/due")

    def _not_fresh(self) -> Iterator[Alert]:
        oldest = self.now - timedelta(hours=self.limits.not_fresh_hours)
        late = {
            flow: last.ended_at
            for flow, last in self.ledger.loads.latest().items()
            if last.ended_at < oldest and flow in self._by_name
        }
        if late:
            lines = [f"{flow}: last loaded {at:%Y-%m-%d %H:%M} UTC" for flow, at in sorted(late.items())]
            subject = f"{len(late)} flow(s) not loaded for {self.limits.not_fresh_hours:g} hours"
            yield Alert("not_fresh", f"not fresh {' '.join(sorted(late))}", subject, _lines(lines), self._owners(late))

    def _paused(self) -> Iterator[Alert]:
        for name, pause in self.ledger.pauses.standing().items():
            if self.now - pause.at > timedelta(hours=self.limits.paused_hours):
                owners = self._owners(flow.name for flow in self.flows if name in (flow.spoke, flow.target.system))
                yield Alert("paused", f"paused {name} {pause.at}", f"{name} is paused still", str(pause), owners)

    # --- what was read and held --------------------------------------------------------------------------------------

    def _held_shares(self) -> Iterator[Alert]:
        for flow, last in sorted(self.ledger.loads.latest().items()):
            if flow not in self._by_name:
                continue
            pull = self.ledger.last_pull("/".join(self._by_name[flow].source.key), last.partition)
            held = sum(row.holds for row in self.ledger.close_rows.held(flow) if row.partition == last.partition)
            if pull and pull.pull.rows and held / pull.pull.rows > self.limits.held_share:
                text = f"{held} of {pull.pull.rows} rows of {last.partition} are on hold."
                subject = f"{held / pull.pull.rows:.0%} of {flow} is on hold"
                yield Alert("held_share", f"held share {flow}", subject, text, self._owners([flow]), "/")

    def _few_rows(self) -> Iterator[Alert]:
        today = self.now.date().isoformat()
        for source in sorted({"/".join(flow.source.key) for flow in self.flows if flow.source.partition == "day"}):
            latest: dict[str, int] = {}
            for entry in self.ledger.pulls(source, limit=200):
                if entry.pull.partition < today:  # the running day may have few still
                    latest.setdefault(entry.pull.partition, entry.pull.rows)
            if len(latest) <= USUAL_DAYS:
                continue
            day = max(latest)
            usual = statistics.median(rows for name, rows in latest.items() if name != day)
            if latest[day] < usual * self.limits.few_rows_share:
                text = f"{latest[day]} rows were read of {day}, where {usual:g} are usual: rights, or a filter?"
                fed = [flow.name for flow in self.flows if "/".join(flow.source.key) == source]
                yield Alert("few_rows", f"few rows {source} {day}", f"{source} has few rows", text, self._owners(fed))

    def _open(self, stock: CauseStock) -> Iterator[Alert]:
        """Of one cause its age, and what money is in it."""
        cause, owners = stock.cause, frozenset(filter(None, stock.owners)) | self._owners(stock.flows)
        words = f"{', '.join(cause.rules)}{f': {cause.value}' if cause.value else ''} ({cause.connection})"
        money = ", ".join(f"{amount:f} {currency}".strip() for currency, amount in sorted(stock.amounts.items()))
        text = f"{stock.items} open in {', '.join(sorted(stock.flows))}{f': {money}' if money else ''}"
        place = f"/cause/{cause.mark}"
        if stock.oldest and self.now - stock.oldest > timedelta(days=self.limits.open_days):
            subject = f"open since {stock.oldest:%Y-%m-%d}: {words}"
            yield Alert("open_long", f"open long {cause.mark}", subject, text, owners, place)
        if over := {name: amount for name, amount in stock.amounts.items() if self._is_much(name, amount)}:
            subject = f"{', '.join(f'{amount:f} {name}' for name, amount in sorted(over.items()))} open: {words}"
            yield Alert("open_amount", f"open amount {cause.mark}", subject, text, owners, place)

    def _is_much(self, currency: str, amount: Decimal) -> bool:
        most = self.limits.open_amounts.get(currency)
        return most is not None and abs(amount) >= most

    # --- whose it is -------------------------------------------------------------------------------------------------

    @property
    def _by_name(self) -> dict[str, Flow]:
        return {flow.name: flow for flow in self.flows}

    def _owners(self, names: Iterable[str] | None = None) -> frozenset[str]:
        """Of these flows; of all, where none are named."""
        wanted = None if names is None else set(names)
        return frozenset(flow.owner for flow in self.flows if wanted is None or flow.name in wanted)


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines)
