from datetime import UTC, date, datetime

from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger.entries import Run
from mlc_dagster_tests.ledger.samples import RUN


def pull(hour: int, partition: str = "2026-11-05", entity: str = "ifs/account_set") -> Pull:
    start = datetime(2026, 11, 5, hour, tzinfo=UTC)
    return Pull(
        entity,
        partition,
        filter="Company eq '0010' and Note ne '\x00'",
        started_at=start,
        ended_at=start.replace(minute=1),
        rows=7,
        expected_before=None,
        clock_skew_seconds=0.25,
    )


def test_a_pull_comes_back_as_the_client_wrote_it(ledger):
    ledger.record_pull(pull(9), run=RUN)
    (entry,) = ledger.pulls()
    assert (entry.run_id, entry.pull) == ("run-1", pull(9))


def test_pulls_are_found_by_partition_newest_first(ledger):
    for hour in (9, 11, 10):
        ledger.record_pull(pull(hour), run=Run(f"run-{hour}"))
    ledger.record_pull(pull(12, partition="0020"), run=RUN)
    assert [entry.run_id for entry in ledger.pulls("ifs/account_set", "2026-11-05", limit=2)] == ["run-10", "run-11"]
    last = ledger.last_pull("ifs/account_set", "2026-11-05")
    assert last is not None and last.run_id == "run-11"
    assert ledger.last_pull("ifs/account_set", "0030") is None


def test_freshness_is_the_end_of_the_latest_pull_of_each_partition(ledger):
    for hour in (9, 11, 10):
        ledger.record_pull(pull(hour), run=RUN)
    ledger.record_pull(pull(12, partition="0020"), run=RUN)
    ledger.record_pull(pull(13, entity="ifs/code_part_value_set"), run=RUN)
    assert ledger.freshness("ifs/account_set") == {
        ("ifs/account_set", "2026-11-05"): datetime(2026, 11, 5, 11, 1, tzinfo=UTC),
        ("ifs/account_set", "0020"): datetime(2026, 11, 5, 12, 1, tzinfo=UTC),
    }


def test_a_key_belongs_to_the_day_its_etag_was_first_seen(ledger):
    first, second = date(2026, 11, 5), date(2026, 11, 6)
    ledger.sightings.place("ifs/supplier_set", [("S1", 'W/"1"'), ("S2", 'W/"1"')], first)
    ledger.sightings.place("ifs/supplier_set", [("S1", 'W/"2"'), ("S2", 'W/"1"'), ("S3", "")], second)
    ledger.sightings.place("ifs/customer_set", [("S2", 'W/"9"')], second)
    assert ledger.sightings.placed_on("ifs/supplier_set", first) == ["S2"]
    assert ledger.sightings.placed_on("ifs/supplier_set", second) == ["S1", "S3"]
