"""What a target keeps otherwise is open in the ledger until a later load finds both alike."""

from __future__ import annotations

from mlc_dagster.core.outcomes import Differs, Draft, Ready, Saved
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline.saved_records import note_differences
from mlc_dagster_tests.pipeline.test_inbound import FLOW, Bill

RATE = Differs("other_rate", "CurrencyRate", "11.5", "11.4", "-10.00", "SEK")


def told(ledger: Ledger, *differs: Differs, looked_for: tuple[str, ...] = ("other_rate",)) -> int:
    record = Bill(uuid="a")
    outcome = Saved(Draft("a", record), "1", "created", differs=differs, looked_for=looked_for)
    return note_differences(FLOW, [(Ready("a", "v", "f", record), outcome)], ledger)


def test_a_difference_is_opened_and_closed_when_it_is_not_found_again(ledger: Ledger) -> None:
    assert told(ledger, RATE) == 1
    (one,) = ledger.differences.open(FLOW.name)
    assert (one.key, one.kind, one.ours, one.theirs, one.amount) == ("a", "other_rate", "11.5", "11.4", "-10.00")
    assert told(ledger, RATE) == 1 and len(ledger.differences.open()) == 1
    assert told(ledger) == 0 and ledger.differences.open() == []


def test_a_target_that_looks_for_nothing_closes_nothing(ledger: Ledger) -> None:
    told(ledger, RATE)
    assert told(ledger, looked_for=()) == 0 and len(ledger.differences.open()) == 1
    assert told(ledger, looked_for=("other_tax",)) == 0 and len(ledger.differences.open()) == 1
