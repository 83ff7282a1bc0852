"""A person's ways back where a delivered record and its target differ: accept, restore, recreate, relink, forget.

Each looks at the target first, and writes a line in the trail with who and why; what was sent is looked at once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.outcomes import Delivered, Ready, Seen, Shown
from mlc_dagster.ledger import Run
from mlc_dagster.ledger.records.looks import Look, Remembered
from mlc_dagster.ledger.records.ways_back import LedgerWaysBack
from mlc_dagster.ledger.records.ways_back import Said as Said
from mlc_dagster.ledger.records.ways_back import WordRefused as WordRefused
from mlc_dagster.pipeline.agreed_values import OWN, STATE, AgreedValues, Unlike
from mlc_dagster.pipeline.load_result import Loaded
from mlc_dagster.pipeline.verify import Asked, verify

Send = Callable[[Sequence[Ready], frozenset[str]], Sequence[Loaded]]
"""Sends these again (sending_again); those of the keys are made anew where people deleted them."""
GONE = ("deleted", "voided")


@dataclass(frozen=True)
class WayBack:
    """What came of it."""

    words: str
    closed: int  # differences
    still_open: int


@dataclass(frozen=True)
class WaysBack:
    """For the records of one flow. Raises WordRefused: nothing has changed; and as `verify`."""

    asked: Asked
    send: Send
    said: Said
    run: Run

    def accept(self, key: str) -> WayBack:
        """The target is right. No later load writes over it, unless the source changes that very field."""
        look, base, record = self._known(key)
        seen = self._seen(look, base)
        unlike = base.unlike(seen.values) if seen.state in ("there", "moved") else []
        if seen.state != "there":
            agreed = Remembered({**(base.values or {}), STATE: seen.state}, base.accepted, look.restored)
            what = f"it is {seen.state} there"
        elif unlike:
            agreed, what = self._as_it_is(look, base, seen, unlike, record), _in_words(unlike)
        else:
            raise WordRefused(f"{self._named(look)} is in the target as was agreed: there is nothing to accept")
        before = self._open(key)
        self._words.accept(self._flow, key, agreed, what, self.said, self.run)
        return self._done(look, f"{self._named(look)}: accepted, {what}", before)

    def restore(self, key: str) -> WayBack:
        """Ours is right: what was delivered is sent again, as it was then. What is gone is not made again."""
        look, base, _ = self._known(key)
        seen = self._seen(look, base)
        if seen.state in GONE:
            raise WordRefused(f"{self._named(look)} is {seen.state} in the target", cure="mlc recreate makes it again.")
        return self._sent_again(look, "restore", frozenset())

    def recreate(self, key: str) -> WayBack:
        """What people deleted or voided is made again, from what was delivered; looked for by its key first."""
        look, base, _ = self._known(key)
        seen = self._seen(look, base)
        if seen.state not in GONE:
            cure = "mlc restore sends it again as it was delivered; mlc relink says which record it is."
            raise WordRefused(f"{self._named(look)} is {seen.state} in the target: nothing is made twice", cure=cure)
        return self._sent_again(look, "recreate", frozenset({key}))

    def relink(self, key: str, remote_id: str, *, shared: bool = False) -> WayBack:
        """It is another record of the target than the ledger says. `shared`: two of ours are one there, and what that
        one says is agreed for both.
        """
        look, base, record = self._known(key)
        others = [each for each in self.asked.ledger.people.owners(self._flow, remote_id) if each != key]
        if others and not shared:
            cure = "Master data may be one record there for two of ours: say so with --shared. Documents never are."
            raise WordRefused(f"{remote_id} is {', '.join(others)} of {self._flow} already", cure=cure)
        seen = self._seen(replace(look, remote_id=remote_id), base)
        if seen.state != "there":
            raise WordRefused(f"{remote_id} is {seen.state} in the target: {self._named(look)} is not linked to it")
        agreed = Remembered(seen.values) if others or record is None else None
        before = self._open(key)
        self._words.relink(self._flow, key, remote_id, agreed, self.said, self.run)
        return self._looked(key, f"{self._named(look)} is {remote_id} in the target from now on", before)

    def forget(self, key: str) -> WayBack:
        """What is in the target is none of ours any more. The next load of the record finds it new, and looks first."""
        look, _, _ = self._known(key)
        before = self._open(key)
        self._words.forget(self._flow, key, self.said, self.run)
        return self._done(look, f"{self._named(look)} is forgotten: what the target has of it is left as it is", before)

    # --- what they share ----------------------------------------------------------------------------------------------

    @property
    def _flow(self) -> str:
        return self.asked.flow.name

    @property
    def _words(self) -> LedgerWaysBack:
        return self.asked.ledger.people

    def _named(self, look: Look) -> str:
        return f"{self._flow} {look.key} ({look.detail or look.remote_id})"

    def _known(self, key: str) -> tuple[Look, AgreedValues, Ready | None]:
        looks = self.asked.ledger.looks.of(self._flow, [key])
        if not looks:
            raise WordRefused(f"{self._flow} delivered nothing under {key!r}, or an attempt is still without an answer")
        ready = self.asked.sent([key]).get(key)
        expected = self.asked.client.expected(self.asked.flow.target, ready.record) if ready else None
        return looks[0], AgreedValues.of(looks[0], expected), ready

    def _seen(self, look: Look, base: AgreedValues) -> Seen:
        """As it is now, read by its id."""
        wanted = Delivered(self.asked.flow, look.key, look.remote_id, shown=_without_stamps(base))
        [seen] = self.asked.client.read_back(self.asked.flow.target, [wanted])
        return seen

    def _as_it_is(
        self, look: Look, base: AgreedValues, seen: Seen, unlike: Sequence[Unlike], ready: Ready | None
    ) -> Remembered:
        """All that it shows is agreed; of what differs, ours is kept beside it, as the source had it then."""
        sent = self.asked.client.expected(self.asked.flow.target, ready.record) if ready else {}
        accepted = {each.field: (sent.get(each.field, each.ours), each.theirs) for each in unlike}
        return Remembered({**(base.values or {}), **seen.values}, {**base.accepted, **accepted}, look.restored)

    def _sent_again(self, look: Look, what: str, anew: frozenset[str]) -> WayBack:
        ready = self.asked.sent([look.key])
        if not ready:
            cure = "Load its day anew: mlc replay --read-again. Or enter it in the target by hand, and mlc accept it."
            raise WordRefused(f"what was delivered of {self._named(look)} is not kept any more", cure=cure)
        before = self._open(look.key)
        self._words.asked_again(self._flow, look.key, what, self.said, self.run)
        loads = self.send(list(ready.values()), anew)
        if not sum(each.delivered for each in loads):
            reasons = [reason for each in loads for reason in each.reasons.values()]
            why = "; ".join(reasons) or "the target gave no answer, or is paused"
            raise NotSent(f"{self._named(look)} was not sent: {why}", is_final=bool(reasons))
        done = "made again" if anew else "sent again as it was delivered"
        return self._looked(look.key, f"{self._named(look)} was {done}", before)

    def _looked(self, key: str, words: str, before: int) -> WayBack:
        """`before`: how many differences of it were open."""
        verify(replace(self.asked, put_back=None), [key])
        return self._result(key, words, before)

    def _done(self, look: Look, words: str, before: int) -> WayBack:
        """A hold of it is judged again by the next load of its day, which is due now."""
        if look.partition and self.asked.ledger.held(self._flow, [look.key]):
            self.asked.ledger.work.ask(self._flow, [look.partition], f"{self.said.who} decided on {look.key}")
        return self._result(look.key, words, before)

    def _result(self, key: str, words: str, before: int) -> WayBack:
        still_open = self._open(key)
        return WayBack(words, max(0, before - still_open), still_open)

    def _open(self, key: str) -> int:
        return len(self.asked.ledger.differences.open(self._flow, key))


class NotSent(MlcError):
    """A person asked for it, and the target did not take it. `is_final`: it said why; else it may take it later."""

    def __init__(self, message: str, *, is_final: bool) -> None:
        super().__init__(message)
        self.is_final = is_final


def _without_stamps(base: AgreedValues) -> Shown | None:
    """So that no list answers for it."""
    if base.values is None:
        return None
    return {name: value for name, value in base.values.items() if not name.startswith(OWN)}


def _in_words(unlike: Sequence[Unlike]) -> str:
    return ", ".join(f"{each.field} {each.theirs} (was {each.ours})" for each in unlike)
