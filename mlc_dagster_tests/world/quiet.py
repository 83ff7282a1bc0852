"""What must be true when it is quiet: nothing doubled, nothing lost, nothing silently otherwise, all of it told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from mlc_dagster.ledger import Event
from mlc_dagster.pipeline.taken_back import reversal_key, reversal_name
from mlc_dagster_tests.world import people
from mlc_dagster_tests.world.scene import Scene
from mlc_dagster_tests.world.views import VIEWS, View

Said = Mapping[tuple[str, str], tuple[str, Any]]
"""(flow, key) -> (what a person decided, what the side that it is about said then)."""


def faults(scene: Scene, flows: tuple[str, ...], said: Said) -> list[str]:
    """A sentence for each thing that is not as it must be."""
    views = [VIEWS[name] for name in flows if name in VIEWS]
    with scene.box.lock:
        return [*(each for view in views for each in _of_flow(scene, view, said)), *_told(scene)]


def _of_flow(scene: Scene, view: View, said: Said) -> Iterator[str]:
    shown = list(view.target(scene.box))
    told = excused(scene, view)
    for key, many in Counter(key for key, _ in shown).items():
        is_told = any("extra" in each for each in told.get(key, ()))
        was_forgotten = said.get((view.flow, key), ("", None))[0] == "forget"
        if many > 1 and not (is_told and (was_forgotten or people.may_have_doubled(scene.box))):
            values = [value for shown_key, value in shown if shown_key == key]
            yield f"{view.flow} {key}: {many} of it in the target: {values}{_trail(scene, view.flow, key)}"
    source, dead = dict(view.source(scene.box)), set(view.dead(scene.box))
    target = dict(shown)
    missed = target.keys() - source.keys()
    is_unsure = view.moves_on and len(missed) <= scene.unsure.get(view.flow, 0)
    if is_unsure or scene.too_many.get(view.flow):
        told |= {key: ["the sweep told how many are not there any more"] for key in missed}
    for key in sorted({*source, *target}):
        here, there = source.get(key), target.get(key)
        if _is_alike(here, there, key in dead) or told.get(key) or _was_never_read(scene, view, key, there):
            continue
        if _was_decided(said.get((view.flow, key)), here, there):
            continue
        state = " (cancelled)" if key in dead else ""
        said_of_it = f"the source has {here}{state}, the target {there}, and nothing is told"
        yield f"{view.flow} {key}: {said_of_it}{_trail(scene, view.flow, key)}"


def _is_alike(here: Any, there: Any, is_dead: bool) -> bool:
    if there is None:
        return here is None or is_dead
    return _folded(here) == _folded(there) and not is_dead


def _folded(value: Any) -> Any:
    """A target may keep a name in other letters: one that is found there, and is the same but for them, is kept."""
    return value.casefold() if isinstance(value, str) else value


def _was_decided(words: tuple[str, Any] | None, here: Any, there: Any) -> bool:
    """A person discarded what the source has, or accepted what the target has, or knows both; or said that what the
    target has is none of ours, and the source has none that could be ours.
    """
    if words is None:
        return False
    about = {"discard": here, "accept": there, "release": (here, there)}
    return here is None if words[0] == "forget" else words[1] == about[words[0]]


def excused(scene: Scene, view: View) -> dict[str, list[str]]:
    """Key -> the holds and differences that are open: it is told that both sides are not alike."""
    found: dict[str, list[str]] = {}
    alias = view.alias(scene.box)
    for flow in (view.flow, *view.also, reversal_name(view.flow)):
        for hold in scene.ledger.open_holds(flow, limit=None):
            key = hold.key.removesuffix(reversal_key("")) if flow.startswith(view.flow) else alias.get(hold.key, "")
            found.setdefault(key, []).append(f"hold {','.join(hold.rules)}")
        for one in scene.ledger.differences.open(flow, limit=None):
            key = one.key if flow.startswith(view.flow) else alias.get(one.key, "")
            found.setdefault(key, []).append(f"difference {one.kind} {one.field}")
    return found


def _was_never_read(scene: Scene, view: View, key: str, there: Any) -> bool:
    """Its stamp lies in a day that nobody ever asked for, and no run knows it, or knew it before it was deleted and
    entered once more: a backfill would read it.
    """
    day, trail = view.day(scene.box).get(key), scene.ledger.trail(view.flow, key)
    is_unknown = not trail or (trail[-1].event is Event.CLOSED and trail[-1].detail.startswith("gone"))
    return there is None and day is not None and day not in scene.days and is_unknown


def _trail(scene: Scene, flow: str, key: str) -> str:
    """What the ledger knows of it, a line each: where to look first."""
    return "".join(f"\n    {each.run_id} {each.event.value} {each.detail}" for each in scene.ledger.trail(flow, key))


def _told(scene: Scene) -> Iterator[str]:
    """The trail is whole, and tells of every row that stands beside it."""
    yield from (f"trail: {fault}" for fault in scene.ledger.history.verify())
    for one in scene.ledger.audit.differing():
        yield f"beside the trail: {one.flow} {one.key} {one.what}{_trail(scene, one.flow, one.key)}"
