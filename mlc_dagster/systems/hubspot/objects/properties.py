"""The custom properties that HubSpot must have, and records as properties: everything is text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from mlc_dagster.core.facts import ExtraField
from mlc_dagster.systems.hubspot.records import Company, Deal, Invoice, InvoiceSummary, Line

GROUP, GROUP_LABEL = "ifs_finance", "IFS finance"
KEY = "ifs_external_key"
"""The unique property of each object: what makes a second upsert an update."""

NOT_OURS: Mapping[str, Any] = {"propertyName": KEY, "operator": "NOT_HAS_PROPERTY"}
"""The filter of a search for what people made."""

CODE_PARTS = "bcdefghij"


@dataclass(frozen=True)
class Property:
    """A custom property. HubSpot never lets the type or the uniqueness of one be changed."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    unique: bool = False

    def definition(self) -> dict[str, Any]:
        """As HubSpot creates it."""
        return {
            "groupName": GROUP,
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "hasUniqueValue": self.unique,
        }

    def fault(self, theirs: dict[str, Any]) -> str | None:
        """Why a property of this name in HubSpot cannot be used, None where it can."""
        if (found := theirs.get("type")) != self.type:
            return f"{self.name} is of type {found}, and {self.type} is needed"
        if self.unique and not theirs.get("hasUniqueValue"):
            return f"{self.name} does not have unique values"
        if (theirs.get("modificationMetadata") or {}).get("readOnlyValue"):
            return f"{self.name} is read-only"
        return None


def _texts(**labels: str) -> tuple[Property, ...]:
    return tuple(Property(f"ifs_{name}", f"IFS {label}") for name, label in labels.items())


def _numbers(**labels: str) -> tuple[Property, ...]:
    return tuple(Property(f"ifs_{name}", f"IFS {label}", "number", "number") for name, label in labels.items())


_UNIQUE = Property(KEY, "IFS external key", unique=True)
_COMPANY_CODE = _texts(company_code="company code")

MATCHED_BY, STATUS_SENT, DUE_DATE = "ifs_matched_by", "ifs_status_sent", "ifs_due_date"
"""How a company that we did not make was tied to the ERP's; the status that we sent last; the ERP's due date."""

_NO_PROPERTY = ("key", "name", "domain", "extra", "defaults")
COMPANY_FIELDS = tuple(field for field in Company.__struct_fields__ if field not in _NO_PROPERTY)
"""The fields of a company that are properties of ours: `gl_account` is ifs_gl_account."""

LABELS = {
    "cost_center": "cost centre",
    "cost_center_name": "cost centre, name",
    "dimension_names": "financial dimensions, names",
    "dimensions": "financial dimensions",
    "gl_account": "GL account",
    "gl_account_name": "GL account, name",
    "vat_no": "VAT number",
}

PROPERTIES: dict[str, tuple[Property, ...]] = {
    "companies": (
        _UNIQUE,
        *_texts(**{name: LABELS.get(name, name.replace("_", " ")) for name in COMPANY_FIELDS}),
        *_texts(matched_by="tied to this company by"),
    ),
    "invoices": (
        _UNIQUE,
        *_COMPANY_CODE,
        *_texts(invoice_no="invoice number", supplier_no="supplier number", customer_no="customer number"),
        *_texts(due_date="due date", status_sent="status that was sent last"),
        *_numbers(net_amount="net amount", vat_amount="VAT amount", gross_amount="gross amount"),
    ),
    "line_items": (
        _UNIQUE,
        *_COMPANY_CODE,
        *_texts(gl_account="GL account", tax_code="tax code"),
        *_texts(**{f"code_{part}": f"code part {part.upper()}" for part in CODE_PARTS}),
    ),
    "deals": (
        _UNIQUE,
        *_COMPANY_CODE,
        *_texts(invoice_no="invoice number", supplier_no="supplier number"),
        *_texts(matched_by="tied to this deal by"),
    ),
}
"""Object type -> the properties that it must have."""


def of_company(company: Company) -> dict[str, str]:
    return {
        "name": company.name or "",
        KEY: company.key,
        **{f"ifs_{name}": _text(getattr(company, name)) for name in COMPANY_FIELDS},
        **{each.name: each.text for each in company.extra},
    }


def of_new_company(company: Company, options: Mapping[str, str]) -> dict[str, str]:
    """All that a company is made with: what the portal requires is not written again, so that people may change it."""
    domain = {"domain": company.domain} if company.domain else {}
    return {**defaults_of("companies", options), **given(company.defaults), **domain, **of_company(company)}


def defaults_of(kind: str, options: Mapping[str, str]) -> dict[str, str]:
    """The constants of hubspot.defaults for an object type."""
    start = f"default.{kind}."
    return {name.removeprefix(start): text for name, text in options.items() if name.startswith(start)}


def given(fields: tuple[ExtraField, ...]) -> dict[str, str]:
    """The fields of the ERP that hubspot.defaults names, those that it has."""
    return {each.name: each.text for each in fields if each.text}


def _text(value: str | bool) -> str:
    return value if isinstance(value, str) else "yes" if value else "no"


def of_invoice(invoice: Invoice) -> dict[str, str]:
    """All but the status and the total: HubSpot takes those when the line items are there."""
    return {
        **_origin(invoice),
        "ifs_customer_no": invoice.customer_no,
        "hs_currency": invoice.currency or "",
        "hs_invoice_billable": "false",
        "hs_number": invoice.number or "",
        DUE_DATE: "" if invoice.due_date is None else invoice.due_date.isoformat(),
        "hs_invoice_date": stamp(invoice.invoice_date),
        "hs_due_date": stamp(invoice.due_date),
        "hs_purchase_order_number": invoice.order_no,
        "hs_comments": invoice.remark,
        "ifs_net_amount": number(invoice.stated_net),
        "ifs_vat_amount": number(invoice.stated_vat),
        "ifs_gross_amount": number(invoice.stated_gross),
    }


def numbered(invoice: Invoice) -> str:
    """The number with the supplier or customer behind it: two suppliers may use one number."""
    return f"{invoice.number or ''} ({invoice.customer_no or invoice.supplier_no or 'no supplier'})"


def of_line(line: Line, invoice: Invoice) -> dict[str, str]:
    codes = {f"ifs_code_{part}": str(getattr(line, f"code_{part}")) for part in CODE_PARTS}
    return {
        KEY: line.key,
        "name": line.name,
        "quantity": number(line.quantity),
        "price": number(line.price),
        "hs_line_item_currency_code": invoice.currency or "",
        "ifs_company_code": invoice.company,
        "ifs_gl_account": line.account,
        "ifs_tax_code": line.tax_code,
        **codes,
    }


def of_deal(deal: Deal, pipeline: str, stage: str) -> dict[str, str]:
    return {
        **_origin(deal),
        "dealname": deal.name,
        "pipeline": pipeline,
        "dealstage": stage,
        "amount": number(deal.stated_gross),
        "closedate": stamp(deal.invoice_date),
        "deal_currency_code": deal.currency or "",
    }


def _origin(record: InvoiceSummary) -> dict[str, str]:
    return {
        KEY: record.key,
        "ifs_company_code": record.company,
        "ifs_invoice_no": record.number or "",
        "ifs_supplier_no": record.supplier_no or "",
    }


def number(amount: Decimal | None) -> str:
    """Digits and at most one point: HubSpot takes no exponent."""
    return "" if amount is None else f"{amount:f}"


def stamp(day: date | None) -> str:
    """A date as a datetime property takes it; epoch seconds would be read as 1970."""
    return "" if day is None else f"{day.isoformat()}T00:00:00Z"
