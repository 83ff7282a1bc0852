"""A document in a foreign currency has two amounts, and one is never put in for the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mlc_dagster import rules
from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.core.outcomes import Draft, Saved
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal
from mlc_dagster.systems.hubspot.mapping import invoice_from_proposal as hubspot_invoice
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.entry_records import PROPOSALS
from mlc_dagster.systems.procurify.mapping import proposal_from_order
from mlc_dagster.systems.procurify.records import PurchaseOrder
from mlc_dagster_tests.systems.cin7.samples import facts, proposal, proposal_line
from mlc_dagster_tests.systems.ifs.conftest import client_of
from mlc_dagster_tests.systems.procurify.test_mapping import facts as procurify_facts
from mlc_dagster_tests.systems.procurify.test_mapping import part

EUROS = proposal(proposal_line(currency_amount=None), currency_code="EUR")


@pytest.mark.parametrize("mapping", [invoice_from_proposal, hubspot_invoice])
def test_the_companys_amount_of_a_line_is_none_of_a_foreign_invoice(mapping: Any) -> None:
    target = mapping(EUROS, facts())
    assert [line.stated for line in target.amount_lines() if line.where == "line 1"] == [None]
    problem = rules.amounts_add_up(EUROS, target, facts())
    assert problem is not None and "amount is missing" in problem.reason


def order(currency: str) -> PurchaseOrder:
    return PurchaseOrder(order_id="1", state=0, currency=currency, total=Decimal(100), allocations=(part("100"),))


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="empty") as made:
        made.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "One"})
        made.ifs.put("AccountSet", {"Company": "0010", "Account": "4010", "Description": "Material"})
        yield made


def test_an_order_in_a_foreign_currency_is_proposed_without_the_companys_amount(box: Sandbox) -> None:
    client = client_of(box)
    for currency, own in (("SEK", Decimal(100)), ("EUR", None)):
        record = proposal_from_order(order(currency), procurify_facts())
        record = msgspec.structs.replace(record, supplier_id="S1", external_ref=f"procurify-po-{currency}")
        draft = Draft(currency, record, None, datetime(1970, 1, 1, tzinfo=UTC))
        outcomes = list(client.save(PROPOSALS, [draft]))
        assert isinstance(saved := outcomes[-1], Saved), outcomes
        rows = [row for row in box.ifs.rows("PostingProposalHeadSet") if row["ExternalRef"] == record.external_ref]
        line = rows[0]["PostingProposalLines"][0]
        assert (line["CurrencyAmount"], line["Amount"], saved.action) == (Decimal(100), own, "created")


def test_a_voucher_row_without_the_companys_amount_is_held_and_not_counted_as_nothing() -> None:
    row = ifs.VoucherRow(row_no=1, currency_code="EUR", currency_amount=Decimal(10))
    voucher = ifs.Voucher(company="0010", voucher_type="M", accounting_year=2026, voucher_no=1, lines=(row,))
    known = Facts(companies={"0010": CompanyMapping("0010", "SEK")})
    problem = rules.company_amount_is_known(voucher, None, known)
    assert problem is not None and "row 1 is 10 EUR, and has neither debit nor credit" in problem.reason
    whole = msgspec.structs.replace(voucher, lines=(msgspec.structs.replace(row, debit_amount=Decimal(115)),))
    assert rules.company_amount_is_known(whole, None, known) is None
