"""The hourly look through Dagster: a check on each loaded asset that its target would take twice."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.orchestration.automation.running import run_job
from mlc_dagster.orchestration.location import build
from mlc_dagster.pipeline.duplicates import CHECK
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster_tests.orchestration.conftest import DAY, QUIET, World, check

NOW = datetime.now(UTC)


@pytest.fixture
def all_on(world: World) -> World:
    """A world in which everything is on that could hold a document twice."""
    for number, name in enumerate(("invoices", "suppliers"), 1):
        world.box.monday.add_board(str(number), name, {"IFS key": "text"})
    boards = {"invoices": {"board": "1"}, "suppliers": {"board": "2"}}
    monday = MondaySettings(base_url=f"{world.box.url}/monday", boards=boards)  # type: ignore[arg-type]
    procurify = ProcurifySettings(
        base_url=f"{world.box.url}/procurify", requests_per_second=100_000, vendor_writeback=True
    )
    return replace(world, settings=world.settings.model_copy(update={"monday": monday, "procurify": procurify}))


def look(world: World, system: str) -> dg.ExecuteInProcessResult:
    job = world.defs.resolve_job_def(f"{system}_duplicates")
    result = job.execute_in_process(instance=world.instance, run_config=QUIET, raise_on_error=False)
    for event in result.all_events:
        if event.is_step_failure:
            print(event.step_key, event.step_failure_data.error_display_string)
    return result


def verdict(world: World, asset: str) -> dg.AssetCheckEvaluation:
    return check(look(world, asset.partition("/")[0]), asset, "no_duplicates")


def put_vouchers(world: World, *references: str, start: int = 17, at: datetime = NOW) -> None:
    for number, reference in enumerate(references, start):
        keys = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026, "VoucherNo": number}
        world.box.ifs.put("VoucherSet", {**keys, "VoucherDate": DAY, "ExternalRef": reference}, modified=at)


def put_invoices(world: World, *references: str | None, **fields: Any) -> None:
    for number, reference in enumerate(references, 1):
        row = {"Company": "0010", "InvoiceId": number, "SupplierId": "S1", "ExternalRef": reference, "ObjState": "Open"}
        world.box.ifs.put("SupplierInvoiceSet", {**row, "InvoiceNo": "F-77", **fields}, modified=NOW)


def test_each_asset_that_could_hold_a_document_twice_has_the_check_and_no_load_runs_it(all_on: World) -> None:
    graph = all_on.defs.resolve_asset_graph()
    checked = {key.asset_key.to_user_string() for key in graph.asset_check_keys if key.name == "no_duplicates"}
    assert checked == {
        "cin7/purchases",
        "cin7/purchase_invoices",
        "ifs/suppliers_from_cin7",
        "ifs/suppliers_from_procurify",
        "ifs/posting_proposals_from_procurify",
        "ifs/supplier_invoices_from_procurify",
        "monday/invoices",
        "monday/suppliers",
        "procurify/vendors",
    }
    for job in ("cin7", "monday", "procurify"):
        names = {key.name for key in all_on.defs.resolve_job_def(job).asset_layer.asset_graph.asset_check_keys}
        assert "no_duplicates" not in names and "record_is_readable" in names


def test_a_double_fails_the_check_with_both_numbers_and_a_table_and_is_logged(
    all_on: World, caplog: pytest.LogCaptureFixture
) -> None:
    put_invoices(all_on, "procurify-bill-1", "procurify-bill-1", InvoiceNo=None)
    with caplog.at_level(logging.WARNING, "mlc_dagster"):
        result = look(all_on, "ifs")
    found = check(result, "ifs/supplier_invoices_from_procurify", "no_duplicates")
    words = "IFS has two supplier invoices for procurify-bill-1: 0010/1 and 0010/2. Cancel one of them."
    assert result.success, "the check is not blocking"
    assert not found.passed and found.severity is dg.AssetCheckSeverity.ERROR and found.description == words
    table = found.metadata["documents"].value
    assert [record.data["number"] for record in table.records] == ["0010/1", "0010/2"]  # type: ignore[union-attr]
    assert (logging.ERROR, words) in {(record.levelno, record.getMessage()) for record in caplog.records}
    assert check(result, "ifs/posting_proposals_from_procurify", "no_duplicates").passed


def test_a_passed_check_says_how_many_documents_were_compared(all_on: World) -> None:
    put_invoices(all_on, "procurify-bill-1")
    found = verdict(all_on, "ifs/supplier_invoices_from_procurify")
    assert found.passed and found.metadata["compared"].value == 1
    assert found.description == "1 documents compared: none stands twice"


def test_a_number_twice_without_a_document_of_ours_is_not_our_matter(all_on: World) -> None:
    put_invoices(all_on, None, None)
    assert verdict(all_on, "ifs/supplier_invoices_from_procurify").passed


def test_a_double_that_nobody_removes_is_told_until_it_is_gone(all_on: World) -> None:
    """It was entered three hours ago, and the window is made shorter than that once it was told."""
    put_invoices(all_on, "procurify-bill-1", "procurify-bill-1", InvoiceNo=None)
    ago = NOW - timedelta(hours=3)
    for row in all_on.box.ifs.rows("SupplierInvoiceSet"):
        all_on.box.ifs.put("SupplierInvoiceSet", row, modified=ago)
    asset = "ifs/supplier_invoices_from_procurify"
    assert not verdict(all_on, asset).passed
    policies = all_on.settings.policies.model_copy(update={"duplicates_hours": 1.0})
    later = replace(all_on, settings=all_on.settings.model_copy(update={"policies": policies}))
    assert not verdict(later, asset).passed and not verdict(later, asset).passed
    (first, _) = later.box.ifs.rows("SupplierInvoiceSet")
    later.box.ifs.put("SupplierInvoiceSet", {**first, "ObjState": "Cancelled"}, modified=NOW)
    assert verdict(later, asset).passed
    assert verdict(later, asset).metadata["since"].value > (NOW - timedelta(hours=2)).timestamp(), (
        "the window is short again"
    )


def test_vouchers_of_two_flows_are_looked_at_once_and_told_where_they_belong(world: World) -> None:
    from mlc_dagster.systems.airbase.settings import AirbaseSettings

    section = AirbaseSettings(
        base_url=f"{world.box.url}/airbase",
        payments_into_ifs=True,
        accrual_account="2990",
        paths={"purchase_requests": "/v1/purchase_requests/"},  # type: ignore[arg-type]
    )
    both = replace(world, settings=world.settings.model_copy(update={"airbase": section}))
    put_vouchers(both, "airbase-payment-7", "airbase-payment-7", "airbase-request-7")
    both.box.forget_calls()
    result = look(both, "ifs")
    assert not check(result, "ifs/vouchers_from_airbase_payments", "no_duplicates").passed
    assert check(result, "ifs/vouchers_from_airbase_requests", "no_duplicates").passed
    reads = {path: count for (_, path), count in both.box.calls("ifs").items() if path.endswith("VoucherSet")}
    assert sum(reads.values()) == 2, "what changed, and what carries the same references"


def test_a_system_that_is_down_is_a_failed_run_and_no_all_clear(all_on: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONDAY_TOKEN", "wrong")
    result = look(all_on, "monday")
    assert not result.success and result.get_asset_check_evaluations() == []
    assert look(all_on, "ifs").success, "the others are looked at all the same"


def test_a_board_that_is_gone_leaves_the_others_looked_at_and_fails_the_run(all_on: World) -> None:
    proposals = {"posting_proposal_head_set": {"projection": "Nowhere"}}
    ifs = all_on.settings.ifs.model_validate({**all_on.settings.ifs.model_dump(), "entity_sets": proposals})
    result = look(replace(all_on, settings=all_on.settings.model_copy(update={"ifs": ifs})), "ifs")
    assert not result.success
    assert check(result, "ifs/supplier_invoices_from_procurify", "no_duplicates").passed
    assert len(result.get_asset_check_evaluations()) == 3


def test_what_a_writer_sends_that_woke_too_late_is_told_beside_what_was_delivered_meanwhile(world: World) -> None:
    """Its two requests, as they were sent by the run that overtook it; the ledger knows the first purchase alone."""
    world.chart()
    world.put_order("P100311")
    assert world.run("cin7").success
    assert verdict(world, "cin7/purchases").passed
    header, order = (
        each["body"]
        for each in world.box.journal("cin7")
        if each["method"] == "POST" and each["path"].lower().endswith(("advanced-purchase", "purchase/order"))
    )
    world.box.cin7.add_purchase(**header, Order={key: value for key, value in order.items() if key != "TaskID"})
    found = verdict(world, "cin7/purchases")
    first, second = (purchase["OrderNumber"] for purchase in world.box.cin7.purchases.values())
    assert found.description == (
        f"Cin7 has two purchases for IFS order 0010/P100311: {first} and {second} (21.00 SEK each). Void one of them."
    )


def test_a_replay_is_about_its_load_and_does_not_look(world: World) -> None:
    world.chart()
    world.put_order()
    assert world.run("cin7").success
    job = world.defs.resolve_implicit_global_asset_job_def()
    names = ("cin7/purchases_prepared", "cin7/purchases")
    result = job.execute_in_process(
        instance=world.instance,
        run_config=QUIET,
        partition_key=DAY,
        asset_selection=[dg.AssetKey(name.split("/")) for name in names],
    )
    assert result.success and "no_duplicates" not in {e.check_name for e in result.get_asset_check_evaluations()}


def test_the_schedule_is_on_from_the_start_and_asks_nothing_before_the_first_load(world: World) -> None:
    name = "cin7_duplicates"
    schedule = world.defs.resolve_schedule_def(name)
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING and schedule.cron_schedule == "20 * * * *"

    def tick() -> dg.ScheduleExecutionData:
        repository = world.defs.get_repository_def()
        with dg.build_schedule_context(
            instance=world.instance,
            scheduled_execution_time=NOW,
            repository_def=repository,
            resources=repository.get_top_level_resources(),
        ) as context:
            return world.defs.resolve_schedule_def(name).evaluate_tick(context)

    assert tick().skip_message == "nothing was ever sent to cin7: nothing can stand there twice"
    world.chart()
    world.put_order()
    assert world.run("cin7").success
    assert len(tick().run_requests or []) == 1


def test_the_location_loads_with_everything_on(all_on: World) -> None:
    dg.Definitions.validate_loadable(build(all_on.settings, all_on.environment))


def test_a_run_of_chosen_assets_leaves_no_line_of_a_look_that_was_skipped(world: World) -> None:
    """A check that is planned and makes no result stands as "Skipped" in the UI."""
    world.chart()
    world.run("cin7")
    job = world.defs.resolve_implicit_global_asset_job_def()
    keys = [dg.AssetKey(list(key)) for key in (("cin7", "purchases_prepared"), ("cin7", "purchases"))]
    result = run_job(job, world.instance, (DAY, DAY), keys)
    wanted = {dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED}
    records = world.instance.get_records_for_run(result.run_id, of_type=wanted).records
    events = [record.event_log_entry.get_dagster_event() for record in records]
    named = {event.asset_check_planned_data.asset_check_key.name for event in events}
    assert "gl_accounts_exist" in named and CHECK not in named
