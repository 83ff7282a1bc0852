"""What people do in the targets to what we delivered there: they edit, void, delete, merge, move, copy, restore."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.airbase import state as airbase
from mlc_dagster.sandbox.cin7 import reference_books as cin7
from mlc_dagster.sandbox.cin7.fields import now_text
from mlc_dagster.sandbox.monday import boards as monday
from mlc_dagster.sandbox.monday.seed import BOARDS
from mlc_dagster.sandbox.procurify import pages as procurify
from mlc_dagster_tests.world.erp import Deed, Row, now

REFUSED = (airbase.Refusal, monday.RefusedError, cin7.RefusedError, procurify.Refusal)
"""What a system answers to people as well: an order whose vendor was deleted is not edited."""
BY_HAND = ("90.00", "70.00", "2.00")


def is_done(deed: Deed, box: Sandbox, number: int, way: int) -> bool:
    """False: there was nothing to do it to, or the system did not let it be done."""
    try:
        return deed(box, number, way)
    except REFUSED:
        return False


# --- Cin7 -----------------------------------------------------------------------------------------------------------


def purchases(box: Sandbox) -> list[Row]:
    """Those that nobody voided."""
    return [each for each in box.cin7._purchases.by_id.values() if not str(each["Status"]).startswith("VOID")]


def marker(purchase: Mapping[str, Any]) -> str:
    """The ERP's key, with its company before it."""
    return str(purchase["AdditionalAttributes"]["AdditionalAttribute1"])


def _purchase(box: Sandbox, number: int) -> Row | None:
    return next((each for each in purchases(box) if marker(each).endswith(f"/P{number}")), None)


def somebody_edits_a_purchase(box: Sandbox, number: int, way: int) -> bool:
    if (purchase := _purchase(box, number)) is None or not purchase["Order"]["AdditionalCharges"]:
        return False
    total = Decimal(BY_HAND[way % 3])
    charge = purchase["Order"]["AdditionalCharges"][0]
    charge["Price"] = total / charge["Quantity"]
    charge["Total"] = purchase["Order"]["TotalBeforeTax"] = purchase["Order"]["Total"] = total
    purchase["LastUpdatedDate"] = now_text()
    return True


def somebody_voids_a_purchase(box: Sandbox, number: int, _: int) -> bool:
    if (purchase := _purchase(box, number)) is None:
        return False
    box.cin7._purchases.void(purchase["ID"], void=True)
    return True


def somebody_renames_a_supplier(box: Sandbox, number: int, way: int) -> bool:
    rows = box.cin7.suppliers.values()
    which = next((row["ID"] for row in rows if row["AdditionalAttribute1"] == f"S{number}"), None)
    if which is not None:
        box.cin7.change_supplier(which, Name=f"{('By hand', 'Sol & Vind')[way % 2]} {number}")
    return which is not None


IN_CIN7: tuple[Deed, ...] = (somebody_edits_a_purchase, somebody_voids_a_purchase)
SUPPLIERS_IN_CIN7: tuple[Deed, ...] = (somebody_renames_a_supplier,)


# --- HubSpot --------------------------------------------------------------------------------------------------------


def _object(box: Sandbox, kind: str, **properties: str) -> str | None:
    rows = box.hubspot.live(kind).items()
    wanted = properties.items()
    return next((key for key, row in rows if all(row["properties"].get(n) == v for n, v in wanted)), None)


def _company(box: Sandbox, number: int) -> str | None:
    return _object(box, "companies", ifs_number=f"S{number}")


def _invoice(box: Sandbox, number: int) -> str | None:
    return _object(box, "invoices", ifs_external_key=f"INVOICE/0010/{number}")


def _write(box: Sandbox, kind: str, which: str, **properties: str) -> None:
    objects = box.hubspot.objects
    objects.write(kind, properties, objects.find(kind, which))
    box.hubspot.reindex()


def somebody_renames_a_company(box: Sandbox, number: int, way: int) -> bool:
    if which := _company(box, number):
        _write(box, "companies", which, name=f"{('By hand', 'Sol & Vind')[way % 2]} {number}")
    return which is not None


def somebody_deletes_a_company(box: Sandbox, number: int, _: int) -> bool:
    if which := _company(box, number):
        box.hubspot.objects.archive("companies", [which])
        box.hubspot.reindex()
    return which is not None


def somebody_merges_companies(box: Sandbox, number: int, _: int) -> bool:
    one, other = _company(box, number), _company(box, number % 3 + 1)
    if one and other:
        box.hubspot.merge("companies", one, other)
        box.hubspot.reindex()
    return bool(one and other)


def somebody_deletes_an_invoice(box: Sandbox, number: int, _: int) -> bool:
    if which := _invoice(box, number):
        box.hubspot.objects.archive("invoices", [which])
        box.hubspot.reindex()
    return which is not None


def may_have_doubled(box: Sandbox) -> bool:
    """Whether people brought something back that had been made anew meanwhile: that is there twice, and told."""
    return getattr(box.monday, "was_restored", False)


def somebody_copies_a_company(box: Sandbox, number: int, _: int) -> bool:
    """With our key in it."""
    if (which := _company(box, number)) is None:
        return False
    properties = box.hubspot.live("companies")[which]["properties"]
    copied = {"name": "A copy", "ifs_number": properties["ifs_number"]}
    box.hubspot.objects.write("companies", copied, None)
    box.hubspot.reindex()
    return True


IN_HUBSPOT: tuple[Deed, ...] = (
    somebody_renames_a_company,
    somebody_deletes_a_company,
    somebody_merges_companies,
    somebody_deletes_an_invoice,
)


# --- Airbase --------------------------------------------------------------------------------------------------------


