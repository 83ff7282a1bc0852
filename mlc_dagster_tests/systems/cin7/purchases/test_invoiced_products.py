"""Which products an invoice is for: by account and amount, and held where that does not tell."""

from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal
from mlc_dagster.systems.cin7.purchases.invoiced_products import Allocation, allocate
from mlc_dagster.systems.cin7.purchases.purchase_lookup import refers
from mlc_dagster_tests.systems.cin7.samples import facts, proposal, proposal_line

Taken = list[tuple[str, Decimal]]


def bolts(quantity: str = "100", price: str = "1.25", **changes: Any) -> dict[str, Any]:
    known = {"ProductID": "b", "SKU": "BOLT-8", "Name": "Bolt", "Comment": "IFS 0010/P1/1/1 account 4010"}
    return {**known, "Quantity": Decimal(quantity), "Price": Decimal(price), "Discount": 0, **changes}


NUTS = {"ProductID": "n", "SKU": "NUT-8", "Name": "Nut"}


def matched(lines: list[dict[str, Any]], *rows: tuple[str, str, str], others: Any = (), **options: Any) -> Allocation:
    """`rows`: (amount, account, text)."""
    given = [
        proposal_line(number, currency_amount=Decimal(amount), account=account, text=text)
        for number, (amount, account, text) in enumerate(rows, 1)
    ]
    services = [{"Total": Decimal(300), "Reference": "IFS 0010/P1/2/1 account 4010"}]
    purchase = {"OrderNumber": "PO-1", "Order": {"Lines": lines, "AdditionalCharges": services}}
    document = invoice_from_proposal(proposal(*given, po_reference="P1"), facts(options=options))
    return allocate(document, purchase, others)


def taken(found: Allocation) -> Taken:
    return [(each.line["SKU"], each.quantity) for each in found.products]


def test_goods_go_over_as_products_and_what_is_no_product_as_a_charge() -> None:
    found = matched([bolts()], ("125", "4010", ""), ("40", "6100", "Freight"), ("300", "4010", "Course"))
    assert taken(found) == [("BOLT-8", Decimal(100))]
    assert [charge.price for charge in found.charges] == [40, 300]


def test_one_row_over_all_products_of_an_account_is_shared_among_them_and_so_is_its_tax() -> None:
    found = matched([bolts(), bolts("3", "10", **NUTS)], ("155", "4010", ""))
    assert taken(found) == [("BOLT-8", 100), ("NUT-8", 3)]
    assert [each.tax for each in found.products] == [Decimal("31.25"), Decimal("7.50")]


def test_a_part_of_an_order_is_as_many_as_make_the_amount() -> None:
    assert taken(matched([bolts()], ("50", "4010", ""))) == [("BOLT-8", Decimal(40))]
    assert taken(matched([bolts("10.5", "2")], ("5.5", "4010", ""))) == [("BOLT-8", Decimal("2.75"))]


def test_what_another_invoice_took_is_not_invoiced_again() -> None:
    earlier = [{"Lines": [{"ProductID": "B", "Quantity": Decimal(40)}]}]
    assert taken(matched([bolts()], ("75", "4010", ""), others=earlier)) == [("BOLT-8", 60)]
    with pytest.raises(RecordRejected, match="cannot be told apart"):
        matched([bolts()], ("125", "4010", ""), others=earlier)


def test_products_of_one_amount_are_told_apart_by_the_rows_text_or_held() -> None:
    alike = [bolts(), bolts("50", "2.50", **NUTS)]
    assert taken(matched(alike, ("125", "4010", "NUT-8, November"))) == [("NUT-8", 50)]
    assert taken(matched(alike, ("125", "4010", ""), ("125", "4010", ""))) == [("BOLT-8", 100), ("NUT-8", 50)]
    with pytest.raises(RecordRejected, match="cannot be told apart"):
        matched(alike, ("125", "4010", "Goods"))


@pytest.mark.parametrize("amount, account", [("126", "4010"), ("125", "1410")])
def test_another_price_or_account_than_the_orders_is_held_never_a_charge(amount: str, account: str) -> None:
    """As a charge it would leave the goods without cost."""
    with pytest.raises(RecordRejected, match="would leave goods without cost"):
        matched([bolts()], (amount, account, ""))


def test_goods_for_stock_that_name_no_account_are_matched_by_their_amount() -> None:
    found = matched([bolts(Comment="IFS 0010/P1/1/1")], ("125", "2499", ""), ("40", "6100", "Freight"))
    assert taken(found) == [("BOLT-8", 100)] and [charge.price for charge in found.charges] == [40]


def test_charges_are_sent_for_all_where_mlc_yaml_says_so() -> None:
    found = matched([bolts()], ("125", "4010", ""), invoice_lines="charges")
    assert (found.products, len(found.charges)) == ([], 1)


def test_an_invoice_is_found_again_by_the_key_on_its_product_lines() -> None:
    assert refers({"Status": "DRAFT", "Lines": [{"Comment": "IFS 0010/7/1"}]}, "0010/7")
