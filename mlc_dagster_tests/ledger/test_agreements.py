"""What both sides of a pair last agreed on, and whether the other side agreed on something else since."""

from dataclasses import replace

from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster_tests.ledger.samples import RUN, ready, saved

THERE, BACK, PAIR = "cin7/suppliers", "ifs/suppliers_from_cin7", "cin7/suppliers"


def agree(ledger: Ledger, flow: str, key: str, name: str, pair: str = PAIR) -> None:
    """The flow delivers a record under this key, and both sides have this name for supplier S1 from now on."""
    one, answer = saved(ready(key=key))
    ledger.begin(flow, [(one, None)], run=RUN)
    ledger.finish(flow, [(one, replace(answer, agreed=("S1", {"name": name})))], run=RUN, pair=pair)


def test_what_the_other_way_agreed_on_since_is_newer_until_this_way_delivers_again(ledger: Ledger) -> None:
    agree(ledger, THERE, "S1", "A")
    agree(ledger, BACK, "guid-1", "A")
    assert ledger.agreements.newer(PAIR, THERE, {"S1": "S1"}) == frozenset(), "they agreed on the same again"
    agree(ledger, BACK, "guid-1", "B")
    assert ledger.agreements.newer(PAIR, THERE, {"S1": "S1", "S2": "S2"}) == {"S1"}
    agree(ledger, THERE, "S1", "B")
    assert ledger.agreements.newer(PAIR, THERE, {"S1": "S1"}) == frozenset()
    assert ledger.agreements.newer(PAIR, BACK, {"guid-1": "S1"}) == frozenset()
    assert ledger.agreements.newer(PAIR, THERE, {}) == frozenset()


def test_a_flow_without_a_pair_leaves_no_agreement(ledger: Ledger) -> None:
    agree(ledger, THERE, "S1", "A", pair="")
    assert ledger.agreements.of("", "S1") is None and ledger.agreements.of(PAIR, "S1") is None
