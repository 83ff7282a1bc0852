"""In a real run: another account ends it before anything is read, judged or written."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from mlc_dagster.settings import Environment
from mlc_dagster.systems import configuration
from mlc_dagster_tests.orchestration.conftest import World, metadata
from mlc_dagster_tests.orchestration.test_connections import content, hubspot


@pytest.fixture
def portal(world: World) -> World:
    """Suppliers become companies of the portal 147000001."""
    world.settings = configuration.parse(content(world, hubspot=hubspot(world.box)), "mlc.yaml")
    world.chart()
    assert world.run("hubspot").success
    world.box.forget_calls()
    return world


def test_a_run_into_another_portal_fails_before_its_first_write_and_says_what_to_do(
    portal: World, capsys: pytest.CaptureFixture[str]
) -> None:
    portal.box.serve({"hubspot": "147000077"})
    portal.put_supplier("S2")
    assert not portal.run("hubspot").success
    assert portal.box.journal("hubspot") == []
    said = capsys.readouterr().out
    assert "hubspot leads to portal 147000077 (SANDBOX) now, and this ledger knows it as portal 147000001" in said
    assert "1 record(s) are concerned; nothing was written" in said and "mlc ledger new-account hubspot" in said
    with portal.ledger as ledger:
        assert list(ledger.remote_ids("hubspot/supplier_companies")) == ["S1"]
    portal.box.serve({"hubspot": "147000001"})
    assert portal.run("hubspot").success and len(portal.box.hubspot.live("companies")) == 2


def test_another_tenant_of_the_erp_is_not_read(portal: World, capsys: pytest.CaptureFixture[str]) -> None:
    portal.box.serve({"ifs": "acmetest1"})
    portal.put_supplier("S1", Name="Another company's supplier")
    assert not portal.run("hubspot").success
    assert "ifs leads to realm acmetest1" in capsys.readouterr().out
    with portal.ledger as ledger:
        assert len(ledger.pulls("ifs/supplier_set")) == 1
    assert portal.box.journal("hubspot") == []


def test_a_run_asks_the_portal_once_whatever_it_loads(portal: World) -> None:
    assert portal.run("hubspot", "2026-11-03", "2026-11-05").success
    calls = portal.box.calls("hubspot")
    assert sum(times for (_, path), times in calls.items() if "account-info" in path) == 1


def test_a_run_in_which_nothing_changed_writes_nothing(portal: World) -> None:
    again = portal.run("hubspot")
    assert again.success and metadata(again, "hubspot/supplier_companies")["unchanged"] == 1
    assert portal.box.journal("hubspot") == []


def test_a_ledger_that_is_new_to_an_account_with_our_records_says_so(
    portal: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Another installation, with a ledger of its own, on one portal."""
    url = f"sqlite:///{tmp_path / 'second.db'}"
    monkeypatch.setenv("MLC_DATABASE_URL", url)
    second = replace(portal, environment=replace_database(portal.environment, url))
    second.chart()
    with caplog.at_level(logging.WARNING):
        again = second.run("hubspot")
    assert again.success and metadata(again, "hubspot/supplier_companies")["adopted"] == 1
    said = "hubspot/supplier_companies: 1 record(s) were in hubspot already, and this ledger is new to it"
    assert said in caplog.text
    caplog.clear()
    portal.put_supplier("S2")
    assert second.run("hubspot").success and "is new to it" not in caplog.text


def replace_database(environment: Environment, url: str) -> Environment:
    return Environment(storage=f"{environment.storage}-2", database_url=url)
