"""What people do in the SaaS that are sources: they request, pay, bill and order; amend, void, deny; and forget."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster_tests.world.erp import NAMES, Deed, Row

AMOUNTS = ("12.50", "7.25", "100.00", "3.10")
SPEND = {"rq": "purchase_requests", "pay": "ledger_entries", "bill": "ledger_entries"}
"""Kind of document -> where Airbase keeps it; its key is `pay-1`."""
LINES_OF = {"purchase_requests": "line_items", "ledger_entries": "expense_list"}


# --- Airbase --------------------------------------------------------------------------------------------------------


def key_of(number: int, way: int) -> tuple[str, str]:
    kind = tuple(SPEND)[way % 3]
    return f"{kind}-{number}", SPEND[kind]


def spent(box: Sandbox, number: int, way: int) -> Row | None:
    key, kept_in = key_of(number, way)
    rows: dict[str, Row] = getattr(box.airbase, kept_in)
    return rows.get(key)


def something_is_spent_or_amended(box: Sandbox, number: int, way: int) -> bool:
    (key, kept_in), amount = key_of(number, way), AMOUNTS[way % 4]
    if spent(box, number, way):
        box.airbase.change(kept_in, key, total_amount=amount)
    elif kept_in == "purchase_requests":
        box.airbase.add_request(airbase_id=key, request_number=key, total_amount=amount)
    else:
        kind = "bill_payment" if key.startswith("pay") else "bill"
        box.airbase.add_entry(airbase_id=key, type=kind, total_amount=amount, invoice_number=key)
    return True


def something_is_recoded(box: Sandbox, number: int, way: int) -> bool:
    if (row := spent(box, number, way)) is None:
        return False
    key, kept_in = key_of(number, way)
    lines = [{"amount": row["total_amount"], "account": ("4010", "2990")[number % 2]}]
    box.airbase.change(kept_in, key, **{LINES_OF[kept_in]: lines})
    return True


def something_is_voided(box: Sandbox, number: int, way: int) -> bool:
    return _becomes(box, number, way, {"purchase_requests": "rejected", "ledger_entries": "voided"})


def something_is_taken_up_again(box: Sandbox, number: int, way: int) -> bool:
    return _becomes(box, number, way, {"purchase_requests": "approved", "ledger_entries": "sync_ready"})


def _becomes(box: Sandbox, number: int, way: int, statuses: dict[str, str]) -> bool:
    key, kept_in = key_of(number, way)
    if (row := spent(box, number, way)) is None or row["status"] == statuses[kept_in]:
        return False
    box.airbase.change(kept_in, key, status=statuses[kept_in])
    return True


def something_is_deleted(box: Sandbox, number: int, way: int) -> bool:
    if spent(box, number, way) is None:
        return False
    key, kept_in = key_of(number, way)
    _forget(box.airbase, kept_in, key)
    return True


def a_vendor_is_made_in_airbase(box: Sandbox, number: int, way: int) -> bool:
    name = f"{NAMES[way % 4] or 'Made by hand'} {number + 6}"
    if name in {row["name"] for row in box.airbase.vendors.values()}:
        return False
    box.airbase.add_vendor(name=name, email=f"v{number}@example.test")
    return True


def _forget(part: Any, kept_in: str, key: str) -> None:
    """A SaaS that does not have one of its records any more."""
    kept = part.remembered()
    rows = kept[kept_in]
    if isinstance(rows, dict):
        kept[kept_in] = {each: row for each, row in rows.items() if _plain(each) != _plain(key)}
    else:
        kept[kept_in] = [row for row in rows if _plain(key) not in map(_plain, _ids(row))]
    part.recall(kept)


def _ids(row: Row) -> list[Any]:
    return [row.get(name) for name in ("airbase_id", "uuid", "procurify_PO", "id", "ID")]


def _plain(key: Any) -> str:
    return str(key).replace("-", "")


SPENDING: tuple[Deed, ...] = (
    something_is_spent_or_amended,
    something_is_spent_or_amended,
    something_is_recoded,
    something_is_voided,
    something_is_taken_up_again,
    something_is_deleted,
)
VENDORS_OF_AIRBASE: tuple[Deed, ...] = (a_vendor_is_made_in_airbase,)


# --- Procurify ------------------------------------------------------------------------------------------------------

DATED = {"invoice_date": "2026-11-04T00:00:00Z", "due_date": "2026-12-04T00:00:00Z"}


def uuid_of(number: int) -> str:
    return f"{number:032x}"


def vendor_of(number: int) -> int:
    return 80 + number


def _vendor(box: Sandbox, number: int) -> int:
    """It is there before a document of it."""
    if vendor_of(number) not in box.procurify.vendors:
        a_vendor_is_entered_or_renamed(box, number, 0)
    return vendor_of(number)


def a_vendor_is_entered_or_renamed(box: Sandbox, number: int, way: int) -> bool:
    name, at = f"{NAMES[way % 4] or 'Vendor'} {number}", datetime.now(UTC)
    if vendor_of(number) in box.procurify.vendors:
        box.procurify.touch_vendor(vendor_of(number), name=name)
    else:
        box.procurify.put_vendor(id=vendor_of(number), name=name, country="Sweden", currency="SEK", dateModified=at)
    return True


def a_bill_is_entered_or_amended(box: Sandbox, number: int, way: int) -> bool:
    lines = [Line(AMOUNTS[way % 4], ("4010", "2990")[way // 4 % 2], "Operations")]
    fields = {"uuid": uuid_of(number), "last_modified_datetime": datetime.now(UTC), **DATED}
    box.procurify.put_bill(_vendor(box, number), lines, invoice_number=f"B-{number}", **fields)
    return True


def a_bill_is_denied_or_taken_up_again(box: Sandbox, number: int, way: int) -> bool:
    if uuid_of(number) not in box.procurify.bills:
        return False
    box.procurify.touch_bill(uuid_of(number), status=(3, 2)[way % 2])
    return True


def a_bill_is_deleted(box: Sandbox, number: int, _: int) -> bool:
    if uuid_of(number) not in box.procurify.bills:
        return False
    _forget(box.procurify, "bills", uuid_of(number))
    return True


def an_order_is_placed_or_amended(box: Sandbox, number: int, way: int) -> bool:
    lines, at = [Line(AMOUNTS[way % 4], "4010", "Operations")], datetime.now(UTC)
    number_there = 1000 + number
    box.procurify.put_purchase_order(_vendor(box, number), lines, procurify_PO=number_there, last_modified=at, date=at)
    return True


def an_order_is_cancelled_there(box: Sandbox, number: int, way: int) -> bool:
    if 1000 + number not in box.procurify.purchase_orders:
        return False
    box.procurify.touch_purchase_order(1000 + number, state=1)
    return True


def an_order_is_deleted_there(box: Sandbox, number: int, _: int) -> bool:
    if 1000 + number not in box.procurify.purchase_orders:
        return False
    _forget(box.procurify, "purchase_orders", str(1000 + number))
    return True


PROCURING: tuple[Deed, ...] = (
    a_vendor_is_entered_or_renamed,
    a_bill_is_entered_or_amended,
    a_bill_is_entered_or_amended,
    a_bill_is_denied_or_taken_up_again,
    a_bill_is_deleted,
    an_order_is_placed_or_amended,
    an_order_is_cancelled_there,
    an_order_is_deleted_there,
)
