"""Whether an Airbase tenant has what the ledger says. It gives no id of its own: the token tells the tenant, and no
public answer names it (facts/airbase.md, sections 1 and 5).
"""

from __future__ import annotations

from mlc_dagster.core.accounts import Delivered
from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.vocabulary import key_parts
from mlc_dagster.systems.airbase.api import AirbaseApi, id_of
from mlc_dagster.systems.airbase.bills.order_invoices import has_invoice
from mlc_dagster.systems.airbase.bills.records import BILLS, ORDER_INVOICES
from mlc_dagster.systems.airbase.client import AirbaseClient
from mlc_dagster.systems.airbase.records import PURCHASE_ORDERS, VENDORS
from mlc_dagster.systems.airbase.spend.records import PAYMENTS, PURCHASE_REQUESTS


def has(client: AirbaseClient, record: Delivered) -> bool:
    """Whether the tenant has that very document, with the ERP's key where we gave it one."""
    api, at, flow = AirbaseApi(client.api, client.endpoints.page_size), client.endpoints, record.flow
    sent = {VENDORS.name: at.vendors, PURCHASE_ORDERS.name: at.purchase_orders, BILLS.name: at.bills}
    if flow.target.name == ORDER_INVOICES.name:
        order, key = key_parts(record.remote_id, 2)
        orders = (row for row in api.pages(at.purchase_orders) if id_of(row) == order)
        return any(has_invoice(row, key, at.order_invoices) for row in orders)
    spent = {PURCHASE_REQUESTS.name: at.purchase_requests, PAYMENTS.name: at.ledger_entries}
    if flow.target.system == flow.spoke and (path := sent.get(flow.target.name)) is not None:
        rows = api.pages(path, erp_reference_id=record.key) if path else iter(())
        return any(id_of(row) == record.remote_id for row in rows)
    if (path := spent.get(flow.source.name)) is not None:
        return bool(path) and _has_one(api, path, record.key)
    rows = (row for row in api.pages(at.vendors) if id_of(row) == record.key)
    return any(not record.says_otherwise(row) for row in rows)


def _has_one(api: AirbaseApi, path: str, which: str) -> bool:
    """Of spend, which is read one by one; its ids are random (UUID)."""
    try:
        return bool(api.one(f"{path}{which}/"))
    except RecordRejected:
        return False
