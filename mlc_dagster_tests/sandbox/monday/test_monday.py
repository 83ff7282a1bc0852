"""The sandboxed monday refuses what the real one refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.monday.partial_answers import Trouble

CREATE = "mutation ($n: String!, $v: JSON) { a: create_item(board_id: 1, item_name: $n, column_values: $v) { id } }"
TWO = (
    'mutation { a: create_item(board_id: 1, item_name: "one") { id } '
    'b: create_item(board_id: 404, item_name: "two") { id } '
    'c: create_item(board_id: 1, item_name: "three") { id } complexity { query after } }'
)


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def box(limits: Limits) -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=limits) as sandbox:
        sandbox.monday.add_board("1", "Board", {"Key": "text", "Amount": "numbers", "Status": "status"})
        yield sandbox


def ask(box: Sandbox, query: str, variables: Any = None, **headers: str) -> httpx.Response:
    named = {"authorization": "sandbox-monday-token", **{name.replace("_", "-"): v for name, v in headers.items()}}
    return httpx.post(f"{box.url}/monday/v2", json={"query": query, "variables": variables}, headers=named)


def create(box: Sandbox, values: Any = None, **headers: str) -> Any:
    return ask(box, CREATE, {"n": "item", "v": json.dumps(values or {})}, **headers).json()


def test_one_alias_fails_and_its_neighbours_do_not(box: Sandbox) -> None:
    answer = ask(box, TWO).json()
    assert answer["data"]["b"] is None and answer["data"]["a"]["id"] and answer["data"]["c"]["id"]
    (error,) = answer["errors"]
    assert error["path"] == ["b"] and error["extensions"]["code"] == "InvalidBoardIdException"
    assert answer["data"]["complexity"]["query"] == 90_001


@pytest.mark.parametrize(
    "values, code",
    [
        ({"numbers_mk2": "1,234"}, "ColumnValueException"),
        ({"status_mk3": {"label": "Never seen"}}, "ColumnValueException"),
        ({"status_mk3": {"label": "7"}}, "ColumnValueException"),
        ({"nowhere": "x"}, "InvalidColumnIdException"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(box: Sandbox, values: Any, code: str) -> None:
    answer = create(box, values)
    assert answer["data"]["a"] is None and answer["errors"][0]["extensions"]["code"] == code
    assert box.monday.rows("1") == []


def test_the_same_key_is_answered_from_memory(box: Sandbox) -> None:
    first, again = (ask(box, TWO, idempotency_key="k1") for _ in range(2))
    assert again.headers["idempotency-replayed"] == "true" and again.content == first.content
    assert len(box.monday.rows("1")) == 2


def test_the_version_that_answered_is_told(box: Sandbox) -> None:
    assert ask(box, "{ me { id } }", api_version="2026-07").headers["api-version"] == "2026-07"
    assert ask(box, "{ me { id } }", api_version="2024-02").headers["api-version"] == "2026-10"


def test_a_field_that_is_not_there_refuses_the_whole_document(box: Sandbox) -> None:
    answer = ask(box, TWO.replace("query after", "nothing")).json()
    assert answer["data"] is None and answer["errors"][0]["extensions"]["code"] == "undefinedField"
    assert box.monday.rows("1") == []


@pytest.mark.parametrize("limits", [Limits(monday_points_per_minute=100_000)])
def test_the_minutes_points_run_out(box: Sandbox) -> None:
    codes = [ask(box, TWO).status_code for _ in range(2)]
    refused = ask(box, TWO)
    assert codes == [200, 429] and 0 < refused.json()["errors"][0]["extensions"]["retry_in_seconds"] <= 60


@pytest.mark.parametrize("limits", [Limits(monday_points_per_write=2_000_000)])
def test_one_request_has_a_limit_of_its_own(box: Sandbox) -> None:
    answer = ask(box, TWO).json()
    assert "exceeds max complexity of 5000000" in answer["errors"][0]["message"] and box.monday.rows("1") == []


@pytest.mark.parametrize(
    "limits, code",
    [
        (Limits(monday_calls_per_minute=1), "RATE_LIMIT_EXCEEDED"),
        (Limits(monday_calls_per_day=1), "DAILY_LIMIT_EXCEEDED"),
    ],
)
def test_calls_are_counted_by_the_minute_and_by_the_day(box: Sandbox, code: str) -> None:
    assert ask(box, "{ me { id } }").status_code == 200
    refused = ask(box, "{ me { id } }")
    assert refused.status_code == 429 and refused.json()["errors"][0]["extensions"]["code"] == code


def test_a_wrong_token_is_told_in_a_bare_sentence(box: Sandbox) -> None:
    answer = ask(box, "{ me { id } }", authorization="Bearer sandbox-monday-token")
    assert (answer.status_code, answer.json()) == (401, {"errors": ["Not Authenticated"]})


def test_what_it_holds_survives_a_restart(box: Sandbox) -> None:
    create(box, {"text_mk1": "0010/7"})
    with Sandbox(seed="empty") as other:
        other.monday.recall(json.loads(json.dumps(box.monday.remembered())))
        assert other.monday.rows("1") == box.monday.rows("1") != []


PAIR = (
    'mutation { a: create_item(board_id: 1, item_name: "first") { id } '
    'b: create_item(board_id: 1, item_name: "second") { id } }'
)


def told(box: Sandbox, document: str = PAIR, **headers: str) -> tuple[int, list[bool], list[list[str] | None]]:
    """Status, which aliases have a value, and the paths of the errors."""
    answer = ask(box, document, **headers)
    body = answer.json()
    values = [bool(value) for value in (body["data"] or {}).values()]
    return answer.status_code, values, [error.get("path") for error in body.get("errors", [])]


@pytest.mark.parametrize(
    "trouble, answer, made",
    [
        (Trouble("limit", done=1), (429, [True, False], [["b"]]), 1),
        (Trouble("silence", done=1), (429, [True, False], [None]), 1),
        (Trouble("silence", done=1, also=1), (429, [True, False], [None]), 2),
        (Trouble("internal", done=0, also=1, status=200), (200, [False, False], [["a"], ["b"]]), 1),
    ],
)
def test_an_answer_in_part_is_true_of_what_was_made(
    box: Sandbox, trouble: Trouble, answer: tuple[Any, ...], made: int
) -> None:
    box.monday.troubles.append(trouble)
    assert told(box) == answer and len(box.monday.rows("1")) == made
    assert told(box)[0] == 200, "once"


def test_a_gateway_answers_in_the_place_of_a_monday_that_acted(box: Sandbox) -> None:
    box.monday.troubles.append(Trouble("gateway", status=503, wait=7, body="upstream"))
    answer = ask(box, PAIR)
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (503, "upstream", "7")
    assert "api-version" not in answer.headers and len(box.monday.rows("1")) == 2


def test_a_key_that_was_used_for_something_else_is_a_conflict(box: Sandbox) -> None:
    assert told(box, **{"Idempotency-Key": "k"})[0] == 200
    assert ask(box, PAIR.replace("first", "third"), **{"Idempotency-Key": "k"}).status_code == 409
    assert len(box.monday.rows("1")) == 2


def test_what_was_made_is_found_by_its_columns_later(box: Sandbox) -> None:
    now = [0.0]
    box.monday.resolvers.clock, box.monday.resolvers.index_seconds = (lambda: now[0]), 30
    create(box, {"text_mk1": "0010/7"})
    look = """{ items_page_by_column_values(board_id: 1, columns: [{column_id: "text_mk1", column_values: ["0010/7"]}])
               { items { id } } }"""

    def found() -> int:
        return len(ask(box, look).json()["data"]["items_page_by_column_values"]["items"])

    assert found() == 0
    now[0] = 30.0
    assert found() == 1
