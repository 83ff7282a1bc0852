"""Where an Airbase tenant has what, and how much goes into one call. An empty path: the feature is off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlc_dagster.systems.airbase.bills.settings import OrderInvoiceFields
from mlc_dagster.systems.airbase.bills.shape import BillShape


@dataclass(frozen=True)
class Endpoints:
    """Paths below the host, each with a slash at its end: without it Airbase redirects, and a write is lost."""

    vendors: str = "/v1/accounting/vendors/"
    vendors_bulk: str = "/v1/accounting/vendors/bulk_upsert/"
    accounts: str = "/v1/accounting/accounts/"
    subsidiaries: str = "/v1/accounting/subsidiaries/"
    purchase_orders: str = "/v1/accounting/purchase_orders/"
    purchase_orders_bulk: str = "/v1/accounting/purchase_orders/bulk_upsert/"
    purchase_requests: str = ""
    bills: str = ""
    bills_bulk: str = ""
    ledger_entries: str = "/v1/accounting/ledger_entries/"
    vendor_fields_left_out: tuple[str, ...] = ()  # fields that this tenant's vendors do not take
    vendor_details: Mapping[str, str] = field(default_factory=dict)  # our field -> dotted path in a vendor
    main_address_type: str = "Visit"  # the ERP's, of the address that a vendor has
    bank_details: tuple[str, ...] = ()  # where they go in a vendor; none: nowhere
    order_line_fields: tuple[str, ...] = ()  # further fields that this tenant's order lines have
    bill: BillShape = field(default_factory=BillShape)
    order_invoices: OrderInvoiceFields | None = None
    bill_types: tuple[str, ...] = ()  # types of ledger entries that are bills
    page_size: int = 250
    batch_size: int = 100
    request_status: str = "approved"
    ledger_status: str = "sync_ready"
    failed_status: str = ""
    request_fields: Mapping[str, str] = field(default_factory=dict)  # our field -> dotted path, where it differs
    payment_fields: Mapping[str, str] = field(default_factory=dict)
