"""The names that a tenant's catalogue begins with, before mlc.yaml: `cloud`, as IFS Cloud's tenants were seen; `seed`.

`seed` is the words of the records themselves, which the sandbox speaks. `cloud` is what facts/ifs-tenants.md, in its
section 6, calls recorded (A), seen twice (B) or once (C); a guess (D) is absent here, until mlc.yaml names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.systems.ifs.settings import EntitySetSettings, Preset

_VOUCHER_ROWS = "VoucherRowsAnalysis"
_APART = {"expand": "never"}
"""IFS documents $expand of one row alone (facts/ifs-tenants.md, section 2): lines are asked for apart."""

_NONE = dict.fromkeys

_SUPPLIERS = {
    "projection": "SupplierHandling",
    "set": "SupplierInfoGeneralSet",
    "fields": _NONE(["email", "vat_no", "bank_account", "blocked", "credit_limit", "default_account", "cost_center"]),
    "state": None,
    "stamp": None,
    "children": [
        {
            "navigation": "SupplierPurchases",
            "fields": {"currency_code": "CurrencyCode", "payment_terms": "PayTermId", "notes": "NoteText"},
        }
    ],
    "constants": {
        "PartyType": "Supplier",
        "SupplierCategory": "Supplier",
        "DefaultDomain": True,
        "OneTime": False,
        "B2bSupplier": False,
        "IdentifierRefValidation": "None",
        "ValidDataProcessingPurpose": False,
        "CreationDate": "today",
    },
}

_CUSTOMERS = {
    "projection": "CustomerHandling",
    "set": "CustomerInfoSet",
    "fields": {
        "country": "CountryCode",
        **_NONE(["currency_code", "payment_terms", "credit_limit", "default_account", "cost_center", "notes"]),
    },
    "state": None,
    "stamp": None,
}

_PURCHASE_ORDERS = {
    **_APART,
    "projection": "PurchaseOrderHandling",
    "set": "PurchaseOrderSet",
    "fields": _NONE(["wanted_receipt_date", "currency_rate", "notes"]),
    "state": "Objstate",
    "stamp": None,
    "sums": {"total_amount": "line_amount"},
    "lines": {
        "navigations": ["LinePartArray", "LineNopartArray", "LineRentalPartArray"],
        "set": None,
        "stamp": None,
        "fields": {
            "company": None,
            "buy_unit_price": "FbuyUnitPrice",  # in the order's currency; BuyUnitPrice is in the company's
            "line_amount": "NetAmtCurr",
            "base_amount": "NetAmountBase",
            "tax_code": "FeeCode",
            "account": "CodeA",
            "obj_state": "Objstate",
        },
        "fields_of": {"LineNopartArray": {"base_amount": "NetAmtBase", "part_no": None}},
    },
}

_CUSTOMER_ORDERS = {
    **_APART,
    "projection": "CustomerOrderHandling",
    "set": "CustomerOrderSet",
    "fields": _NONE(["company", "total_amount", "currency_rate", "notes"]),
    "state": "Objstate",
    "stamp": None,
    "lines": {
        "navigation": "OrderLinesArray",
        "set": "CustomerOrderLineSet",
        "stamp": None,
        "keys": {"line_item_no": "LineItemNo"},
        "fields": {
            "description": "CatalogDesc",
            "qty_shipped": None,
            "sale_unit_price": None,
            "line_amount": None,
            "obj_state": "Objstate",
        },
    },
}

_VOUCHERS: dict[str, Any] = {
    **_APART,
    "projection": _VOUCHER_ROWS,
    "set": "VoucherRowSet",
    "header_from_rows": True,
    "fields": {"user_group": "EnteredByUserGroup", "text": None, "external_ref": "ReferenceNumber"},
    "state": None,
    "stamp": None,
    "lines": {
        "set": "VoucherRowSet",
        "stamp": None,
        "fields": {"debit_amount": "DebetAmount", "external_ref": "ReferenceNumber"},
    },
}

_POSTED_VOUCHERS = {
    **_VOUCHERS,
    "projection": None,  # the general ledger's rows are known, and the name of their service is not
    "set": None,
    "lines": {**_VOUCHERS["lines"], "set": "GenLedVoucherRowSet"},
}

_ACCOUNTS = {
    "projection": _VOUCHER_ROWS,
    "set": "Reference_Account",
    "fields": {
        "account_type": "AccntType",
        "blocked": None,
        **{f"req_code_{letter}": f"ReqCode{letter.upper()}" for letter in "bcdefghij"},
        "req_text": "ReqText",
        "tax_handling": "TaxHandlingValue",
        "tax_code_mandatory": "TaxCodeMandatory",
        "ledger_flag": "LedgFlag",
    },
}

_CODE_PART_VALUES = {
    "projection": _VOUCHER_ROWS,
    "state": None,
    "sources": [
        {
            "set": f"Reference_Code{letter}",
            "constants": {"code_part": letter},
            "keys": {"code_part_value": f"Code{letter}"},
        }
        for letter in "BCDEFGHIJ"
    ],
}

_RECEIPTS = {"projection": None, "set": None, "state": "Objstate", "stamp": None}
"""Its columns are public, and the name of its service is not."""

CLOUD: Mapping[str, Mapping[str, Any]] = {
    "supplier_set": _SUPPLIERS,
    "customer_set": _CUSTOMERS,
    "purchase_order_set": _PURCHASE_ORDERS,
    "customer_order_set": _CUSTOMER_ORDERS,
    "voucher_set": _VOUCHERS,
    "posted_voucher_set": _POSTED_VOUCHERS,
    "account_set": _ACCOUNTS,
    "code_part_value_set": _CODE_PART_VALUES,
    "posting_proposal_head_set": {**_APART, "set": None},
    "supplier_invoice_set": {**_APART, "set": None},
    "receipt_info_set": _RECEIPTS,
}

SEED: Mapping[str, Mapping[str, Any]] = {}


def preset(name: Preset) -> dict[str, EntitySetSettings]:
    """Entity set of the catalogue -> what is said of it, as mlc.yaml would."""
    found = CLOUD if name == "cloud" else SEED
    return {key: EntitySetSettings.model_validate(said) for key, said in found.items()}
