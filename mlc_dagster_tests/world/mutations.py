"""Ways in which the product could be wrong, each a patch in this process: the machine has to find every one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from unittest import mock

from mlc_dagster.core.outcomes import State
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.entries import AsOf, has_older_stamp
from mlc_dagster.ledger.records import differences
from mlc_dagster.ledger.records.differences import Differences
from mlc_dagster.ledger.records.trail import Trail
from mlc_dagster.pipeline import delivery, sweeping
from mlc_dagster.pipeline.agreed_values import AgreedValues
from mlc_dagster.rules import records
from mlc_dagster.systems.cin7.purchases.purchase_lookup import PurchaseLookup
from mlc_dagster.transport.client import ApiClient
from mlc_dagster_tests.world import erp
from mlc_dagster_tests.world.circles import BY_NAME, Circle
from mlc_dagster_tests.world.erp import Deed

Patch = Callable[[], Any]


def a_rule_is_taken_out() -> Any:
    """What is cancelled in the ERP is delivered."""
    return mock.patch.object(records, "_is_cancelled", lambda *_: False)


def no_look_before_sending_again() -> Any:
    """What an earlier attempt may have made is made once more."""
    drafted = delivery.draft_of
    return mock.patch.object(delivery, "draft_of", lambda *words: replace(drafted(*words), look_since=None))


def a_lease_that_is_not_checked() -> Any:
    """Each run has one of its own."""
    lease = Ledger.lease

    def own(self: Ledger, name: str, owner: str, **words: Any) -> Any:
        return lease(self, f"{name} {uuid.uuid4().hex}", owner, **words)

    return mock.patch.object(Ledger, "lease", own)


def a_difference_that_is_closed_too_early() -> Any:
    """By the next load that finds its record unchanged."""
    settle = Ledger.settle

    def settled(self: Ledger, flow: str, found: Sequence[Any], **words: Any) -> None:
        settle(self, flow, found, **words)
        keys = {one.key for one, _ in found}
        self.differences.close([one.id for one in self.differences.open(flow) if one.key in keys], "a load")

    return mock.patch.object(Ledger, "settle", settled)


def a_fingerprint_that_is_ignored() -> Any:
    """What changed counts as unchanged."""
    judge = Ledger.judge

    def judged(self: Ledger, flow: str, ready: Sequence[Any]) -> Mapping[str, Any]:
        found = judge(self, flow, ready)
        same = {State.CHANGED: State.UNCHANGED}
        return {key: replace(one, state=same.get(one.state, one.state)) for key, one in found.items()}

    return mock.patch.object(Ledger, "judge", judged)


def a_hold_that_is_closed_without_a_delivery() -> Any:
    """As soon as it is made."""
    hold = Ledger.hold

    def held(self: Ledger, flow: str, found: Sequence[Any], **words: Any) -> frozenset[str]:
        older = hold(self, flow, found, **words)
        self.close_holds(flow, [one.key for one in found], "delivered", run=words["run"])
        return older

    return mock.patch.object(Ledger, "hold", held)


def a_sweep_that_compares_nothing() -> Any:
    """It knows that a record is there, and not what it says."""
    return mock.patch.object(sweeping.EntitySweep, "_differing", lambda *_: iter(()))


def a_write_without_if_match() -> Any:
    """A row of the ERP is changed, whoever changed it meanwhile."""
    request = ApiClient.request

    def sent(self: ApiClient, method: str, path: str, **words: Any) -> Any:
        headers = {
            name: "*" if name == "If-Match" else value for name, value in (words.pop("headers", None) or {}).items()
        }
        return request(self, method, path, headers=headers, **words)

    return mock.patch.object(ApiClient, "request", sent)


def an_external_key_that_is_not_looked_up() -> Any:
    """Cin7 is not asked whether it has a purchase with our key."""
    return mock.patch.object(PurchaseLookup, "find", lambda *_: None)


def a_read_number_that_is_ignored() -> Any:
    """The stamp alone says which of two is newer."""
    older = lambda self, other: has_older_stamp(self.version, other.version)  # noqa: E731
    return mock.patch.object(AsOf, "is_older", older)


def what_is_gone_is_not_written_down() -> Any:
    return mock.patch.object(Differences, "see", lambda *_, **__: 0)


def a_look_that_compares_nothing() -> Any:
    return mock.patch.object(AgreedValues, "unlike", lambda *_: [])


def a_close_without_a_line() -> Any:
    """A difference ends, and the trail does not tell it."""
    close = differences._close

    def closed(trail: Trail, standing: Sequence[Any], by: str) -> int:
        with mock.patch.object(Trail, "add", lambda *_: None):
            return close(trail, standing, by)

    return mock.patch.object(differences, "_close", closed)


class Aim(NamedTuple):
    """Where it is found soon."""

    circle: str
    seed: int
    deeds: tuple[Deed, ...] = ()  # the circle is narrowed to these, and all that we do and that breaks; none: all deeds

    def narrowed(self) -> Circle:
        circle = BY_NAME[self.circle]
        return replace(circle, deeds=self.deeds or circle.deeds)


_SUPPLIERS = (erp.a_supplier_is_entered_or_renamed,)
_ORDERS = (*_SUPPLIERS, erp.an_order_is_entered_or_edited)


MUTATIONS: dict[Patch, Aim] = {
    a_rule_is_taken_out: Aim("Cin7", 1),
    no_look_before_sending_again: Aim("monday", 7),
    a_lease_that_is_not_checked: Aim("spending", 2),
    a_difference_that_is_closed_too_early: Aim("HubSpot", 1),
    a_fingerprint_that_is_ignored: Aim("Airbase", 4),
    a_hold_that_is_closed_without_a_delivery: Aim("Procurify", 1),
    a_write_without_if_match: Aim("Cin7 and back", 1),
    what_is_gone_is_not_written_down: Aim("spending", 4),
    a_look_that_compares_nothing: Aim("monday", 3),
    a_close_without_a_line: Aim("monday", 4),
    a_sweep_that_compares_nothing: Aim("monday", 9),
    an_external_key_that_is_not_looked_up: Aim("Cin7", 1, _ORDERS),
    a_read_number_that_is_ignored: Aim("monday", 1, (*_ORDERS, erp.an_order_is_stamped_an_hour_back)),
}
"""What is wrong -> the circle in which it must be found, and the seed that is tried first."""
