"""What a person decides on what is held, and on what differs, as the commands have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from mlc_dagster.ledger import HoldEntry, Run
from mlc_dagster.pipeline.healing import _source
from mlc_dagster.pipeline.ways_back import WayBack
from mlc_dagster.rules.waiving import TAKEN_AS_KNOWN
from mlc_dagster_tests.world.office import Office
from mlc_dagster_tests.world.views import VIEWS, View

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
        if view := VIEWS.get(hold.flow):
            _remember(office, view, hold, word)
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
            office.said[name, key] = (word, _theirs(office, name, key))
        return bool(done.words)

    return decide


def _remember(office: Office, view: View, hold: HoldEntry, word: str) -> None:
    ours = _held(office, view, hold)
    if word == "discard":
        office.said[hold.flow, hold.key] = (word, ours)
    elif TAKEN_AS_KNOWN in hold.rules:  # it was changed after it was posted, and the target is left as it is
        office.said[hold.flow, hold.key] = (word, (ours, _theirs(office, hold.flow, hold.key)))


def _held(office: Office, view: View, hold: HoldEntry) -> Any:
    """The content that is decided on, whatever the source shows by now.

    Of a hold that the load made the target's record is kept; where that is worth no amount, as a name is none, it is
    what the source shows.
    """
    asked = office.scene.asked(hold.flow)
    if _source(asked.flow, hold):
        return view.held(hold.row)
    record = msgspec.convert(hold.row, asked.flow.target.record, strict=False)
    worth = asked.worth(asked.client.expected(asked.flow.target, record))
    shown = dict(view.source(office.scene.box)).get(hold.key)
    return shown if worth is None or worth.amount is None or isinstance(shown, tuple) else worth.amount


def _theirs(office: Office, flow: str, key: str) -> Any:
    """What the target says of it now."""
    view = VIEWS.get(flow)
    return dict(view.target(office.scene.box)).get(key) if view else None


DECISIONS: dict[str, Decide] = {
    "release": _on_a_hold("release"),
    "discard": _on_a_hold("discard"),
    "accept": _on_a_delivery("accept"),
    "restore": _on_a_delivery("restore"),
    "recreate": _on_a_delivery("recreate"),
    "forget": _on_a_delivery("forget"),
}
