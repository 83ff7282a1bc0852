"""Items on their boards: batches, what one refusal does, lost answers, limits, columns."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from mlc_dagster.core.errors import AccessDenied, Misconfigured, TransientError
from mlc_dagster.core.outcomes import Begun, Draft, Refused, Saved, Unanswered
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.monday.partial_answers import Refusals
from mlc_dagster.systems.monday.graphql.budget import MinuteAndDay
from mlc_dagster.systems.monday.graphql.responses import (
    PartialAnswerError,
    RefusedWholeError,
    TooComplexError,
    classifier,
)
from mlc_dagster.systems.monday.records import INVOICES
from mlc_dagster.transport.client import LocalBudget, Throttled
from mlc_dagster_tests.systems.monday.samples import (
    COLUMNS,
    INVOICE_BOARD,
    SUPPLIER_BOARD,
    Clock,
    client_on,
    creations,
    drafts,
    facts,
    save,
)


def rows(box: Sandbox) -> dict[str, dict[str, Any]]:
    return {row["IFS key"]: row for row in box.monday.rows(INVOICE_BOARD)}


def test_an_item_has_its_columns_and_its_link(box: Sandbox) -> None:
    supplier = box.monday.boards.create_item(SUPPLIER_BOARD, "Nordic Bolts AB", "{}", labels=False)["id"]
    (saved,) = save(client_on(box), drafts([7], facts({"S100": supplier})))
    assert isinstance(saved, Saved) and saved.action == "created"
    assert box.monday.rows(INVOICE_BOARD) == [
        {
            "id": saved.remote_id,
            "name": "F-7",
            "IFS key": "0010/7",
            "Amount": "156.25",
            "Due": "2026-12-31",
            "Status": "Open",
            "Currency": ["SEK"],
            "Supplier": [supplier],
        }
    ]


@pytest.mark.parametrize("count, requests", [(1, 1), (20, 1), (21, 2), (60, 3), (100, 5)])
def test_new_items_take_one_mutation_for_each_twenty(box: Sandbox, count: int, requests: int) -> None:
    outcomes = save(client_on(box), drafts(range(count)))
    assert [type(outcome) for outcome in outcomes] == [Saved] * count
    assert len(creations(box)) == requests and len(rows(box)) == count


def test_a_first_load_adopts_what_is_there_and_writes_nothing(box: Sandbox) -> None:
    first = save(client_on(box), drafts(range(30)))
    box.forget_calls()
    second = save(client_on(box), drafts(range(30)))
    assert {outcome.action for outcome in second if isinstance(outcome, Saved)} == {"adopted"}
    assert [o.remote_id for o in second if isinstance(o, Saved)] == [o.remote_id for o in first if isinstance(o, Saved)]
    assert box.journal("monday") == []


def test_what_differs_is_changed_in_place(box: Sandbox) -> None:
    client = client_on(box)
    (made,) = save(client, drafts([7]))
    assert isinstance(made, Saved)
    (draft,) = drafts([7], gross_amount=Decimal("99.90"), obj_state="Cancelled", due_date=None, invoice_no="F-7b")
    (changed,) = save(client, [replace(draft, remote_id=made.remote_id, look_since=None)])
    assert isinstance(changed, Saved) and (changed.action, changed.remote_id) == ("updated", made.remote_id)
    (row,) = box.monday.rows(INVOICE_BOARD)
    assert (row["name"], row["Amount"], row["Status"]) == ("F-7b", "99.9", "Cancelled") and "Due" not in row


def test_there_and_back_again_is_written_each_time(box: Sandbox) -> None:
    """An Idempotency-Key made of the content alone would answer the third write from memory."""
    client = client_on(box)
    (made,) = save(client, drafts([7]))
    assert isinstance(made, Saved)
    for amount in ("1", "2", "1"):
        (draft,) = drafts([7], gross_amount=Decimal(amount))
        save(client, [replace(draft, remote_id=made.remote_id, look_since=None)])
    assert rows(box)["0010/7"]["Amount"] == "1"


def test_a_key_in_another_case_is_another_key(box: Sandbox) -> None:
    values = {"text_mk1": "0010/A"}
    box.monday.boards.create_item(INVOICE_BOARD, "theirs", json.dumps(values), labels=False)
    (draft,) = drafts([7])
    (saved,) = save(
        client_on(box), [Draft("0010/a", msgspec.structs.replace(draft.record, key="0010/a"), None, draft.look_since)]
    )
    assert isinstance(saved, Saved) and saved.action == "created"


def test_two_items_of_one_key_are_not_chosen_from(box: Sandbox) -> None:
    for _ in range(2):
        box.monday.boards.create_item(INVOICE_BOARD, "twice", json.dumps({"text_mk1": "0010/7"}), labels=False)
    (refused,) = save(client_on(box), drafts([7]))
    assert isinstance(refused, Refused) and "two items" in refused.reason


# --- one alias fails ------------------------------------------------------------------------------------------------


def test_one_failing_alias_holds_one_record(box: Sandbox) -> None:
    box.monday.boards.boards[INVOICE_BOARD]["columns"][3]["labels"].append("Open")
    some = [*drafts(range(10)), *drafts([10], obj_state="Strange"), *drafts(range(11, 20))]
    box.monday.boards.boards[INVOICE_BOARD]["columns"][4]["labels"].append("SEK")
    outcomes = save(client_on(box, create_labels=False), some)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert [outcome.draft.key for outcome in refused] == ["0010/10"] and "Strange" in refused[0].reason
    assert len([o for o in outcomes if isinstance(o, Saved)]) == 19 and len(rows(box)) == 19
    assert len(creations(box)) == 1


def test_a_refusal_that_monday_remembers_is_asked_anew(box: Sandbox) -> None:
    """The board is corrected within the half hour that the answer to this Idempotency-Key is kept."""
    client = client_on(box, create_labels=False)
    assert isinstance(save(client, drafts([7]))[0], Refused)
    for column, label in ((3, "Open"), (4, "SEK")):
        box.monday.boards.boards[INVOICE_BOARD]["columns"][column]["labels"].append(label)
    assert isinstance(save(client, drafts([7]))[0], Saved)


# --- lost answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_answer_never_doubles(box: Sandbox, drop: str, lost: int) -> None:
    client = client_on(box, max_attempts=2)
    save(client, drafts([99]))  # the boards are known, so the next calls are the look and the writes
    some = drafts(range(60))
    outcomes = []
    for number, outcome in enumerate(client.save(INVOICES, some)):
        if number == 0:
            box.faults.add(system="monday", times=lost, drop=drop)
        outcomes.append(outcome)
    unanswered = [outcome for outcome in outcomes if isinstance(outcome, Unanswered)]
    now = datetime.now(UTC)
    again = save(client, [replace(outcome.draft, look_since=now) for outcome in unanswered])
    assert all(isinstance(outcome, Saved) for outcome in again)
    assert len(rows(box)) == len(box.monday.rows(INVOICE_BOARD)) == 61


def test_an_error_in_the_middle_of_the_answer_is_looked_up(box: Sandbox) -> None:
    client = client_on(box)
    save(client, drafts([99]))
    box.faults.add(system="monday", times=1, delay=0)
    box.faults.add(system="monday", times=1, truncate=True)
    outcomes = save(client, drafts(range(5)))
    assert {type(outcome) for outcome in outcomes} == {Saved}
    assert len(box.monday.rows(INVOICE_BOARD)) == 6


def test_a_slow_index_does_not_double(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look finds nothing yet: the same request under the same key is answered, not made again."""
    client = client_on(box)
    save(client, drafts([99]))
    box.faults.add(system="monday", times=1, delay=0)
    box.faults.add(system="monday", times=1, drop="after")
    monkeypatch.setattr("mlc_dagster.systems.monday.boards.item_writer.by_key", lambda *_: {})
    outcomes = save(client, drafts(range(5)))
    assert {type(outcome) for outcome in outcomes} == {Saved}
    assert len(box.monday.rows(INVOICE_BOARD)) == 6


