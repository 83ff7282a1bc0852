"""The demo's boards, and the part of mlc.yaml that fits them."""

from __future__ import annotations

from typing import Any

from mlc_dagster.sandbox.monday.api import MondaySandbox

BOARDS: dict[str, tuple[str, str, dict[str, tuple[str, str]]]] = {
    "suppliers": (
        "1800000001",
        "Suppliers",
        {
            "supplier_no": ("Supplier no", "text"),
            "country": ("Country", "dropdown"),
            "currency": ("Currency", "dropdown"),
            "payment_terms": ("Terms", "text"),
            "email": ("E-mail", "email"),
            "status": ("Status", "status"),
        },
    ),
    "accounts": (
        "1800000002",
        "Chart of accounts",
        {
            "company": ("Company", "dropdown"),
            "account": ("Account", "text"),
            "type": ("Type", "status"),
            "valid_until": ("Valid until", "date"),
            "status": ("Status", "status"),
        },
    ),
    "purchase_orders": (
        "1800000003",
        "Purchase orders",
        {
            "company": ("Company", "text"),
            "delivery_date": ("Delivery", "date"),
            "currency": ("Currency", "dropdown"),
            "amount": ("Amount", "numbers"),
            "status": ("Status", "status"),
            "accounts": ("GL account", "text"),
            "departments": ("Department", "dropdown"),
        },
    ),
    "invoices": (
        "1800000004",
        "Supplier invoices",
        {
            "company": ("Company", "text"),
            "invoice_no": ("Invoice no", "text"),
            "due_date": ("Due", "date"),
            "currency": ("Currency", "dropdown"),
            "amount": ("Amount", "numbers"),
            "status": ("Status", "status"),
            "accounts": ("GL account", "text"),
            "departments": ("Department", "dropdown"),
        },
    ),
    "journal_entries": (
        "1800000005",
        "Journal entries",
        {
            "voucher_date": ("Date", "date"),
            "debit": ("Debit", "numbers"),
            "credit": ("Credit", "numbers"),
            "status": ("Status", "status"),
            "accounts": ("GL account", "dropdown"),
            "departments": ("Department", "dropdown"),
        },
    ),
    "customer_orders": (
        "1800000006",
        "Sales orders",
        {
            "customer_no": ("Customer", "text"),
            "order_date": ("Ordered", "date"),
            "amount": ("Amount", "numbers"),
            "status": ("Status", "status"),
        },
    ),
}
"""Flow -> id, name, and field -> title and type of its column. The links to suppliers are made by the first load."""

LINKED = ("purchase_orders", "invoices")

DEMO_MONDAY: dict[str, Any] = {
    "create_columns": "true",
    "key_column": "IFS key",
    "boards": {
        flow: {
            "board": board,
            "columns": {
                **{field: title for field, (title, _) in columns.items()},
                **({"supplier": "Supplier"} if flow in LINKED else {}),
            },
        }
        for flow, (board, _, columns) in BOARDS.items()
    },
}


def sow_monday(monday: MondaySandbox, *_: object) -> None:
    """Empty boards with their columns, all but the links."""
    for board, name, columns in BOARDS.values():
        monday.add_board(board, name, {"IFS key": "text", **dict(columns.values())})
