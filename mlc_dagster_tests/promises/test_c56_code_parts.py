"""C56, C11, C12: code parts of Procurify's bills that the ERP does not have, and bills that are entered in sets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster_tests.promises.saas_life import INVOICES, VENDORS, Office, office, vendor

CAMPAIGN = {"E": {"source": "custom_field", "field": "Campaign", "values": {"Spring sale": "SPRING"}}}
TOGETHER = {"documents_per_batch": 20}
DATED = {"invoice_date": "2026-11-04T00:00:00Z", "due_date": "2026-12-04T00:00:00Z"}


def put(here: Office, number: str, *lines: Line) -> str:
    """A bill of these lines; its key."""
    given: dict[str, Any] = {"last_modified_datetime": datetime.now(UTC), "invoice_number": number, **DATED}
    return here.box.procurify.put_bill(81, lines or [Line("100.00", "4010", "Operations")], **given)


def campaign(here: Office, state: str) -> None:
    value = {"Company": "0010", "CodePart": "E", "CodePartValue": "SPRING", "ObjState": state}
    here.box.ifs.put("CodePartValueSet", value)


def entered(here: Office) -> list[str]:
    return sorted(row["InvoiceNo"] for row in here.box.ifs.rows("SupplierInvoiceSet"))


def sets_sent(here: Office) -> int:
    """Reads may go in batches too, to other services."""
    return sum(
        n for (_, path), n in here.box.calls("ifs").items() if path.endswith("SupplierInvoiceHandling.svc/$batch")
    )


def started(here: Office) -> None:
    vendor(here.box)
    here.go(VENDORS)
    here.box.forget_calls()


@pytest.mark.promise("C56", "a custom field with a code part that is blocked, or that the table misses; healed by both")
def test_c56_a_custom_field_with_a_blocked_code_part_is_held_with_value_and_table(
    sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    with office(sqlite_ledger, tmp_path, procurify={"dimensions": CAMPAIGN}, ifs=TOGETHER) as here:
        started(here)
        campaign(here, "Blocked")
        blocked = put(here, "B-1", Line("100.00", "4010", "Operations", custom={"Campaign": "Spring sale"}))
        missed = put(here, "B-2", Line("100.00", "4010", "Operations", custom={"Campaign": "Autumn sale"}))
        here.go(INVOICES)
        reasons = {
            hold.key: " ".join(each.reason for each in hold.problems) for hold in sqlite_ledger.open_holds(INVOICES)
        }
        assert sorted(reasons) == sorted([blocked, missed]) and entered(here) == [] and sets_sent(here) == 0
        assert "code part E SPRING of company 0010 is blocked" in reasons[blocked]
        assert "procurify.dimensions.E (custom_field Campaign)" in reasons[blocked]
        assert (
            "procurify.dimensions.E.values in mlc.yaml does not name custom field Campaign Autumn sale"
            in reasons[missed]
        )

        campaign(here, "Active")
        values = {"Spring sale": "SPRING", "Autumn sale": "SPRING"}
        here.content["procurify"]["dimensions"] = {"E": {**CAMPAIGN["E"], "values": values}}
        here.go(INVOICES)
        assert here.holds(INVOICES) == {} and entered(here) == ["B-1", "B-2"] and sets_sent(here) == 1
        lines = [line for row in here.box.ifs.rows("SupplierInvoiceSet") for line in row["SupplierInvoiceLines"]]
        assert {line["CodeE"] for line in lines} == {"SPRING"}
        assert here.go(INVOICES).delivered == 0 and sets_sent(here) == 1


@pytest.mark.promise("C11", "a bill that is split over two companies among good ones that go in one set")
def test_c11_a_bill_split_over_two_companies_is_held_and_takes_no_other_along(
    sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    with office(sqlite_ledger, tmp_path, ifs=TOGETHER) as here:
        started(here)
        books = here.box.procurify.books
        books.put_location("Oslo", "0099")
        books.put_department("Norway", "CC100", "Oslo")
        split = put(here, "B-1", Line("60.00", "4010", "Operations"), Line("40.00", "4010", "Norway"))
        good = [f"B-{n}" for n in range(2, 6)]
        for number in good:
            put(here, number)
        loaded = here.go(INVOICES)
        assert (loaded.delivered, set(here.holds(INVOICES))) == (4, {split})
        assert "all_is_of_one_company" in here.holds(INVOICES)[split]
        assert entered(here) == good and sets_sent(here) < len(good)


@pytest.mark.promise("C11", "what IFS refuses among bills that go in one set: held alone; at most eight sets more")
def test_c11_a_bill_that_ifs_refuses_is_held_alone_and_the_others_of_its_set_are_entered(
    sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    """On an account that is taken out of the ERP after its chart was read."""
    with office(sqlite_ledger, tmp_path, ifs=TOGETHER) as here:
        started(here)
        for number in range(1, 11):
            put(here, f"B-{number}")
        late = put(here, "B-99", Line("100.00", "1930", "Operations"))
        accounts = {row["Account"]: row for row in here.box.ifs.rows("AccountSet")}

        def taken_out(path: str, _: int) -> None:
            if "SupplierInvoiceSet" in path and accounts.pop("1930", None):
                here.box.ifs.delete("AccountSet", Company="0010", Account="1930")

        here.box.ifs.on_request = taken_out
        here.go(INVOICES)
        assert set(here.holds(INVOICES)) == {late}
        assert "Account 1930 does not exist" in sqlite_ledger.open_holds(INVOICES)[0].problems[0].reason
        assert len(entered(here)) == 10 and sets_sent(here) - 1 <= 8


@pytest.mark.promise("C12", "the answer to a set of bills is lost, or ends half way: each is entered once")
@pytest.mark.parametrize(
    "loss", [{"drop": "after"}, {"truncate": 300}, {"acts": True, "status": 502, "body": "<p>"}], ids=str
)
def test_c12_a_set_whose_answer_is_lost_half_way_is_looked_up_and_each_bill_is_entered_once(
    loss: dict[str, Any], sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    with office(sqlite_ledger, tmp_path, ifs=TOGETHER) as here:
        started(here)
        numbers = sorted(f"B-{n}" for n in range(1, 8))
        for number in numbers:
            put(here, number)
        here.box.faults.add(system="ifs", method="POST", path="$batch", times=1, **loss)
        loaded = here.go(INVOICES)
        assert entered(here) == numbers and here.holds(INVOICES) == {}
        assert loaded.delivered == 7 and len(sqlite_ledger.remote_ids(INVOICES)) == 7
        assert here.go(INVOICES).delivered == 0 and entered(here) == numbers