def test_what_monday_may_still_be_making_is_waited_for(box: Sandbox) -> None:
    """A part of an unanswered request is there: within its minute monday may make the rest."""
    clock, now = Clock(), datetime.now(UTC)
    client = client_on(box, clock)
    save(client, drafts([1]))
    outcomes = save(client, [replace(draft, look_since=now - timedelta(seconds=20)) for draft in drafts([1, 2])])
    assert all(isinstance(outcome, Saved) for outcome in outcomes) and len(rows(box)) == 2
    assert 30 < clock.slept <= 41


def test_a_request_that_is_wholly_there_or_not_at_all_is_not_waited_for(box: Sandbox) -> None:
    clock, now = Clock(), datetime.now(UTC)
    client = client_on(box, clock)
    save(client, drafts(range(20)))
    outcomes = save(client, [replace(draft, look_since=now) for draft in drafts(range(60))])
    assert all(isinstance(outcome, Saved) for outcome in outcomes) and len(rows(box)) == 60
    assert clock.slept == 0 and len(creations(box)) == 3


# --- put away by people ---------------------------------------------------------------------------------------------


def put_away(box: Sandbox, item_id: str, how: str) -> None:
    act = {
        "archived": box.monday.archive_item,
        "deleted": box.monday.delete_item,
        "gone": lambda each: box.monday.delete_item(each, for_ever=True),
        "moved": lambda each: box.monday.move_item(each, SUPPLIER_BOARD),
    }
    act[how](item_id)


