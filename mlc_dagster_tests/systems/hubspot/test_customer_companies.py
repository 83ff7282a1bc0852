"""A customer's company says in HubSpot who the customer is in the finance system, as a supplier's does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlc_dagster.core.outcomes import Draft, Saved
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.hubspot.mapping import company_from_customer
from mlc_dagster.systems.hubspot.records import COMPANIES
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.systems.hubspot.samples import EVER, client_on, facts, save


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="empty") as made:
        yield made


def test_a_customers_company_has_account_cost_centre_terms_and_currency(box: Sandbox) -> None:
    customer = ifs.Customer(
        customer_id="0042", name="Malmö Pumps", country="SE", currency_code="EUR", payment_terms="30",
        default_account="4010", cost_center="CC100",
    )  # fmt: skip
    record = company_from_customer(customer, facts(payment_terms={"30": "30 days"}))
    (outcome,) = save(client_on(box), COMPANIES, Draft("0042", record, look_since=EVER))
    assert isinstance(outcome, Saved)
    found = box.hubspot.live("companies")[outcome.remote_id]["properties"]
    wanted = {
        "name": "Malmö Pumps",
        "ifs_external_key": "CUSTOMER/0042",
        "ifs_role": "Customer",
        "ifs_number": "0042",
        "ifs_company_code": "0010",
        "ifs_gl_account": "4010",
        "ifs_gl_account_name": "Raw materials",
        "ifs_cost_center": "CC100",
        "ifs_payment_terms": "30 days",
        "ifs_currency": "EUR",
        "ifs_country": "SE",
    }
    assert {name: found[name] for name in wanted} == wanted
    assert "CC100" in found["ifs_dimensions"]
