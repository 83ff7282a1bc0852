"""What a person decides on what is held, and on what differs, as the commands have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlc_dagster.ledger import Run
from mlc_dagster.pipeline.ways_back import WayBack
from mlc_dagster_tests.world.office import Office
from mlc_dagster_tests.world.views import VIEWS

Decide = Callable[[Office, int], bool]
BY, WHY = "kari", "agreed on the phone"


def _on_a_hold(word: str) -> Decide:
    def decide(office: Office, place: int) -> bool:
        ledger = office.scene.ledger
        holds = [hold for name in office.circle.flows for hold in ledger.open_holds(name, limit=None)]
        if not holds:
            return False
        hold = holds[place % len(holds)]
        getattr(ledger.decisions, word)(hold, BY, WHY, Run("cli", hold.partition))
        if word == "discard":
            office.said[hold.flow, hold.key] = ("discard", _sides(office, hold.flow, hold.key)[0])
        return True

    return decide


def _on_a_delivery(word: str) -> Decide:
    def decide(office: Office, place: int) -> bool:
        scene = office.scene
        ours = [(name, key) for name in office.circle.flows for key in sorted(scene.ledger.remote_ids(name))]
        if not ours:
            return False
        name, key = ours[place % len(ours)]
        done: WayBack = getattr(scene.way(name, BY, WHY), word)(key)
        if word in ("accept", "forget"):
            office.said[name, key] = (word, _sides(office, name, key)[1])
        return bool(done.words)

    return decide


def _sides(office: Office, flow: str, key: str) -> tuple[Any, Any]:
    """What both sides say of it now."""
    if (view := VIEWS.get(flow)) is None:
        return None, None
    box = office.scene.box
    return dict(view.source(box)).get(key), dict(view.target(box)).get(key)


DECISIONS: dict[str, Decide] = {
    "release": _on_a_hold("release"),
    "discard": _on_a_hold("discard"),
    "accept": _on_a_delivery("accept"),
    "restore": _on_a_delivery("restore"),
    "recreate": _on_a_delivery("recreate"),
    "forget": _on_a_delivery("forget"),
}
