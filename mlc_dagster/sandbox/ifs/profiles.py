"""The tenants that the sandboxed IFS Cloud can stand for."""

from __future__ import annotations

from mlc_dagster.sandbox.profiles import Profile

_ALLOWED = ("0010", "20", "0030")
_EVERY = {"token_seconds": 180.0, "allowed_companies": _ALLOWED, "expand": False, "rows_without_top": 0}
"""Of all but `seed`: tokens as recorded, companies that are not the service user's absent with 200."""

SITES = {"A": "0010", "S10": "0010", "S11": "0010", "J20": "20", "K30": "0030"}
CLOUD = {"catalogue": "cloud", "entity_sets": {}, "sites": SITES}

SALES = {"sums": {"total_amount": "line_amount"}, "lines": {"fields": {"line_amount": "NetAmountCurr"}}}
"""What no list of a tenant names, and this one has."""

NEW_SUPPLIERS = {"constants": {"DefaultLanguage": "en", "Country": "SE"}}
"""What is demanded of a new supplier, and stands there where the SaaS says nothing of it."""

PAGES = {"customer_order_set": SALES, "supplier_set": NEW_SUPPLIERS}
NAMED_COUNTRIES = {**PAGES, "supplier_set": {**NEW_SUPPLIERS, "fields": {"country": "CountryCode"}}}
"""Country says SWEDEN there; CountryCode says SE."""

OWN_SERVICES = {
    "posting_proposal_head_set": {
        "projection": "PostingProposalHandling",
        "set": "PostingProposalHeadSet",
        "stamp": "LastModified",
    },
    "supplier_invoice_set": {"projection": "SupplierInvoiceHandling", "set": "SupplierInvoiceSet"},
    "voucher_set": {
        "projection": "VoucherHandling",
        "set": "VoucherSet",
        "header_from_rows": False,
        "fields": {"user_group": "UserGroup", "text": "Text", "external_ref": "ExternalRef"},
        "state": "ObjState",
        "stamp": "LastModified",
        "delta": "modified",
        "lines": {"set": "VoucherRowSet", "fields": {"debit_amount": "DebitAmount", "external_ref": None}},
    },
}
"""Of a tenant that built services for what it posts, under the words of the records."""

INVOICES = {
    "projection": "ManSuppInvoiceHandling",
    "set": "ManSuppInvoiceSet",
    "fields": {
        "supplier_id": "Identity",
        "currency_code": "Currency",
        "net_amount": "NetCurrAmount",
        "vat_amount": "VatCurrAmount",
        "gross_amount": "GrossCurrAmount",
        "po_reference": "PoRefNumber",
        "text": "VoucherText",
        "external_ref": "NcfReference",
    },
    "state": "Objstate",
    "stamp": None,
    "lines": {
        "navigation": "ManSuppInvoiceItemArray",
        "set": None,
        "fields": {"amount": "NetCurrAmount", "tax_code": "VatCode"},
    },
}
BY_LOADS = {"invoices_by": "external", "vouchers_by": "external"}

ENTITY_SETS = {
    "supplier_set": {
        "surface": "int",
        "projection": "SupplierInfoGeneralEntity",
        **NEW_SUPPLIERS,
        "children": [
            {
                "set": "SupplierSet",
                "projection": "SupplierEntity",
                "surface": "int",
                "on": {"supplier_id": "VendorNo"},
                "fields": {"currency_code": "CurrencyCode", "payment_terms": "PayTermId", "notes": "NoteText"},
            }
        ],
    },
    "customer_set": {"surface": "int", "projection": "CustomerInfoEntity"},
    "customer_order_set": {"set": None},
    "purchase_order_set": {
        "expand": "never",
        "lines": {
            "navigation": "LinePartArray",
            "set": "PurchaseOrderLineSet",
            "projection": "PurchaseOrderLineEntity",
            "surface": "int",
        },
    },
    "voucher_set": {
        "surface": "int",
        "projection": "VoucherEntity",
        "set": "VoucherSet",
        "header_from_rows": False,
        "fields": {"user_group": "UserGroup", "text": "VoucherText", "external_ref": None},
        "state": "Objstate",
        "lines": {"set": "VoucherRowSet", "projection": "VoucherRowEntity", "surface": "int"},
    },
    "account_set": {"surface": "int", "projection": "AccountEntity", "set": "AccountSet"},
    "code_part_value_set": {
        "surface": "int",
        "projection": "AccountingCodePartValueEntity",
        "set": "AccountingCodePartValueSet",
        "sources": [],
    },
}
"""What mlc.yaml says of a tenant that speaks through its entity services."""

PROFILES = {
    "seed": Profile("The names of the business description, everything granted: no tenant that was ever recorded."),
    "recorded": Profile(
        "A tenant that grants one finance query service for reading: what was recorded of a live one.",
        {**_EVERY, "view": "recorded"},
        CLOUD,
    ),
    "pages": Profile(
        "A tenant that grants the services of the user interface: children and lines in arrays, no totals, no $count.",
        {**_EVERY, "view": "pages", "count": False, "modified_every": 101},
        {**CLOUD, "entity_sets": PAGES},
    ),
    "own-services": Profile(
        "A tenant that grants the services of the user interface, and built its own for what integrations post.",
        {**_EVERY, "view": "own-services", "count": False, "modified_every": 101},
        {**CLOUD, "entity_sets": {**PAGES, **OWN_SERVICES}},
    ),
    "entity": Profile(
        "A tenant that activated entity services for integrations: half of them, lines apart from their orders.",
        {**_EVERY, "view": "entity", "etag_form": "integer", "rows_without_top": 100, "bare_without_select": "none"},
        {**CLOUD, "entity_sets": ENTITY_SETS},
    ),
    "no-workflow": Profile(
        "A tenant without posting proposals, whose year begins in July and whose vouchers leave for the ledger.",
        {
            **_EVERY,
            "view": "no-workflow",
            "proposals": "empty",
            "countries": "names",
            "fiscal_year_starts": 7,
            "numbers_twice": ("20",),
        },
        {**CLOUD, **BY_LOADS, "entity_sets": {**NAMED_COUNTRIES, "supplier_invoice_set": INVOICES}},
        {"accounting_year_starts": "7"},
    ),
    "load-only": Profile(
        "A tenant where integrations enter documents by external loads that a person approves, behind an API gateway.",
        {
            **_EVERY,
            "view": "load-only",
            "projections_listed": False,
            "suppliers_approved": False,
            "gateway_loses": 7,
            "gateway_grants": 3,
        },
        {**CLOUD, **BY_LOADS, "entity_sets": {**PAGES, "supplier_invoice_set": INVOICES}},
    ),
}
