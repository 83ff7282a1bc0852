"""What is read from IFS Cloud: one record and one entity set for each collection.

The fields are the `$select`; a name on the wire is the field's in PascalCase (`order_no` is OrderNo) unless the tenant
says otherwise in mlc.yaml. A record's docstring describes its asset. Only keys are never null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import EntitySet, LineSet, Record
from mlc_dagster.rules.dates import DUE_AHEAD, Dated
from mlc_dagster.systems.ifs.chart_records import DEMANDS
from mlc_dagster.systems.ifs.chart_records import Account as Account
from mlc_dagster.systems.ifs.chart_records import CodePartValue as CodePartValue
from mlc_dagster.systems.ifs.customer_records import CustomerInvoice as CustomerInvoice
from mlc_dagster.systems.ifs.customer_records import CustomerInvoiceLine as CustomerInvoiceLine
from mlc_dagster.systems.ifs.customer_records import CustomerOrder as CustomerOrder
from mlc_dagster.systems.ifs.line_records import CustomerOrderLine as CustomerOrderLine
from mlc_dagster.systems.ifs.line_records import Posting as Posting
from mlc_dagster.systems.ifs.line_records import PostingProposalLine as PostingProposalLine
from mlc_dagster.systems.ifs.line_records import PurchaseOrderLine as PurchaseOrderLine
from mlc_dagster.systems.ifs.line_records import SupplierInvoiceLine as SupplierInvoiceLine
from mlc_dagster.systems.ifs.line_records import VoucherRow as VoucherRow
from mlc_dagster.systems.ifs.lookup_records import SupplierInvoice as SupplierInvoice
from mlc_dagster.systems.ifs.order_records import PurchaseOrder as PurchaseOrder
from mlc_dagster.systems.ifs.partner_accounts import with_accounts
from mlc_dagster.systems.ifs.partner_records import Customer as Customer
from mlc_dagster.systems.ifs.partner_records import Supplier as Supplier
from mlc_dagster.systems.ifs.receipt_records import Receipt as Receipt
from mlc_dagster.systems.ifs.schema import catalogue as names
from mlc_dagster.systems.ifs.schema.catalogue import Overrides
from mlc_dagster.systems.ifs.schema.presets import preset
from mlc_dagster.systems.ifs.schema.surfaces import addressed
from mlc_dagster.systems.ifs.settings import IfsSettings, Preset
from mlc_dagster.systems.ifs.supplier_child_records import OWN_KEYS


class PostingProposal(Record, frozen=True, kw_only=True):
    """Supplier invoices of the ERP as posting proposals, with lines, that were created or changed on a day: invoice
    number, dates, net, VAT and gross, the order they refer to, and the GL account of each line.
    """

    company: str
    proposal_id: int
    contract: str | None = None  # the site, where the tenant's invoices have one
    invoice_id: int | None = None
    invoice_no: str | None = None
    supplier_id: str | None = None
    invoice_date: date | None = None
    due_date: date | None = None
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    net_amount: Decimal | None = None
    vat_amount: Decimal | None = None
    gross_amount: Decimal | None = None
    po_reference: str | None = None
    external_ref: str | None = None
    text: str | None = None
    obj_state: str | None = None
    last_modified: datetime | None = None
    lines: tuple[PostingProposalLine, ...] = ()

    def dates(self) -> Iterator[Dated]:
        yield Dated("InvoiceDate", self.invoice_date)
        yield Dated("DueDate", self.due_date, DUE_AHEAD, ("InvoiceDate", self.invoice_date))

    def postings(self) -> Iterator[Posting]:
        """Every line: an invoice line without an account cannot be posted, so its account is None here."""
        for line in self.lines:
            yield Posting(self.company, line.account or None, self.invoice_date, str(line.row_id))


class Voucher(Record, frozen=True, kw_only=True):
    """Vouchers (journal entries) of the ERP, with rows, that were created or changed on a day: date, period, debit and
    credit, GL account and dimensions of each row.
    """

    company: str
    voucher_type: str
    accounting_year: int
    voucher_no: int
    accounting_period: int | None = None
    voucher_date: date | None = None
    user_group: str | None = None
    text: str | None = None
    external_ref: str | None = None
    obj_state: str | None = None
    last_modified: datetime | None = None
    lines: tuple[VoucherRow, ...] = ()

    def dates(self) -> Iterator[Dated]:
        yield Dated("VoucherDate", self.voucher_date)

    def postings(self) -> Iterator[Posting]:
        """The rows that name an account."""
        for row in self.lines:
            if row.account:
                yield Posting(self.company, row.account, self.voucher_date, str(row.row_no))


def _set(path: str, projection: str, record: type[Record], *keys: str, lines: LineSet | None = None) -> EntitySet:
    """An entity set, by default partitioned by day. Its asset: PurchaseOrderSet is ifs/purchase_order_set."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", path).lower()
    description = " ".join((record.__doc__ or "").split())
    return EntitySet("ifs", name, projection, path, record, keys, lines=lines, description=description)


