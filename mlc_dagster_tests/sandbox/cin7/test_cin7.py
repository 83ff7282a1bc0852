"""The sandboxed Cin7: what it keeps, what it refuses, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.cin7.reference_books import RefusedError
from mlc_dagster_tests.sandbox.conftest import CIN7, Cin7, json_of

SUPPLIER = {
    "Name": "Acme",
    "Currency": "SEK",
    "PaymentTerm": "30 days",
    "TaxRule": "Tax Exempt",
    "AccountPayable": "800",
}
HEADER = {"Supplier": "Acme", "Approach": "INVOICE", "PurchaseType": "Advanced", "Location": "Main Warehouse"}


def line(quantity: str = "2", price: str = "3.335", total: str = "6.67", **fields: Any) -> dict[str, Any]:
    amounts = {"Quantity": Decimal(quantity), "Price": Decimal(price), "Total": Decimal(total), "Tax": Decimal(0)}
    return {"SKU": "A-1", "Name": "Part", "TaxRule": "Tax Exempt", **amounts, **fields}


def exception(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()[0]["Exception"])


@pytest.fixture
def purchase(box: Sandbox, cin7: Cin7) -> str:
    """The ID of a purchase that has its header only."""
    box.cin7.books.add_product("A-1", "Part")
    box.cin7.add_account("4010", "Raw materials")
    assert cin7("POST", "supplier", SUPPLIER).status_code == 200
    return str(cin7("POST", "advanced-purchase", {**HEADER, "Lines": [line()], "OrderNumber": "mine"}).json()["ID"])


def order(cin7: Cin7, purchase: str, *lines: dict[str, Any], status: str = "DRAFT") -> httpx.Response:
    return cin7("POST", "purchase/order", {"TaskID": purchase, "Status": status, "Lines": list(lines)})


def invoice(purchase: str, **fields: Any) -> dict[str, Any]:
    dates = {"InvoiceDate": "2026-11-01", "InvoiceDueDate": "2026-12-01", "Status": "DRAFT"}
    return {"PurchaseID": purchase, "InvoiceNumber": "F-1", **dates, "Lines": [line(Account="4010")], **fields}


@pytest.mark.parametrize(
    "fields, word",
    [
        ({"PaymentTerm": "7 days"}, "Payment term"),
        ({"PaymentTerm": "Old"}, "not active"),
        ({"AccountPayable": "610"}, "accounts payable"),
        ({"TaxRule": "Nope"}, "Tax rule"),
        ({"Name": "x" * 257}, "256"),
        ({"Name": None}, "required"),
        ({"AdditionalAttribute1": "IFS:1"}, "AttributeSet"),
        ({"Addresses": [{"Line1": "1", "Country": "SE", "Type": "Billing"}]}, "Country"),
        ({"Name": "ACME"}, "already exists"),
    ],
)
def test_a_supplier_that_does_not_fit_the_books_is_refused(
    box: Sandbox, cin7: Cin7, fields: dict[str, Any], word: str
) -> None:
    box.cin7.books.add_payment_term("Old", 10, active=False)
    box.cin7.add_supplier(**SUPPLIER)
    assert word in exception(cin7("POST", "supplier", {**SUPPLIER, "Name": "Other", **fields}))
    assert len(box.cin7.suppliers) == 1 and box.journal("cin7") == []


def test_a_contact_without_an_id_is_created_anew_on_every_put(box: Sandbox, cin7: Cin7) -> None:
    made = cin7("POST", "supplier", {**SUPPLIER, "Contacts": [{"Name": "Ann"}], "Comments": "stay"}).json()[
        "SupplierList"
    ][0]
    known = made["Contacts"][0]["ID"]
    cin7("PUT", "supplier", {"ID": made["ID"].upper(), "Contacts": [{"ID": known, "Name": "Anna"}]})
    cin7("PUT", "supplier", {"ID": made["ID"], "Contacts": [{"Name": "Anna"}], "Currency": "EUR"})
    supplier = box.cin7.suppliers[made["ID"]]
    assert [contact["Name"] for contact in supplier["Contacts"]] == ["Anna", "Anna"]
    assert (supplier["Comments"], supplier["Currency"]) == ("stay", "EUR")


def test_name_finds_by_its_start_and_unknown_parameters_are_ignored(box: Sandbox, cin7: Cin7) -> None:
    for name in ("Acme", "Acme Two", "Other"):
        box.cin7.add_supplier(**{**SUPPLIER, "Name": name})
    assert cin7("GET", "supplier", Name="acme").json()["Total"] == 2
    assert cin7("GET", "supplier", Search="acme").json()["Total"] == 3
    pages = [cin7("GET", "supplier", Page=page, Limit=2).json()["SupplierList"] for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [2, 1, 0]


def test_an_order_is_checked_against_what_cin7_computes(box: Sandbox, cin7: Cin7, purchase: str) -> None:
    assert box.cin7.purchases[purchase]["Order"]["Lines"] == [], "lines in the header are ignored"
    assert box.cin7.purchases[purchase]["OrderNumber"] == "PO-00001"
    assert "Expected value is: 6.67" in exception(order(cin7, purchase, line(total="6.66")))
    assert "Expected value is: 900.00" in exception(order(cin7, purchase, line("10", "100", "1000", Discount=10)))
    assert "not found" in exception(order(cin7, purchase, line(SKU="NOPE")))
    assert "Quantity" in exception(order(cin7, purchase, line("0.5", "2", "1")))
    assert "duplicate" in exception(order(cin7, purchase, line(), line("1", "0.005", "0.01")))
    box.cin7.books.products_once = False
    done = order(cin7, purchase, line(), line("1", "0.005", "0.01"), status="AUTHORISED")
    assert json_of(done)["Total"] == Decimal("6.68")
    assert "AUTHORISED" in exception(order(cin7, purchase, line()))
    assert cin7("PUT", "purchase/order", {}).status_code == 405


def test_an_invoice_waits_for_its_order_and_wants_an_active_account(box: Sandbox, cin7: Cin7, purchase: str) -> None:
    order(cin7, purchase, line())
    assert "authorised" in exception(cin7("POST", "advanced-purchase/invoice", invoice(purchase)))
    order(cin7, purchase, line(), status="AUTHORISED")
    box.cin7.add_account("4999", "Gone", status="ARCHIVED")
    assert "9999" in exception(
        cin7("POST", "advanced-purchase/invoice", invoice(purchase, Lines=[line(Account="9999")]))
    )
    assert "ARCHIVED" in exception(
        cin7("POST", "advanced-purchase/invoice", invoice(purchase, Lines=[line(Account="4999")]))
    )
    task = cin7("GET", "advanced-purchase", ID=purchase).json()["Invoice"][0]["TaskID"]
    for number in ("F-1", "F-1b"):
        cin7("POST", "advanced-purchase/invoice", invoice(purchase, TaskID=task, InvoiceNumber=number))
    assert [each["InvoiceNumber"] for each in box.cin7.purchases[purchase]["Invoice"]] == ["F-1b"], (
        "a draft is overwritten"
    )
    cin7("POST", "advanced-purchase/invoice", invoice(purchase, TaskID="00000000-0000-0000-0000-000000000000"))
    assert len(box.cin7.purchases[purchase]["Invoice"]) == 2
    cin7("POST", "advanced-purchase/invoice", invoice(purchase, TaskID=task, Status="AUTHORISED"))
    assert "DRAFT" in exception(cin7("POST", "advanced-purchase/invoice", invoice(purchase, TaskID=task)))


def test_the_list_searches_its_documented_columns_only(cin7: Cin7, purchase: str) -> None:
    cin7(
        "POST",
        "advanced-purchase",
        {**HEADER, "Note": "IFS 0010/P1", "AdditionalAttributes": {"AdditionalAttribute1": "0010/P1"}},
    )
    assert cin7("GET", "purchaseList", Search="0010/P1").json()["Total"] == 0
    assert cin7("GET", "purchaseList", Search="po-00002").json()["Total"] == 1
    assert cin7("GET", "purchaseList", UpdatedSince="2999-01-01T00:00:00").json()["Total"] == 0
    cin7("DELETE", "advanced-purchase", ID=purchase, Void="true")
    assert cin7("GET", "purchaseList", Status="VOIDED").json()["Total"] == 1
    assert "voided" in exception(order(cin7, purchase, line()))


def test_an_unknown_account_code_is_400_and_an_unknown_path_is_a_page(cin7: Cin7) -> None:
    assert exception(cin7("GET", "ref/account", Code="9")) == "Account with specified ID not found"
    nowhere = cin7("GET", "suppliers")
    assert nowhere.status_code == 200 and nowhere.headers["content-type"].startswith("text/html")
    assert "deprecated" in exception(cin7("POST", "purchase", {}))
    assert cin7("GET", "ref/account", Limit=1001).status_code == 400


def test_the_minute_is_counted_for_each_key_and_answers_in_two_ways(start: Callable[..., Sandbox]) -> None:
    box = start(limits=Limits(cin7_calls_per_minute=2))
    url, other = f"{box.url}/cin7/ExternalApi/v2/purchaseList", {**CIN7, "api-auth-applicationkey": "sandbox-key-2"}
    answers = [httpx.get(url, headers=CIN7) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 400]
    assert answers[2].headers["retry-after"] == "60 Seconds"
    assert "2 calls per 60 seconds" in exception(answers[4])
    assert httpx.get(url, headers=other).status_code == 200
    assert httpx.get(url, headers={**CIN7, "api-auth-applicationkey": "x"}).status_code == 403
    assert box.peaks("cin7") == {"sandbox-key-1": 5, "sandbox-key-2": 1}


def test_people_change_a_supplier_with_its_first_contact_and_address(cin7: Cin7, box: Sandbox) -> None:
    known = box.cin7.add_supplier(**SUPPLIER, Contacts=[{"Name": "Ann", "Phone": "1"}, {"Name": "Bo", "Phone": "2"}])
    before = box.cin7.suppliers[known]
    box.cin7.change_supplier(known, Comments="by hand", contact={"Phone": "3"}, address={"City": "Lund"})
    box.cin7.change_supplier(known, address={"City": "Malmö"})
    supplier = cin7("GET", "supplier", ID=known).json()["SupplierList"][0]
    assert supplier["Comments"] == "by hand" and supplier["LastModifiedOn"] > before["LastModifiedOn"]
    assert [(row["Name"], row["Phone"]) for row in supplier["Contacts"]] == [("Ann", "3"), ("Bo", "2")]
    assert [row["City"] for row in supplier["Addresses"]] == ["Malmö"]


def test_people_give_a_supplier_its_first_contact(box: Sandbox) -> None:
    known = box.cin7.add_supplier(**SUPPLIER)
    box.cin7.change_supplier(known, contact={"Email": "ann@example.test"})
    assert [row["Email"] for row in box.cin7.suppliers[known]["Contacts"]] == ["ann@example.test"]


def test_people_are_refused_what_cin7_refuses(box: Sandbox) -> None:
    known = box.cin7.add_supplier(**SUPPLIER)
    with pytest.raises(RefusedError, match="not found"):
        box.cin7.change_supplier(known, PaymentTerm="whenever")
    with pytest.raises(RefusedError, match="not found"):
        box.cin7.change_supplier("nobody", Comments="x")
