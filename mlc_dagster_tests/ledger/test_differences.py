import pytest

from mlc_dagster.ledger.records.differences import AGREED, Found
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, ready

EDITED = Found("P1", "edited_in_the_target", "total", "100.00", "120.00", "20.00", "NOK")
GONE = Found("P2", "gone_in_the_source", amount="75.00", currency="NOK")


def test_a_difference_is_opened_once_and_told_as_it_was_seen_last(ledger):
    assert ledger.differences.see(FLOW, [EDITED, GONE]) == 2
    first = ledger.differences.open()[0]
    assert ledger.differences.see(FLOW, [EDITED._replace(theirs="130.00")]) == 0
    edited, gone = ledger.differences.open(FLOW)
    assert (edited.id, edited.theirs, edited.first_seen) == (first.id, "130.00", first.first_seen)
    assert edited.last_seen > first.last_seen == gone.last_seen
    assert (gone.key, gone.field, gone.ours, gone.amount) == ("P2", "", None, "75.00")
    assert ledger.differences.count() == {(FLOW, "edited_in_the_target"): 1, (FLOW, "gone_in_the_source"): 1}


def test_it_is_closed_by_a_later_look_that_does_not_find_it_and_by_none_that_looks_for_something_else(ledger):
    ledger.differences.see(FLOW, [EDITED, GONE])
    assert ledger.differences.agree(FLOW, ["P1", "P2"], ["taken_back"], []) == 0
    assert ledger.differences.agree(FLOW, ["P2"], ["edited_in_the_target"], []) == 0
    assert ledger.differences.agree(FLOW, ["P1"], ["edited_in_the_target"], [EDITED]) == 0
    assert ledger.differences.agree(FLOW, ["P1"], ["edited_in_the_target"], []) == 1
    assert [one.key for one in ledger.differences.open()] == ["P2"]
    [closed] = ledger.differences.history(FLOW, "P1")
    assert closed.closed_by == AGREED and closed.closed_at is not None


def test_a_person_closes_it_once_and_what_comes_again_is_another_one(ledger):
    ledger.differences.see(FLOW, [EDITED])
    [one] = ledger.differences.open()
    with pytest.raises(ValueError, match="nobody is named"):
        ledger.differences.close([one.id], " ")
    assert ledger.differences.close([one.id], "kari") == 1
    assert ledger.differences.close([one.id], "ola") == 0
    assert ledger.differences.see(FLOW, [EDITED]) == 1
    assert [each.closed_by for each in ledger.differences.history(FLOW, "P1")] == ["kari", None]


def test_no_load_closes_a_difference(ledger):
    deliver(ledger, ready("P1"))
    ledger.differences.see(FLOW, [EDITED])
    deliver(ledger, ready("P1", day=6))
    ledger.close_holds(FLOW, ["P1"], "delivered", run=RUN)
    assert [one.key for one in ledger.differences.open(key="P1")] == ["P1"]


def test_a_difference_named_twice_in_one_look_is_one_as_it_was_named_last(ledger):
    assert ledger.differences.see(FLOW, [EDITED, EDITED._replace(theirs="1.00")]) == 1
    assert [one.theirs for one in ledger.differences.open()] == ["1.00"]
    assert ledger.differences.see(FLOW, []) == 0
