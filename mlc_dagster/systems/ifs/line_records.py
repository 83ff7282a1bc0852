"""The lines of orders, invoices and vouchers: what is on them, and the accounts they are posted on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from mlc_dagster.core.vocabulary import Record


class Posting(msgspec.Struct, frozen=True, gc=False):
    """A line's wish to be posted: on a GL account of a company, on a date. `line` names the line for a person."""

    company: str
    account: str | None  # None: the line should have one, and has none
    on: date | None
    line: str


class CodeString(Record, frozen=True, kw_only=True):
    """What a line is posted on: a GL account, and up to nine dimensions (B is mostly the cost centre)."""

    account: str | None = None
    code_b: str | None = None
    code_c: str | None = None
    code_d: str | None = None
    code_e: str | None = None
    code_f: str | None = None
    code_g: str | None = None
    code_h: str | None = None
    code_i: str | None = None
    code_j: str | None = None


class PurchaseOrderLine(CodeString, frozen=True, kw_only=True):
    order_no: str | None = None
    line_no: str
    release_no: str
    company: str | None = None
    part_no: str | None = None
    description: str | None = None
    buy_qty_due: Decimal | None = None
    buy_unit_meas: str | None = None
    buy_unit_price: Decimal | None = None
    line_amount: Decimal | None = None
    base_amount: Decimal | None = None  # the same in the company's currency
    tax_code: str | None = None
    wanted_delivery_date: date | None = None
    promised_delivery_date: date | None = None  # by the supplier
    planned_receipt_date: date | None = None
    obj_state: str | None = None


class PostingProposalLine(CodeString, frozen=True, kw_only=True):
    company: str | None = None
    proposal_id: int | None = None
    row_id: int
    amount: Decimal | None = None
    currency_amount: Decimal | None = None
    quantity: Decimal | None = None
    tax_code: str | None = None
    text: str | None = None


class SupplierInvoiceLine(CodeString, frozen=True, kw_only=True):
    company: str | None = None
    invoice_id: int | None = None
    row_id: int
    amount: Decimal | None = None
    tax_code: str | None = None
    text: str | None = None


class VoucherRow(CodeString, frozen=True, kw_only=True):
    company: str | None = None
    voucher_type: str | None = None
    accounting_year: int | None = None
    voucher_no: int | None = None
    row_no: int
    debit_amount: Decimal | None = None
    credit_amount: Decimal | None = None
    currency_code: str | None = None
    currency_amount: Decimal | None = None
    currency_rate: Decimal | None = None
    text: str | None = None
    external_ref: str | None = None  # some tenants keep it on the row alone


class CustomerOrderLine(Record, frozen=True, kw_only=True):
    order_no: str | None = None
    line_no: str
    rel_no: str
    line_item_no: int | None = None  # 0; a package's components count from 1
    catalog_no: str | None = None
    description: str | None = None
    buy_qty_due: Decimal | None = None
    sales_unit_meas: str | None = None
    qty_shipped: Decimal | None = None
    promised_delivery_date: date | None = None
    planned_delivery_date: date | None = None
    sale_unit_price: Decimal | None = None
    line_amount: Decimal | None = None
    obj_state: str | None = None
