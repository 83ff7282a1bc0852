"""Which documents and vendors of Procurify are a matter of the books, and in which words the others are not. Pure."""

from __future__ import annotations

from mlc_dagster.core.facts import Facts
from mlc_dagster.systems.procurify.records import Bill, PurchaseOrder, SpendDocument

BILL_STATUSES = {
    0: "draft",
    1: "waits for approval",
    2: "approved",
    3: "denied",
    4: "paid",
    5: "withdrawn",
    6: "payment confirmed",
    7: "payment approved",
    8: "payment in limbo",
}
BILL_TYPES = {0: "order", 1: "expense", 2: "credit card"}
ORDER_STATES = {0: "purchased", 1: "cancelled", 2: "legacy", 3: "closed", 4: "paid", 5: "reopened"}
VENDOR_TYPES = {
    1: "placeholder",
    2: "punchout",
    3: "preferred",
    4: "regular",
    5: "employee",
    6: "card provider",
    7: "checkout",
    8: "pending",
}
_CANCELLED, _LEGACY, _CLOSED, _PAID = 1, 2, 3, 4


def belongs_in_the_books(document: SpendDocument, facts: Facts) -> bool:
    """Whether it is to be in the books: a bill that is approved, an order that is not cancelled."""
    if is_of_no_known_state(document):
        return False
    if isinstance(document, Bill):
        return is_posted(document.status, document.type, facts)
    return not (isinstance(document, PurchaseOrder) and is_cancelled(document))


def is_of_no_known_state(document: SpendDocument) -> bool:
    """A state, or a type of bill, that Procurify did not have when this was written: what it means is for a person."""
    if isinstance(document, Bill):
        return document.status not in BILL_STATUSES or document.type not in BILL_TYPES
    return isinstance(document, PurchaseOrder) and document.state not in ORDER_STATES


def is_posted(status: int, type_: int, facts: Facts) -> bool:
    """Whether bills of this status and type are posted."""
    return listed(status, "bill_statuses", facts) and listed(type_, "bill_types", facts)


def is_cancelled(order: PurchaseOrder) -> bool:
    return order.state == _CANCELLED


def is_closed(order: PurchaseOrder) -> bool:
    """Nothing more of it comes: Procurify reopens an order before anything of it is billed again."""
    return order.state == _CLOSED


def listed(number: int | None, option: str, facts: Facts) -> bool:
    return str(number) in facts.options.get(option, "").split(",")


def word(number: int | None, words: dict[int, str], what: str) -> str:
    return words.get(number if number is not None else -1, f"{what} {number}")


def why_not_a_bill(bill: Bill, facts: Facts) -> str:
    if listed(bill.type, "bill_types", facts):
        return word(bill.status, BILL_STATUSES, "status")
    return word(bill.type, BILL_TYPES, "type")


def why_not_an_order(order: PurchaseOrder, was_delivered: bool, facts: Facts) -> str:
    """Empty where it is one. A closed order has its bills already, unless the proposal is there since it was open."""
    if not order.is_most_recent:
        return "a newer version took its place"
    if order.state == _LEGACY:
        return ORDER_STATES[_LEGACY]
    if is_of_no_known_state(order):
        return ""  # held: `state_is_known`
    if was_delivered or order.state not in (_CANCELLED, _CLOSED, _PAID):
        return ""
    if order.state != _CANCELLED and facts.options.get("backfill_closed"):
        return ""
    return ORDER_STATES[order.state]
