"""Signed in is who was answered: a wrong realm, a token that nobody takes, secrets that are missing."""

from __future__ import annotations

from typing import Any

import pytest

from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.configuration import parse
from mlc_dagster.systems.ping import Finding, ping_all
from mlc_dagster_tests.systems.ping.conftest import Ask, only

TOKEN = "/protocol/openid-connect/token"


def every(content: dict[str, Any]) -> dict[tuple[str, str], Finding]:
    return {(each.system, each.what): each for each in ping_all(parse(content, "mlc.yaml"), sealed, 60)}


def test_a_realm_that_does_not_exist_is_no_sign_in(content: dict[str, Any], ask: Ask) -> None:
    content["ifs"]["token_url"] = content["ifs"]["token_url"].replace("/realms/sandbox/", "/realms/sandbux/")
    (found,) = ask(only(content))
    assert (found.system, found.what) == ("ifs", "sign-in")
    assert "/realms/sandbux" in found.answer and "404" in found.answer
    assert "Check ifs.token_url in mlc.yaml: the API Explorer of IFS shows it, with its realm." in found.answer


@pytest.mark.parametrize(
    "fault, words",
    [
        ({"status": 404, "body": "<html>Not found</html>", "headers": {"content-type": "text/html"}}, "404"),
        ({"status": 401, "body": '{"error": {"code": "401", "message": "no"}}'}, "is an object with code 401"),
        ({"status": 200, "body": "<html>Sign in</html>"}, "expected a token as JSON"),
        ({"status": 200, "body": '{"expires_in": 180}'}, "without a usable token"),
    ],
)
def test_a_token_endpoint_that_gives_no_token_is_one_line(
    box: Sandbox, content: dict[str, Any], ask: Ask, fault: dict[str, Any], words: str
) -> None:
    box.faults.add(system="ifs", path=TOKEN, times=None, **fault)
    (found,) = ask(only(content))
    assert found.what == "sign-in" and words in found.answer and "\n  " in found.answer


@pytest.mark.parametrize(
    "fault, words",
    [
        ({"status": 401, "body": "{}"}, "401"),
        ({"status": 403, "body": "no"}, "a token was given out, and no entity set could be read with it"),
        ({"status": 404, "body": "<html>"}, "a token was given out, and no entity set could be read with it"),
        ({"status": 200, "body": "<html>"}, "a token was given out, and no entity set could be read with it"),
    ],
)
def test_a_token_that_the_api_does_not_take_is_no_sign_in(
    box: Sandbox, content: dict[str, Any], ask: Ask, fault: dict[str, Any], words: str
) -> None:
    box.faults.add(system="ifs", path="/projection/v1/", times=None, **fault)
    found = ask(only(content))
    assert found[0].what == "sign-in" and words in found[0].answer
    assert ("ifs", "sign-in") not in {key for key, each in every(only(content)).items() if each.ok}
    assert "ifs." in found[0].answer, "a setting to look at"


def test_one_entity_set_that_is_refused_is_a_line_and_the_sign_in_is_right(
    box: Sandbox, content: dict[str, Any], ask: Ask
) -> None:
    box.faults.add(system="ifs", path="/SupplierSet", times=None, status=403, body="no")
    (found,) = ask(only(content))
    assert found.what == "SupplierHandling/SupplierSet" and "Grant the projection SupplierHandling" in found.answer
    assert every(only(content))["ifs", "sign-in"].ok


def test_all_secrets_that_are_missing_are_named_at_once(
    content: dict[str, Any], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IFS_CLIENT_ID", "IFS_CLIENT_SECRET", "CIN7_APPLICATION_KEYS", "PROCURIFY_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIRBASE_TOKEN", "  ")
    found = {each.system: each.answer for each in ask(content)}
    assert found["ifs"].startswith("IFS_CLIENT_ID and IFS_CLIENT_SECRET are not set\n")
    assert "mlc credentials set IFS_CLIENT_ID and mlc credentials set IFS_CLIENT_SECRET" in found["ifs"]
    assert found["cin7"].startswith("CIN7_APPLICATION_KEYS is not set\n")
    assert found["airbase"].startswith("AIRBASE_TOKEN is not set\n")
    assert found["procurify"].startswith("PROCURIFY_CLIENT_SECRET is not set\n")
    assert set(found) == {"ifs", "cin7", "airbase", "procurify"}, "the others are asked all the same"


def test_an_entity_set_that_nobody_knows_keeps_no_other_system_from_being_asked(
    content: dict[str, Any], ask: Ask
) -> None:
    content["ifs"]["entity_sets"] = {"purchase_orders": {"projection": "X"}}
    content["cin7"]["location"] = "Nowhere"
    found = ask(only(content, "cin7"))
    assert [each.system for each in found] == ["ifs", "cin7"] and "ifs.entity_sets.purchase_orders" in found[0].answer


def test_an_answer_of_another_system_is_a_line_and_no_traceback(
    content: dict[str, Any], ask: Ask, box: Sandbox
) -> None:
    box.faults.add(system="cin7", path="/me", times=None, status=200, body='["a list"]')
    found = ask(only(content, "cin7"))
    assert [each.system for each in found] == ["cin7"] and "cin7.base_url" in found[0].answer


@pytest.mark.parametrize("status", [401, 403])
def test_airbase_tells_a_wrong_token_from_one_right_that_is_lacking(
    box: Sandbox, content: dict[str, Any], ask: Ask, status: int
) -> None:
    box.faults.add(system="airbase", path="/vendors/", times=None, status=status, body="{}")
    box.faults.add(system="airbase", path="/subsidiaries/", times=None, status=status, body="{}")
    found = ask(only(content, "airbase"))
    assert [each.what for each in found] == (["sign-in"] if status == 401 else ["vendors", "subsidiaries"])


def test_a_gateway_before_procurifys_token_endpoint_is_one_line(
    box: Sandbox, content: dict[str, Any], ask: Ask
) -> None:
    body = '{"error": {"code": "403", "message": "no"}}'
    box.faults.add(system="procurify", path="/oauth/token", times=None, status=403, body=body)
    (found,) = ask(only(content, "procurify"))
    assert found.what == "sign-in" and "is an object with code 403" in found.answer
    assert "PROCURIFY_CLIENT_ID" in found.answer