def _lines(navigation: str, path: str, record: type[Record], *keys: str, absent: tuple[str, ...] = ()) -> LineSet:
    return LineSet("lines", navigation, path, record, keys, absent=frozenset(absent), stamp="LastModified")


SUPPLIERS = replace(
    _set("SupplierSet", "SupplierHandling", Supplier, "supplier_id"), is_master=True, absent=frozenset(OWN_KEYS)
)

CUSTOMERS = replace(_set("CustomerSet", "CustomerHandling", Customer, "customer_id"), is_master=True)

PURCHASE_ORDERS = replace(
    _set(
        "PurchaseOrderSet",
        "PurchaseOrderHandling",
        PurchaseOrder,
        "order_no",
        lines=_lines(
            "PurchaseOrderLines",
            "PurchaseOrderLineSet",
            PurchaseOrderLine,
            *("order_no", "line_no", "release_no"),
            absent=("base_amount",),
        ),
    ),
    absent=frozenset({names.BESIDE}),
)

RECEIPTS = replace(
    _set("ReceiptInfoSet", "ReceiptInfoHandling", Receipt, "receipt_sequence"),
    wire={"source_ref_type": "SourceRefTypeDb"},
    is_off=True,
)
"""Read with the orders that they are of, where mlc.yaml names the set: a receipt moves no stamp of its order."""

POSTING_PROPOSALS = replace(
    _set(
        "PostingProposalHeadSet",
        "PostingProposalHandling",
        PostingProposal,
        "company",
        "proposal_id",
        lines=_lines(
            "PostingProposalLines", "PostingProposalLineSet", PostingProposalLine, "company", "proposal_id", "row_id"
        ),
    ),
    actions={"Cancelled": "PostingProposalHead_Cancel"},
    absent=frozenset({"contract"}),
)

VOUCHER_KEYS = ("company", "voucher_type", "accounting_year", "voucher_no")

VOUCHERS = replace(
    _set(
        "VoucherSet",
        "VoucherHandling",
        Voucher,
        *VOUCHER_KEYS,
        lines=_lines("VoucherRows", "VoucherRowSet", VoucherRow, *VOUCHER_KEYS, "row_no", absent=("external_ref",)),
    ),
    rows_move_on=True,
)
"""Of the hold table: what is posted leaves it for the general ledger (facts/ifs-tenants.md, 1.10)."""

POSTED_VOUCHERS = replace(
    VOUCHERS,
    name="posted_voucher_set",
    projection="GenLedVoucherEntity",
    path="GenLedVoucherSet",
    lines=_lines("GenLedVoucherRows", "GenLedVoucherRowSet", VoucherRow, *VOUCHER_KEYS, "row_no"),
    rows_move_on=False,
    is_off=True,
)
"""Of the general ledger: asked whether a voucher that is not in the hold table any more was posted, or deleted."""

CUSTOMER_ORDERS = _set(
    "CustomerOrderSet",
    "CustomerOrderHandling",
    CustomerOrder,
    "order_no",
    lines=_lines(
        "CustomerOrderLines",
        "CustomerOrderLineSet",
        CustomerOrderLine,
        *("order_no", "line_no", "rel_no"),
        absent=("line_item_no",),
    ),
)

ACCOUNTS = replace(
    _set("AccountSet", "AccountHandling", Account, "company", "account"),
    partition="company",
    modified=None,
    absent=frozenset(DEMANDS),
)

