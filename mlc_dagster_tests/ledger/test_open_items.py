"""Holds and differences as one list: causes, sums and pages of it, on both databases."""

import random
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from mlc_dagster.core.amounts import scaled, unscaled
from mlc_dagster.core.flows import Problem
from mlc_dagster.core.stakes import Stake, document_key
from mlc_dagster.core.vocabulary import EXACT
from mlc_dagster.ledger.entries import Held
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.open_item_entries import OpenCause, Place, Wanted, connection_of
from mlc_dagster.ledger.records.open_items import summed
from mlc_dagster.ledger.tables import holds
from mlc_dagster_tests.ledger.samples import FLOW, RUN, version

INVOICES = "cin7/purchase_invoices"


def held(key, amount="100.00", currency="SEK", company="20", account="4O10", rule="gl_accounts_exist", **more):
    row = {"company": company, "vendor_no": "4711", "gross_amount": amount, "currency_code": currency, **more}
    return Held(key, version(5), (Problem(rule, f"unknown account {account}", account),), row, "2026-11-05", f"c {key}")


def amounts(stocks):
    return {each.cause.value: each.amounts for each in stocks}


def test_a_cause_is_one_over_flows_of_a_connection_and_apart_by_company_and_value(ledger):
    ledger.hold(FLOW, [held("P1"), held("P2", company="10"), held("P3", account="4010")], run=RUN, owner="ap")
    ledger.hold(INVOICES, [held("I1", "50.05"), held("I2", "7", "EUR")], run=RUN, owner="ap")
    ledger.hold("hubspot/invoices", [held("I1", "50.05")], run=RUN)
    first = ledger.open_items.causes()[0]
    assert first.cause == OpenCause(",gl_accounts_exist,", False, "cin7", "20", "4O10")
    assert (first.items, first.flows, first.owners) == (3, {FLOW, INVOICES}, {"ap"})
    assert first.amounts == {"SEK": Decimal("150.05"), "EUR": Decimal(7)}
    assert first.oldest is not None
    assert len(ledger.open_items.causes()) == 4
    assert ledger.open_items.cause(first.cause.mark) == first
    assert ledger.open_items.cause("nothing") is None


def test_differences_stand_beside_holds_with_the_company_of_the_document(ledger):
    ledger.stakes.note(INVOICES, {"I1": Stake("980.00", "SEK", document_key("20", "4711", "F/1"))})
    ledger.differences.see(INVOICES, [Found("I1", "edited_in_the_target", "total", "1000", "980", "20", "SEK")])
    ledger.differences.see(FLOW, [Found("P1", "gone_in_the_source", amount="75.00", currency="NOK")])
    ledger.hold(FLOW, [held("P2")], run=RUN)
    [edited] = ledger.open_items.items(Wanted(companies=frozenset({"20"}), differs=True))
    assert edited.cause == OpenCause("edited_in_the_target", True, "cin7", "20", "total")
    assert (edited.key, edited.party, edited.ours, edited.theirs, edited.amount) == ("I1", "4711", "1000", "980", "20")
    [first, second, third] = ledger.open_items.items(Wanted())
    assert [first.key, second.key, third.key] == ["P2", "P1", "I1"]
    assert summed(ledger.open_items.causes()) == {"SEK": Decimal(120), "NOK": Decimal(75)}
    assert [each.key for each in ledger.open_items.of(FLOW, "P1")] == ["P1"]
    assert [one.company for one in ledger.differences.open(INVOICES)] == ["20"]


def test_what_is_of_no_company_that_is_told_is_for_those_who_see_all(ledger):
    ledger.differences.see(FLOW, [Found("S1", "edited_in_the_target", "term")])
    assert ledger.open_items.items(Wanted(companies=frozenset({"10", "20"}))) == []
    assert len(ledger.open_items.items(Wanted())) == 1


@pytest.mark.parametrize("seed", range(3))
def test_pages_have_each_item_once_and_sums_are_those_of_the_list(ledger, seed):
    chance = random.Random(seed)
    texts = ["12.345", "1", "999999999999.99", "0.12345", "-40.10", "", "1E+30", "x", "12.345"]
    currencies = ["SEK", "KWD", "JPY"]
    found = [held(f"K{n}", chance.choice(texts), chance.choice(currencies)) for n in range(120)]
    ledger.hold(FLOW, found, run=RUN)
    ledger.differences.see(FLOW, [Found(f"K{n}", "taken_back", amount="12.345", currency="KWD") for n in range(30)])
    pages, after = [], None
    while page := ledger.open_items.items(Wanted(), after, 17):
        pages += page
        after = Place.of(str(page[-1].place))
    assert len(pages) == len({(each.cause.differs, each.id) for each in pages}) == 150
    assert [each.place.rank for each in pages] == sorted(each.place.rank for each in pages)
    by_hand = defaultdict(Decimal)
    for each in pages:
        if each.amount not in ("", "x"):
            by_hand[each.currency] = EXACT.add(by_hand[each.currency], Decimal(each.amount))
    assert summed(ledger.open_items.causes()) == by_hand


