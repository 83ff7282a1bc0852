"""Where in an Airbase document each field of ours stands: dotted paths, which mlc.yaml may correct. Pure.

Ledger entries were seen in recorded traffic. Purchase requests are documented to customers alone: their paths are ours,
in the same style.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_LINE = {
    "line_number": "line_number",
    "line_description": "description",
    "line_amount": "amount",
    "line_account": "account.erp_reference_id",
    "line_tags": "tags",
    "tag_group": "type_label",
    "tag_code": "erp_reference_id",
    "tag_name": "name",
}
_BOTH = {
    "status": "status",
    "erp_reference_id": "erp_reference_id",
    "subsidiary": "subsidiary.erp_reference_id",
    "currency": "currency.iso_code",
    "total_amount": "total_amount",
    "subsidiary_amount": "amounts.subsidiary_amount.amount",
    "subsidiary_currency": "amounts.subsidiary_amount.currency.iso_code",
    "tags": "transaction_tags",
    **_LINE,
}
REQUEST: Mapping[str, str] = {
    "number": "request_number",
    "purchase_type": "purchase_type",
    "invoice_number": "invoice_number",
    "supplier": "vendor.erp_reference_id",
    "approved_by": "approver.name",
    "approved_date": "approved_date",
    "lines": "line_items",
    **_BOTH,
}
PAYMENT: Mapping[str, str] = {
    "type": "type",
    "entry_date": "entry_date",
    "payment_entry_date": "payment_entry_date",
    "invoice_number": "invoice_number",
    "supplier": "vendor.erp_reference_id",
    "bank_account": "bank_account.erp_reference_id",
    "bank_name": "bank_account.name",
    "ap_account": "ap_account.erp_reference_id",
    "applied_to": "applied_to",
    "settlement_amount": "amounts.settlement_amount.amount",
    "settlement_currency": "amounts.settlement_amount.currency.iso_code",
    "amortization_account": "amortization_account.erp_reference_id",
    "amortization_start": "amortization_start_date",
    "amortization_end": "amortization_end_date",
    "line_amortization_start": "amortization_start_date",
    "line_amortization_end": "amortization_end_date",
    "lines": "expense_list",
    **_BOTH,
}


def unknown_fields(given: Iterable[str], known: Mapping[str, str]) -> str:
    """Names that are none of these fields, as one text; empty where all are."""
    return ", ".join(sorted(set(given) - set(known)))


def value_at(document: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path; None where the document has no such place."""
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
