import random
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy.dialects import sqlite

from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.ledger.entries import Run
from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster.ledger.records import holds, judging
from mlc_dagster_tests.ledger.samples import (
    FLOW,
    RUN,
    Order,
    deliver,
    events,
    ready,
    refused,
    saved,
    unanswered,
    version,
)


def state(ledger: Ledger, record: Ready) -> State:
    return ledger.judge(FLOW, [record])[record.key].state


def test_a_record_is_new_then_unchanged_then_changed_then_superseded(ledger):
    assert state(ledger, ready()) is State.NEW
    deliver(ledger, ready())
    assert state(ledger, ready()) is State.UNCHANGED
    assert state(ledger, ready(day=6)) is State.UNCHANGED
    assert state(ledger, ready(day=6, content="b")) is State.CHANGED
    assert state(ledger, ready(day=4, content="b")) is State.SUPERSEDED


def test_what_was_delivered_is_known_to_the_next_one_who_opens_the_ledger(ledger_url):
    with Ledger.open(ledger_url) as ledger:
        deliver(ledger, ready())
    with Ledger.open(ledger_url) as ledger:
        standing = ledger.judge(FLOW, [ready(content="b")])["0010/P1"]
    assert (standing.state, standing.remote_id, standing.delivered_version) == (State.CHANGED, "c-1", version(5))


def test_flows_do_not_see_each_other(ledger):
    deliver(ledger, ready())
    assert ledger.judge("monday/purchase_orders", [ready()])["0010/P1"].state is State.NEW


def test_after_a_crash_between_sending_and_the_answer_the_record_is_in_doubt(ledger_url):
    before = datetime.now(UTC) - timedelta(seconds=5)
    with Ledger.open(ledger_url) as ledger:
        ledger.begin(FLOW, [(ready(), None)], run=RUN)
        ledger.note_id(FLOW, "0010/P1", "c-7", run=RUN)
    with Ledger.open(ledger_url) as ledger:
        standing = ledger.judge(FLOW, [ready()])["0010/P1"]
        assert (standing.state, standing.remote_id) == (State.IN_DOUBT, "c-7")
        assert standing.since is not None and before < standing.since < datetime.now(UTC) + timedelta(seconds=5)
        assert events(ledger) == ["sent", "begun"]


def test_a_record_in_doubt_may_exist_since_its_first_attempt(ledger):
    ledger.begin(FLOW, [(ready(), None)], run=RUN)
    first = ledger.judge(FLOW, [ready()])["0010/P1"].since
    ledger.begin(FLOW, [(ready(day=6), None)], run=Run("run-2"))
    ledger.finish(FLOW, [unanswered(ready(day=6))], run=Run("run-2"))
    standing = ledger.judge(FLOW, [ready(day=6)])["0010/P1"]
    assert (standing.state, standing.since) == (State.IN_DOUBT, first)


def test_a_record_in_doubt_is_as_it_was_sent_or_was_corrected_since(ledger):
    """What was corrected and is as it was first sent again has been something else in between."""
    deliver(ledger, ready())
    ledger.begin(FLOW, [(ready(day=6, content="b"), None)], run=RUN)
    as_sent = [ledger.judge(FLOW, [ready(day=7, content=each)])["0010/P1"].as_sent for each in ("b", "c", "a")]
    assert as_sent == [True, False, False], "what was delivered before the doubt began does not count"
    ledger.begin(FLOW, [(ready(day=7, content="c"), None)], run=RUN)
    assert not any(ledger.judge(FLOW, [ready(day=8, content=each)])["0010/P1"].as_sent for each in ("b", "c"))


def test_a_refusal_that_tells_nothing_of_the_attempt_leaves_it_in_doubt(ledger):
    ledger.begin(FLOW, [(ready(), None)], run=RUN)
    first = ledger.judge(FLOW, [ready()])["0010/P1"].since
    one, answer = refused(ready())
    ledger.finish(FLOW, [(one, replace(answer, in_doubt=True))], run=RUN)
    standing = ledger.judge(FLOW, [ready(content="b", day=6)])["0010/P1"]
    assert (standing.state, standing.since) == (State.IN_DOUBT, first)
    assert events(ledger) == ["sent", "refused"]


def test_an_answer_ends_the_doubt(ledger):
    ledger.begin(FLOW, [(ready(), None)], run=RUN)
    ledger.finish(FLOW, [saved(ready())], run=RUN)
    standing = ledger.judge(FLOW, [ready()])["0010/P1"]
    assert (standing.state, standing.since, standing.remote_id) == (State.UNCHANGED, None, "c-1")


def test_what_is_older_than_an_unanswered_attempt_does_not_follow_it(ledger):
    ledger.begin(FLOW, [(ready(day=6), None)], run=RUN)
    assert state(ledger, ready(day=5)) is State.SUPERSEDED


