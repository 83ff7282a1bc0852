"""Purchases and invoices that stand in Cin7 twice: found by a list and few readings, and never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlc_dagster.core.duplicates import doubles, sentence
from mlc_dagster.core.errors import TransientError
from mlc_dagster.core.flows import Target
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.cin7.api import ACCOUNT_ID, APPLICATION_KEYS
from mlc_dagster.systems.cin7 import duplicates
from mlc_dagster.systems.cin7.api import signature
from mlc_dagster.systems.cin7.client import Cin7Client, classify
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES, PURCHASES
from mlc_dagster.transport.client import ApiClient, LocalBudget

SINCE = datetime.now(UTC) - timedelta(hours=26)
LONG_AGO = SINCE - timedelta(days=400)
SLOT = {"external_key": "AdditionalAttribute1"}


def client_on(box: Sandbox, tries: int = 8) -> Cin7Client:
    api = ApiClient(
        "cin7",
        f"{box.url}/cin7/ExternalApi/v2",
        auth=signature(ACCOUNT_ID, APPLICATION_KEYS[0]),
        budget=LocalBudget(),
        classify=classify,
        max_attempts=tries,
    )
    return Cin7Client(api, SLOT)


def told(box: Sandbox, target: Target = PURCHASES, known: Mapping[str, Mapping[str, str]] | None = None) -> list[str]:
    """The sentences of one look, by a client of its own."""
    assert target.twice is not None
    looked = client_on(box).scan_documents(target, SINCE, lambda flow: (known or {}).get(flow, {}))
    return [sentence(target.twice, double) for double in doubles(looked.documents)]


def supplier(box: Sandbox, name: str = "Acme") -> str:
    return box.cin7.add_supplier(
        Name=name,
        Currency="SEK",
        PaymentTerm="30 days",
        AccountPayable="800",
        TaxRule="Tax Exempt",
        Status="Active",
    )


def line() -> dict[str, Any]:
    amounts = {"Quantity": 2, "Price": 60, "Discount": 0, "Tax": 0, "Total": 120, "TaxRule": "Tax Exempt"}
    return {**amounts, "Description": "Service", "Reference": "IFS"}


def order() -> dict[str, Any]:
    return {"CombineAdditionalCharges": False, "Memo": "", "Lines": [], "AdditionalCharges": [line()]}


def put(box: Sandbox, of: str, marker: str, *, note: bool = False, at: datetime | None = None, **more: Any) -> str:
    mark = {"Note": f"IFS {marker}\nby hand"} if note else {"AdditionalAttributes": {"AdditionalAttribute1": marker}}
    return box.cin7.add_purchase(at, SupplierID=of, **mark, **{"Order": order(), **more})


def number(box: Sandbox, identity: str) -> str:
    return str(box.cin7.purchases[identity]["OrderNumber"])


def bill(box: Sandbox, purchase: str, text: str, at: datetime | None = None) -> None:
    charge = {**line(), "Account": "4010"}
    dates = {"InvoiceDate": "2026-11-05T00:00:00", "InvoiceDueDate": "2026-12-05T00:00:00"}
    body = {"CombineAdditionalCharges": False, "Lines": [], "AdditionalCharges": [charge], **dates}
    box.cin7.add_invoice(purchase, at, InvoiceNumber=text, **body)


def calls(box: Sandbox) -> int:
    return sum(box.calls("cin7").values())


@pytest.mark.parametrize("note", [False, True], ids=["attribute", "note"])
def test_two_purchases_with_one_marker_are_told_with_both_numbers(box: Sandbox, note: bool) -> None:
    acme = supplier(box)
    first, second = put(box, acme, "0010/P100311"), put(box, acme, "0010/P100311", note=note)
    assert told(box) == [
        f"Cin7 has two purchases for IFS order 0010/P100311: {number(box, first)} and {number(box, second)} "
        "(120.00 SEK each). Void one of them."
    ]


def test_a_voided_twin_is_not_told(box: Sandbox) -> None:
    acme = supplier(box)
    put(box, acme, "0010/P1")
    box.cin7.void_purchase(put(box, acme, "0010/P1"))
    assert told(box) == []


@pytest.mark.parametrize("other", ["0010/p1", "0010/P1 x", "0020/P1"])
def test_another_marker_is_another_purchase(box: Sandbox, other: str) -> None:
    acme = supplier(box)
    put(box, acme, "0010/P1")
    put(box, acme, other)
    assert told(box) == []


def test_the_double_of_an_old_purchase_is_told_since_the_ledger_knows_the_old_one(box: Sandbox) -> None:
    acme = supplier(box)
    old, new = put(box, acme, "0010/P1", at=LONG_AGO), put(box, acme, "0010/P1")
    (words,) = told(box, known={"cin7/purchases": {"P1": old.upper()}})
    assert number(box, old) in words and number(box, new) in words


def test_the_double_of_an_old_purchase_that_no_ledger_knows_is_looked_for_with_its_supplier(box: Sandbox) -> None:
    acme, other = supplier(box), supplier(box, "Bolt AB")
    old, new = put(box, acme, "0010/P1", at=LONG_AGO), put(box, acme, "0010/P1")
    put(box, other, "0010/P1000", at=LONG_AGO)
    (words,) = told(box)
    assert number(box, old) in words and number(box, new) in words


def test_a_purchase_that_the_ledger_knows_costs_no_call_of_its_own(box: Sandbox) -> None:
    acme = supplier(box)
    known = {f"P{each}": put(box, acme, f"0010/P{each}") for each in range(30)}
    box.forget_calls()
    assert told(box, known={"cin7/purchases": known}) == [] and calls(box) == 1


def test_a_quiet_hour_is_one_call_for_both_targets(box: Sandbox) -> None:
    put(box, supplier(box), "0010/P1", at=LONG_AGO)
    box.forget_calls()
    client = client_on(box)
    for target in (PURCHASES, PURCHASE_INVOICES):
        assert client.scan_documents(target, SINCE, lambda flow: {}).compared == 0
    assert calls(box) == 1


def test_pages_beyond_the_first_are_read(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlc_dagster.systems.cin7.api.PAGE", 2)
    acme = supplier(box)
    known = {f"P{each}": put(box, acme, f"0010/P{each}") for each in range(5)}
    second = put(box, acme, "0010/P1")
    (words,) = told(box, known={"cin7/purchases": known})
    assert number(box, known["P1"]) in words and number(box, second) in words


def test_a_header_that_never_got_its_lines_is_told_and_one_that_is_being_made_is_not(box: Sandbox) -> None:
    acme, now = supplier(box), datetime.now(UTC)
    lost = put(box, acme, "0010/P1", Order=None, at=now - timedelta(hours=2))
    put(box, acme, "0010/P2", Order=None, at=now - timedelta(minutes=1))
    box.cin7.add_purchase(now - timedelta(hours=2), SupplierID=acme, Note="people's own, empty yet")
    (words,) = told(box)
    assert words.startswith(f"Cin7 has a purchase without lines for IFS order 0010/P1: {number(box, lost)} since ")


def test_an_empty_header_that_the_ledger_knows_is_told_too(box: Sandbox) -> None:
    lost = put(box, supplier(box), "0010/P1", Order=None, at=datetime.now(UTC) - timedelta(hours=2))
    assert len(told(box, known={"cin7/purchases": {"P1": lost}})) == 1


def test_two_invoices_of_one_number_on_one_purchase_are_told(box: Sandbox) -> None:
    purchase = put(box, supplier(box), "0010/P1")
    for text in ("F-77", "f-77 "):
        bill(box, purchase, text)
    (words,) = told(box, PURCHASE_INVOICES, {"cin7/purchases": {"P1": purchase}})
    assert "invoice number F-77 of supplier Acme" in words
    assert f"invoice 2 of {number(box, purchase)} and invoice 3 of {number(box, purchase)} (120.00 SEK each)" in words


def test_an_invoice_number_on_an_old_purchase_of_the_same_supplier_is_told_and_of_another_is_not(box: Sandbox) -> None:
    acme, other = supplier(box), supplier(box, "Bolt AB")
    old, new, theirs = put(box, acme, "x"), put(box, acme, "0010/P2"), put(box, other, "y")
    bill(box, new, "F-77")
    for purchase in (old, theirs):
        bill(box, purchase, "F-77", LONG_AGO)
    (words,) = told(box, PURCHASE_INVOICES, {"cin7/purchases": {"P2": new}})
    assert number(box, old) in words and number(box, new) in words and number(box, theirs) not in words


def test_two_purchases_for_one_invoice_are_told_under_the_invoices(box: Sandbox) -> None:
    acme = supplier(box)
    for _ in range(2):
        put(box, acme, "proposal/0010/7")
    assert told(box) == []
    (words,) = told(box, PURCHASE_INVOICES)
    assert words.startswith("Cin7 has two purchase invoices for IFS proposal/0010/7: ")


def test_what_is_too_much_to_read_is_counted_and_never_called_clear(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "MOST_READ", 3)
    acme = supplier(box)
    for each in range(5):
        put(box, acme, f"0010/P{each}")
    looked = client_on(box).scan_documents(PURCHASES, SINCE, lambda flow: {})
    assert looked.unread == 2 and {each.reference for each in looked.documents} == {"0010/P2", "0010/P3", "0010/P4"}


def test_a_look_writes_nothing_and_a_system_that_is_down_is_an_error(box: Sandbox) -> None:
    acme = supplier(box)
    put(box, acme, "0010/P1")
    box.forget_calls()
    told(box)
    assert {method for method, _ in box.calls("cin7")} == {"GET"}
    box.faults.add(system="cin7", status=502)
    with pytest.raises(TransientError):
        client_on(box, tries=1).scan_documents(PURCHASES, SINCE, lambda flow: {})
