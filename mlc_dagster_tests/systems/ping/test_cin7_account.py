"""What a ping says of a Cin7 account's own rules, of its webhooks, and of the product that charges are named by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems.configuration import parse
from mlc_dagster.systems.ping import Finding, ping_all
from mlc_dagster_tests.orchestration.conftest import SECRETS
from mlc_dagster_tests.systems.ping.conftest import only


@pytest.fixture(params=["cin7.measured", ""])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    profiles = [request.param] if request.param else []
    with Sandbox(seed="demo", limits=Limits(cin7_calls_per_minute=100_000), profiles=profiles) as made:
        yield made


def found(box: Sandbox, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[Finding]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    content = only(demo_settings(box.url), "cin7")
    content["cin7"] |= changes
    return [finding for finding in ping_all(parse(content, "mlc.yaml"), sealed, within=60) if finding.system == "cin7"]


def test_a_webhook_that_is_off_is_told_and_so_is_how_documents_are_taxed(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = found(box, monkeypatch)
    said = [finding.answer for finding in findings if finding.what == "webhooks"]
    whole = any("taxed as a whole" in finding.answer for finding in findings)
    if not box.profiles:
        assert said == [] and not whole, "who has none of the paid module is told nothing"
        return
    assert said[0] == "2 webhooks, 1 of them active" and whole
    assert said[1].startswith("the webhook Purchase/InvoiceAuthorised to https://mlc.example is switched off")


def test_a_service_product_that_cin7_does_not_have_is_told(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    box.cin7.books.add_product("SVC", "Services", kind="Service")
    box.cin7.books.add_product("SVC-2", "Services B", kind="Stock")
    wrong = [finding.answer for finding in found(box, monkeypatch, service_product="Services") if not finding.ok]
    assert not any("service_product" in said for said in wrong)
    (told,) = [
        one.answer for one in found(box, monkeypatch, service_product="Services B") if "service_product" in one.answer
    ]
    assert "is of type Stock in Cin7" in told
    (told,) = [
        one.answer for one in found(box, monkeypatch, service_product="Service") if "service_product" in one.answer
    ]
    assert "is no product in Cin7" in told
