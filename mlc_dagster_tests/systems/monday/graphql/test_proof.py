"""What monday's answers prove: what was done is taken, what was not goes again, what may have been is looked for."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx
import pytest

from mlc_dagster.core.errors import AccessDenied, MlcError, OutcomeUnknown, TransientError
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.monday.partial_answers import Refusals, Trouble
from mlc_dagster.systems.monday.client import MondayClient
from mlc_dagster.systems.monday.graphql.responses import KEY_HEADER, AnsweredInDoubtError, RefusedWholeError, classifier
from mlc_dagster.systems.monday.records import INVOICES
from mlc_dagster.transport.client import Throttled
from mlc_dagster_tests.systems.monday.samples import INVOICE_BOARD, Clock, client_on, creations, drafts, save
from mlc_dagster_tests.systems.monday.test_client import error

GATEWAY = {"acts": True, "headers": {"retry-after": "7"}, "body": '{"message": "upstream failed"}'}


@pytest.fixture
def clock(box: Sandbox) -> Clock:
    """What monday and we go by."""
    ticking = Clock()
    box.monday.resolvers.clock = ticking
    return ticking


@pytest.fixture
def client(box: Sandbox, clock: Clock) -> MondayClient:
    """It knows the boards, and has found out what it may do."""
    made = client_on(box, clock, wall=clock.wall)
    save(made, drafts([99]))
    box.forget_calls()
    box.monday.keys.clear()
    return made


def there(box: Sandbox) -> Counter[str]:
    """Key -> how often it is on the board."""
    return Counter(row["IFS key"] for row in box.monday.rows(INVOICE_BOARD))


def once(*numbers: int) -> Counter[str]:
    return Counter({f"0010/{number}": 1 for number in (99, *numbers)})


def saved(outcomes: list[Outcome]) -> set[str]:
    return {outcome.draft.key for outcome in outcomes if isinstance(outcome, Saved)}


def in_doubt(client: MondayClient, outcomes: list[Outcome]) -> list[Draft]:
    """As the pipeline hands over again what was not answered."""
    began = client._wall()
    return [replace(each.draft, look_since=began) for each in outcomes if isinstance(each, Unanswered)]


# --- 429 beside values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 200])
def test_a_limit_that_stops_every_alias_is_no_answer_for_ever(box: Sandbox, client: MondayClient, status: int) -> None:
    """monday may remember it under the key for half an hour."""
    box.monday.troubles.append(Trouble("limit", done=0, status=status))
    assert len(saved(save(client, drafts(range(5))))) == 5 and there(box) == once(*range(5))
    assert len(box.monday.keys) == len(set(box.monday.keys)) == 2


@pytest.mark.parametrize("status", [429, 200])
def test_what_was_done_beside_a_rate_limit_is_taken_and_the_rest_sent_again_after_the_silence(
    box: Sandbox, client: MondayClient, clock: Clock, status: int
) -> None:
    box.monday.troubles.append(Trouble("limit", done=10, status=status, wait=17))
    outcomes = save(client, drafts(range(20)))
    assert len(saved(outcomes)) == 20 and there(box) == once(*range(20))
    assert creations(box) == [10, 10], "nothing was thrown away, and nothing sent twice"
    assert len(set(box.monday.keys)) == 2, "what is sent again has a key of its own"
    assert 17 <= clock.slept < 19


def test_a_limit_that_stops_a_request_again_and_again_is_waited_for_each_time(
    box: Sandbox, client: MondayClient, clock: Clock
) -> None:
    box.monday.troubles.append(Trouble("limit", done=4, times=5, wait=10))
    assert len(saved(save(client, drafts(range(20))))) == 20
    assert creations(box) == [4, 4, 4, 4, 4] and clock.slept >= 40


def test_a_limit_that_never_ends_is_given_up_and_nothing_is_held(box: Sandbox, client: MondayClient) -> None:
    box.monday.troubles.append(Trouble("limit", done=0, times=100))
    with pytest.raises(TransientError, match="monday took none of 5 items in 8 requests: Complexity budget exhausted"):
        save(client, drafts(range(5)))
    assert there(box) == once()


def test_changes_beside_a_rate_limit_are_sent_again_alone(box: Sandbox, client: MondayClient) -> None:
    ids = {each.draft.key: each.remote_id for each in save(client, drafts(range(6))) if isinstance(each, Saved)}
    box.forget_calls()
    box.monday.troubles.append(Trouble("limit", done=2))
    changed = [replace(d, remote_id=ids[d.key], look_since=None) for d in drafts(range(6), obj_state="Paid")]
    assert len(saved(save(client, changed))) == 6
    assert [len(each["body"]) for each in box.journal("monday")] == [2, 4]
    assert {row["Status"] for row in box.monday.rows(INVOICE_BOARD) if row["IFS key"] != "0010/99"} == {"Paid"}


@pytest.mark.parametrize("also", [0, 3, 10])
@pytest.mark.parametrize("kind, status", [("silence", 429), ("internal", 200), ("internal", 429)])
def test_those_of_which_nothing_is_known_are_looked_for_and_not_sent_before(
    box: Sandbox, client: MondayClient, clock: Clock, kind: Any, status: int, also: int
) -> None:
    """monday shows an item by its columns only half a minute after it made it."""
    box.monday.resolvers.index_seconds = 30
    box.monday.troubles.append(Trouble(kind, done=10, also=also, status=status))
    first = save(client, drafts(range(20)))
    assert len(saved(first)) == 10 and len(in_doubt(client, first)) == 10
    second = save(client, in_doubt(client, first))
    assert len(saved(second)) == 10 and there(box) == once(*range(20))
    assert len(box.monday.keys) == len(set(box.monday.keys))


# --- refusals -------------------------------------------------------------------------------------------------------

BAD = {3, 4, 17}


def some_bad(count: int, bad: set[int]) -> list[Draft]:
    """Of which those have a state that the board does not know."""
    return [d for n in range(count) for d in drafts([n], obj_state=f"Strange {n}" if n in bad else "Open")]


@pytest.fixture
def strict(box: Sandbox, clock: Clock) -> MondayClient:
    """No label is made that the board does not have."""
    for column, label in ((3, "Open"), (4, "SEK")):
        box.monday.boards.boards[INVOICE_BOARD]["columns"][column]["labels"].append(label)
    made = client_on(box, clock, wall=clock.wall, create_labels=False)
    save(made, drafts([99]))
    box.forget_calls()
    return made


def held(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.draft.key: outcome.reason for outcome in outcomes if isinstance(outcome, Refused)}


@pytest.mark.parametrize(
    "how, requests",
    [
        (Refusals(), 1),
        (Refusals(422), 1),
        (Refusals(400, executes="none", told=False), 2),
        (Refusals(200, executes="none", told=False), 2),
        (Refusals(422, executes="none", told=False), 2),
    ],
)
def test_where_errors_name_an_alias_that_one_alone_is_held(
    box: Sandbox, strict: MondayClient, how: Refusals, requests: int
) -> None:
    box.monday.refusals = how
    outcomes = save(strict, some_bad(20, BAD))
    reasons = held(outcomes)
    assert set(reasons) == {f"0010/{n}" for n in BAD}
    assert all(f"'Strange {key[5:]}'" in reason for key, reason in reasons.items()), "each for its own reason"
    assert there(box) == once(*(set(range(20)) - BAD)) and len(saved(outcomes)) == 17
    assert calls(box) == requests


def calls(box: Sandbox) -> int:
    return sum(box.calls("monday").values()) - 1  # the look before anything is made


@pytest.mark.parametrize("bad", [set[int](), {0}, {19}, {12}, BAD, set(range(0, 20, 2)), set(range(20))])
@pytest.mark.parametrize("status", [200, 400, 422])
def test_where_no_alias_is_named_the_bad_ones_are_found_by_at_most_eight_calls_each(
    box: Sandbox, strict: MondayClient, status: int, bad: set[int]
) -> None:
    box.monday.refusals = Refusals(status, path=False, executes="none", told=False)
    outcomes = save(strict, some_bad(20, bad))
    reasons = held(outcomes)
    assert set(reasons) == {f"0010/{n}" for n in bad} and len(saved(outcomes)) == 20 - len(bad)
    assert all(f"'Strange {key[5:]}'" in reason for key, reason in reasons.items()), "each for its own reason"
    assert there(box) == once(*(set(range(20)) - bad))
    assert calls(box) - 1 <= 8 * len(bad)


@pytest.mark.parametrize("executes", ["before", "none"])
def test_a_refusal_under_a_code_that_nobody_knows_is_looked_behind_before_anything_goes_again(
    box: Sandbox, strict: MondayClient, executes: Any
) -> None:
    """What stood before the bad one in the request may have been made, and shows half a minute later."""
    box.monday.resolvers.index_seconds = 30
    box.monday.refusals = Refusals(200, path=False, executes=executes, told=False, code="SomethingNew")
    outcomes = save(strict, some_bad(20, {7}))
    assert set(held(outcomes)) == {"0010/7"} and there(box) == once(*(set(range(20)) - {7}))
    assert calls(box) - 1 <= 8


def test_a_refusal_of_the_whole_that_monday_remembers_is_asked_anew(box: Sandbox, strict: MondayClient) -> None:
    box.monday.refusals = Refusals(200, path=False, executes="none", told=False)
    assert set(held(save(strict, some_bad(1, {0})))) == {"0010/0"}
    box.monday.boards.boards[INVOICE_BOARD]["columns"][3]["labels"].append("Strange 0")
    assert saved(save(strict, some_bad(1, {0}))) == {"0010/0"}


# --- what proves nothing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [503, 429, 500, 502, 408, 423, 409])
@pytest.mark.parametrize("acts", [True, False])
def test_a_gateways_word_proves_nothing_and_its_silence_is_kept(
    box: Sandbox, client: MondayClient, clock: Clock, status: int, acts: bool
) -> None:
    fault = box.faults.add(system="monday", times=0, **{**GATEWAY, "status": status, "acts": acts})
    outcomes: list[Outcome] = []
    for outcome in client.save(INVOICES, drafts(range(40))):
        if not outcomes:
            fault.times = 1
        outcomes.append(outcome)
    assert len(saved(outcomes)) == 40 and there(box) == once(*range(40))
    assert creations(box) == [20, 20] and clock.slept >= 7


def test_the_same_request_without_an_answer_keeps_its_key(box: Sandbox, client: MondayClient) -> None:
    box.faults.add(system="monday", times=1, delay=0)  # the look
    box.faults.add(system="monday", times=1, drop="after")
    box.monday.resolvers.index_seconds = 30
    assert len(saved(save(client, drafts(range(5))))) == 5
    assert len(box.monday.keys) == 2 and len(set(box.monday.keys)) == 1 and creations(box) == [5]


def test_a_part_of_an_unanswered_request_is_not_sent_while_monday_may_be_at_work(
    box: Sandbox, client: MondayClient, clock: Clock
) -> None:
    """Two of five are made and shown when the answer is lost; monday makes the others while we look."""

    def make(*numbers: int) -> None:
        for number in numbers:
            values = json.dumps({"text_mk1": f"0010/{number}"})
            made = box.monday.boards.create_item(INVOICE_BOARD, f"F-{number}", values, labels=False)
            box.monday.resolvers._made_at[made["id"]] = clock()

    make(0, 1)
    box.faults.add(system="monday", times=1, drop="before")
    outcomes = save(client, [replace(draft, look_since=None) for draft in drafts(range(5))])
    assert saved(outcomes) == {"0010/0", "0010/1"}
    box.monday.resolvers.index_seconds = 30
    make(2, 3, 4)
    again = save(client, in_doubt(client, outcomes))
    assert len(saved(again)) == 3 and there(box) == once(*range(5))


def asked(status: int, body: Any, *, new: bool = True, **headers: str) -> MlcError | None:
    """What an answer means to the sender of new items."""
    sent = {KEY_HEADER: "k"} if new else {}
    request = httpx.Request("POST", "https://api.monday.test/v2", headers=sent, content=b'{"query":"mutation')
    known = {"API-Version": "2026-10", **headers}
    return classifier("2026-10")(httpx.Response(status, text=json.dumps(body), headers=known, request=request))


@pytest.mark.parametrize(
    "status, body",
    [
        (409, error("IDEMPOTENCY_CONFLICT")),
        (200, error("API_TEMPORARILY_BLOCKED")),
        (200, error("INTERNAL_SERVER_ERROR")),
        (200, error("SomethingNew", status_code=500)),
        (423, error("ResourceLocked")),
        (429, error("SomethingNew")),
        (503, error("COMPLEXITY_BUDGET_EXHAUSTED", retry_in_seconds=9)),
        (409, {"message": "conflict"}),
        (429, {"data": {"i0": None, "i1": None}, "errors": error("RATE_LIMIT_EXCEEDED")["errors"]}),
    ],
)
def test_what_is_on_no_list_proves_nothing_of_new_items_and_changes_are_sent_again(status: int, body: Any) -> None:
    found = asked(status, body)
    assert isinstance(found, OutcomeUnknown) and found.retry_after
    assert isinstance(asked(status, body, new=False), Throttled)


@pytest.mark.parametrize(
    "status, body, kind",
    [
        (429, error("COMPLEXITY_BUDGET_EXHAUSTED"), Throttled),
        (429, {"data": None, "errors": [{"message": "Minute limit rate exceeded"}]}, Throttled),
        (200, error("SomethingNew", status_code=429), Throttled),
        (429, error("DAILY_LIMIT_EXCEEDED"), AccessDenied),
    ],
)
def test_mondays_own_word_of_a_limit_proves_that_nothing_was_done(status: int, body: Any, kind: type) -> None:
    assert isinstance(asked(status, body), kind)


def test_a_key_that_was_answered_is_told_from_one_that_monday_is_at_work_on() -> None:
    assert isinstance(asked(200, error("INTERNAL_SERVER_ERROR")), AnsweredInDoubtError)
    assert not isinstance(asked(409, error("IDEMPOTENCY_CONFLICT")), AnsweredInDoubtError)


@pytest.mark.parametrize(
    "status, body, proven",
    [
        (200, error("ColumnValueException"), True),
        (200, error("SomethingNew"), False),
        (422, error("SomethingNew"), True),
        (422, {"data": {"i0": None}, "errors": error("ColumnValueException")["errors"]}, False),
    ],
)
def test_only_a_known_refusal_before_any_alias_proves_that_nothing_was_done(
    status: int, body: Any, proven: bool
) -> None:
    found = asked(status, body)
    assert isinstance(found, RefusedWholeError) and found.nothing_done is proven


def test_a_read_that_is_answered_in_part_is_read_again(box: Sandbox, client: MondayClient, clock: Clock) -> None:
    part = {"data": {"complexity": None, "items_page_by_column_values": None}, "errors": [
        {"message": "Minute limit rate exceeded", "path": ["items_page_by_column_values"],
         "extensions": {"code": "RATE_LIMIT_EXCEEDED", "status_code": 429, "retry_in_seconds": 5}}]}  # fmt: skip
    box.faults.add(system="monday", status=200, body=json.dumps(part), headers={"api-version": "2026-10"}, times=1)
    assert len(saved(save(client, drafts(range(3))))) == 3 and clock.slept >= 5
