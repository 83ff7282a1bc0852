"""C41: one document under two ids, one master in two spellings: the first is held, the second is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger, Run
from mlc_dagster_tests.promises.kinds import books, now
from mlc_dagster_tests.promises.looked_at import Prepared, empty
from mlc_dagster_tests.promises.saas_life import BILLS, PAYMENTS, REQUESTS, Office, office

RULE = "is_no_probable_double"
SPELT = ["hubspot/supplier_companies", "monday/suppliers", "procurify/vendors", "airbase/vendors", "cin7/suppliers"]


def payment(here: Office, number: str | None = "I-1", **fields: Any) -> str:
    return here.pay("12.50", invoice_number=number, **fields)


def bill(here: Office, number: str | None = "I-1", **fields: Any) -> str:
    return here.pay("12.50", type="bill", invoice_number=number, **fields)


def request(here: Office, number: str | None = "R-1", **fields: Any) -> str:
    return here.box.airbase.add_request(total_amount="12.50", request_number=number, **fields)


KINDS = {PAYMENTS: payment, BILLS: bill, REQUESTS: request}


@pytest.mark.promise("C41", "one document under two ids is entered once, and the second is held with both")
@pytest.mark.parametrize("flow", list(KINDS))
@pytest.mark.parametrize("at_once", [True, False], ids=["read together", "read later"])
def test_c41_the_second_id_of_one_document_is_held(
    flow: str, at_once: bool, sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    _held(flow, at_once, sqlite_ledger, tmp_path)


@pytest.mark.promise("C41", "the same on PostgreSQL")
def test_c41_the_second_id_is_held_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    with Ledger.open(postgres_url) as ledger:
        _held(PAYMENTS, False, ledger, tmp_path)


def _held(flow: str, at_once: bool, ledger: Ledger, tmp_path: Path) -> None:
    with office(ledger, tmp_path) as here:
        first = KINDS[flow](here)
        if not at_once:
            here.go(flow)
        second = KINDS[flow](here)
        here.go(flow)
        (entered,) = ledger.remote_ids(flow)
        assert {entered, *here.holds(flow)} == {first, second} and len(here.vouchers()) == 1
        (hold,) = ledger.open_holds(flow)
        assert hold.rules == (RULE,) and entered in hold.problems[0].reason
        here.go(flow)
        assert len(here.vouchers()) == 1 and here.holds(flow) == {hold.key: RULE}
        ledger.decisions.release(hold, "ann", "they are two", Run("cli"))
        here.go(flow)
        assert len(here.vouchers()) == 2 and here.holds(flow) == {}


@pytest.mark.promise("C41", "what differs in number, day or amount, or has no number, is two documents")
@pytest.mark.parametrize(
    "other", [{"number": "I-2"}, {"entry_date": "2026-11-06T00:00:00"}, {"number": None}], ids=["number", "day", "none"]
)
def test_c41_what_differs_is_two_documents(other: dict[str, Any], sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        if other == {"number": None}:
            payment(here, **other)
        payment(here)
        payment(here, **other)
        here.go(PAYMENTS)
        assert here.holds(PAYMENTS) == {} and len(here.vouchers()) == (3 if other == {"number": None} else 2)


def test_c41_a_changed_document_is_no_double_of_itself(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entry = payment(here)
        here.go(PAYMENTS)
        here.box.airbase.change("ledger_entries", entry, notes="seen")
        here.go(PAYMENTS)
        assert here.holds(PAYMENTS) == {}


def supplier(there: Prepared, number: str, name: str, country: str = "SE") -> None:
    row = {"SupplierId": number, "Name": name, "Country": country, "CurrencyCode": "SEK", "PaymentTerms": "30"}
    there.box.ifs.put("SupplierSet", row, modified=now())


@pytest.mark.promise("C41", "one name in two spellings is told as a probable double, once, and delivered")
@pytest.mark.parametrize("flow", SPELT)
def test_c41_one_name_in_two_spellings_is_told(flow: str, sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with empty(flow, sqlite_ledger, tmp_path) as there:
        books(there.box)
        supplier(there, "S1", "Nörth Trading Aktiebolag")
        there.journey().make()
        supplier(there, "S2", "NORTH-Trading A.B.")
        supplier(there, "S3", "North Trading AB", country="NO")
        supplier(there, "S4", "South Trading AB")
        for _ in range(2):
            there.journey().make()
        assert there.holds() == {} and set(sqlite_ledger.remote_ids(flow)) == {"S1", "S2", "S3", "S4"}
        (told,) = sqlite_ledger.differences.open(flow)
        assert (told.key, told.kind) == ("S2", "probable_double") and str(told.theirs).startswith(
            "S1 has the same name"
        )
        assert ["S1", "S2"] in sqlite_ledger.masters.doubles(flow).values()


def test_c41_two_spellings_in_one_read_are_told_at_the_later_one(ledger: Ledger, tmp_path: Path) -> None:
    with empty("monday/suppliers", ledger, tmp_path) as there:
        books(there.box)
        supplier(there, "S1", "North Trading Ltd.")
        supplier(there, "S2", "North & Trading, Limited")
        there.journey().make()
        assert [each.key for each in ledger.differences.open("monday/suppliers")] == ["S2"]