@pytest.mark.parametrize("path", [True, False], ids=["named", "as a whole"])
@pytest.mark.parametrize(
    "how, rule, word",
    [
        ("archived", "item_is_not_archived", "archive"),
        ("deleted", "item_is_not_deleted", "trash"),
        ("gone", "item_is_not_deleted", "trash"),
        ("moved", "item_is_on_its_board", "Move it there"),
    ],
)
def test_an_item_that_people_put_away_is_held_with_its_cure_and_the_others_go_on(
    box: Sandbox, how: str, rule: str, word: str, path: bool
) -> None:
    client = client_on(box)
    ids = {o.draft.key: o.remote_id for o in save(client, drafts(range(4))) if isinstance(o, Saved)}
    put_away(box, ids["0010/2"], how)
    if not path:
        box.monday.refusals = Refusals(200, path=False, executes="none", told=False)
    changed = [replace(d, remote_id=ids[d.key], look_since=None) for d in drafts(range(4), obj_state="Paid")]
    outcomes = save(client, changed)
    (refused,) = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert (refused.draft.key, refused.rule) == ("0010/2", rule) and word in refused.reason
    assert len([outcome for outcome in outcomes if isinstance(outcome, Saved)]) == 3
    assert len(rows(box)) == 3, "and no second one is made"


def test_a_number_of_more_digits_than_monday_keeps_is_held(box: Sandbox) -> None:
    (good, bad) = drafts([1, 2])
    amounts = {"0010/1": "9999999999999.99", "0010/2": "99999999999999.99"}
    some = [drafts([n], gross_amount=Decimal(amounts[f"0010/{n}"]))[0] for n in (1, 2)]
    outcomes = {outcome.draft.key: outcome for outcome in save(client_on(box), some)}
    assert isinstance(outcomes[good.key], Saved) and rows(box)["0010/1"]["Amount"] == "9999999999999.99"
    refused = outcomes[bad.key]
    assert isinstance(refused, Refused) and refused.rule == "number_keeps_its_digits" and "16 digits" in refused.reason


def test_what_monday_took_and_did_not_keep_is_held_and_no_second_item_is_made(box: Sandbox) -> None:
    """Amounts of a board that rolls them up are answered with 200, and dropped."""
    box.monday.boards.computed.add("numbers_mk2")
    client = client_on(box)
    *begun, refused = save(client, drafts([7]))
    assert isinstance(refused, Refused) and refused.rule == "monday_kept_it" and "amount" in refused.reason
    (kept,) = begun
    assert isinstance(kept, Begun) and len(rows(box)) == 1
    box.monday.boards.computed.clear()
    (changed,) = save(client, [replace(drafts([7])[0], remote_id=kept.remote_id, look_since=None)])
    assert isinstance(changed, Saved) and rows(box)["0010/7"]["Amount"] == "156.25"


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [Limits(monday_points_per_write=1_000_000, monday_points_per_minute=2 * 10**9)])
def test_requests_shrink_to_what_a_write_is_learned_to_cost(box: Sandbox) -> None:
    client = client_on(box, points_per_minute=2 * 10**9)
    outcomes = save(client, drafts(range(20)))
    assert all(isinstance(outcome, Saved) for outcome in outcomes) and len(rows(box)) == 20
    assert max(creations(box)) <= 4 and box.monday.largest <= 5_000_000
    assert client.points.a_write > 1_000_000


@pytest.mark.parametrize("limits", [Limits(monday_points_per_minute=1_000_000, window_seconds=1.0)])
def test_the_minutes_points_are_waited_for_and_never_overdrawn(box: Sandbox) -> None:
    """Nothing is refused: monday says after each request what is left."""
    clock = Clock()
    client = client_on(box, clock, points_per_minute=1_000_000)
    box.monday.points.clock = clock
    outcomes = save(client, drafts(range(60)))
    assert all(isinstance(outcome, Saved) for outcome in outcomes)
    assert creations(box) == [20, 20, 20] and clock.slept >= 2
    assert client.api.retries == 0 and client.traffic.throttled_seconds >= 2


