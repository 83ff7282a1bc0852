"""What is posted of a bill or an order, to the cent, in all the shapes that Procurify has them in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest

from mlc_dagster import rules
from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.systems.ifs.entry_records import Invoice, Proposal
from mlc_dagster.systems.procurify.flows import FLOWS
from mlc_dagster.systems.procurify.mapping import (
    BILLS_FLOW,
    SUPPLIERS_FLOW,
    invoice_from_bill,
    partner_from_vendor,
    proposal_from_order,
)
from mlc_dagster.systems.procurify.records import Allocation, Bill, PurchaseOrder, VendorRow
from mlc_dagster.systems.procurify.rules import all_is_of_one_company, department_is_mapped
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster.systems.shared.countries import country_code

D = Decimal
UUID = "8f1c2e0011224455aabbccddeeff0011"
COMPANIES = {
    "0010": CompanyMapping("0010", "SEK"),
    "20": CompanyMapping("20", "JPY", 0),
    "0030": CompanyMapping("0030", "KWD", 3),
}


def facts(**changes: Any) -> Facts:
    section = ProcurifySettings(base_url="https://acme.procurify.com", **changes)
    return Facts(
        companies=COMPANIES,
        gl_accounts=section.gl_accounts,
        payment_terms=section.payment_terms,
        options=section.options(),
        tables=section.tables(),
        delivered={SUPPLIERS_FLOW: {"81": "S1"}},
    )


def part(amount: str, account: str | None = "4010", **changes: Any) -> Allocation:
    place = {"department": "Operations", "department_external_id": "CC100"}
    location = {"location": "Stockholm", "location_external_id": "0010"}
    usual: dict[str, Any] = {"line": "1", "text": "Drill bits", "net": D(amount), "tax": None, **place, **location}
    return Allocation(amount=D(amount), account=account, **{**usual, **changes})


def bill(*parts: Allocation, tax: str = "0", shipping: str = "0", **changes: Any) -> Bill:
    rows = parts or (part("100"),)
    cost = changes.pop("total_cost", sum((row.amount for row in rows), D(0)))
    usual: dict[str, Any] = {
        "number": "731",
        "status": 2,
        "type": 0,
        "vendor_id": "81",
        "currency": "SEK",
        "invoice_number": "INV-55",
        "invoice_date": date(2026, 3, 15),
        "total_cost": D(cost),
        "exclusive_tax": D(tax),
        "shipping": D(shipping),
        "payable": D(cost) + D(tax) + D(shipping),
        "is_whole": True,
        "allocations": rows,
    }
    return Bill(uuid=UUID, **{**usual, **changes})


def order(*parts: Allocation, **changes: Any) -> PurchaseOrder:
    rows = parts or (part("100"),)
    usual: dict[str, Any] = {
        "state": 0,
        "vendor_id": "81",
        "currency": "SEK",
        "dated": date(2026, 3, 2),
        "tax": D(0),
        "extras": D(0),
        "shipping": D(0),
        "left_out": D(0),
        "total": sum((row.amount for row in rows), D(0)),
        "allocations": rows,
    }
    return PurchaseOrder(order_id="1042", number="PF1042", **{**usual, **changes})


def adds_up(document: Invoice | Proposal, source: Any) -> bool:
    return rules.amounts_add_up(source, document, facts()) is None


def amounts(document: Invoice | Proposal) -> list[Decimal]:
    return [line.amount for line in document.lines]


GROSS = (part("125", net=D(100), tax=D(25)), part("62.50", line="2", net=D(50), tax=D("12.50")))
SPLIT_GROSS = (part("41.67", net=D(100), tax=D(25)), part("83.33", net=D(100), tax=D(25)))
COST = part("20", line="cost 5", is_cost=True, net=D(20))


@pytest.mark.parametrize(
    "given, lines, net, vat, gross",
    [
        pytest.param(bill(), ["100"], "100", "0", "100", id="one line"),
        pytest.param(bill(part("60"), part("40")), ["60", "40"], "100", "0", "100", id="split"),
        pytest.param(bill(tax="25"), ["100"], "100", "25", "125", id="tax on top is the VAT"),
        pytest.param(bill(part("125", tax=D(0))), ["125"], "125", "0", "125", id="tax in the price stays there"),
        pytest.param(bill(*GROSS, tax="37.50", total_cost="150"), ["100", "50"], "150", "37.5", "187.5", id="gross"),
        pytest.param(
            bill(*SPLIT_GROSS, tax="25", total_cost="100"), ["33.34", "66.66"], "100", "25", "125", id="gross and split"
        ),
        pytest.param(
            bill(*GROSS, COST, tax="37.50", total_cost="170"),
            ["100", "50", "20"],
            *("170", "37.50", "207.50"),
            id="gross, beside a cost that has no tax",
        ),
        pytest.param(
            bill(part("100"), COST, shipping="45"), ["145", "20"], "165", "0", "165", id="shipping on the largest line"
        ),
        pytest.param(
            bill(part("145", net=D(100), shipping=D(45)), shipping="45", total_cost="100"),
            ["145"],
            *("145", "0", "145"),
            id="shipping is in the allocation already",
        ),
        pytest.param(
            bill(part("170", net=D(100), tax=D(25), shipping=D(45)), tax="25", shipping="45", total_cost="100"),
            ["145"],
            *("145", "25", "170"),
            id="gross of tax and shipping",
        ),
        pytest.param(
            bill(part("33.33"), part("33.33"), part("33.33"), payable=D("100")),
            ["33.34", "33.33", "33.33"],
            *("100", "0", "100"),
            id="a rest of rounding goes to the largest line",
        ),
        pytest.param(
            bill(part("100.00"), currency="JPY", tax="10.00"), ["100"], "100", "10", "110", id="yen have no decimals"
        ),
        pytest.param(
            bill(part("1.2345"), part("2.3456"), currency="KWD", total_cost="3.5801", payable=D("3.580")),
            ["1.235", "2.345"],
            *("3.580", "0", "3.580"),
            id="dinars have three",
        ),
        pytest.param(bill(part("-100"), tax="-25"), ["-100"], "-100", "-25", "-125", id="a credit"),
        pytest.param(bill(part("100"), part("0")), ["100"], "100", "0", "100", id="a line of nothing is no line"),
    ],
)
def test_a_bill_is_posted_line_by_line(given: Bill, lines: list[str], net: str, vat: str, gross: str) -> None:
    invoice = invoice_from_bill(given, facts())
    assert amounts(invoice) == [D(amount) for amount in lines]
    assert (invoice.net_amount, invoice.vat_amount, invoice.gross_amount) == (D(net), D(vat), D(gross))
    assert adds_up(invoice, given)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(bill(payable=D("101")), id="the total is another"),
        pytest.param(bill(payable=D("100.02")), id="two cents on one line are no rounding"),
        pytest.param(bill(part("40"), total_cost="100"), id="not all of it is allocated"),
        pytest.param(bill(shipping="1", payable=D("100")), id="shipping is not in the total"),
        pytest.param(bill(part("125"), tax="25", shipping="25", total_cost="100"), id="tax or shipping: both fit"),
        pytest.param(bill(payable=None), id="there is no total"),
    ],
)
def test_a_bill_that_does_not_add_up_is_held(given: Bill) -> None:
    assert not adds_up(invoice_from_bill(given, facts()), given)


def test_any_split_of_any_bill_adds_up_to_the_cent() -> None:
    rng = Random(20261126)
    for _ in range(2000):
        decimals, currency = rng.choice(((2, "SEK"), (0, "JPY"), (3, "KWD")))
        unit = D(1).scaleb(-decimals)
        nets = [rng.randrange(1, 10**6) * unit for _ in range(rng.randrange(1, 6))]
        taxes = [(net * rng.choice((0, 6, 12, 25)) / 100).quantize(unit) for net in nets]
        gross, shipping = rng.random() < 0.5, rng.randrange(0, 9999) * unit
        rows = []
        for line, (net, tax) in enumerate(zip(nets, taxes, strict=True)):
            whole = net + (tax if gross else 0)
            first = (whole / rng.randrange(1, 4)).quantize(unit)
            parts = [first, whole - first] if whole != first else [whole]
            rows += [part(str(each), line=str(line), net=net, tax=tax) for each in parts]
        given = bill(*rows, tax=str(sum(taxes)), shipping=str(shipping), total_cost=str(sum(nets)), currency=currency)
        invoice = invoice_from_bill(given, facts())
        if sum(taxes) == shipping and shipping:
            continue  # two readings fit alike, and it is held
        assert adds_up(invoice, given), given
        assert sum(amounts(invoice)) + invoice.vat_amount == given.payable


def test_shipping_and_tax_may_have_accounts_of_their_own() -> None:
    given = bill(part("100"), tax="25", shipping="45")
    invoice = invoice_from_bill(given, facts(shipping_account="4310", tax_account="2640"))
    assert [(line.account, line.amount) for line in invoice.lines] == [
        ("4010", D(100)),
        ("4310", D(45)),
        ("2640", D(25)),
    ]
    assert (invoice.net_amount, invoice.vat_amount, invoice.gross_amount) == (D(170), D(0), D(170))
    assert adds_up(invoice, given) and {line.code_b for line in invoice.lines} == {"CC100"}


def test_a_line_says_that_shipping_is_in_it() -> None:
    (line,) = invoice_from_bill(bill(shipping="45"), facts()).lines
    assert line.text == "Drill bits (with shipping 45.00)"


def test_the_header_names_bill_vendor_and_orders() -> None:
    given = bill(orders=("1042", "1043"), order_numbers=("PF1042", "PF1043"), due_date=date(2026, 4, 14))
    invoice = invoice_from_bill(given, facts(part_bills="replace"))
    assert (invoice.external_ref, invoice.company, invoice.supplier_id) == (f"procurify-bill-{UUID}", "0010", "S1")
    assert (invoice.invoice_no, invoice.due_date, invoice.posted_on()) == (
        "INV-55",
        date(2026, 4, 14),
        date(2026, 3, 15),
    )
    assert invoice.text == f"Procurify bill 731 {UUID}, orders PF1042, PF1043"
    assert (invoice.orders, invoice.proposals) == (("1042", "1043"), ("procurify-po-1042", "procurify-po-1043"))


def test_a_credit_ends_no_order() -> None:
    given = bill(part("-100"), tax="-25", orders=("1042",), order_numbers=("PF1042",))
    invoice = invoice_from_bill(given, facts(part_bills="replace", post_credits="true"))
    assert invoice.gross_amount < 0 and (invoice.orders, invoice.proposals) == ((), ())


def test_without_an_invoice_number_procurifys_own_stands_for_it() -> None:
    assert invoice_from_bill(bill(invoice_number=None), facts()).invoice_no == "PFY-731"


def test_long_and_hostile_texts_fit_on_one_line() -> None:
    numbers = tuple(f"PF{number}" for number in range(100))
    given = bill(part("100", text="a\nb\x00c " + "x" * 500), shipping="1", order_numbers=numbers)
    invoice = invoice_from_bill(given, facts())
    assert rules.texts_fit(given, invoice, facts()) is None
    assert (invoice.lines[0].text or "").startswith("a b c xxx") and "with shipping 1.00" in (
        invoice.lines[0].text or ""
    )


@pytest.mark.parametrize(
    "location, external_id, settings, company",
    [
        ("Stockholm", "0010", {}, "0010"),
        ("0010", None, {}, "0010"),
        ("Osaka", "JP", {"companies_by_location": {"Osaka": "20"}}, "20"),
        ("Osaka", "JP", {"companies_by_location": {"JP": "20"}}, "20"),
        ("Stockholm", "0010", {"companies_by_location": {"0010": "0030"}}, "0030"),
        ("Paris", "FR", {}, ""),
        ("Paris", "FR", {"companies_by_location": {"FR": "75"}}, "75"),
        (None, None, {}, ""),
    ],
)
def test_the_company_is_the_locations(
    location: str | None, external_id: str | None, settings: dict[str, Any], company: str
) -> None:
    given, known = bill(part("100", location=location, location_external_id=external_id)), facts(**settings)
    assert invoice_from_bill(given, known).company == company
    is_good = company in COMPANIES
    assert (all_is_of_one_company(given, invoice_from_bill(given, known), known) is None) == is_good


def test_a_bill_of_two_companies_has_none_and_says_which() -> None:
    given = bill(part("50"), part("50", location="Osaka", location_external_id="20"))
    invoice = invoice_from_bill(given, facts())
    found = all_is_of_one_company(given, invoice, facts())
    assert invoice.company == "" and found and "0010, 20" in found.reason


@pytest.mark.parametrize(
    "department, external_id, table, value",
    [
        ("Operations", "CC100", {}, "CC100"),
        ("Operations", "CC100", {"Operations": "X1"}, "X1"),
        ("Operations", "CC100", {"CC100": "X2"}, "X2"),
        ("Ventures", None, {}, None),
        ("Ventures", None, {"Ventures": "X3"}, "X3"),
        (None, None, {}, None),
    ],
)
def test_the_cost_centre_is_the_departments(
    department: str | None, external_id: str | None, table: dict[str, str], value: str | None
) -> None:
    given = bill(part("100", department=department, department_external_id=external_id))
    known = facts(cost_centers=table)
    invoice = invoice_from_bill(given, known)
    assert invoice.lines[0].code_b == value
    assert (department_is_mapped(given, invoice, known) is None) == (value is not None)


def test_the_cost_centre_may_be_another_code_part_or_none() -> None:
    assert invoice_from_bill(bill(), facts(department_code_part="C")).lines[0].code_c == "CC100"
    known = facts(department_code_part="")
    given = bill(part("100", department="Ventures", department_external_id=None))
    assert department_is_mapped(given, invoice_from_bill(given, known), known) is None
    nobody = bill(part("100", department=None, department_external_id=None))
    assert department_is_mapped(nobody, invoice_from_bill(nobody, known), known) is not None


def test_the_account_is_the_erps_and_never_guessed() -> None:
    known = facts(gl_accounts={"6110": "4010", "6111": "twice", "6112": "twice"})
    lines = invoice_from_bill(bill(part("1"), part("1", "4020"), part("1", "twice"), part("1", None)), known).lines
    assert [line.account for line in lines] == ["6110", "4020", None, None]


# --- orders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, lines, vat, gross",
    [
        pytest.param(order(), ["100"], "0", "100", id="one line"),
        pytest.param(order(tax=D(25), total=D(125)), ["100"], "25", "125", id="tax"),
        pytest.param(order(extras=D(20), total=D(120)), ["120"], "0", "120", id="freight"),
        pytest.param(order(extras=D(-10), total=D(90)), ["90"], "0", "90", id="discount"),
        pytest.param(order(left_out=D(400), total=D(500)), ["100"], "0", "100", id="denied lines in the total"),
        pytest.param(order(left_out=D(400), total=D(100)), ["100"], "0", "100", id="denied lines not in the total"),
        pytest.param(
            order(part("125", net=D(100), tax=D(25)), tax=D(25), total=D(125)), ["100"], "25", "125", id="gross"
        ),
    ],
)
def test_an_order_is_expected_to_post_its_lines(given: PurchaseOrder, lines: list[str], vat: str, gross: str) -> None:
    proposal = proposal_from_order(given, facts())
    assert amounts(proposal) == [D(amount) for amount in lines]
    assert (proposal.vat_amount, proposal.gross_amount) == (D(vat), D(gross)) and adds_up(proposal, given)
    assert (proposal.external_ref, proposal.text) == ("procurify-po-1042", "Procurify order PF1042")


def test_an_order_that_does_not_add_up_is_held() -> None:
    given = order(total=D(250))
    assert not adds_up(proposal_from_order(given, facts()), given)


def test_a_later_version_or_state_that_changes_no_amount_changes_no_proposal() -> None:
    first = proposal_from_order(order(), facts())
    assert proposal_from_order(order(version=2, state=4, comment="x"), facts()) == first
    closed = proposal_from_order(order(state=3), facts())
    assert closed == msgspec.structs.replace(first, is_final=True), "nothing more of it comes"
    assert proposal_from_order(order(state=3), facts(part_bills="replace")) == first
    assert proposal_from_order(order(state=1), facts()) == msgspec.structs.replace(first, is_cancelled=True)


# --- what stands ----------------------------------------------------------------------------------------------------

SCOPE = {flow.name: flow.scope for flow in FLOWS}


@pytest.mark.parametrize(
    "changes, settings, why",
    [
        ({}, {}, ""),
        ({"status": 0}, {}, "draft"),
        ({"status": 8}, {}, "payment in limbo"),
        ({"status": 8}, {"bill_statuses": (2, 8)}, ""),
        ({"status": 9}, {}, ""),
        ({"type": 2}, {}, "credit card"),
        ({"type": 1}, {"bill_types": (0, 1)}, ""),
    ],
)
def test_what_is_no_bill_of_a_supplier_is_out_of_scope_until_it_was_posted(
    changes: dict[str, Any], settings: dict[str, Any], why: str
) -> None:
    scope, known = SCOPE[BILLS_FLOW], facts(**settings)
    assert scope is not None and scope(bill(**changes), known) == why
    posted = replace(known, delivered={**known.delivered, BILLS_FLOW: {UUID: "0010/1"}})
    assert scope(bill(**changes), posted) == ""


@pytest.mark.parametrize(
    "changes, why",
    [({}, ""), ({"type": 1}, "placeholder"), ({"type": 8}, "pending"), ({"is_active": False}, "not active")],
)
def test_vendors_that_are_no_suppliers_are_out_of_scope(changes: dict[str, Any], why: str) -> None:
    scope = SCOPE[SUPPLIERS_FLOW]
    assert scope is not None and scope(VendorRow(vendor_id="81", **{"type": 3, **changes}), facts()) == why


# --- vendors --------------------------------------------------------------------------------------------------------


def test_a_vendor_becomes_a_partner_under_its_number() -> None:
    vendor = VendorRow(
        vendor_id="88",
        name=" Acme\tTools ",
        type=3,
        external_id="SUP-1001",
        email="ap@acme.test",
        country="Sweden",
        currency="SEK",
        payment_terms="Net 30",
    )
    known = facts(payment_terms={"30": "Net 30", "60": "Net 60"}, supplier_owners={"email": "procurify"})
    partner = partner_from_vendor(vendor, known)
    assert (partner.external_ref, partner.supplier_id) == ("procurify-vendor-88", "SUP-1001")
    assert (partner.name, partner.country, partner.currency_code) == ("Acme Tools", "SE", "SEK")
    assert partner.payment_terms == "30" and partner.may_create
    assert [(owner.field, owner.side) for owner in partner.owners] == [("email", "saas")]


@pytest.mark.parametrize(
    "text, code",
    [
        ("Sweden", "SE"),
        ("  sweden ", "SE"),
        ("se", "SE"),
        ("U.S.A.", "US"),
        ("Atlantis", None),
        ("", None),
        (None, None),
    ],
)
def test_countries_are_free_text(text: str | None, code: str | None) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize("status", [0, 1, 3, 5])
def test_statuses_that_are_never_posted_are_refused_in_the_settings(status: int) -> None:
    with pytest.raises(ValueError, match="never posted"):
        ProcurifySettings(base_url="https://acme.procurify.com", bill_statuses=(2, status))
