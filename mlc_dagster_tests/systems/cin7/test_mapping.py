"""What becomes of an ERP's record, field by field, where a mistake would be silent."""

from dataclasses import replace
from decimal import Decimal

import msgspec

from mlc_dagster.core.facts import CompanyMapping
from mlc_dagster.core.vocabulary import fingerprint
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal, purchase_from_order, supplier_from_ifs
from mlc_dagster.systems.cin7.records import Purchase
from mlc_dagster_tests.systems.cin7.samples import BOOKS, facts, order, order_line, proposal, service_line, supplier


def test_a_blocked_supplier_is_deprecated() -> None:
    assert supplier_from_ifs(supplier(blocked=True), facts()).status == "Deprecated"
    assert supplier_from_ifs(supplier(blocked=None), facts()).status == "Active"


def test_a_country_that_is_not_known_makes_no_address() -> None:
    assert supplier_from_ifs(supplier(country="SE"), facts()).country == "Sweden"
    assert supplier_from_ifs(supplier(country="XX"), facts()).country is None


def test_codes_keep_their_zeros_and_slashes() -> None:
    made = supplier_from_ifs(supplier(supplier_id="00/1%"), facts())
    assert made.key == "00%2F1%25" and made.contact and made.contact.mark == "IFS 00%2F1%25"


def test_an_order_line_carries_its_origin_and_the_targets_account() -> None:
    made = purchase_from_order(order(), facts(gl_accounts={"4010": "5010"}))
    assert made.lines[0].comment == "IFS 0010/P1/1/1 account 5010"
    assert made.charges[0].comment == "IFS 0010/P1/2/1 account 4200"
    assert made.note() == "IFS 0010/P1\nDeliver to the back door"


def test_a_line_without_a_part_is_a_charge_and_its_lump_sum_a_quantity_of_one() -> None:
    (charge,) = purchase_from_order(order(service_line()), facts()).charges
    assert (charge.quantity, charge.price, charge.tax) == (1, Decimal("300.00"), Decimal("75.00"))


def test_the_order_in_which_a_tenant_gives_the_lines_changes_nothing() -> None:
    lines = [order_line(number, part_no=f"BOLT-{number}") for number in ("2", "10", "1")]
    one, other = (purchase_from_order(order(*rows), facts()) for rows in (lines, reversed(lines)))
    assert fingerprint(one) == fingerprint(other)
    assert [line.where for line in one.lines] == ["line 1/1", "line 2/1", "line 10/1"]


def test_the_company_says_where_goods_are_received() -> None:
    osaka = CompanyMapping("0010", "SEK", names={"location": "Osaka"})
    assert purchase_from_order(order(), facts(companies={"0010": osaka})).location == "Osaka"
    assert purchase_from_order(order(), facts()).location == "Main Warehouse"


def test_a_rate_is_sent_only_where_both_systems_count_in_the_same_currency() -> None:
    euros = order(currency_code="EUR", currency_rate=Decimal("11.2503"))
    assert purchase_from_order(euros, facts()).currency_rate == Decimal("11.2503")
    assert purchase_from_order(euros, facts(replace(BOOKS, base_currency="USD"))).currency_rate is None
    assert purchase_from_order(euros, facts(replace(BOOKS, base_currency="EUR"))).currency_rate == 1


def test_an_invoices_marker_is_never_an_orders() -> None:
    """Company 0010 may have an order 7 and a proposal 7."""
    assert invoice_from_proposal(proposal(), facts()).marker == "proposal/0010/7"
    assert purchase_from_order(order(order_no="7"), facts()).marker == "0010/7"


def test_a_foreign_invoice_without_amounts_in_its_currency_is_not_guessed() -> None:
    (line,) = proposal().lines
    foreign = proposal(msgspec.structs.replace(line, currency_amount=None), currency_code="EUR")
    assert invoice_from_proposal(foreign, facts()).charges[0].price is None


def test_a_purchase_survives_being_stored_between_prepare_and_load() -> None:
    made = purchase_from_order(order(order_line(buy_unit_price=Decimal("1.2500"))), facts())
    stored = msgspec.json.encode(made)
    assert msgspec.json.decode(stored, type=Purchase) == made
    assert fingerprint(msgspec.json.decode(stored, type=Purchase)) == fingerprint(made)
