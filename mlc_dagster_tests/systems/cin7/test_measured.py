"""Beside accounts as they were measured: what is kept otherwise is told or refused, never taken for done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.outcomes import Begun, Draft, Outcome, Refused, Saved
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.systems.cin7.account_rules import AccountRules, rules_of
from mlc_dagster.systems.cin7.api import Cin7Api, classify, says
from mlc_dagster.systems.cin7.client import Cin7Client
from mlc_dagster.systems.cin7.kept_fields import lost_fields
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal, purchase_from_order, supplier_from_ifs
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES, PURCHASES, SUPPLIERS
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.cin7.webhooks import event_of
from mlc_dagster.transport.client import Throttled
from mlc_dagster_tests.systems.cin7.samples import (
    BOOKS,
    EVER,
    api_on,
    client_on,
    facts,
    order,
    order_line,
    proposal,
    proposal_line,
    save,
    service_line,
    supplier,
)
from mlc_dagster_tests.systems.cin7.test_order_lines import INVOICES, problems
from mlc_dagster_tests.systems.cin7.test_order_lines import PURCHASES as PURCHASES_FLOW

EUR = {"currency_code": "EUR", "currency_rate": Decimal("11.5")}


@contextmanager
def account(*profiles: str, calls: int = 100_000) -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=Limits(cin7_calls_per_minute=calls), profiles=profiles) as box:
        box.cin7.add_account("4010", "Material")
        box.cin7.add_account("4200", "Training")
        box.cin7.books.add_product("BOLT-8", "Bolt, M8, steel")
        yield box


@pytest.fixture
def measured() -> Iterator[Sandbox]:
    with account("cin7.measured") as box:
        yield box


@pytest.fixture
def forgetful() -> Iterator[Sandbox]:
    with account("cin7.forgetful") as box:
        yield box


def known(box: Sandbox, **changes: Any) -> Facts:
    """With supplier S100 delivered, in the currency that is given."""
    record = supplier_from_ifs(supplier(**changes), facts())
    done = save(client_on(box), SUPPLIERS, Draft("S100", record, None, EVER))[-1]
    assert isinstance(done, Saved)
    currency = changes.get("currency_code", "SEK")
    books = replace(BOOKS, supplier_currency={done.remote_id: currency})
    return facts(books, delivered={"cin7/suppliers": {"S100": done.remote_id}})


def saved(outcomes: list[Outcome]) -> Saved:
    assert isinstance(outcomes[-1], Saved), outcomes
    return outcomes[-1]


# --- how the account taxes --------------------------------------------------------------------------------------------


def test_an_account_that_taxes_documents_as_a_whole_may_be_a_cent_a_line_off_and_that_is_told(
    measured: Sandbox,
) -> None:
    """0.33 at 25 % is 0.08 three times; 0.99 at 25 % is 0.25."""
    lines = [service_line(str(number), line_amount=Decimal("0.33")) for number in (1, 2, 3)]
    record = purchase_from_order(order(*lines), known(measured))
    done = saved(save(client_on(measured), PURCHASES, Draft("P1", record, None, EVER)))
    (differs,) = done.disagreements
    assert differs[:6] == ("other_tax", "Tax", "0.24", "0.25", "0.01", "SEK")
    again = saved(save(client_on(measured), PURCHASES, Draft("P1", record, done.remote_id)))
    assert (again.action, again.disagreements) == ("adopted", done.disagreements), (
        "it is told again, and nothing is written"
    )


def test_an_account_that_taxes_lines_may_not_be_off_at_all() -> None:
    document = purchase_from_order(order(service_line()), facts())
    assert rules_of({"TaxCalculationMethod": "Row Total"}).tax_leeway(document) == 0
    assert AccountRules(tax_method="total").tax_leeway(document) == Decimal("0.01")


# --- rates ------------------------------------------------------------------------------------------------------------


def euros(box: Sandbox, **settings: Any) -> Draft:
    books = known(box, currency_code="EUR")
    options = {**books.options, **Cin7Settings(tax_rule="Tax Exempt", **settings).options()}
    books = replace(books, options=options)
    line = proposal_line(amount=Decimal("1437.50"), tax_code=None)
    amounts = {"vat_amount": Decimal(0), "gross_amount": Decimal("125.00")}
    return Draft("0010/7", invoice_from_proposal(proposal(line, **EUR, **amounts), books), None, EVER)


def test_an_invoice_that_cin7_values_at_another_rate_is_told_with_what_that_comes_to(measured: Sandbox) -> None:
    draft = euros(measured)
    done = saved(save(client_on(measured), PURCHASE_INVOICES, draft))
    (differs,) = done.disagreements
    assert differs[:4] == ("other_rate", "CurrencyRate", "11.5", "11.423525")
    assert (differs.amount, differs.currency) == ("-9.56", "SEK")
    assert "other_rate" in done.looked_for


def test_how_far_a_rate_may_be_off_is_said_in_mlc_yaml(measured: Sandbox) -> None:
    draft = euros(measured)
    client = Cin7Client(api_on(measured.url), Cin7Settings(rate_tolerance=Decimal("0.01")).options())
    assert saved(save(client, PURCHASE_INVOICES, draft)).disagreements == ()


def test_where_the_rate_is_as_it_was_sent_nothing_is_told() -> None:
    with account() as box:
        assert saved(save(client_on(box), PURCHASE_INVOICES, euros(box))).disagreements == ()


def test_what_is_foreign_and_has_no_rate_is_held_and_never_at_one() -> None:
    books = facts(replace(BOOKS, supplier_currency={"sup-1": "EUR"}))
    source = order(currency_code="EUR", currency_rate=None)
    assert "CurrencyRate in the ERP is (none)" in problems(PURCHASES_FLOW, source, books)["rate_is_known"]
    assert purchase_from_order(source, books).currency_rate is None
    zero = proposal(currency_code="EUR", currency_rate=Decimal(0))
    assert "rate_is_known" in problems(INVOICES, zero, books)
    own = replace(books, options={**books.options, "rates": "cin7"})
    assert "rate_is_known" not in problems(PURCHASES_FLOW, source, own)


def test_where_cin7s_own_rate_counts_none_is_sent_and_the_erps_is_compared(measured: Sandbox) -> None:
    draft = euros(measured, rates="cin7")
    assert (draft.record.currency_rate, draft.record.erp_rate) == (None, Decimal("11.5"))
    (differs,) = saved(save(client_on(measured), PURCHASE_INVOICES, draft)).disagreements
    assert (differs.ours, Decimal(str(differs.theirs))) == ("11.5", Decimal("0.99335"))


# --- what an answer kept ----------------------------------------------------------------------------------------------


def test_a_header_that_lost_a_field_is_refused_and_voided_and_told_where_that_is_not_done(forgetful: Sandbox) -> None:
    record = purchase_from_order(order(), known(forgetful))
    begun, refused = save(client_on(forgetful), PURCHASES, Draft("P1", record, None, EVER))
    assert isinstance(begun, Begun) and isinstance(refused, Refused)
    assert "RequiredBy is empty, sent was 2026-12-01T00:00:00" in refused.reason
    assert "PO-00001 was to be voided, and is DRAFT: void it in Cin7 by hand" in refused.reason


def test_a_header_that_lost_a_field_is_voided() -> None:
    with account("cin7.drops=RequiredBy") as box:
        record = purchase_from_order(order(), known(box))
        refused = save(client_on(box), PURCHASES, Draft("P1", record, None, EVER))[-1]
        assert isinstance(refused, Refused) and "by hand" in refused.reason and "was to be voided" not in refused.reason
        assert [one["Status"] for one in box.cin7.purchases.values()] == ["VOIDED"]


def test_addresses_that_a_change_of_the_header_lost_are_told() -> None:
    with account("cin7.loses_addresses=true") as box:
        books = known(box)
        client = client_on(box)
        made = saved(save(client, PURCHASES, Draft("P1", purchase_from_order(order(), books), None, EVER)))
        address = {"Line1": "Dock 4", "City": "Malmö", "Country": "Sweden"}
        box.cin7._purchases.find(made.remote_id)["BillingAddress"] = address
        moved = purchase_from_order(order(wanted_receipt_date=date(2026, 12, 9)), books)
        refused = save(client, PURCHASES, Draft("P1", moved, made.remote_id))[-1]
        assert isinstance(refused, Refused) and "BillingAddress.Line1 is empty, sent was Dock 4" in refused.reason


def test_what_an_answer_does_not_have_proves_nothing_and_rows_may_come_in_any_order() -> None:
    assert list(lost_fields({"A": 1, "B": "x"}, {"A": 1})) == []
    rows = [{"Name": "one"}, {"Name": "two"}]
    assert list(lost_fields({"Rows": rows}, {"Rows": rows[::-1]})) == []
    lost = list(lost_fields({"Rows": [*rows, {"Name": "three"}]}, {"Rows": rows}))
    assert lost == ["Rows, row 3: Name is one, sent was three"]


# --- statuses, lists, refusals ----------------------------------------------------------------------------------------


def test_a_composed_status_says_each_of_its_words(measured: Sandbox) -> None:
    assert says("RECEIVED / CREDITED", "CREDITED") and not says("COMPLETED / CREDIT NOTE CLOSED", "CREDITED")
    books = known(measured)
    record = purchase_from_order(order(order_line()), books)
    client = client_on(measured)
    done = saved(save(client, PURCHASES, Draft("P1", record, None, EVER)))
    measured.cin7.void_purchase(done.remote_id)
    changed = msgspec.structs.replace(record, remark="later")
    refused = save(client, PURCHASES, Draft("P1", changed, done.remote_id))[-1]
    assert isinstance(refused, Refused) and "it is voided there" in refused.reason


def test_a_list_whose_pages_are_cut_short_is_read_whole() -> None:
    with account() as box:
        for number in range(1201):
            box.cin7.books.add_location(f"Place {number}")
        assert len(client_on(box).books().locations) == 1202


@pytest.mark.parametrize("form", ["429", "503", "400", "day"])
def test_too_many_calls_are_told_by_each_form_in_which_cin7_says_so(form: str) -> None:
    with account(f"cin7.busy={form}", calls=1) as box:
        keys = {"api-auth-accountid": "sandbox-account", "api-auth-applicationkey": "sandbox-key-1"}
        url = f"{box.url}/cin7/ExternalApi/v2/me"
        answers = [httpx.get(url, headers=keys) for _ in range(2)]
        error = classify(answers[1])
        assert answers[0].status_code == 200
        assert answers[1].status_code == {"429": 429, "503": 503, "400": 400, "day": 429}[form]
        assert isinstance(error, Throttled) and error.retry_after == 60


def test_a_webhook_of_an_authorised_invoice_names_no_record() -> None:
    told = event_of({"EventType": "Purchase/InvoiceAuthorised", "TaskID": "AB-1"}, b"{}")
    assert (told.kind, told.subject) == ("purchase_invoiceauthorised", "")
    assert event_of({"EventType": "Purchase/OrderAuthorised", "TaskID": "AB-1"}, b"{}").subject == "ab-1"


def test_webhooks_are_read_by_who_has_the_module(measured: Sandbox) -> None:
    assert len(Cin7Api(api_on(measured.url)).get("/webhooks")["Webhooks"]) == 2
