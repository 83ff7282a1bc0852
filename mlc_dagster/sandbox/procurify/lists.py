"""What each list of the sandboxed Procurify can be asked. Bills have no `status`, vendors no modified date."""

from __future__ import annotations

from collections.abc import Callable

from mlc_dagster.sandbox.procurify.pages import Listing
from mlc_dagster.sandbox.procurify.reference_data import Row

PLAIN = Listing(equal={"active": lambda row: row["active"]}, orders=("id", "name"))
ACCOUNT_CODES = Listing(
    equal={"active": lambda row: row["active"], "code": lambda row: row["code"]}, orders=("id", "code")
)
VENDORS = Listing(
    equal={
        "name": lambda row: row["name"],
        "external_id": lambda row: row["external_id"],
        "type": lambda row: row["type"],
        "type__in": lambda row: row["type"],
    },
    orders=("id", "name", "dateModified"),
    searched=("name",),
)
BILLS = Listing(
    equal={
        "type": lambda row: row["type"],
        "vendor": lambda row: row["vendor"]["id"],
        "currency": lambda row: row["currency"]["id"],
    },
    moments={name: name for name in ("last_modified_datetime", "submitted_date", "invoice_date")},
    orders=("id", "last_modified_datetime", "submitted_date", "invoice_date"),
    searched=("vendor_name", "invoice_number"),
)
ORDERS = Listing(
    equal={"pref_vendor": lambda row: row["pref_vendor"]["id"]},
    dates={"modified_date": "last_modified", "date": "date"},
    orders=("procurify_PO", "last_modified", "date"),
)
ORDER_STATUSES: dict[str, Callable[[Row], bool]] = {
    "all": lambda _: True,
    "cancelled": lambda row: row["state"] == 1,
    "closed": lambda row: row["state"] == 3,
    "open": lambda row: row["state"] in (0, 5),
    "paid": lambda row: row["state"] == 4,
    "partial": lambda row: row["fulfilment_status"] == "partial",
}
