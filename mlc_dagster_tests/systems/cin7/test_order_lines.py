"""Orders as Cin7 takes them: what is ordered, in which unit, at which price, at which rate."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.cin7.flows import FLOWS
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal, purchase_from_order
from mlc_dagster.systems.cin7.purchases.purchase_lookup import refers
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.systems.cin7.samples import (
    BOOKS,
    facts,
    order,
    order_line,
    proposal,
    proposal_line,
    service_line,
)

PURCHASES, INVOICES = (
    next(flow for flow in FLOWS if flow.name == name) for name in ("cin7/purchases", "cin7/purchase_invoices")
)
TABLES = Cin7Settings().tables()


def problems(flow: Flow, source: Any, known: Facts) -> dict[str, str]:
    found = [rule(source, flow.mapping(source, known), known) for rule in flow.rules]
    return {each.rule: each.reason for each in found if each}


@pytest.mark.parametrize(
    "quantity, price, amount, each, discount",
    [
        ("10", "100", "850.00", "85.0000", "0"),  # what one costs after 15 per cent
        ("3", "100", "290.00", "96.6667", "0"),  # four decimals make it to the cent
        ("3000", "0.10", "285.00", "0.0950", "0"),
        ("30000", "0.0123", "350.55", "0.0123", "5.00"),  # four decimals do not: the discount does
    ],
)
def test_a_line_with_a_discount_is_delivered_at_its_amount(
    quantity: str, price: str, amount: str, each: str, discount: str
) -> None:
    given = {"buy_qty_due": Decimal(quantity), "buy_unit_price": Decimal(price), "line_amount": Decimal(amount)}
    source = order(order_line(**given))
    (line,) = purchase_from_order(source, facts()).lines
    assert (line.price, line.discount, line.total()) == (Decimal(each), Decimal(discount), Decimal(amount))
    assert problems(PURCHASES, source, facts()) == {}


def test_a_line_that_is_cancelled_closed_or_stopped_is_not_ordered_and_the_total_may_count_it_or_not() -> None:
    for state in ("Cancelled", "Closed", "Stopped"):
        lines = order_line("1", part_no="BOLT-8"), order_line("2", part_no="NUT", obj_state=state)
        for total in (Decimal("250.00"), Decimal("125.00")):
            source = order(*lines, total_amount=total)
            assert [line.where for line in purchase_from_order(source, facts()).lines] == ["line 1/1"]
            assert problems(PURCHASES, source, facts()) == {}


def test_a_line_in_the_state_of_its_order_is_ordered_as_the_order_is() -> None:
    source = order(order_line(obj_state="Closed"), obj_state="Closed")
    assert len(purchase_from_order(source, facts()).lines) == 1


def test_an_order_that_is_only_planned_is_no_purchase_and_a_stopped_one_is_held() -> None:
    known = facts(tables=TABLES)
    assert PURCHASES.scope and PURCHASES.scope(order(obj_state="Planned"), known).startswith("an order that is Planned")
    assert PURCHASES.scope(order(obj_state="Released"), known) == ""
    assert "Stopped in the ERP" in problems(PURCHASES, order(obj_state="Stopped"), known)["order_is_a_purchase"]
    assert problems(PURCHASES, order(obj_state="Released"), known) == {}


def test_what_becomes_of_a_state_is_said_in_mlc_yaml() -> None:
    tables = Cin7Settings(order_states={"Planned": "deliver", "Parked": "wait"}).tables()
    known = facts(tables=tables)
    assert PURCHASES.scope and PURCHASES.scope(order(obj_state="Planned"), known) == ""
    assert PURCHASES.scope(order(obj_state="Parked"), known)


def test_boxes_never_become_pieces() -> None:
    books = replace(BOOKS, product_units={"BOLT-8": "Item"})
    boxes = order(order_line(buy_unit_meas="box"))
    reason = problems(PURCHASES, boxes, facts(books))["units_are_the_products"]
    assert reason.startswith("line 1/1: 100 box of BOLT-8, and Cin7 counts it in Item.")
    assert (
        problems(PURCHASES, order(order_line(buy_unit_meas="pcs")), facts(books, tables={"units": {"pcs": "Item"}}))
        == {}
    )
    assert problems(PURCHASES, order(order_line(buy_unit_meas="ITEM")), facts(books)) == {}


def test_two_lines_of_one_product_are_one_and_name_both() -> None:
    source = order(order_line("1"), order_line("2", buy_qty_due=Decimal(50), line_amount=Decimal("62.50")))
    (line,) = purchase_from_order(source, facts()).lines
    assert (line.quantity, line.total(), line.comment) == (
        150,
        Decimal("187.50"),
        "IFS 0010/P1/1/1 and 2/1 account 4010",
    )
    assert problems(PURCHASES, source, facts()) == {}


@pytest.mark.parametrize(
    "other", [{"buy_unit_price": Decimal(2), "line_amount": Decimal(200)}, {"tax_code": None}, {"account": "4200"}]
)
def test_two_lines_of_one_product_that_differ_are_held_by_name(other: dict[str, Any]) -> None:
    source = order(order_line("1"), order_line("2", **other))
    assert problems(PURCHASES, source, facts())["products_stand_once"].startswith("BOLT-8 stands on 2 lines")
    sends = facts(options={**facts().options, "same_product": "send"})
    assert "products_stand_once" not in problems(PURCHASES, source, sends)


def test_a_quantity_with_five_decimals_is_held() -> None:
    line = order_line(buy_qty_due=Decimal("1.00001"), buy_unit_price=Decimal(100), line_amount=Decimal("100.00"))
    assert "the target takes 4 decimals" in problems(PURCHASES, order(line), facts())["amounts_fit"]


def yen(rate: str, own: str = "68.50") -> ifs.PostingProposal:
    line = proposal_line(amount=Decimal(own), currency_amount=Decimal(1000), tax_code=None)
    amounts = {"net_amount": Decimal(1000), "vat_amount": Decimal(0), "gross_amount": Decimal(1000)}
    return proposal(line, currency_code="JPY", currency_rate=Decimal(rate), **amounts)


def test_a_rate_for_a_hundred_becomes_a_rate_for_one_and_one_that_fits_nothing_is_held() -> None:
    books = replace(BOOKS, supplier_currency={"sup-1": "JPY"})
    known = facts(books, companies={"0010": CompanyMapping("0010", "SEK")})
    assert invoice_from_proposal(yen("6.85"), known).currency_rate == Decimal("0.0685")
    assert invoice_from_proposal(yen("0.0685"), known).currency_rate == Decimal("0.0685")
    assert problems(INVOICES, yen("6.85"), known) == {}
    assert "cin7.rate_units" in problems(INVOICES, yen("3.00"), known)["rate_agrees_with_the_lines"]


def test_the_rate_of_an_order_is_for_as_many_as_mlc_yaml_says() -> None:
    source = msgspec.structs.replace(order(), currency_code="JPY", currency_rate=Decimal("6.85"))
    known = facts(tables=Cin7Settings(rate_units={"JPY": "100"}).tables())
    assert purchase_from_order(source, known).currency_rate == Decimal("0.0685")


def test_an_invoice_before_the_lock_date_is_held() -> None:
    known = facts(replace(BOOKS, locked_before=date(2026, 11, 1)))
    early = proposal(invoice_date=date(2026, 10, 31))
    assert "locked" in problems(INVOICES, early, known)["period_is_open"]
    assert problems(INVOICES, proposal(invoice_date=date(2026, 11, 1)), known) == {}


def test_a_charge_is_named_by_the_service_product_and_keeps_the_erps_text_in_its_reference() -> None:
    known = facts(options={**facts().options, "service_product": "Services"})
    (charge,) = purchase_from_order(order(service_line()), known).charges
    assert (charge.description, charge.comment) == ("Services", "IFS 0010/P1/2/1 account 4200: Half day training")
    (row,) = invoice_from_proposal(proposal(), known).charges
    assert (row.description, row.comment) == ("Services", "IFS 0010/7/1: Bolts")
    assert refers({"Status": "DRAFT", "AdditionalCharges": [{"Reference": "IFS 0010/7/1: see 3/4"}]}, "0010/7")
    assert not refers({"Status": "DRAFT", "AdditionalCharges": [{"Reference": charge.comment}]}, "0010/P1/2")


def euros(*pairs: tuple[str, str | None], **changes: Any) -> ifs.PurchaseOrder:
    """An order of a tenant whose orders state no rate: (amount, the same in the company's currency) of each line."""
    lines = [
        order_line(str(place), line_amount=Decimal(amount), base_amount=None if own is None else Decimal(own))
        for place, (amount, own) in enumerate(pairs, 1)
    ]
    return order(*lines, currency_code="EUR", **{"currency_rate": None, **changes})


@pytest.mark.parametrize(
    ("pairs", "rate"),
    [
        ((("100.00", "1125.03"), ("7.33", "82.46")), "11.2503"),
        ((("1000000.00", "11250312.34"),), "11.25031234"),
        ((("10.00", "115"),), "11.5"),
        ((("10.00", "115.00"), ("0", "0")), "11.5"),
        ((("0.05", "0.56"),), "11.2"),  # what rounding leaves open is not made up
        ((("-10.00", "-115.00"), ("20.00", "230.00")), "11.5"),
    ],
)
def test_the_rate_of_an_order_that_states_none_is_what_its_lines_make(
    pairs: tuple[tuple[str, str], ...], rate: str
) -> None:
    source = euros(*pairs)
    assert purchase_from_order(source, facts()).currency_rate == Decimal(rate)
    assert all(abs(Decimal(rate) * Decimal(amount) - Decimal(own)) <= Decimal("0.005") for amount, own in pairs)
    assert "rate_is_known" not in problems(PURCHASES, source, facts())


@pytest.mark.parametrize(
    "pairs",
    [
        (("100.00", "1125.03"), ("100.00", "1200.00")),  # two rates
        (("100.00", "1125.03"), ("100.00", None)),
        (("100.00", "0"),),
        (("100.00", "-1125.03"),),
        (("100.00", "1125.03"), ("-100.00", "-1125.03")),  # nothing together
        (),
    ],
)
def test_lines_that_make_no_one_rate_leave_the_order_held(pairs: tuple[tuple[str, str | None], ...]) -> None:
    found = problems(PURCHASES, euros(*pairs), facts())
    assert "the amounts of its lines make none" in found["rate_is_known"]


def test_a_rate_that_lines_make_is_for_one_unit_whatever_the_erps_own_rates_are_for() -> None:
    known = facts(tables=Cin7Settings(rate_units={"EUR": "100"}).tables())
    assert purchase_from_order(euros(("100.00", "1125.03")), known).currency_rate == Decimal("11.2503")
    stated = euros(("100.00", "1125.03"), currency_rate=Decimal(1125))
    assert purchase_from_order(stated, known).currency_rate == Decimal("11.25"), "the ERP's own word counts first"
