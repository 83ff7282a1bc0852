"""C41: a supplier or customer that is renumbered, or entered twice, is asked about; what is another one is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.outcomes import Draft, Ready, Saved
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster_tests.promises.kinds import books, now
from mlc_dagster_tests.promises.looked_at import Prepared, empty

RULE = "is_not_known_under_another_key"
SUPPLIERS = ["cin7/suppliers", "hubspot/supplier_companies", "airbase/vendors", "monday/suppliers", "procurify/vendors"]


class Contact(Record, frozen=True, kw_only=True):
    name: str


def supplier(there: Prepared, number: str, **fields: Any) -> None:
    row = {"SupplierId": number, "Name": f"Supplier {number}", "Country": "SE", "CurrencyCode": "SEK"}
    there.box.ifs.put("SupplierSet", {**row, "PaymentTerms": "30", **fields}, modified=now())


SAME = {
    "VAT number": ({"VatNo": "SE556677889901"}, {"VatNo": "SE 5566-778899 01"}),
    "name and country": ({"Name": "North AB"}, {"Name": " north  ab "}),
}


@pytest.mark.promise("C41", "renumbered, or entered twice: held with both numbers, in every target")
@pytest.mark.parametrize("gone", [True, False], ids=["renumbered", "entered twice"])
@pytest.mark.parametrize("same", SAME)
@pytest.mark.parametrize("flow", SUPPLIERS)
def test_c41_a_supplier_under_a_new_number_is_asked_about(
    flow: str, same: str, gone: bool, sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    _asked(flow, same, gone, sqlite_ledger, tmp_path)


@pytest.mark.promise("C41", "the same on PostgreSQL")
def test_c41_the_same_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    with Ledger.open(postgres_url) as ledger:
        _asked("hubspot/supplier_companies", "VAT number", True, ledger, tmp_path)


def _asked(flow: str, same: str, gone: bool, ledger: Ledger, tmp_path: Path) -> None:
    first, second = SAME[same]
    with empty(flow, ledger, tmp_path) as there:
        books(there.box)
        supplier(there, "S1", **first)
        assert there.journey().make().created == 1
        if gone:
            there.box.ifs.delete("SupplierSet", SupplierId="S1")
        supplier(there, "S9", **second)
        there.journey().make()
        (hold,) = ledger.open_holds(flow)
        assert hold.key == "S9" and RULE in hold.rules and "S1" in hold.problems[0].reason
        assert set(ledger.remote_ids(flow)) == {"S1"}
        if len(hold.rules) == 1:
            ledger.decisions.release(hold, "ann", "it is a branch", Run("cli"))
            assert there.journey().make().held == 0 or flow in ("cin7/suppliers",)


@pytest.mark.promise("C41", "another supplier of the name in another country, or without a VAT number, is no double")
@pytest.mark.parametrize("flow", ["hubspot/supplier_companies", "monday/suppliers", "procurify/vendors"])
def test_c41_what_is_another_one_is_not_held(flow: str, sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with empty(flow, sqlite_ledger, tmp_path) as there:
        books(there.box)
        supplier(there, "S1", Name="North AB", VatNo="N/A")
        assert there.journey().make().created == 1
        supplier(there, "S2", Name="North AB", Country="NO", VatNo="N/A")
        supplier(there, "S3", Name="South AB", VatNo="00000")
        supplier(there, "S1", Name="North Sea AB")  # renamed: it is delivered, and no new one
        there.journey().make()
        assert there.holds() == {} and set(sqlite_ledger.remote_ids(flow)) == {"S1", "S2", "S3"}


@pytest.mark.promise("C41", "a customer that is renumbered is asked about")
def test_c41_a_customer_under_a_new_number(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    flow = "hubspot/customer_companies"
    with empty(flow, sqlite_ledger, tmp_path) as there:
        books(there.box)
        row = {"CustomerId": "C1", "Name": "North AB", "Country": "SE", "CurrencyCode": "SEK"}
        there.box.ifs.put("CustomerSet", row, modified=now())
        assert there.journey().make().created == 1
        there.box.ifs.delete("CustomerSet", CustomerId="C1")
        there.box.ifs.put("CustomerSet", {**row, "CustomerId": "C9"}, modified=now())
        there.journey().make()
        assert there.holds() == {"C9": RULE}


@pytest.mark.promise("C41", "two that were delivered before anybody asked are named as alike")
def test_c41_what_is_alike_is_told(ledger: Ledger) -> None:
    flow, marks = "monday/suppliers", ["VAT number SE5566778899", "name north ab (SE)"]
    ledger.masters.keep(flow, {"S1": marks, "S2": marks[:1], "S3": marks[1:]})
    for key in ("S1", "S2"):
        one = Ready(key, "2026-11-05T10:00:00.000000Z", "f", Contact(name=key))
        ledger.begin(flow, [(one, None)], run=Run("r"))
        ledger.finish(flow, [(one, Saved(Draft(key, one.record), f"m-{key}", "created"))], run=Run("r"))
    assert ledger.masters.doubles(flow) == {marks[0]: ["S1", "S2"]}, "S3 was never delivered"
