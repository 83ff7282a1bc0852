"""What the demo says in mlc.yaml beside the sandbox's usual sections: receipts, plants, and where orders show both."""

from __future__ import annotations

from typing import Any

from mlc_dagster.sandbox.seed.books import COMPANIES

ORDER_COLUMNS = {
    "supplier_name": "Supplier name",
    "account_links": "Accounts",
    "site": "Site",
    "received": "Received",
    "receipt_state": "Receipts",
    "received_amount": "Received amount",
    "received_on": "Last receipt",
    "next_delivery": "Next delivery",
}
SALES_COLUMNS = {"site": "Site", "shipped": "Shipped", "shipment_state": "Shipment"}
INVOICE_COLUMNS = {"supplier_name": "Supplier name", "account_links": "Accounts"}
OWN_RECEIPTS = {
    "projection": "ReceiptInfoHandling",
    "set": "ReceiptInfoSet",
    "state": "ObjState",
    "stamp": "LastModified",
}
COLUMNS = {"purchase_orders": ORDER_COLUMNS, "customer_orders": SALES_COLUMNS, "invoices": INVOICE_COLUMNS}
"""Flow -> field and title; the columns are made by the first load."""


def bring_to_life(content: dict[str, Any]) -> None:
    """Into the content of the demo's mlc.yaml. Of IFS Cloud's own services none is known to show receipts: a tenant has
    them where it speaks the words of the business description, or built a service of its own.
    """
    sets = content["ifs"].get("entity_sets", {})
    if content["ifs"].get("catalogue", "seed") == "seed":
        content["ifs"]["entity_sets"] = {**sets, "receipt_info_set": {"set": "ReceiptInfoSet"}}
    elif "posting_proposal_head_set" in sets:  # the tenant built it
        content["ifs"]["entity_sets"] = {**sets, "receipt_info_set": OWN_RECEIPTS}
    for flow, columns in COLUMNS.items():
        board = content["monday"]["boards"][flow]
        board["columns"] = {**board["columns"], **columns}
    content["cin7"] |= {"order_progress": "AdditionalAttribute2", "wanted_date": "lines"}
    content["monday"]["wanted_date"] = "lines"
    for code, company in COMPANIES.items():
        content["companies"][code]["sites"] = _sites(company)


def _sites(company: dict[str, Any]) -> dict[str, Any]:
    """Location in Cin7, and a group of each board with documents of a site."""
    named = company.get("sites", {company["site"]: company["location"]})
    return {
        site: {
            "cin7": {"location": location},
            "monday": {"groups": dict.fromkeys(("purchase_orders", "customer_orders"), f"group_{site.lower()}")},
        }
        for site, location in named.items()
    }
