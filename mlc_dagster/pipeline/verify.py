"""What was delivered is read back from its target, beside what was agreed at delivery. What differs is a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Self

from mlc_dagster.core import difference_kinds as kinds
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Delivered, ReadsBack, Ready, Seen, Worth
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import A_LOOK, Found
from mlc_dagster.ledger.records.looks import Look, Remembered
from mlc_dagster.pipeline.agreed_values import AgreedValues, Unlike, with_restored
from mlc_dagster.pipeline.batches import chunks
from mlc_dagster.pipeline.taken_back import reversals
from mlc_dagster.pipeline.verified import Verified as Verified

log = logger("mlc_dagster.verify")

Sent = Callable[[Sequence[str]], Mapping[str, Ready]]
"""Of these keys, what was delivered last, where it is still kept."""
LOOKED_AT_ONCE = 1000
KIND_OF = {
    "deleted": kinds.DELETED_IN_THE_TARGET,
    "merged": kinds.MERGED_IN_THE_TARGET,
    "moved": kinds.MOVED_IN_THE_TARGET,
    "voided": kinds.VOIDED_IN_THE_TARGET,
}
EDITS = (kinds.EDITED_IN_THE_TARGET, kinds.SOMEONE_INSISTS)
LOOKED_FOR = (*KIND_OF.values(), *EDITS)


@dataclass(frozen=True)
class Asked:
    """What a look needs: whose records, who is asked, and what was sent."""

    flow: Flow
    client: ReadsBack
    ledger: Ledger
    sent: Sent
    put_back: Callable[[Sequence[Ready]], object] | None = None
    """sends these again as they are: of the policy `restore` alone"""
    goes_on: Callable[[], bool] = lambda: True
    """asked after each record: what was not looked at then is left for the next look"""
    run: Run = A_LOOK
    """who looks: stands in the trail with what is found"""

    def worth(self, values: Any) -> Worth | None:
        return self.client.worth(self.flow.target, values) if values else None


def verify(asked: Asked, keys: Sequence[str]) -> Verified:
    """Look at these deliveries, the first ones first; open what differs, close what agrees again.

    Raises AccessDenied, TransientError, Misconfigured; what was seen until then is in the ledger.
    """
    account, over = Verified(asked.flow.name), reversals(asked.flow, keys, asked.ledger)
    keys = [key for key in keys if key not in over]  # cancelled or reversed by us, since the source took them back
    for chunk in chunks(keys, LOOKED_AT_ONCE):
        if asked.goes_on():
            account.add(_looked(asked, chunk))
        else:
            account.add(Verified(asked.flow.name, delivered=len(chunk), left=len(chunk)))
    return account


def _looked(asked: Asked, keys: Sequence[str]) -> Verified:
    look = _Comparison(asked, _known(asked, keys)).make()
    if asked.put_back is None or not (edited := look.to_restore()):
        return look.account()
    ready = asked.sent(list(edited))
    asked.put_back(list(ready.values()))
    log.warning("%s: %d records were edited in the target, and sent again as they were", asked.flow.name, len(ready))
    again = _Comparison(asked, _known(asked, list(ready)), put_back=edited).make()
    return look.account(again)


@dataclass(frozen=True)
class _One:
    """A delivery, and what it is compared with."""

    look: Look
    base: AgreedValues
    record: Any

    def asked_for(self, flow: Flow, ledger: Ledger) -> Delivered:
        shown = self.base.values if self.base.is_agreed else None
        asked = Delivered(flow, self.look.key, self.look.remote_id, record=self.record, shown=shown)
        return replace(asked, agreed_on=partial(ledger.agreements.of, flow.pair)) if flow.pair else asked


@dataclass(frozen=True)
class _Compared:
    """A delivery as the target shows it."""

    seen: Seen
    found: tuple[Found, ...]
    unlike: tuple[Unlike, ...]
    ours: Worth | None
    theirs: Worth | None
    remembered: Remembered
    is_accepted: bool  # a person said that it is rightly gone
    is_unknown: bool  # there was nothing to compare it with

    def count(self, account: Verified) -> None:
        is_gone = self.seen.state in ("deleted", "voided")
        account.checked += 1
        account.accepted_as_gone += self.is_accepted
        account.missing += is_gone and not self.is_accepted
        account.different += bool(self.found) and not is_gone
        account.there += not self.found and not self.is_accepted
        account.unknown += self.is_unknown
        account.sum(self.ours, self.theirs)
        if self.found:
            account.name(self.seen.key, "; ".join(map(in_words, self.found)))


def _known(asked: Asked, keys: Sequence[str]) -> dict[str, _One]:
    """What was sent is asked for only where no earlier look knows what is agreed."""
    looks = asked.ledger.looks.of(asked.flow.name, keys)
    fresh = [look.key for look in looks if not look.is_whole]
    sent = asked.sent(fresh) if fresh else {}
    found: dict[str, _One] = {}
    for look in looks:
        record = sent[look.key].record if look.key in sent else None
        expected = None if record is None else asked.client.expected(asked.flow.target, record)
        found[look.key] = _One(look, AgreedValues.of(look, expected), record)
    return found


@dataclass
class _Comparison:
    """One look at some deliveries of a flow. `put_back`: key -> what was restored just before it."""

    asked: Asked
    ones: Mapping[str, _One]
    put_back: Mapping[str, Sequence[Unlike]] = field(default_factory=dict)
    compared: dict[str, _Compared] = field(default_factory=dict)
    opened: int = 0
    closed: int = 0

    def make(self) -> Self:
        flow, began_at = self.asked.flow, self.asked.ledger.looks.now()
        wanted = [one.asked_for(flow, self.asked.ledger) for one in self.ones.values()]
        try:
            for seen in self.asked.client.read_back(flow.target, wanted):
                self.compared[seen.key] = self._compared(self.ones[seen.key], seen)
                if not self.asked.goes_on():
                    break
        finally:
            self._keep(began_at)
        return self

    def _compared(self, one: _One, seen: Seen) -> _Compared:
        base, is_there = one.base, seen.state in ("there", "moved")
        is_accepted = base.accepted_as == seen.state
        unlike = base.unlike(seen.values) if is_there else []
        theirs = None if seen.state in ("deleted", "voided") else self.asked.worth(seen.values)
        ours = theirs if base.values is None else self.asked.worth(base.values)
        if is_there and not seen.values:  # posted, or billed whole: what it came to is not shown, and proves nothing
            theirs = ours
        remembered = base.after(one.look, seen, unlike)
        if (put_back := self.put_back.get(seen.key)) and not unlike:
            remembered = with_restored(remembered, one.look, {each.field: each.theirs for each in put_back})
        if is_accepted:
            ours = theirs = None
        found = () if is_accepted else tuple(_found(one.look, seen, unlike, ours, theirs))
        return _Compared(
            seen, found, tuple(unlike), ours, theirs, remembered, is_accepted, is_unknown=base.values is None
        )

    def _keep(self, began_at: datetime) -> None:
        """What was delivered anew meanwhile, or is under way, is another matter."""
        flow, ledger = self.asked.flow.name, self.asked.ledger
        now = {look.key: look.delivered_at for look in ledger.looks.of(flow, list(self.compared))}
        current = [key for key in self.compared if now.get(key) == self.ones[key].look.delivered_at]
        found = [each for key in current for each in self.compared[key].found]
        self.opened = ledger.differences.see(flow, found, self.asked.run)
        self.closed = ledger.differences.agree(flow, current, LOOKED_FOR, found, self.asked.run)
        ledger.looks.saw(flow, {key: self.compared[key].remembered for key in current}, began_at)

    def to_restore(self) -> dict[str, tuple[Unlike, ...]]:
        """What was edited and nobody insists on: key -> its fields. What is gone is never made again."""
        return {
            key: each.unlike
            for key, each in self.compared.items()
            if each.unlike and all(found.kind == kinds.EDITED_IN_THE_TARGET for found in each.found)
        }

    def account(self, again: Self | None = None) -> Verified:
        """`again`: the look after some were put back; they count as it found them."""
        compared = {**self.compared, **(again.compared if again else {})}
        account = Verified(self.asked.flow.name, delivered=len(self.ones), left=len(self.ones) - len(compared))
        for each in compared.values():
            each.count(account)
        account.opened, account.closed = self.opened, self.closed
        if again:
            account.restored = sum(not each.found for each in again.compared.values())
            account.opened, account.closed = self.opened + again.opened, self.closed + again.closed
        return account


def _found(
    look: Look, seen: Seen, unlike: Sequence[Unlike], ours: Worth | None, theirs: Worth | None
) -> Iterator[Found]:
    """The differences of one record; what is at stake stands with the first."""
    at_stake = _at_stake(ours, theirs)
    if kind := KIND_OF.get(seen.state):
        where = seen.remote_now or seen.detail or None
        yield Found(look.key, kind, "", look.detail or look.remote_id, where, *at_stake)
        at_stake = (None, None)
    for each in unlike:
        insists = str(each.theirs) in look.restored.get(each.field, ())
        kind = kinds.SOMEONE_INSISTS if insists else kinds.EDITED_IN_THE_TARGET
        yield Found(look.key, kind, each.field, _text(each.ours), _text(each.theirs), *at_stake)
        at_stake = (None, None)


def _at_stake(ours: Worth | None, theirs: Worth | None) -> tuple[str | None, str | None]:
    """How much more the target has; of a record that is gone, all that it was worth."""
    if ours is None or ours.amount is None:
        return None, None
    if theirs is None or theirs.amount is None:
        return f"{ours.amount:f}", ours.currency or None
    return (f"{theirs.amount - ours.amount:f}", ours.currency or None) if theirs.amount != ours.amount else (None, None)


def _text(value: Any) -> str | None:
    return f"{value:f}" if isinstance(value, Decimal) else value


def in_words(found: Found) -> str:
    """`edited_in_the_target: Order.Total is 999, was 21.00`"""
    if not found.field:
        return f"{found.kind}: {found.theirs or found.ours}"
    return f"{found.kind}: {found.field} is {found.theirs}, was {found.ours}"