def test_a_refused_record_is_not_in_doubt(ledger):
    ledger.begin(FLOW, [(ready(), None)], run=RUN)
    ledger.finish(FLOW, [refused(ready())], run=RUN)
    assert state(ledger, ready()) is State.NEW
    assert ledger.is_first_load(FLOW)
    assert events(ledger) == ["sent", "refused"]


def test_a_record_refused_half_way_is_updated_next_time_not_created_again(ledger):
    ledger.begin(FLOW, [(ready(), None)], run=RUN)
    ledger.note_id(FLOW, "0010/P1", "c-7", run=RUN)
    ledger.finish(FLOW, [refused(ready())], run=RUN)
    standing = ledger.judge(FLOW, [ready()])["0010/P1"]
    assert (standing.state, standing.remote_id) == (State.CHANGED, "c-7")
    assert ledger.remote_ids(FLOW) == {}, "a half purchase is not one that others may refer to"


def test_a_refused_update_leaves_the_delivery_as_it_was(ledger):
    deliver(ledger, ready())
    ledger.begin(FLOW, [(ready(day=6, content="b"), "c-1")], run=RUN)
    ledger.finish(FLOW, [refused(ready(day=6, content="b"))], run=RUN)
    assert state(ledger, ready()) is State.UNCHANGED
    assert ledger.remote_ids(FLOW) == {"0010/P1": "c-1"}


def test_equal_content_of_a_later_day_is_the_delivered_version_from_then_on(ledger):
    deliver(ledger, ready())
    ledger.settle(FLOW, [(ready(day=7), State.UNCHANGED)], run=RUN)
    ledger.settle(FLOW, [(ready(day=6), State.UNCHANGED)], run=RUN)
    assert ledger.judge(FLOW, [ready()])["0010/P1"].delivered_version == version(7)
    assert state(ledger, ready(day=6, content="b")) is State.SUPERSEDED
    assert events(ledger) == ["sent", "created"], "nothing happened that the trail should tell"


def test_the_trail_says_superseded(ledger):
    deliver(ledger, ready(day=6))
    ledger.settle(FLOW, [(ready(day=5), State.SUPERSEDED)], run=Run("replay", "2026-11-05"))
    last = ledger.trail(FLOW, "0010/P1")[-1]
    assert (last.event, last.version, last.run_id, last.partition) == (
        "superseded",
        version(5),
        "replay",
        "2026-11-05",
    )


def test_a_record_without_a_timestamp_is_compared_by_content_alone(ledger):
    deliver(ledger, ready(day=6))
    timeless = Ready("0010/P1", "", "fingerprint of b", Order(order_no="P1"))
    assert state(ledger, timeless) is State.CHANGED
    deliver(ledger, timeless)
    assert state(ledger, ready(day=5)) is State.SUPERSEDED, "the newest known version is not forgotten"


def test_the_trail_is_told_in_full_and_in_order(ledger):
    ledger.begin(FLOW, [(ready(), None)], run=RUN)
    ledger.finish(FLOW, [unanswered(ready())], run=RUN)
    deliver(ledger, ready(), run=Run("run-2", "2026-11-05"))
    trail = ledger.trail(FLOW, "0010/P1")
    assert [(line.event, line.run_id) for line in trail] == [
        ("sent", "run-1"),
        ("unanswered", "run-1"),
        ("sent", "run-2"),
        ("created", "run-2"),
    ]
    assert (trail[1].detail, trail[3].detail, trail[3].remote_id) == ("no answer in 60 s", "PO-00102", "c-1")
    assert [line.at for line in trail] == sorted(line.at for line in trail)


@pytest.mark.parametrize("change", ["UPDATE attempts SET detail = 'x'", "DELETE FROM attempts"])
def test_the_database_itself_refuses_to_change_the_trail(ledger, change):
    deliver(ledger, ready())
    before = ledger.trail(FLOW, "0010/P1")
    with pytest.raises(Exception, match="attempts are never changed"), ledger._database.writing() as connection:
        connection.exec_driver_sql(change)
    assert ledger.trail(FLOW, "0010/P1") == before


def test_two_drafts_under_one_key_are_refused_before_anything_is_written(ledger):
    with pytest.raises(ValueError, match="'0010/P1'"):
        ledger.begin(FLOW, [(ready(), None), (ready(day=6), None)], run=RUN)
    assert ledger.trail(FLOW, "0010/P1") == []


AWKWARD = [
    "O'Brien\"; --",
    "nul\x00inside",
    "emoji 🚚",
    "\u202eright to left",
    "50%/a\\b",
    " ",
    "x" * 1_000_000,
    "\ud800",
]


