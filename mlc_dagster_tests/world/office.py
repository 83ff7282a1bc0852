"""What we do in a world: runs, looks, nights, replays, two at once; and how it comes to rest."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.errors import MlcError
from mlc_dagster.pipeline import Loaded
from mlc_dagster.pipeline.plan import plan
from mlc_dagster_tests.world.circles import Circle
from mlc_dagster_tests.world.quiet import faults
from mlc_dagster_tests.world.scene import Scene

ROUNDS = 6
"""So many runs may it take until nothing is delivered any more: what holds a document is delivered before it."""
POLICIES = ("report", "hold", "restore")


@dataclass
class Office:
    """The people who run the flows of a circle."""

    scene: Scene
    circle: Circle
    said: dict[tuple[str, str], tuple[str, object]] = field(default_factory=dict)  # what people decided
    prepared: list[str] = field(default_factory=list)
    is_quiet: bool = False

    def flow(self, place: int) -> str:
        return self.circle.flows[place % len(self.circle.flows)]

    def run(self) -> dict[str, Loaded]:
        return self.scene.go(*self.circle.flows)

    def night(self) -> None:
        for names in self.circle.by_set:
            self.scene.sweep(*names)
        for name in self.circle.from_saas:
            self.scene.source_look(name)

    def looks(self) -> None:
        for name in self.circle.flows:
            self.scene.look(name, restores=self.scene.policy == "restore")

    def settled(self) -> list[str]:
        """All runs, sweeps and looks come to their end. What is wrong then."""
        self.run()
        self.night()
        for _ in range(ROUNDS):
            is_over, before = not any(each.delivered for each in self.run().values()), self._stands()
            self.looks()  # what they restore, and what they close, is for the next run
            if is_over and self._stands() == before:
                break
        before = self._written()
        last = self.run()  # what is open stays open: no load closes a difference
        wrong = faults(self.scene, self.circle.flows, self.said)
        if (after := self._written()) != before and any(each.delivered for each in last.values()):
            wrong.append(f"it is quiet, and a run writes: {before} -> {after}")
        self.is_quiet = not wrong
        return wrong

    def _stands(self) -> tuple[dict[str, int], set[int]]:
        """What was written, and which differences are open."""
        return self._written(), {
            one.id for flow in self.circle.flows for one in self.scene.ledger.differences.open(flow, limit=None)
        }

    def _written(self) -> dict[str, int]:
        return {system: self.scene.writes(system) for system in self.circle.systems}


def _all(office: Office, place: int) -> None:
    office.run()


def _one(office: Office, place: int) -> None:
    office.scene.go(office.flow(place))


def _prepare(office: Office, place: int) -> None:
    """Read and judged, and loaded another time."""
    journey = office.scene._journey(office.flow(place))
    for day in journey.partitions():
        journey.read(day)
    facts = journey.facts()
    for day in journey.partitions():
        journey.prepare(day, facts)
    office.prepared.append(office.flow(place))


def _replay(office: Office, place: int) -> None:
    """What was stored some time ago is loaded, now or once more."""
    if office.prepared:
        name = office.prepared[place % len(office.prepared)]
        journey = office.scene._journey(name, is_old=place % 2 == 0)
        for day in journey.partitions():
            journey.load(day)


def _judge_again(office: Office, place: int) -> None:
    """The stored rows of the source, prepared and loaded once more."""
    if office.prepared:
        journey = office.scene._journey(office.prepared[place % len(office.prepared)], is_old=True)
        facts = journey.facts()
        for day in journey.partitions():
            journey.prepare(day, facts)
            journey.load(day)


def _look(office: Office, place: int) -> None:
    office.scene.look(office.flow(place), restores=office.scene.policy == "restore")


def _night(office: Office, place: int) -> None:
    office.night()


def _together(office: Office, place: int) -> None:
    """Two runs of one flow at once."""
    office.scene.alone = False

    def run(_: int) -> None:
        with suppress(MlcError):
            office.scene.go(office.flow(place))

    try:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(run, range(2)))
    finally:
        office.scene.alone = True


def _policy(office: Office, place: int) -> None:
    """A setting is changed."""
    office.scene.policy = POLICIES[place % len(POLICIES)]  # type: ignore[assignment]


def _plan(office: Office, place: int) -> None:
    """A plan of what is stored writes nothing, to no system, and holds nothing."""
    if not office.prepared:
        return
    journey = office.scene._journey(office.prepared[place % len(office.prepared)])
    flow, ledger, facts = journey.flow, office.scene.ledger, journey.facts()
    look = partial(journey.client(flow.target.system).known, flow.target) if flow.looks_up else None
    before = (office._written(), ledger.open_holds(flow.name, limit=None), office.scene.open(flow.name))
    for day in journey.partitions():
        stored = office.scene.store.read(flow.source.key, day)
        rows = (records_of(batch, flow.source.record) for batch in stored)
        plan(flow, rows, facts, ledger, day, lambda keys: {}, look)
    assert before == (office._written(), ledger.open_holds(flow.name, limit=None), office.scene.open(flow.name))


def _reverse(office: Office, place: int) -> None:
    """Some tenants let us take back what was taken back."""
    able = [name for name in office.circle.from_saas if office.scene.flow(name)[0].reversing]
    if able:
        office.scene.reverse(able[place % len(able)])


OURS: dict[str, Callable[[Office, int], None]] = {
    "all flows run": _all,
    "all flows run again": _all,
    "a flow runs": _one,
    "another flow runs": _one,
    "a flow is prepared": _prepare,
    "stored rows are loaded": _replay,
    "stored rows are judged again": _judge_again,
    "a look at the target": _look,
    "it is night": _night,
    "two runs at once": _together,
    "a policy is changed": _policy,
    "a plan is made": _plan,
    "what was taken back is reversed": _reverse,
}
