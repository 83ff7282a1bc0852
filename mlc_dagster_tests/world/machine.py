"""The world as a machine: all that can happen around the flows, in any order, drawn by hypothesis.

Over the real pipeline, a real ledger and the whole sandbox, in one process and without Dagster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from random import Random
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, assume, note, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from hypothesis.strategies._internal.featureflags import FeatureFlags

from mlc_dagster.core.errors import MlcError
from mlc_dagster_tests.world.breaking import BROKEN, METHODS, Accidents
from mlc_dagster_tests.world.circles import CIRCLES, Circle
from mlc_dagster_tests.world.decisions import DECISIONS
from mlc_dagster_tests.world.office import OURS, Office
from mlc_dagster_tests.world.people import is_done
from mlc_dagster_tests.world.scene import scene

DEEDS = 40
"""Rules in a world, at the most: some of them several deeds."""
numbers, ways, places = st.integers(1, 3), st.integers(0, 7), st.integers(0, 999)
works = st.lists(st.tuples(places, numbers, ways), min_size=3, max_size=10)


def tried(seed_: int, worlds: int, deeds: int = DEEDS, *, shrink: bool = True) -> None:
    """So many worlds, drawn by a seed. Raises what the machine found, the smallest way there printed."""
    how = settings(
        max_examples=worlds,
        stateful_step_count=deeds,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    with (
        mock.patch.object(providers, "_get_local_constants", providers.Constants),
        mock.patch.object(providers, "CONSTANTS_CACHE", LRUCache(64)),
        mock.patch.object(
            FeatureFlags, "is_enabled", lambda *_: True
        ),  # in half of the worlds nobody worked, or no run
    ):  # it draws from the numbers in all modules that are loaded by then: a seed would mean other deeds each time
        run_state_machine_as_test(seed(seed_)(Machine), settings=how)


class Machine(RuleBasedStateMachine):
    """One example is one world; `settle` is a quiet phase, and at its end all of `quiet.faults` is asked."""

    steps = 0  # of all worlds of this process
    found: list[str] = []  # noqa: RUF012 - of all worlds, also where hypothesis cannot walk there twice
    circles = CIRCLES

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._accidents: Accidents | None = None
        self.is_calm = True

    @initialize(which=places, is_going_on=st.booleans(), is_calm=st.booleans())
    def begin(self, which: int, *, is_going_on: bool, is_calm: bool) -> None:
        """`is_going_on`: everything was entered and delivered once, so that its later life begins at once. `is_calm`:
        nothing breaks, so that no fault hides another.
        """
        assume(which)  # the first of a seed is always the simplest: the same deed a hundred times
        self.is_calm = is_calm
        circle = self.circles[which % len(self.circles)]
        made = self._stack.enter_context(scene((), lambda call, when: self._accidents.arrives(call, when)))  # type: ignore[union-attr]
        self._accidents = Accidents(made.ledger)
        self._stack.callback(self._accidents.end)
        self.office = Office(made, circle)
        note(f"the circle of {circle.name}")
        if is_going_on:
            for deed, number, way in circle.first:
                is_done(deed, made.box, number, way)
            self.office.run()

    def teardown(self) -> None:
        try:
            if self._accidents is not None:
                self._settle()
        finally:
            self._stack.close()

    # --- what people do -----------------------------------------------------------------------------------------------

    @rule(work=works)
    def people_work(self, work: list[tuple[int, int, int]]) -> None:
        for place, number, way in work:
            self._do(place, number, way)

    @rule(work=works)
    def people_go_on(self, work: list[tuple[int, int, int]]) -> None:
        self.people_work(work)

    @precondition(lambda self: not self.is_calm)
    @rule(place=places, number=numbers, way=ways, calls=st.integers(0, 3))
    def somebody_works_in_the_middle_of_a_load(self, place: int, number: int, way: int, calls: int) -> None:
        deed, box = self._deed(place), self.office.scene.box
        note(f"  in the middle of a load, after {calls} calls: {deed.__name__}(box, {number}, {way})")
        self._broken.meanwhile = (calls, lambda: is_done(deed, box, number, way))
        self._happened()

    @rule(what=st.sampled_from(sorted(DECISIONS)), place=places)
    def a_person_decides(self, what: str, place: int) -> None:
        with suppress(MlcError), self._broken.survived():
            if DECISIONS[what](self.office, place):
                self._happened()

    # --- what breaks --------------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.is_calm)
    @rule(how=st.sampled_from(sorted(BROKEN)), at=st.integers(0, 1), way=ways, is_next=st.booleans())
    def something_breaks(self, how: str, at: int, way: int, *, is_next: bool) -> None:
        """The next call of its method, or a later one."""
        system = self._circle.systems[at]
        which = {"system": system, "method": METHODS[system][way % len(METHODS[system])]}
        self.office.scene.box.faults.add(**{"times": 1, **BROKEN[how]}, **which, share=1.0 if is_next else 0.3)
        self._happened()

    @precondition(lambda self: not self.is_calm)
    @rule(when=st.sampled_from(("before", "after", "line")), after=st.integers(0, 5))
    def a_process_will_be_killed(self, when: str, after: int) -> None:
        if when == "line":
            self._broken.at_line = 3 * after
        else:
            self._broken.at_call = (after, when)
        self._happened()

    # --- what we do ---------------------------------------------------------------------------------------------------

    @rule(work=works)
    def it_is_a_day_as_others(self, work: list[tuple[int, int, int]]) -> None:
        """People work, and all flows run."""
        self.people_work(work[:4])
        self.we_work("all flows run", 0)

    @rule(what=st.sampled_from(sorted(OURS)), place=places)
    def we_work(self, what: str, place: int) -> None:
        with suppress(MlcError), self._broken.survived():  # a run may fail: the next one goes on
            OURS[what](self.office, place)
        self._happened()

    @rule(rare=st.integers(0, 7))
    def it_is_quiet_for_a_while(self, rare: int) -> None:
        if rare == 0:
            self._settle()

    # --- how ----------------------------------------------------------------------------------------------------------

    @property
    def _circle(self) -> Circle:
        return self.office.circle

    @property
    def _broken(self) -> Accidents:
        assert self._accidents is not None
        return self._accidents

    def _deed(self, place: int) -> Callable[[Any, int, int], bool]:
        return self._circle.deeds[place % len(self._circle.deeds)]

    def _in_turn(self, place: int) -> Sequence[Callable[[Any, int, int], bool]]:
        """The deed that was drawn, and the others in an order of their own: one that stands after many that cannot be
        done would be done too often.
        """
        others = Random(place).sample(self._circle.deeds, len(self._circle.deeds))
        return [self._deed(place), *others]

    def _do(self, place: int, number: int, way: int) -> None:
        """Where there is nothing to do it to, the next deed that can be done."""
        for deed in self._in_turn(place):
            if is_done(deed, self.office.scene.box, number, way):
                note(f"  {deed.__name__}(box, {number}, {way})")
                self._happened()
                return

    def _happened(self) -> None:
        Machine.steps += 1
        self.office.is_quiet = False

    def _settle(self) -> None:
        if self.office.is_quiet:
            return
        Machine.steps += 1
        self.office.scene.box.faults.clear()
        self._broken.clear()
        if wrong := [*self.office.settled(), *self._broken.wrong]:
            told = f"the circle of {self._circle.name}:\n" + "\n".join(wrong)
            Machine.found.append(told)
            raise AssertionError(told)