def test_each_filter_leaves_what_it_says(ledger):
    ledger.hold(FLOW, [held("P1", "10"), held("P2", "20", "EUR", account="a%"), held("P3", "", company="10")], run=RUN)
    ledger.hold("hubspot/invoices", [held("H1", "30", rule="amounts_add_up", invoice_date="2026-11-30")], run=RUN)
    ledger.differences.see(FLOW, [Found("P1", "taken_back", amount="5", currency="SEK")])
    now = ledger.causes.now()

    def keys(**asked):
        return [each.key for each in ledger.open_items.items(Wanted(**asked))]

    assert keys(flow=FLOW) == ["P2", "P1", "P1", "P3"]
    assert (
        keys(connection="hubspot")
        == ["H1"]
        == keys(rule="amounts_add_up")
        == keys(rule="amounts_add_up", differs=False)
    )
    assert keys(rule="taken_back") == ["P1"] == keys(differs=True)
    assert keys(company="10") == ["P3"]
    assert keys(currency="EUR") == ["P2"] == keys(text="A%") == keys(text="20", currency="EUR")
    assert keys(text="%") == ["P2"] and keys(text="p1") == ["P1", "P1"]
    assert keys(amount_from=scaled("10"), amount_to=scaled("20")) == ["P2", "P1"]
    assert keys(before=now - timedelta(hours=1)) == [] and len(keys(before=now + timedelta(hours=1))) == 5
    assert keys(dated_from=now.date().replace(year=2026, month=11, day=1)) == ["H1"]
    cause = next(each.cause for each in ledger.open_items.causes() if each.cause.value == "a%")
    assert keys(cause=cause) == ["P2"]
    assert keys(connections={FLOW: "cin7_us"}, connection="cin7_us", differs=True) == ["P1"]


def test_an_item_is_given_to_a_person_until_it_is_closed_and_stays_so_when_it_is_held_anew(ledger):
    ledger.hold(FLOW, [held("P1"), held("P2")], run=RUN, owner="ap")
    one = ledger.open_items.items(Wanted())[0]
    assert ledger.open_items.assign([(False, one.id), (True, one.id)], "kari") == 1
    assert [each.key for each in ledger.open_items.items(Wanted(owner="kari"))] == ["P1"]
    ledger.hold(FLOW, [held("P1", "200.00")], run=RUN, owner="ap")
    assert [(each.owner, each.amount) for each in ledger.open_items.items(Wanted(owner="kari"))] == [("kari", "200.00")]
    assert ledger.open_items.assign([(False, one.id)], "") == 1
    assert {each.owner for each in ledger.open_items.items(Wanted())} == {"ap"}


def test_nothing_of_a_hold_is_opened_for_a_list_of_causes(sqlite_ledger):
    sqlite_ledger.hold(FLOW, [held("P1")], run=RUN)
    asked = []
    with sqlite_ledger._database.reading() as connection:
        sa.event.listen(connection.engine, "before_cursor_execute", lambda *each: asked.append(each[2:4]))
    sqlite_ledger.open_items.causes()
    with sqlite_ledger._database.reading() as connection:
        ways = [
            row[3]
            for text, values in list(asked)
            if "count(*)" in text and "FROM holds" in text
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
        ]
    assert any("COVERING INDEX holds_by_amount" in way for way in ways), ways


def test_a_ledger_of_before_has_its_amounts_counted(ledger):
    ledger.hold(FLOW, [held("P1", "12.50")], run=RUN)
    with ledger._database.reading() as connection:
        assert connection.execute(sa.select(holds.c.scaled).where(holds.c.id > 0)).scalar() == 125_000


@pytest.mark.parametrize("text", ["", "1.2.3", "a.b.c.d", "1.2.3.4.5", f"1.{2**60}.0.1", "1.1.7.1"])
def test_a_place_that_is_none_is_refused(text):
    with pytest.raises(ValueError):
        Place.of(text)


def test_the_saas_of_a_flow_is_told_by_its_name():
    names = ["cin7/purchases", "ifs/suppliers_from_cin7", "ifs/vouchers_from_airbase_requests"]
    assert [connection_of(name) for name in names] == ["cin7", "cin7", "airbase"]


@pytest.mark.parametrize("text", ["1.00005", "NaN", "Infinity", "1E+400", "", None, "1e15000", "922337203685478"])
def test_an_amount_that_is_not_exact_as_a_whole_number_has_none(text):
    assert scaled(text) in (None, 9223372036854780000)
    assert scaled("922337203685477.5807") == 2**63 - 1 and unscaled(2**63 - 1) == Decimal("922337203685477.5807")


def test_a_cause_has_the_same_name_for_as_long_as_it_is_the_same():
    cause = OpenCause(",a,b,", False, "cin7", "20", "4O10")
    assert cause.mark == OpenCause(*cause).mark and len(cause.mark) == 16
    assert cause.mark != cause._replace(company="10").mark != replace_value(cause).mark
    assert cause.rules == ("a", "b")


def replace_value(cause):
    return cause._replace(value="", company="204O10")