def _vendor(box: Sandbox, number: int) -> str | None:
    rows = box.airbase.vendors.items()
    return next((key for key, row in rows if row["erp_reference_id"] == f"S{number}"), None)


def _order(box: Sandbox, number: int) -> Row | None:
    rows = box.airbase.purchase_orders.values()
    return next((row for row in rows if row["erp_reference_id"] == f"P{number}"), None)


def somebody_renames_a_vendor(box: Sandbox, number: int, way: int) -> bool:
    if which := _vendor(box, number):
        box.airbase.change_vendor(which, name=f"{('By hand', 'Sol & Vind')[way % 2]} {number}")
    return which is not None


def somebody_deletes_a_vendor(box: Sandbox, number: int, _: int) -> bool:
    if which := _vendor(box, number):
        box.airbase.delete("vendors", which)
    return which is not None


def somebody_edits_an_order(box: Sandbox, number: int, way: int) -> bool:
    if (row := _order(box, number)) is None:
        return False
    total = BY_HAND[way % 3]
    lines = [{**line, "quantity": "1", "unit_price": total, "amount": total} for line in row["line_items"][:1]]
    box.airbase.change_order(row["airbase_id"], line_items=lines, total_amount=total)
    return True


def somebody_voids_an_order(box: Sandbox, number: int, _: int) -> bool:
    if row := _order(box, number):
        box.airbase.change_order(row["airbase_id"], status="voided")
    return row is not None


def somebody_deletes_an_order(box: Sandbox, number: int, _: int) -> bool:
    if row := _order(box, number):
        box.airbase.delete("purchase_orders", row["airbase_id"])
    return row is not None


ORDERS_IN_AIRBASE: tuple[Deed, ...] = (somebody_edits_an_order, somebody_voids_an_order, somebody_deletes_an_order)
VENDORS_IN_AIRBASE: tuple[Deed, ...] = (somebody_renames_a_vendor, somebody_deletes_a_vendor)


# --- monday ---------------------------------------------------------------------------------------------------------

_KEYS = {"suppliers": "S{}", "purchase_orders": "P{}", "journal_entries": "0010/M/2026/{}"}


def _item(box: Sandbox, number: int, way: int) -> tuple[str, str] | None:
    """(board, item) of one of ours, of which kind depends on the way."""
    board = tuple(_KEYS)[way % 3]
    key = _KEYS[board].format(300000 + number if board == "journal_entries" else number)
    rows = box.monday.rows(BOARDS[board][0])
    return next(((board, row["id"]) for row in rows if row["IFS key"] == key), None)


def somebody_edits_an_item(box: Sandbox, number: int, way: int) -> bool:
    if found := _item(box, number, way):
        edits = {
            "suppliers": {"name": "By hand"},
            "purchase_orders": {"Amount": "99"},
            "journal_entries": {"Debit": "99"},
        }
        box.monday.change_item(found[1], **edits[found[0]])
    return found is not None


def somebody_archives_an_item(box: Sandbox, number: int, way: int) -> bool:
    if found := _item(box, number, way):
        box.monday.archive_item(found[1])
        box.monday.put_aside = found[1]
    return found is not None


def somebody_restores_an_item(box: Sandbox, number: int, way: int) -> bool:
    if which := getattr(box.monday, "put_aside", None):
        box.monday.restore_item(which)
        box.monday.put_aside, box.monday.was_restored = None, True
    return which is not None


def somebody_deletes_an_item(box: Sandbox, number: int, way: int) -> bool:
    if found := _item(box, number, way):
        box.monday.delete_item(found[1], for_ever=number == 2)
    return found is not None


def somebody_moves_an_item(box: Sandbox, number: int, way: int) -> bool:
    if found := _item(box, number, way):
        box.monday.move_item(found[1], BOARDS["invoices"][0])
    return found is not None


IN_MONDAY: tuple[Deed, ...] = (
    somebody_edits_an_item,
    somebody_archives_an_item,
    somebody_restores_an_item,
    somebody_deletes_an_item,
    somebody_moves_an_item,
)


# --- the ERP, where it is the target --------------------------------------------------------------------------------

ENTERED = {"VoucherSet": "airbase-", "SupplierInvoiceSet": "procurify-bill-", "PostingProposalHeadSet": "procurify-po-"}


def _entered(box: Sandbox, number: int) -> list[tuple[str, Row]]:
    """Documents that we entered, of one number."""
    rows = [(table, row) for table in ENTERED for row in box.ifs.rows(table)]
    ours = [(table, row) for table, row in rows if str(row["ExternalRef"] or "").startswith(ENTERED[table])]
    return [(table, row) for table, row in ours if str(row["ExternalRef"]).endswith(str(number))]


def an_accountant_cancels_a_document(box: Sandbox, number: int, way: int) -> bool:
    return _each(box, number, way, ObjState="Cancelled")


def an_accountant_approves_a_document(box: Sandbox, number: int, way: int) -> bool:
    return _each(box, number, way, ObjState="Approved")


def _each(box: Sandbox, number: int, way: int, **fields: Any) -> bool:
    if not (rows := [each for each in _entered(box, number) if each[1]["ObjState"] != "Cancelled"]):
        return False
    table, row = rows[way % len(rows)]
    box.ifs.put(table, {**row, **fields}, modified=now())
    return True


def an_accountant_edits_a_document(box: Sandbox, number: int, way: int) -> bool:
    rows = [each for each in _entered(box, number) if each[0] != "VoucherSet"]
    if not rows:
        return False
    table, row = rows[way % len(rows)]
    box.ifs.put(table, {**row, "GrossAmount": row["GrossAmount"] + 7}, modified=now())
    return True


IN_THE_ERP: tuple[Deed, ...] = (
    an_accountant_cancels_a_document,
    an_accountant_approves_a_document,
    an_accountant_edits_a_document,
)
