"""The nightly sweep as Dagster runs it: what changed beside its stamp is loaded, what is gone is told, a mass fails."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import dagster as dg
import pytest

from mlc_dagster.core.difference_kinds import GONE_IN_THE_SOURCE
from mlc_dagster.settings.verify import VerifySettings
from mlc_dagster_tests.orchestration.conftest import DAY, QUIET, World
from mlc_dagster_tests.promises.days import tick

PURCHASES = "cin7/purchases"
STAMP = datetime(2026, 11, 5, 9, tzinfo=UTC)


@pytest.fixture
def swept(world: World) -> World:
    """Two orders are in Cin7. Every night looks at all that is old, so that today's date plays no part."""
    world.settings = world.settings.model_copy(update={"verify": VerifySettings(rotation_days=1)})
    world.chart()
    for number in ("P1", "P2"):
        world.put_order(number)
    assert world.run("cin7").success
    return world


def sweep(world: World) -> dg.ExecuteInProcessResult:
    return world.defs.resolve_job_def("sweep").execute_in_process(
        instance=world.instance, run_config=QUIET, raise_on_error=False
    )


def total(world: World, marker: str) -> Decimal:
    (purchase,) = (
        each
        for each in world.box.cin7.purchases.values()
        if each["AdditionalAttributes"]["AdditionalAttribute1"] == marker
    )
    return Decimal(str(purchase["Order"]["Total"]))


def test_a_line_that_no_stamp_tells_of_is_loaded_by_what_the_sweep_asks_for(swept: World) -> None:
    swept.put_order("P1", price="99.00")
    assert sweep(swept).success and total(swept, "0010/P1") == 21
    (request,) = tick(swept, sensor="due").run_requests
    assert request.partition_key == DAY
    names = [key.to_user_string() for key in request.asset_selection]
    assert names == ["ifs/purchase_order_set", "cin7/purchases_prepared", PURCHASES]
    assert swept.run("cin7", only=names).success
    assert total(swept, "0010/P1") == 198 and total(swept, "0010/P2") == 21
    assert sweep(swept).success and tick(swept, sensor="due").run_requests == []


def test_an_order_that_was_deleted_is_told_with_its_purchase(swept: World) -> None:
    swept.box.ifs.delete("PurchaseOrderSet", OrderNo="P2")
    calls = len(swept.box.journal("cin7"))
    assert swept.run("cin7").success and sweep(swept).success
    (difference,) = swept.ledger.differences.open()
    assert (difference.flow, difference.key, difference.kind) == (PURCHASES, "P2", GONE_IN_THE_SOURCE)
    place = swept.ledger.stakes.places(PURCHASES, ["P2"])["P2"]
    assert place.number.startswith("PO-") and (difference.amount, difference.currency) == ("21", "SEK")
    assert len(swept.box.journal("cin7")) == calls  # nothing is sent


def test_a_mass_of_them_fails_the_run_in_one_sentence(swept: World) -> None:
    swept.box.ifs.delete("PurchaseOrderSet", OrderNo="P1")
    swept.box.ifs.delete("PurchaseOrderSet", OrderNo="P2")
    result = sweep(swept)
    assert not result.success and swept.ledger.differences.open() == []
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    said = str(failure.user_failure_data.description)
    assert "ifs/purchase_order_set: 2 records" in said and "rights" in said


def test_nothing_is_asked_before_anything_was_delivered(world: World) -> None:
    repository = world.defs.get_repository_def()
    with dg.build_schedule_context(
        instance=world.instance,
        repository_def=repository,
        resources=repository.get_top_level_resources(),
        scheduled_execution_time=datetime(2026, 11, 6, 1, 30, tzinfo=UTC),
    ) as context:
        found = world.defs.resolve_schedule_def("sweep").evaluate_tick(context)
    assert found.run_requests == [] and "nothing was ever delivered" in str(found.skip_message)