def test_keys_hold_anything(ledger):
    records = [ready(key) for key in AWKWARD]
    deliver(ledger, *records)
    assert {standing.state for standing in ledger.judge(FLOW, records).values()} == {State.UNCHANGED}
    assert ledger.remote_ids(FLOW, AWKWARD) == dict.fromkeys(AWKWARD, "c-1")
    assert [len(ledger.trail(FLOW, key)) for key in AWKWARD] == [2] * len(AWKWARD)
    assert ledger.trail(FLOW, "nul\x00inside")[0].key == "nul\x00inside"


def test_long_keys_that_differ_at_their_end_are_different_keys(ledger):
    deliver(ledger, ready("x" * 5000 + "1"))
    assert state(ledger, ready("x" * 5000 + "2")) is State.NEW


def test_more_keys_than_fit_one_question(ledger):
    records = [ready(f"P{number}") for number in range(2500)]
    deliver(ledger, *records[:1500])
    states = [standing.state for standing in ledger.judge(FLOW, records).values()]
    assert states == [State.UNCHANGED] * 1500 + [State.NEW] * 1000
    assert len(ledger.remote_ids(FLOW, [record.key for record in records])) == 1500


def test_the_time_of_a_flows_first_attempt_stands(ledger):
    assert ledger.began_at(FLOW) is None
    deliver(ledger, ready("P1"))
    first = ledger.began_at(FLOW)
    deliver(ledger, ready("P2"))
    assert first is not None and ledger.began_at(FLOW) == first
    assert not ledger.is_first_load(FLOW)


def test_nothing_is_written_of_a_call_that_fails(sqlite_ledger):
    sqlite_ledger.begin(FLOW, [(ready(), None)], run=RUN)
    with sqlite_ledger._database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE holds")
    with pytest.raises(LedgerUnavailable, match="no such table"):
        sqlite_ledger.finish(FLOW, [saved(ready())], run=RUN)
    assert state(sqlite_ledger, ready()) is State.IN_DOUBT
    assert events(sqlite_ledger) == ["sent"]


def test_lookups_go_by_index_however_large_the_ledger_is(sqlite_ledger):
    keys = [f"P{number}" for number in range(1000)]
    for lookup, index in ((judging.lookup, "PRIMARY KEY"), (holds.lookup, "holds_open")):
        statement = lookup(FLOW, keys).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        with sqlite3.connect(str(sqlite_ledger._database.url.database)) as connection:
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert len(plan) == 1 and index in plan[0] and "(flow=? AND key=?)" in plan[0], plan


def test_any_order_of_replays_and_crashes_ends_with_the_newest_version(sqlite_ledger):
    """A target that takes what it is sent, a run that dies now and then, days replayed in any order."""
    for seed in range(20):
        rng, key, target, sent = random.Random(seed), f"P{seed}", 0, 0
        for day in [rng.randint(1, 9) for _ in range(12)] + [9, 9]:
            record = ready(key, day=day, content=str(day))
            standing = sqlite_ledger.judge(FLOW, [record])[key]
            if standing.state in (State.UNCHANGED, State.SUPERSEDED):
                continue
            sqlite_ledger.begin(FLOW, [(record, standing.remote_id)], run=RUN)
            assert day >= target, f"seed {seed}: version {day} was sent after {target}"
            target, sent = day, sent + 1
            if rng.random() < 0.6 or day == 9:
                sqlite_ledger.finish(FLOW, [saved(record)], run=RUN)
        assert target == 9 and state(sqlite_ledger, ready(key, day=9, content="9")) is State.UNCHANGED


def test_a_delivery_keeps_the_fingerprint_of_its_source_and_null_is_not_known(ledger):
    known = ready("P1")
    told = Ready(known.key, known.version, known.fingerprint, known.record, "of the source")
    deliver(ledger, told, ready("P2"))
    standings = ledger.judge(FLOW, [ready("P1"), ready("P2")])
    assert [(each.state, each.source) for each in standings.values()] == [
        (State.UNCHANGED, "of the source"),
        (State.UNCHANGED, None),
    ]


def test_the_same_content_of_an_earlier_walk_is_looked_for_when_its_attempt_has_no_answer(ledger):
    """What is on hold is read again before it is sent, under a later read number than that of the stored rows."""
    attempted = msgspec.structs.replace(ready(), read_number=8)
    ledger.begin(FLOW, [(attempted, None)], run=RUN)
    ledger.finish(FLOW, [unanswered(attempted)], run=RUN)
    stored = msgspec.structs.replace(ready(), read_number=7)
    assert ledger.judge(FLOW, [stored])[stored.key].state is State.IN_DOUBT
    other = msgspec.structs.replace(ready(content="b"), read_number=7)
    assert ledger.judge(FLOW, [other])[other.key].state is State.SUPERSEDED, "another content was attempted since"
