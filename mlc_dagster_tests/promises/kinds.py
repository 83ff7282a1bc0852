"""The kinds of flows: how good source records are made, what the target then holds, and what is delivered before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.monday.seed import BOARDS, sow_monday
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster_tests.promises.journey import BATCH

RECORDS = 8
PLENTY = Limits(
    cin7_calls_per_minute=100_000,
    ifs_requests_per_minute=100_000,
    monday_calls_per_minute=100_000,
    monday_calls_per_day=100_000,
    monday_points_per_minute=100_000_000,
    airbase_requests_per_minute=100_000,
    hubspot_calls_per_10_seconds=100_000,
    procurify_requests_per_second=100_000,
)

Held = list[tuple[str, ...]]
"""What the target holds: for each thing the key or name of its source record, and what must not be doubled within."""


@dataclass(frozen=True)
class Kind:
    """A flow, from where its records come to what becomes of them."""

    flow: str
    fill: Callable[[Sandbox], None]  # RECORDS good source records, beside the books
    held: Callable[[Sandbox], Held]
    first: tuple[str, ...] = ()  # flows that are delivered before
    in_flight: int = BATCH  # records that may be sent twice after a kill
    forgets: bool = False  # the source lists a record only until the target has it, so it is not read again

    @property
    def system(self) -> str:
        """The target."""
        return self.flow.split("/")[0]

    def __str__(self) -> str:
        return self.flow.replace("/", ".")


def now() -> datetime:
    """When rows of the ERP were changed: before what is read now ends."""
    return datetime.now(UTC) - timedelta(seconds=2)


def books(box: Sandbox) -> None:
    """What stands in the six systems before anything moves."""
    for code in ("1930", "2440", "2990", "4010"):
        row = {"Company": "0010", "Account": code, "Description": code, "ValidFrom": "2015-01-01", "Blocked": False}
        box.ifs.put("AccountSet", row, modified=now())
        box.cin7.add_account(code, f"Account {code}")
        box.airbase.add_account(code, f"Account {code}")
    part = {"Company": "0010", "CodePart": "B", "CodePartValue": "CC100", "ValidFrom": "2015-01-01"}
    box.ifs.put("CodePartValueSet", part, modified=now())
    box.airbase.add_subsidiary("0010", "Plant 1", "SEK")
    box.procurify.books.put_location("Stockholm", "0010", "SEK")
    box.procurify.books.put_department("Operations", "CC100", "Stockholm")
    sow_monday(box.monday)


# --- in the ERP -----------------------------------------------------------------------------------------------------


def suppliers(box: Sandbox, numbers: Iterable[int] = range(1, RECORDS + 1)) -> None:
    for n in numbers:
        row = {
            "SupplierId": f"S{n}",
            "Name": f"Supplier {n}",
            "Country": "SE",
            "CurrencyCode": "SEK",
            "PaymentTerms": "30",
            "Email": f"s{n}@example.test",
        }
        box.ifs.put("SupplierSet", row, modified=now())


def orders(box: Sandbox) -> None:
    suppliers(box)
    for n in range(1, RECORDS + 1):
        keys = {"OrderNo": f"P{n}", "LineNo": "1", "ReleaseNo": "1", "Company": "0010"}
        amount = {"BuyQtyDue": Decimal(2), "BuyUnitPrice": Decimal(n), "LineAmount": Decimal(2 * n)}
        line = {**keys, "Description": "Service", **amount, "TaxCode": "V0", "Account": "4010"}
        header = {"OrderNo": f"P{n}", "Company": "0010", "Contract": "A", "VendorNo": f"S{n}", "CurrencyCode": "SEK"}
        rest = {"OrderDate": "2026-11-04", "CurrencyRate": Decimal(1), "TotalAmount": Decimal(2 * n)}
        row = {**header, **rest, "ObjState": "Released", "PurchaseOrderLines": [line]}
        box.ifs.put("PurchaseOrderSet", row, modified=now())


def proposals(box: Sandbox) -> None:
    """Half of them on an order."""
    orders(box)
    for n in range(1, RECORDS + 1):
        keys = {"Company": "0010", "ProposalId": n}
        amount = {"Amount": Decimal(n), "CurrencyAmount": Decimal(n), "Quantity": Decimal(1)}
        line = {**keys, "RowId": 1, **amount, "TaxCode": "V0", "Account": "4010", "Text": "Service"}
        money = {"CurrencyCode": "SEK", "CurrencyRate": Decimal(1), "VatAmount": Decimal(0)}
        sums = {"NetAmount": Decimal(n), "GrossAmount": Decimal(n)}
        dated = {"InvoiceDate": "2026-11-04", "DueDate": "2026-12-04"}
        names = {"InvoiceId": 900 + n, "InvoiceNo": f"F-{n}", "SupplierId": f"S{n}", "ObjState": "Balanced"}
        row = {**keys, **names, **money, **sums, **dated, "PostingProposalLines": [line]}
        row["PoReference"] = f"P{n}" if n % 2 else None
        box.ifs.put("PostingProposalHeadSet", row, modified=now())


# --- in the SaaS ----------------------------------------------------------------------------------------------------


def payments(box: Sandbox) -> None:
    for n in range(1, RECORDS + 1):
        box.airbase.add_entry(total_amount=f"{n}.50", invoice_number=f"INV-{n}")


def vendors(box: Sandbox) -> None:
    """Of Procurify; the ERP does not have them."""
    for n in range(1, RECORDS + 1):
        box.procurify.put_vendor(id=80 + n, name=f"Vendor {n}", country="Sweden", currency="SEK", dateModified=now())


def bills(box: Sandbox) -> None:
    vendors(box)
    dated = {"invoice_date": "2026-11-04T00:00:00Z", "due_date": "2026-12-04T00:00:00Z"}
    for n in range(1, RECORDS + 1):
        line = Line(f"{n}00.00", "4010", "Operations", tax=f"{n}.00")
        box.procurify.put_bill(80 + n, [line], last_modified_datetime=now(), invoice_number=f"B-{n}", **dated)


def purchase_orders(box: Sandbox) -> None:
    vendors(box)
    for n in range(1, RECORDS + 1):
        line = Line(f"{n}00.00", "4010", "Operations")
        box.procurify.put_purchase_order(80 + n, [line], last_modified=now(), date=now())


# --- what the target holds ------------------------------------------------------------------------------------------


def _in_cin7_suppliers(box: Sandbox) -> Held:
    return [(each["Name"], str(len(each["Contacts"]))) for each in box.cin7.suppliers.values()]


def _key_in_cin7(purchase: dict[str, Any]) -> str:
    """The ERP's key, as it stands in Cin7."""
    return str(purchase["AdditionalAttributes"]["AdditionalAttribute1"])