@pytest.mark.parametrize(
    "limits",
    [Limits(monday_points_per_write=2_000_000, monday_points_per_column=700_000, monday_points_per_minute=2 * 10**9)],
)
def test_a_record_above_the_limit_is_written_with_fewer_columns_and_completed_later(box: Sandbox) -> None:
    """2,000,000 and 700,000 for each of six columns is above 5,000,000."""
    client = client_on(box, points_per_minute=2 * 10**9, boards=_boards_without_link())
    some = drafts([7], facts(options=client._options))
    begun, refused = save(client, some)
    assert isinstance(begun, Begun) and isinstance(refused, Refused) and "follow with the next load" in refused.reason
    first = rows(box)["0010/7"]
    assert "Status" not in first
    for _ in range(3):
        *_, last = save(client, [replace(some[0], remote_id=begun.remote_id, look_since=None)])
        if isinstance(last, Saved):
            break
    assert isinstance(last, Saved)
    assert {"Amount", "Due", "Status", "Currency"} <= rows(box)["0010/7"].keys() and len(rows(box)) == 1


def _boards_without_link() -> dict[str, Any]:
    columns = {field: title for field, title in COLUMNS.items() if field != "supplier"}
    return {"invoices": {"board": INVOICE_BOARD, "columns": columns}}


@pytest.mark.parametrize("limits", [Limits(monday_calls_per_day=2)])
def test_the_days_end_stops_the_run_at_once(box: Sandbox) -> None:
    client = client_on(box)
    with pytest.raises(AccessDenied, match="Daily limit exceeded") as caught:
        save(client, drafts([7]))
    assert "00:00 UTC" in str(caught.value) and client.api.retries == 0


def test_our_own_count_of_the_day_begins_anew_at_midnight() -> None:
    now = [datetime(2026, 11, 5, 23, 59, tzinfo=UTC)]
    days: dict[str, LocalBudget] = {}

    def day(date: str) -> LocalBudget:
        return days.setdefault(date, LocalBudget(2, 86_400))

    budget = MinuteAndDay(LocalBudget(), day, lambda: now[0])
    budget.take(), budget.take()
    with pytest.raises(AccessDenied, match="calls_per_day"):
        budget.take()
    now[0] += timedelta(minutes=2)
    assert budget.take() < 1 and set(days) == {"2026-11-05", "2026-11-06"}


# --- boards ---------------------------------------------------------------------------------------------------------


def test_a_missing_column_is_made_where_that_is_allowed(box: Sandbox) -> None:
    boards = {"invoices": {"board": INVOICE_BOARD, "columns": {"amount": "Gross", "due_date": "date_mk3"}}}
    client = client_on(box, create_columns=True, boards=boards)
    save(client, drafts([7], facts(options=client._options)))
    row = rows(box)["0010/7"]
    assert row["Gross"] == "156.25" and row["Due"] == "2026-12-31", "one by title, one by id"
    save(client_on(box, create_columns=True, boards=boards), drafts([8], facts(options=client._options)))
    assert [c["title"] for c in box.monday.boards.boards[INVOICE_BOARD]["columns"]].count("Gross") == 1


@pytest.mark.parametrize(
    "columns, said",
    [
        ({"amount": "Gross"}, "no column 'Gross' (numbers)"),
        ({"amount": "Due"}, "is of type date, and amount needs numbers or text"),
        ({"due_date": "Amount"}, "is of type numbers, and due_date needs date or text"),
    ],
)
def test_a_column_that_does_not_fit_stops_the_run_before_anything_is_sent(
    box: Sandbox, columns: dict[str, str], said: str
) -> None:
    client = client_on(box, boards={"invoices": {"board": INVOICE_BOARD, "columns": columns}})
    with pytest.raises(Misconfigured) as caught:
        save(client, drafts([7], facts(options=client._options)))
    assert said in str(caught.value) and box.journal("monday") == []


def test_a_board_that_does_not_exist_is_named(box: Sandbox) -> None:
    client = client_on(box, boards={"invoices": {"board": "404"}})
    with pytest.raises(Misconfigured, match="no board 404"):
        save(client, drafts([7], facts(options=client._options)))


def test_a_multi_level_board_is_refused_for_it_would_not_keep_amounts(box: Sandbox) -> None:
    box.monday.boards.boards[INVOICE_BOARD]["hierarchy_type"] = "multi_level"
    with pytest.raises(Misconfigured, match="several levels"):
        save(client_on(box), drafts([7]))


def test_answers_that_name_no_version_are_taken_and_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    classify = classifier("2026-10")
    request = httpx.Request("POST", "https://monday.test/v2")
    for _ in range(3):
        assert classify(httpx.Response(200, text='{"data":{}}', request=request)) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "name no API version: 2026-10 was asked for" in caplog.text


