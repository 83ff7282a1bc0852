"""How the sandboxed Procurify judges a vendor that it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.sandbox.procurify.documents import stamp
from mlc_dagster.sandbox.procurify.pages import Refusal
from mlc_dagster.sandbox.procurify.reference_data import Books, Row

OTHER, PREFERRED, CARDS = 1, 3, 6
GROUPS = {"preferred": PREFERRED, "other": OTHER, "credit_card_providers": CARDS}
ALL_GROUPS = ("all", "default", "purchasable", "requestable")
_WRITABLE_TYPES = (2, 3, 4, 6, 7)
_REQUIRED = ("name", "email", "type", "overall_score")
_LONGEST = {
    "name": 150,
    "addressLineOne": 300,
    "addressLineTwo": 300,
    "postalCode": 20,
    "city": 50,
    "state_province": 40,
    "country": 80,
    "phoneOne": 20,
    "phoneTwo": 20,
    "fax": 20,
    "contact": 50,
    "url": 200,
    "external_id": 100,
    "comments": 10_000,
}
_MAY_BE_NULL = ("external_id",)
_OTHERS = ("active", "currency", "payment_term_ref", "payment_method_ref", "tax", "is_1099_eligible")


def blank(number: int) -> Row:
    """A vendor before anything is known of it."""
    return {
        "id": number,
        **dict.fromkeys(_LONGEST, ""),
        "external_id": None,
        "active": True,
        "email": [],
        "currency": None,
        "payment_term_ref": None,
        "payment_method_ref": None,
        "tax": None,
        "type": PREFERRED,
        "overall_score": None,
        "is_1099_eligible": None,
        "dateModified": stamp(),
    }


def judged(books: Books, body: Mapping[str, Any], whole: bool) -> Row:
    """The fields to keep; fields that Procurify does not have are dropped. Raises Refusal with every fault."""
    faults = {name: ["This field is required."] for name in _REQUIRED if whole and name not in body}
    faults.update({name: [said] for name in body if (said := _fault(books, name, body[name]))})
    if faults:
        raise Refusal(faults)
    return {name: body[name] for name in (*_REQUIRED, *_LONGEST, *_OTHERS) if name in body}


def _fault(books: Books, name: str, value: Any) -> str:
    if name in _LONGEST:
        return _text_fault(name, value)
    if name == "email":
        return _email_fault(value)
    if name == "type" and value not in _WRITABLE_TYPES:
        return f'"{value}" is not a valid choice.'
    if name == "active" and not isinstance(value, bool):
        return "Must be a valid boolean."
    if name == "currency" and value is not None and value not in [row["id"] for row in books.currencies.values()]:
        return f'Invalid pk "{value}" - object does not exist.'
    return ""


def _email_fault(value: Any) -> str:
    if not isinstance(value, list):
        return f'Expected a list of items but got type "{type(value).__name__}".'
    good = all(isinstance(each, str) and "@" in each for each in value)
    return "" if good else "Enter a valid email address."


def _text_fault(name: str, value: Any) -> str:
    if value is None:
        return "" if name in _MAY_BE_NULL else "This field may not be null."
    if not isinstance(value, str):
        return "Not a valid string."
    if name == "name" and not value.strip():
        return "This field may not be blank."
    return f"Ensure this field has no more than {_LONGEST[name]} characters." if len(value) > _LONGEST[name] else ""


def brief(vendor: Row) -> Row:
    """The vendor as bills and purchase orders carry it."""
    return {name: vendor[name] for name in ("id", "name", "external_id", "currency", "type", "email")}