def _in_cin7_purchases(box: Sandbox) -> Held:
    return [(_key_in_cin7(each), str(each["Order"]["Total"])) for each in box.cin7.purchases.values()]


def _in_cin7_invoices(box: Sandbox) -> Held:
    return [
        (str(invoice["InvoiceNumber"]), str(invoice["Total"]), _key_in_cin7(purchase))
        for purchase in box.cin7.purchases.values()
        for invoice in purchase["Invoice"]
        if invoice["InvoiceNumber"]
    ]


def _in_hubspot(kind: str, *ends: str) -> Callable[[Sandbox], Held]:
    """Each object, with how many of each other kind it is tied to; then all the line items that there are."""

    def held(box: Sandbox) -> Held:
        key = "ifs_external_key"
        found = [
            (str(row["properties"].get(key)), *(f"{end} {len(box.hubspot.of(kind, end, each))}" for end in ends))
            for each, row in box.hubspot.live(kind).items()
        ]
        return [*found, ("line items", str(len(box.hubspot.live("line_items"))))]

    return held


def _in_airbase(kind: str) -> Callable[[Sandbox], Held]:
    number = {"vendors": "erp_reference_id", "purchase_orders": "po_number", "ledger_entries": "erp_reference_id"}

    def held(box: Sandbox) -> Held:
        return [(str(row.get(number[kind])), str(row.get("status"))) for row in getattr(box.airbase, kind).values()]

    return held


def _in_monday(board: str) -> Callable[[Sandbox], Held]:
    return lambda box: [(row["IFS key"], row["name"]) for row in box.monday.rows(BOARDS[board][0])]


def _in_ifs(set_name: str, *fields: str) -> Callable[[Sandbox], Held]:
    def held(box: Sandbox) -> Held:
        rows = [row for row in box.ifs.rows(set_name) if row.get("ObjState") != "Cancelled"]
        return [tuple(str(row[name]) for name in fields) for row in rows]

    return held


def _vouchers(box: Sandbox) -> Held:
    def debit(voucher: dict[str, Any]) -> Decimal:
        return sum((row["DebitAmount"] or Decimal(0) for row in voucher["VoucherRows"]), Decimal(0))

    return [(str(row["ExternalRef"]), str(debit(row))) for row in box.ifs.rows("VoucherSet")]


PAYMENTS, VENDORS = "ifs/vouchers_from_airbase_payments", "ifs/suppliers_from_procurify"
COMPANIES, INVOICES = "hubspot/supplier_companies", "hubspot/invoices"
CIN7_SUPPLIERS, PURCHASES = "cin7/suppliers", "cin7/purchases"

KINDS = (
    Kind(CIN7_SUPPLIERS, suppliers, _in_cin7_suppliers),
    Kind(PURCHASES, orders, _in_cin7_purchases, (CIN7_SUPPLIERS,)),
    Kind("cin7/purchase_invoices", proposals, _in_cin7_invoices, (CIN7_SUPPLIERS, PURCHASES)),
    Kind(COMPANIES, suppliers, _in_hubspot("companies")),
    Kind(INVOICES, proposals, _in_hubspot("invoices", "line_items", "companies"), (COMPANIES,)),
    Kind("hubspot/deals", proposals, _in_hubspot("deals", "invoices", "companies"), (COMPANIES, INVOICES)),
    Kind("airbase/vendors", suppliers, _in_airbase("vendors")),
    Kind("airbase/purchase_orders", orders, _in_airbase("purchase_orders"), ("airbase/vendors",)),
    Kind("airbase/payments_acknowledged", payments, _in_airbase("ledger_entries"), (PAYMENTS,), forgets=True),
    Kind("monday/invoices", proposals, _in_monday("invoices"), ("monday/suppliers",)),
    Kind(PAYMENTS, payments, _vouchers),
    Kind(VENDORS, vendors, _in_ifs("SupplierSet", "Name")),
    Kind(
        "ifs/supplier_invoices_from_procurify",
        bills,
        _in_ifs("SupplierInvoiceSet", "ExternalRef", "InvoiceNo", "GrossAmount"),
        (VENDORS,),
    ),
    Kind(
        "ifs/posting_proposals_from_procurify",
        purchase_orders,
        _in_ifs("PostingProposalHeadSet", "ExternalRef", "GrossAmount"),
        (VENDORS,),
    ),
    Kind("procurify/vendors", suppliers, lambda box: _vendors_of(box)),
)
ON_POSTGRES = ("cin7/purchases", "hubspot/invoices", PAYMENTS)
"""One kind of each way to write (step by step, in batches, in change sets): what is tried on PostgreSQL, too."""


def _vendors_of(box: Sandbox) -> Held:
    return [(str(row["external_id"]), row["name"]) for row in box.procurify.vendors.values()]