def test_another_version_of_the_api_stops_the_run(box: Sandbox) -> None:
    with pytest.raises(Misconfigured, match="version 2026-10, and 2024-01 was asked for"):
        save(client_on(box, api_version="2024-01"), drafts([7]))
    assert box.journal("monday") == []


# --- answers --------------------------------------------------------------------------------------------------------


def judged(status: int, body: Any, **headers: str) -> Exception | None:
    request = httpx.Request("POST", "https://api.monday.test/v2")
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"API-Version": "2026-10", **headers}
    return classifier("2026-10")(httpx.Response(status, text=text, headers=headers, request=request))


def error(code: str, message: str = "no", **known: Any) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": message, "extensions": {"code": code, **known}}]}


LEGACY = "Complexity budget exhausted, query cost 30001 budget remaining 19986 out of 1000000 reset in 17 seconds"


@pytest.mark.parametrize(
    "status, body, headers, seconds",
    [
        (429, error("COMPLEXITY_BUDGET_EXHAUSTED", retry_in_seconds=12), {}, 12),
        (200, {"error_code": "ComplexityException", "error_message": LEGACY, "status_code": 429}, {}, 10),
        (200, error("ComplexityException", LEGACY), {}, 17),
        (429, error("RATE_LIMIT_EXCEEDED"), {"Retry-After": "31"}, 31),
        (200, error("API_TEMPORARILY_BLOCKED"), {}, 10),
        (409, error("IDEMPOTENCY_CONFLICT"), {"Retry-After": "3"}, 3),
        (423, error("", "Resource is currently locked, please try again later"), {}, 10),
    ],
)
def test_too_much_has_many_faces(status: int, body: Any, headers: dict[str, str], seconds: float) -> None:
    found = judged(status, body, **headers)
    assert isinstance(found, Throttled) and found.retry_after == seconds


@pytest.mark.parametrize(
    "status, body, kind",
    [
        (
            200,
            error("ComplexityException", "Query has complexity of 6000000, which exceeds max complexity"),
            TooComplexError,
        ),
        (200, error("missingRequiredPermissions"), AccessDenied),
        (403, error("USER_ACCESS_DENIED"), AccessDenied),
        (401, {"errors": ["Not Authenticated"]}, AccessDenied),
        (200, error("undefinedField"), Misconfigured),
        (200, error("ColumnValueException"), RefusedWholeError),
        (
            200,
            {"data": {"i0": {"id": "1"}, "i1": None}, "errors": error("RATE_LIMIT_EXCEEDED")["errors"]},
            PartialAnswerError,
        ),
        (500, error("INTERNAL_SERVER_ERROR"), type(None)),
        (502, "<html>", type(None)),
        (429, "<html>slow down</html>", type(None)),
        (429, {"message": "API rate limit exceeded"}, type(None)),
    ],
)
def test_an_answer_says_what_to_do(status: int, body: Any, kind: type) -> None:
    assert type(judged(status, body)) is kind


def test_a_wrong_token_stops_the_run_and_is_not_shown(box: Sandbox) -> None:
    client = client_on(box, token="secret-of-ours")
    with pytest.raises(AccessDenied) as caught:
        client.who()
    assert "MONDAY_TOKEN" in str(caught.value) and "secret-of-ours" not in str(caught.value)


def test_a_server_that_stays_down_is_transient(box: Sandbox) -> None:
    box.faults.add(system="monday", times=None, status=503)
    with pytest.raises(TransientError):
        save(client_on(box, max_attempts=2), drafts([7]))


@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 429, "headers": {"retry-after": "3"}}, {"drop": "after"}]
)
def test_a_column_whose_answer_tells_nothing_is_looked_for_and_made_once(
    box: Sandbox, fault: dict[str, Any], acts: bool
) -> None:
    columns = {"amount": "Gross", "due_date": "Falls due"}
    client = client_on(box, create_columns=True, boards={"invoices": {"board": INVOICE_BOARD, "columns": columns}})
    client._boards.board(INVOICE_BOARD)  # the next call makes the columns
    lost = {"drop": "before"} if "drop" in fault and not acts else fault
    box.faults.add(system="monday", **{"times": 2, "share": 1.0, "acts": acts, **lost})
    (saved,) = save(client, drafts([7], facts(options=client._options)))
    assert isinstance(saved, Saved) and rows(box)["0010/7"]["Gross"] == "156.25"
    titles = [column["title"] for column in box.monday.boards.boards[INVOICE_BOARD]["columns"]]
    assert titles.count("Gross") == titles.count("Falls due") == 1
