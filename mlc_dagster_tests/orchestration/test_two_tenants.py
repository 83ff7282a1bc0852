"""Two ERP tenants on one ledger and one storage: the same numbers in both, and nothing crosses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
import yaml
from typer.testing import CliRunner

import mlc_dagster
from mlc_dagster.cli.app import app
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems import configuration
from mlc_dagster_tests.orchestration.conftest import DAY, PLENTY, SECRETS, World, settings_for

pytestmark = pytest.mark.slow

ORDERS = "cin7/purchases"


class Tenants(NamedTuple):
    nord: World
    sued: World


@pytest.fixture(params=["sqlite", "postgresql"])
def tenants(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenants]:
    """Each with an ERP, a Cin7 and a Dagster of its own; order P1 of supplier S1 in both, at another price."""
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres_url")
        monkeypatch.setenv("MLC_DATABASE_URL", address)
        world.environment = world.environment.model_copy(update={"database_url": address})
    for name in SECRETS:
        monkeypatch.delenv(name)
    with (
        Sandbox(seed="empty", today=date(2026, 11, 20), limits=PLENTY) as box,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        other = World(box, settings_for(box.url), world.environment, instance)
        other.put_account("4010")
        other.put_supplier()
        other.box.cin7.add_account("4010", "Raw materials")
        found = Tenants(world, other)
        for name, each in found._asdict().items():
            each.settings = configuration.parse({**_text(each), "tenant": name}, "mlc.yaml")
            for secret, value in SECRETS.items():
                monkeypatch.setenv(f"{name.upper()}_{secret}", value)
        yield found


def _text(world: World) -> dict[str, object]:
    found: dict[str, object] = world.settings.model_dump(mode="json", exclude_none=True, exclude={"tenant"})
    return found


def _loaded(world: World) -> dict[str, str]:
    with world.ledger as ledger:
        return dict(ledger.remote_ids(ORDERS))


def test_each_tenant_gets_its_own_and_nothing_crosses(tenants: Tenants) -> None:
    for world, price in zip(tenants, ("10.50", "99.00"), strict=True):
        world.chart()
        world.put_order(price=price)
    assert tenants.nord.run("cin7").success
    assert tenants.nord.order_markers() == ["0010/P1"] and not tenants.sued.box.cin7.purchases
    assert set(_loaded(tenants.nord)) == {"P1"} and not _loaded(tenants.sued)
    assert tenants.sued.run("cin7").success
    assert tenants.sued.order_markers() == ["0010/P1"], "not taken for unchanged: the other's P1 is another order"
    (theirs,) = tenants.sued.box.cin7.purchases.values()
    assert "99" in str(theirs["Order"]) and len(tenants.nord.box.cin7.purchases) == 1


def test_a_second_run_of_either_tenant_writes_nothing(tenants: Tenants) -> None:
    for world in tenants:
        world.chart()
        world.put_order()
        assert world.run("cin7").success
    before = [len(world.box.journal("cin7")) for world in tenants]
    for world in tenants:
        assert world.run("cin7").success
    assert [len(world.box.journal("cin7")) for world in tenants] == before


def test_a_hold_a_pause_and_the_rows_of_a_tenant_are_its_own(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for world in tenants:
        world.chart()
    tenants.nord.put_order(account="9999")
    tenants.sued.put_order()
    assert tenants.nord.run("cin7").success and not tenants.nord.order_markers(), "held"
    with tenants.nord.ledger as ledger:
        ledger.pauses.pause("cin7", "anna", "month end")
    assert tenants.sued.run("cin7").success and tenants.sued.order_markers() == ["0010/P1"]
    tenants.nord.put_supplier("S2")
    assert not tenants.nord.run("cin7").success, "paused"
    shown = {}
    for name, world in tenants._asdict().items():
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(_text(world) | {"tenant": name}))
        monkeypatch.setenv("MLC_CONFIG", str(file))
        monkeypatch.setenv("MLC_STORAGE", world.environment.storage)
        result = CliRunner().invoke(app, ["holds", "list"])
        assert result.exit_code == 0, result.output
        shown[name] = result.output
        frame = mlc_dagster.load_partition("ifs/purchase_order_set", DAY)
        assert [str(each["account"]) for lines in frame["lines"] for each in lines] == [
            {"nord": "9999", "sued": "4010"}[name]
        ]
        assert f"tenant {name}" in result.output
    assert "9999" in shown["nord"] and "9999" not in shown["sued"]


def test_a_secret_of_one_tenant_is_none_of_the_others(tenants: Tenants, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUED_CIN7_ACCOUNT_ID")
    with tenants.sued.ledger as ledger, pytest.raises(Misconfigured, match="SUED_CIN7_ACCOUNT_ID is not set"):
        configuration.client(tenants.sued.settings, "cin7", lambda name: os.environ.get(name, ""), ledger.budget)
