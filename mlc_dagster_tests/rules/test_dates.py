"""Dates that cannot be meant are held, in every flow whose records have dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.settings.model import Policies
from mlc_dagster.systems.airbase.spend.records import ACKNOWLEDGEMENTS, Payment, SpendLine
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.procurify.records import Bill
from mlc_dagster.systems.registry import systems

TODAY = date(2026, 11, 29)
FACTS = Facts(today=TODAY, options=Policies().options())
FLOWS = [flow for system in systems().values() for flow in system.flows]
PROPOSAL = ifs.PostingProposal(company="0010", proposal_id=7, invoice_date=TODAY, due_date=TODAY)


def held(source: Record, facts: Facts = FACTS) -> str:
    problem = rules.dates_can_be_meant(source, None, facts)
    return problem.reason if problem else ""


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_flow_of_documents_judges_their_dates(flow: Flow) -> None:
    has_dates = any(name.endswith(("_date", "dated")) for name in flow.source.record.__struct_fields__)
    is_document = hasattr(flow.source.record, "dates") and flow.target.name != ACKNOWLEDGEMENTS.name
    assert ("dates_can_be_meant" in [rule.__name__ for rule in flow.rules]) is is_document
    master_data = {"supplier_set", "customer_set"}
    assert is_document or not has_dates or flow.target.name == ACKNOWLEDGEMENTS.name or flow.source.name in master_data


def test_a_document_dated_years_ahead_is_held_and_one_of_next_month_is_not() -> None:
    typo = msgspec.structs.replace(PROPOSAL, invoice_date=date(2062, 11, 4), due_date=date(2062, 12, 4))
    assert "InvoiceDate is 2062-11-04, more than 366 days ahead (policies.dated_days_ahead)" in held(typo)
    assert "DueDate is 2062-12-04" in held(typo)
    assert held(msgspec.structs.replace(PROPOSAL, due_date=TODAY + timedelta(days=90))) == ""
    assert held(ifs.PurchaseOrder(order_no="P1", order_date=TODAY + timedelta(days=30))) == ""


def test_how_far_ahead_is_said_in_mlc_yaml() -> None:
    near = replace(FACTS, options=Policies(dated_days_ahead=0).options())
    assert held(ifs.PurchaseOrder(order_no="P1", order_date=TODAY + timedelta(days=1)), near)
    assert not held(ifs.PurchaseOrder(order_no="P1", order_date=TODAY), near)


@pytest.mark.parametrize("source", [PROPOSAL, Bill(uuid="a", status=2, type=0, invoice_date=TODAY, due_date=TODAY)])
def test_what_is_due_before_it_is_dated_is_held(source: Record) -> None:
    early = msgspec.structs.replace(source, due_date=TODAY - timedelta(days=1))
    assert "is 2026-11-28, before" in held(early) and held(source) == ""
    assert "before" in held(early, Facts()), "without knowing the day as well"


def test_a_year_that_lacks_its_century_is_held() -> None:
    assert "0026-11-04, before 1980" in held(ifs.PurchaseOrder(order_no="P1", order_date=date(26, 11, 4)))


def test_an_order_that_was_entered_after_its_goods_came_is_no_mistake() -> None:
    late = ifs.PurchaseOrder(order_no="P1", order_date=TODAY, wanted_receipt_date=TODAY - timedelta(days=9))
    assert held(late) == ""


def test_an_amortization_that_ends_before_it_starts_is_held() -> None:
    line = SpendLine(amortization_start=TODAY, amortization_end=TODAY - timedelta(days=1))
    assert "the end of the amortization is 2026-11-28, before its start" in held(Payment(id="1", lines=(line,)))
