"""Airbase into the ERP's books: what was approved and paid becomes vouchers, once, and Airbase is told so."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.ledger import Run
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.ifs.settings import EntitySetSettings
from mlc_dagster_tests.orchestration.conftest import World, check, metadata

pytestmark = pytest.mark.slow  # whole Dagster runs, or whole processes: a minute of them and more

REQUESTS, PAYMENTS = "ifs/vouchers_from_airbase_requests", "ifs/vouchers_from_airbase_payments"
BILLS = "ifs/vouchers_from_airbase_bills"
TOLD = "airbase/payments_acknowledged"
ACKNOWLEDGE = {
    "requests": {"status": "sync_complete", "erp_reference_id": "{voucher}"},
    "payments": {"status": "sync_complete", "erp_reference_id": "{voucher}", "erp_url": "https://erp.test/{remote_id}"},
}


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def spending(world: World, **changes: Any) -> None:
    """Airbase is the one SaaS, with these settings beside the usual ones."""
    section: dict[str, Any] = {
        "base_url": f"{world.box.url}/airbase",
        "requests_per_minute": 100_000,
        "paths": {"purchase_requests": "/v1/accounting/purchase_requests/", "purchase_orders": ""},
        "accrual_account": "2990",
        "payments_into_ifs": True,
        "types": {"bill_payment": "payment"},
        "bills_elsewhere": True,
        "accounts_by_purchase_type": {"Software": "5420"},
    }
    airbase = AirbaseSettings.model_validate({**section, **changes})
    world.settings = world.settings.model_copy(update={"airbase": airbase, "cin7": None})


@pytest.fixture
def spent(world: World) -> World:
    """Accounts, one department, a subsidiary; the charts are read."""
    for account in ("1930", "2440", "2990", "4010", "5420"):
        world.put_account(account)
    department(world, "CC100")
    world.box.airbase.add_subsidiary("0010", "Plant 1", "SEK")
    spending(world)
    world.chart()
    return world


def department(world: World, value: str) -> None:
    row = {"Company": "0010", "CodePart": "B", "CodePartValue": value, "ValidFrom": "2015-01-01"}
    world.box.ifs.put("CodePartValueSet", row, modified=datetime(2026, 1, 1, tzinfo=UTC))


def run(world: World, only: list[str] | None = None) -> dg.ExecuteInProcessResult:
    result = world.run("airbase", today(), only=only)
    assert result.success
    return result


def vouchers(world: World) -> list[dict[str, Any]]:
    return list(world.box.ifs.rows("VoucherSet"))


def posted(voucher: dict[str, Any]) -> list[tuple[str, Decimal | None, Decimal | None, str | None]]:
    return [(row["Account"], row["DebitAmount"], row["CreditAmount"], row["CodeB"]) for row in voucher["VoucherRows"]]


def holds(world: World, flow: str) -> dict[str, str]:
    return {hold.key: " ".join(sorted(each.rule for each in hold.problems)) for hold in world.ledger.open_holds(flow)}


def test_an_approved_request_becomes_one_voucher_and_the_second_run_writes_nothing(spent: World) -> None:
    lines = [{"amount": "100.10", "department": "CC100"}, {"amount": "50.00", "account": "4010"}]
    request = spent.box.airbase.add_request(line_items=lines, request_number="PR-1")
    run(spent)
    (voucher,) = vouchers(spent)
    assert posted(voucher) == [
        ("5420", Decimal("100.10"), None, "CC100"),
        ("4010", Decimal("50.00"), None, "CC100"),
        ("2990", None, Decimal("150.10"), None),
    ]
    assert (voucher["ExternalRef"], voucher["VoucherDate"]) == (f"airbase-request-{request}", "2026-11-05")
    assert [row["CurrencyAmount"] for row in voucher["VoucherRows"]][2] == Decimal("-150.10")
    spent.box.forget_calls()

    again = run(spent)

    assert metadata(again, REQUESTS, today())["unchanged"] == 1
    assert not spent.box.journal("ifs") and len(vouchers(spent)) == 1


def test_a_payment_debits_what_is_owed_and_credits_the_bank(spent: World) -> None:
    spent.box.airbase.add_entry(total_amount="1250.00", invoice_number="INV-7")
    run(spent)
    (voucher,) = vouchers(spent)
    assert posted(voucher) == [("2440", Decimal("1250.00"), None, None), ("1930", None, Decimal("1250.00"), None)]
    assert voucher["Text"] == "Airbase bill payment INV-7"
    assert not spent.box.journal("airbase"), "without airbase.acknowledge nothing is written back"


def test_a_lost_answer_is_looked_up_and_no_second_voucher_is_made(spent: World) -> None:
    spent.box.airbase.add_entry()
    spent.box.faults.add(system="ifs", path="$batch", drop="after")
    result = run(spent)
    assert metadata(result, PAYMENTS, today())["adopted"] == 1 and len(vouchers(spent)) == 1


def test_airbase_is_told_once_the_ledger_has_the_voucher(spent: World) -> None:
    spending(spent, acknowledge=ACKNOWLEDGE)
    entry, request = spent.box.airbase.add_entry(), spent.box.airbase.add_request()
    run(spent)
    numbers = {row["ExternalRef"]: f"0010/M/{row['AccountingYear']}/{row['VoucherNo']}" for row in vouchers(spent)}
    paid, asked = spent.box.airbase.ledger_entries[entry], spent.box.airbase.purchase_requests[request]
    assert (paid["status"], paid["erp_reference_id"]) == ("sync_complete", numbers[f"airbase-payment-{entry}"])
    assert paid["erp_url"] == f"https://erp.test/{entry}"
    assert (asked["status"], asked["erp_reference_id"]) == ("sync_complete", numbers[f"airbase-request-{request}"])
    writes = [len(spent.box.journal(system)) for system in ("ifs", "airbase")]

    run(spent)

    assert [len(spent.box.journal(system)) for system in ("ifs", "airbase")] == writes


def test_a_payment_that_is_held_is_not_acknowledged_until_its_voucher_is_there(spent: World) -> None:
    spending(spent, acknowledge=ACKNOWLEDGE)
    entry = spent.box.airbase.add_entry(bank_account="1999")
    run(spent)
    assert "gl_accounts_exist" in holds(spent, PAYMENTS)[entry]
    assert holds(spent, TOLD) == {entry: "voucher_is_in_the_ledger"}
    assert spent.box.airbase.ledger_entries[entry]["status"] == "sync_ready"
    spent.put_account("1999")
    spent.chart()

    run(spent)

    assert spent.box.airbase.ledger_entries[entry]["status"] == "sync_complete"
    assert holds(spent, PAYMENTS) == {} and holds(spent, TOLD) == {}


def test_cut_off_between_voucher_and_acknowledgement_the_next_run_makes_up_for_it(spent: World) -> None:
    spending(spent, acknowledge=ACKNOWLEDGE)
    entry = spent.box.airbase.add_entry()
    spent.box.faults.add(system="airbase", method="PATCH", status=401, times=None)
    assert not spent.run("airbase", today()).success
    assert len(vouchers(spent)) == 1 and spent.box.airbase.ledger_entries[entry]["status"] == "sync_ready"
    spent.box.faults.clear()

    run(spent)

    assert len(vouchers(spent)) == 1 and spent.box.airbase.ledger_entries[entry]["status"] == "sync_complete"


def test_an_acknowledgement_whose_answer_is_lost_is_looked_up(spent: World) -> None:
    spending(spent, acknowledge=ACKNOWLEDGE)
    entry = spent.box.airbase.add_entry()
    spent.box.faults.add(system="airbase", method="PATCH", drop="after")
    run(spent)
    assert spent.box.airbase.ledger_entries[entry]["status"] == "sync_complete"
    assert [str(line.event) for line in spent.ledger.trail(TOLD, entry)][-1] in ("created", "adopted")


def test_a_purchase_type_without_an_account_is_held_until_it_has_one(spent: World) -> None:
    request = spent.box.airbase.add_request(purchase_type="Travel")
    result = run(spent)
    found = check(result, f"{REQUESTS}_prepared", "purchase_type_has_an_account")
    (held,) = found.metadata["held_records"].records
    assert held.data["record"] == request and "accounts_by_purchase_type" in held.data["reason"]
    assert vouchers(spent) == []
    spending(spent, accounts_by_purchase_type={"Software": "5420", "Travel": "4010"})

    run(spent, only=[f"{REQUESTS}_prepared", REQUESTS])

    assert len(vouchers(spent)) == 1 and holds(spent, REQUESTS) == {}


def test_what_an_account_demands_is_judged_before_the_write_and_heals_with_the_chart(spent: World) -> None:
    names = EntitySetSettings(fields={"req_code_c": "ReqCodeC", "req_text": "ReqText"})
    own = spent.settings.ifs.model_copy(update={"entity_sets": {"account_set": names}})
    spent.settings = spent.settings.model_copy(update={"ifs": own})
    spent.put_account("5420", ReqCodeC="Mandatory", ReqText="Mandatory")
    spent.chart()
    request = spent.box.airbase.add_request()
    run(spent)
    assert holds(spent, REQUESTS) == {request: "account_demands_are_met"} and vouchers(spent) == []
    (hold,) = spent.ledger.open_holds(REQUESTS)
    assert "account 5420 of company 0010 demands code part C" in hold.problems[0].reason
    spent.put_account("5420", ReqCodeC="Can", ReqText="Mandatory")
    spent.chart()

    run(spent, only=[f"{REQUESTS}_prepared", REQUESTS])

    assert len(vouchers(spent)) == 1 and holds(spent, REQUESTS) == {}


def test_a_voucher_that_was_typed_in_holds_ours_until_a_person_says_that_it_is_another(spent: World) -> None:
    entry = spent.box.airbase.add_entry(total_amount="1250.00", invoice_number="INV-7")
    on = "2026-11-07"
    rows = [{"RowNo": 1, "Account": "4010", "DebitAmount": Decimal("1250.00")},
            {"RowNo": 2, "Account": "1930", "CreditAmount": Decimal("1250.00")}]  # fmt: skip
    typed = {"Company": "0010", "VoucherType": "K", "AccountingYear": int(on[:4]), "VoucherNo": 9, "VoucherDate": on}
    spent.box.ifs.put("VoucherSet", {**typed, "Text": "bank, inv-7", "VoucherRows": rows})
    run(spent)
    assert holds(spent, PAYMENTS) == {entry: "may_be_there_already"}
    (hold,) = spent.ledger.open_holds(PAYMENTS)
    assert f"0010/K/{on[:4]}/9" in hold.problems[0].reason
    spent.ledger.decisions.release(hold, "ann", "it is another invoice", Run("cli", on))

    run(spent, only=[f"{PAYMENTS}_prepared", PAYMENTS])

    assert holds(spent, PAYMENTS) == {} and len(vouchers(spent)) == 2


def test_a_department_that_the_erp_does_not_have_is_held_and_heals(spent: World) -> None:
    request = spent.box.airbase.add_request(department="CC900")
    run(spent)
    assert holds(spent, REQUESTS) == {request: "code_parts_exist"}
    department(spent, "CC900")
    spent.chart()

    run(spent, only=[f"{REQUESTS}_prepared", REQUESTS])

    (voucher,) = vouchers(spent)
    assert posted(voucher)[0][3] == "CC900" and holds(spent, REQUESTS) == {}


def test_nothing_is_posted_in_a_closed_period(spent: World) -> None:
    company = spent.settings.companies["0010"].model_copy(update={"closed_until": date(2026, 11, 30)})
    spent.settings = spent.settings.model_copy(update={"companies": {"0010": company}})
    entry = spent.box.airbase.add_entry()
    run(spent)
    assert holds(spent, PAYMENTS) == {entry: "period_is_open"} and vouchers(spent) == []


def test_a_request_that_changes_after_its_voucher_is_held_and_the_voucher_stays(spent: World) -> None:
    request = spent.box.airbase.add_request(total_amount="100.00")
    run(spent)
    spent.box.airbase.change("purchase_requests", request, total_amount="120.00")
    run(spent)
    assert holds(spent, REQUESTS) == {request: "not_changed_after_posting"}
    (voucher,) = vouchers(spent)
    assert posted(voucher)[0][1] == Decimal("100.00")


def test_a_voucher_of_another_amount_under_the_reference_is_never_adopted(spent: World) -> None:
    """As after a killed run, whose request was changed before the next one."""
    request = spent.box.airbase.add_request(total_amount="100.00")
    run(spent)
    (voucher,) = vouchers(spent)
    other = {"ExternalRef": "airbase-request-r2", "VoucherNo": voucher["VoucherNo"] + 1}
    rows = [{**row, "VoucherNo": other["VoucherNo"]} for row in voucher["VoucherRows"]]
    spent.box.ifs.put("VoucherSet", {**voucher, **other, "VoucherRows": rows}, modified=datetime.now(UTC))
    spent.box.airbase.add_request(airbase_id="r2", total_amount="120.00")
    run(spent)
    assert request not in holds(spent, REQUESTS)
    (hold,) = spent.ledger.open_holds(REQUESTS)
    assert hold.key == "r2" and "its debit is 100" in hold.problems[0].reason and "120" in hold.problems[0].reason
    assert len(vouchers(spent)) == 2


def test_what_changed_after_its_voucher_is_not_acknowledged_before_a_person_has_looked(spent: World) -> None:
    request = spent.box.airbase.add_request(total_amount="100.00")
    run(spent)
    spending(spent, acknowledge=ACKNOWLEDGE)
    spent.box.airbase.change("purchase_requests", request, total_amount="120.00")
    run(spent)
    assert holds(spent, "airbase/requests_acknowledged") == {request: "voucher_is_in_the_ledger"}
    assert spent.box.airbase.purchase_requests[request]["status"] == "approved"


def test_what_is_no_matter_of_the_flow_is_counted_and_not_held(spent: World) -> None:
    spent.box.airbase.heeds_filters = False
    spent.box.airbase.add_entry(type="bill")
    spent.box.airbase.add_entry(status="sync_complete", erp_reference_id="0010/M/2026/1")
    spent.box.airbase.add_entry(erp_reference_id="0010/M/2026/2")
    spent.box.airbase.add_request(status="pending")
    result = run(spent)
    payments, requests = (metadata(result, f"{flow}_prepared", today()) for flow in (PAYMENTS, REQUESTS))
    assert Counter({name: value for name, value in payments.items() if name.startswith("out of scope:")}) == {
        "out of scope: type bill": 1,
        "out of scope: in the ERP already": 2,
    }
    assert requests["out of scope: status pending"] == 1
    assert vouchers(spent) == [] and holds(spent, PAYMENTS) == {}


def test_two_hundred_payments_are_two_hundred_vouchers_and_every_one_balances(spent: World) -> None:
    for number in range(200):
        spent.box.airbase.add_entry(total_amount=f"{number + 1}.{number % 100:02d}")
    run(spent)
    sums = [(sum(row[1] or 0 for row in posted(v)), sum(row[2] or 0 for row in posted(v))) for v in vouchers(spent)]
    assert len(sums) == 200 and all(debit == credit > 0 for debit, credit in sums)
    assert sum(debit for debit, _ in sums) == sum(Decimal(f"{n + 1}.{n % 100:02d}") for n in range(200))


# --- bills, payments, transfers ---------------------------------------------------------------------------------------

TYPES = {"bill": "bill", "bill_payment": "payment", "bill_payment_load": "transfer", "bill_payment_unload": "transfer"}


def pays(world: World, bill: str, **fields: Any) -> str:
    return world.box.airbase.add_entry(
        applied_to=[{"id": bill, "airbase_id": bill, "transaction_type": "bill"}], **fields
    )


def test_a_bill_is_entered_before_its_payment_in_one_run_and_the_second_run_writes_nothing(spent: World) -> None:
    spending(spent, types=TYPES, bills_elsewhere=False, acknowledge=ACKNOWLEDGE)
    bill = spent.box.airbase.add_entry(type="bill", total_amount="80.00", invoice_number="INV-7")
    payment = pays(spent, bill, total_amount="80.00")
    run(spent)
    found = {row["ExternalRef"]: posted(row) for row in vouchers(spent)}
    assert found == {
        f"airbase-bill-{bill}": [("4010", Decimal("80.00"), None, "CC100"), ("2440", None, Decimal("80.00"), None)],
        f"airbase-payment-{payment}": [("2440", Decimal("80.00"), None, None), ("1930", None, Decimal("80.00"), None)],
    }
    assert {row["status"] for row in spent.box.airbase.ledger_entries.values()} == {"sync_complete"}
    writes = [len(spent.box.journal(system)) for system in ("ifs", "airbase")]

    run(spent)

    assert [len(spent.box.journal(system)) for system in ("ifs", "airbase")] == writes


def test_a_payment_whose_bill_is_held_is_held_and_follows_it(spent: World) -> None:
    spending(spent, types=TYPES, bills_elsewhere=False)
    bill = spent.box.airbase.add_entry(type="bill", department="CC900")
    payment = pays(spent, bill)
    run(spent)
    assert holds(spent, BILLS) == {bill: "code_parts_exist"}
    assert holds(spent, PAYMENTS) == {payment: "paid_bill_is_in_the_erp"} and vouchers(spent) == []
    department(spent, "CC900")
    spent.chart()

    run(spent)

    assert len(vouchers(spent)) == 2 and holds(spent, PAYMENTS) == {}


def test_a_load_and_its_unload_go_from_account_to_account_and_come_to_nothing(spent: World) -> None:
    spending(spent, types=TYPES)
    for kind, amounts in (("bill_payment_load", ("70.00", "0.00")), ("bill_payment_unload", ("0.00", "70.00"))):
        lines = [{"account": a, "amount": each, "tags": []} for a, each in zip(("2990", "1930"), amounts, strict=True)]
        spent.box.airbase.add_entry(type=kind, expense_list=lines, vendor=None)
    run(spent)
    rows = [row for voucher in vouchers(spent) for row in posted(voucher)]
    assert sorted(rows, key=str) == sorted(
        [
            (account, *each, None)
            for account in ("2990", "1930")
            for each in ((Decimal("70.00"), None), (None, Decimal("70.00")))
        ],
        key=str,
    )


def test_an_entry_that_looks_like_a_transfer_is_held_under_every_other_kind(spent: World) -> None:
    spending(spent, types={"card": "card"}, credit_accounts={"card": "1930"})
    lines = [{"account": "4010", "amount": "70.00"}, {"account": "1930", "amount": "0.00"}]
    entry = spent.box.airbase.add_entry(type="card", expense_list=lines)
    run(spent)
    assert holds(spent, PAYMENTS) == {entry: "transfer_is_no_expense"} and vouchers(spent) == []


# --- failures ---------------------------------------------------------------------------------------------------------

FAILURES = "airbase/failures_told"


def told(world: World, entry: str) -> tuple[str, str | None]:
    row = world.box.airbase.ledger_entries[entry]
    return row["status"], row["error_message"]


def test_airbase_is_told_once_why_an_entry_is_held_and_a_success_clears_it(spent: World) -> None:
    spending(spent, acknowledge=ACKNOWLEDGE, failed_status="sync_failed")
    entry, good = spent.box.airbase.add_entry(bank_account="1999"), spent.box.airbase.add_entry()
    run(spent)
    status, why = told(spent, entry)
    assert status == "sync_failed" and "1999" in (why or "")
    assert told(spent, good) == ("sync_complete", None)
    before = len(spent.box.journal("airbase"))

    run(spent)

    assert len(spent.box.journal("airbase")) == before, "the same content is told once"
    assert "gl_accounts_exist" in holds(spent, PAYMENTS)[entry], "it is still known, though Airbase lists it as failed"
    spent.put_account("1999")
    spent.chart()

    run(spent)

    assert told(spent, entry) == ("sync_complete", None) and len(vouchers(spent)) == 2
    assert holds(spent, PAYMENTS) == {} and holds(spent, FAILURES) == {}


def test_an_entry_that_changed_and_is_held_still_is_told_again(spent: World) -> None:
    spending(spent, acknowledge=ACKNOWLEDGE, failed_status="sync_failed")
    entry = spent.box.airbase.add_entry(bank_account="1999", total_amount="10.00")
    run(spent)
    spent.box.airbase.change("ledger_entries", entry, status="sync_ready", error_message="", total_amount="12.00")
    run(spent)
    assert told(spent, entry)[0] == "sync_failed" and "1999" in (told(spent, entry)[1] or "")


def test_an_entry_that_somebody_else_entered_is_told_of_no_failure(spent: World) -> None:
    spending(spent, acknowledge=ACKNOWLEDGE, failed_status="sync_failed")
    entry = spent.box.airbase.add_entry(bank_account="1999")
    spent.box.faults.add(system="airbase", method="PATCH", status=401, times=None)
    assert not spent.run("airbase", today()).success
    spent.box.faults.clear()
    spent.box.airbase.change("ledger_entries", entry, status="sync_complete", erp_reference_id="0010/M/2026/99")
    run(spent, only=[FAILURES])
    assert told(spent, entry) == ("sync_complete", "") and "0010/M/2026/99" in str(spent.ledger.open_holds(FAILURES))


def test_without_a_failed_status_nothing_is_told_of_failures(spent: World) -> None:
    spending(spent, acknowledge=ACKNOWLEDGE)
    entry = spent.box.airbase.add_entry(bank_account="1999")
    run(spent)
    assert told(spent, entry) == ("sync_ready", "") and not spent.box.journal("airbase")