CODE_PART_VALUES = replace(
    _set("CodePartValueSet", "CodePartValueHandling", CodePartValue, "company", "code_part", "code_part_value"),
    partition="company",
    modified=None,
)

SUPPLIER_INVOICES = _set(
    "SupplierInvoiceSet",
    "SupplierInvoiceHandling",
    SupplierInvoice,
    "company",
    "invoice_id",
    lines=_lines(
        "SupplierInvoiceLines", "SupplierInvoiceLineSet", SupplierInvoiceLine, "company", "invoice_id", "row_id"
    ),
)

CUSTOMER_INVOICES = replace(
    _set(
        "CustomerInvoiceSet",
        "CustomerInvoiceHandling",
        CustomerInvoice,
        "company",
        "invoice_id",
        lines=_lines(
            "CustomerInvoiceLines", "CustomerInvoiceLineSet", CustomerInvoiceLine, "company", "invoice_id", "row_id"
        ),
    ),
    is_off=True,
)

OPTIONAL = (CUSTOMER_INVOICES,)
"""What no catalogue knows the name of: it is there where mlc.yaml names its set, and else no asset stands for it."""

WRITTEN = (SUPPLIER_INVOICES, POSTED_VOUCHERS, RECEIPTS)
"""What is written, looked up or read with something else, and not day by day: no asset stands for it."""

ENTITY_SETS = (
    *(SUPPLIERS, CUSTOMERS, PURCHASE_ORDERS, POSTING_PROPOSALS),
    *(VOUCHERS, CUSTOMER_ORDERS, ACCOUNTS, CODE_PART_VALUES),
)


def catalogue(overrides: Overrides, begins_with: Preset = "seed") -> dict[str, EntitySet]:
    """Asset name -> entity set, under this tenant's names. Raises Misconfigured with the path in mlc.yaml."""
    return _with_receipts(names.catalogue_of(_before(begins_with, overrides), overrides))


def catalogue_for(section: IfsSettings) -> dict[str, EntitySet]:
    """The catalogue of the tenant that a section of mlc.yaml is about, each set with its address."""
    found = catalogue(section.entity_sets, section.preset)
    addressed_sets = {name: addressed(entity, section.base_url, section.surface) for name, entity in found.items()}
    return {name: _with_sites(entity, section.sites) for name, entity in addressed_sets.items()}


def _with_receipts(sets: dict[str, EntitySet]) -> dict[str, EntitySet]:
    """Orders with their receipts, where the tenant has a set of them. Raises Misconfigured where nothing joins them."""
    orders, receipts = sets[PURCHASE_ORDERS.name], sets[RECEIPTS.name]
    if receipts.is_off:
        return sets
    if orders.header_from_rows:
        words = "receipts are read with orders that have a set of headers, and not with such as are grouped from rows"
        raise Misconfigured(f"ifs.entity_sets.{RECEIPTS.name} in mlc.yaml: {words}. Take it out")
    stamp = "" if "last_modified" in receipts.absent else names.wire_name("last_modified", receipts.wire)
    alike = ("path", "record", "wire", "absent", "projection", "surface", "name")
    said: dict[str, Any] = {name: getattr(receipts, name) for name in alike}
    beside = LineSet(names.BESIDE, navigation="", keys=("source_ref1", *receipts.keys), stamp=stamp, **said)
    return {**sets, orders.name: replace(orders, beside=beside, absent=orders.absent - {beside.field})}


def _with_sites(entity: EntitySet, sites: Mapping[str, str]) -> EntitySet:
    """A set that has a site and no company gets its company from the site."""
    is_of_sites = "company" in entity.absent and "contract" in names.fields_of(entity.record)
    return replace(entity, sites=sites) if is_of_sites and "contract" not in entity.absent else entity


def wrong_names(overrides: Overrides, begins_with: Preset = "seed") -> Iterator[names.Wrong]:
    """What mlc.yaml calls by a name that the catalogue does not have."""
    return names.wrong_names(_before(begins_with, overrides), overrides)


def _before(begins_with: Preset, overrides: Overrides) -> list[EntitySet]:
    found = names.catalogue_of((*ENTITY_SETS, *OPTIONAL, *WRITTEN), preset(begins_with)).values()
    return [with_accounts(entity, overrides) for entity in found]
