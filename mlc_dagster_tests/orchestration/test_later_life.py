"""What an ordinary run, and the night, make of what Airbase takes back after its voucher was entered."""

from __future__ import annotations

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.orchestration.automation.source_checks import job_name
from mlc_dagster.settings.later_life import LaterLifeSettings
from mlc_dagster_tests.orchestration.conftest import World, check, metadata
from mlc_dagster_tests.orchestration.test_airbase_inbound import PAYMENTS, run, spent, today, vouchers

__all__ = ["spent"]
STANDS = "stands_in_its_source"


def reversing(world: World, flow: str = PAYMENTS) -> None:
    lives = {flow: LaterLifeSettings(on_taken_back="reverse")}
    world.settings = world.settings.model_copy(update={"later_life": lives})


def test_a_run_tells_it_and_reverses_it_where_the_settings_say_so(spent: World) -> None:
    reversing(spent)
    spent.box.airbase.heeds_filters = False
    entry = spent.box.airbase.add_entry(total_amount="1250.00")
    run(spent)
    (voucher,) = vouchers(spent)
    spent.box.ifs.put("VoucherSet", {**voucher, "ObjState": "Approved"})
    spent.box.airbase.change("ledger_entries", entry, status="voided")

    result = run(spent)

    assert not check(result, f"{PAYMENTS}_prepared", STANDS).passed
    shown = metadata(result, f"{PAYMENTS}_reversed", today())
    assert (shown["taken_back"], shown["reversed"], shown["held"]) == (1, 1, 0)
    assert [row["ExternalRef"] for row in vouchers(spent)][1] == f"airbase-payment-{entry}/R1"
    again = run(spent)
    assert check(again, PAYMENTS, STANDS).passed and len(vouchers(spent)) == 2
    assert spent.ledger.differences.open(PAYMENTS) == []


def test_the_night_asks_for_all_that_was_delivered(spent: World) -> None:
    entry = spent.box.airbase.add_entry(total_amount="1250.00")
    run(spent)
    spent.box.airbase.change("ledger_entries", entry, status="voided")
    result = spent.defs.resolve_job_def(job_name("airbase")).execute_in_process(instance=spent.instance)
    assert result.success and not check(result, PAYMENTS, STANDS).passed
    assert [one.kind for one in spent.ledger.differences.open(PAYMENTS)] == ["taken_back"]


def test_what_cannot_be_reversed_is_refused_at_the_start(spent: World) -> None:
    reversing(spent, "ifs/suppliers_from_airbase")
    with pytest.raises(Misconfigured, match="nothing of this flow can be reversed"):
        spent.defs  # noqa: B018
