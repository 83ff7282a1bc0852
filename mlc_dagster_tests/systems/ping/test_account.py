"""The line of a ping that says which account a connection leads to."""

from __future__ import annotations

from typing import Any

import pytest

from mlc_dagster.core.accounts import Account
from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.configuration import parse
from mlc_dagster.systems.ping import Finding, ping_all
from mlc_dagster_tests.orchestration.conftest import SECRETS
from mlc_dagster_tests.systems.ping.conftest import only


def line(content: dict[str, Any], monkeypatch: pytest.MonkeyPatch, known: Account | None, of: str) -> Finding:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    found = ping_all(parse(content, "mlc.yaml"), sealed, 60, lambda connection: known if connection == of else None)
    (one,) = (finding for finding in found if (finding.system, finding.what) == (of, "account"))
    return one


@pytest.mark.parametrize(
    "known, ok, words",
    [
        (None, True, "portal 147000001 (SANDBOX); the first load tells the ledger"),
        (Account("147000001", "portal 147000001 (STANDARD)"), True, "as the ledger knows it"),
        (Account("", "an account that it does not name"), True, "as the ledger knows it"),
        (Account("7", "portal 7 (STANDARD)"), False, "and the ledger knows portal 7 (STANDARD): no load starts"),
    ],
)
def test_a_portal_is_told_beside_what_the_ledger_knows(
    known: Account | None, ok: bool, words: str, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = line(only(content, "hubspot"), monkeypatch, known, "hubspot")
    assert found.ok is ok and words in found.answer
    assert ok or 'mlc ledger new-account hubspot --reason "..."' in found.answer


def test_a_realm_at_another_address_is_told_as_such(content: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    known = Account("sandbox", "realm sandbox at erp.test")
    found = line(only(content, "hubspot"), monkeypatch, known, "ifs")
    assert (
        found.ok and "the ledger knows realm sandbox at erp.test: what was delivered last is read back" in found.answer
    )


def test_a_token_that_may_not_ask_is_no_fault(
    box: Sandbox, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    box.hubspot.may_ask_account = box.monday.resolvers.may_ask_account = False
    for system in ("hubspot", "monday", "airbase", "procurify"):
        found = line(only(content, system), monkeypatch, None, system)
        assert found.ok and "does not tell which account this is" in found.answer, system


def test_who_is_not_signed_in_has_no_account_to_tell(
    box: Sandbox, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    box.hubspot.token = "pat-rotated"
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    found = ping_all(parse(only(content, "hubspot"), "mlc.yaml"), sealed, 60)
    assert [each.what for each in found if each.system == "hubspot"] == ["sign-in"]
