"""What both sides of a flow say of each record, read from the sandbox itself, and by no code of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.monday.seed import BOARDS
from mlc_dagster_tests.world import erp, people, saas
from mlc_dagster_tests.world.erp import Row

Sides = Iterable[tuple[str, Any]]
"""(key of the flow, what it says): an amount or a name. What is on the target's side twice is doubled."""

DEAD = ("Cancelled", "voided", "rejected", "denied")


@dataclass(frozen=True)
class View:
    """Both sides of one flow. `dead`: keys that the source has cancelled."""

    flow: str
    source: Callable[[Sandbox], Sides]
    target: Callable[[Sandbox], Sides]
    dead: Callable[[Sandbox], Iterable[str]] = field(default=lambda box: ())
    also: tuple[str, ...] = ()  # flows of the same pair, which may tell it too
    alias: Callable[[Sandbox], dict[str, str]] = field(default=lambda box: {})
    """Key of those flows -> key of this one."""
    day: Callable[[Sandbox], dict[str, str]] = field(default=lambda box: {})
    """Key -> the day of its stamp, where people date some back."""
    held: Callable[[Row], Any] = field(default=lambda row: _held(row))
    """What the content of a hold says, as `source` would."""
    moves_on: bool = False
    """What was posted leaves the source, and it does not show where to: the sweep tells how many are not there."""


WORTH = ("gross_amount", "total_amount", "invoice_total", "total")


def _held(row: Row) -> Any:
    """The amount of a document, or the name of a master."""
    amounts = (Decimal(str(row[name])) for name in WORTH if row.get(name) is not None)
    return next(amounts, row.get("name"))


def _held_with_state(row: Row) -> Any:
    return _held(row), str(row["obj_state"])


def _held_voucher(row: Row) -> Any:
    debits = (Decimal(line.get("debit_amount") or 0) for line in row["lines"])
    return sum(debits, Decimal(0)), str(row["obj_state"])


# --- the ERP as a source --------------------------------------------------------------------------------------------


def _suppliers(box: Sandbox) -> Iterator[tuple[str, str]]:
    return ((row["SupplierId"], row["Name"]) for row in box.ifs.rows(erp.SUPPLIERS))


def _orders(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
    return ((row["OrderNo"], Decimal(row["TotalAmount"])) for row in box.ifs.rows(erp.ORDERS))


def _stamped(box: Sandbox) -> dict[str, str]:
    return {row["OrderNo"]: str(row["LastModified"])[:10] for row in box.ifs.rows(erp.ORDERS)}


def _hand_made(box: Sandbox) -> list[tuple[str, Row]]:
    rows = box.ifs.rows(erp.PROPOSALS)
    return [(f"{row['Company']}/{row['ProposalId']}", row) for row in rows if not row.get("ExternalRef")]


def _proposals(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
    return ((key, Decimal(row["GrossAmount"])) for key, row in _hand_made(box))


def _vouchers(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
    return ((_voucher_key(row), _debit(row)) for row in box.ifs.rows(erp.VOUCHERS))


def _voucher_key(row: Row) -> str:
    return "/".join(str(row[name]) for name in ("Company", "VoucherType", "AccountingYear", "VoucherNo"))


def _debit(row: Row) -> Decimal:
    return sum((line["DebitAmount"] or Decimal(0) for line in row["VoucherRows"]), Decimal(0))


def _dead_orders(box: Sandbox) -> Iterator[str]:
    return (row["OrderNo"] for row in box.ifs.rows(erp.ORDERS) if row["ObjState"] in DEAD)


def _dead_proposals(box: Sandbox) -> Iterator[str]:
    return (key for key, row in _hand_made(box) if row["ObjState"] in DEAD)


# --- the targets ----------------------------------------------------------------------------------------------------


def _cin7_suppliers(box: Sandbox) -> Iterator[tuple[str, str]]:
    rows = box.cin7.suppliers.values()
    return ((row["AdditionalAttribute1"], row["Name"]) for row in rows if row["AdditionalAttribute1"])


def _cin7_purchases(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
    for each in people.purchases(box):
        if not people.marker(each).startswith("proposal/"):
            yield people.marker(each).rpartition("/")[2], Decimal(str(each["Order"]["Total"]))


def _cin7_invoices(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
    """By the marker of a purchase made for them alone, else by the invoice's number and the order that it is of."""
    live = [(key, str(row["InvoiceNo"]), row["PoReference"]) for key, row in _hand_made(box)]
    of_order = {(number, order): key for key, number, order in live if order}
    alone = {key for key, _, order in live if not order}
    for each in people.purchases(box):
        own = people.marker(each).removeprefix("proposal/") if people.marker(each).startswith("proposal/") else ""
        for invoice in each["Invoice"]:
            if (number := str(invoice["InvoiceNumber"] or "")) and not str(invoice["Status"]).startswith("VOID"):
                known = of_order.get((number, people.marker(each).rpartition("/")[2]))
                yield own or known or _gone(number, alone), Decimal(str(invoice["Total"]))


def _gone(number: str, alone: set[str]) -> str:
    """The key of a proposal that is not there any more: that of its number, or the one that it was given anew."""
    first = int(number[2:])
    return f"0010/{first + 3 if f'0010/{first}' in alone else first}"


def _companies(box: Sandbox) -> Iterator[tuple[str, str]]:
    rows = (row["properties"] for row in box.hubspot.live("companies").values())
    return ((str(row["ifs_number"]), str(row.get("name"))) for row in rows if row.get("ifs_number"))


def _invoices(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
    """One that is voided there says nothing any more."""
    for row in (row["properties"] for row in box.hubspot.live("invoices").values()):
        key = str(row.get("ifs_external_key") or "").removeprefix("INVOICE/")
        if key and row.get("hs_invoice_status") != "voided":
            yield key, Decimal(str(row.get("hs_amount_billed") or 0))


def _vendors(box: Sandbox) -> Iterator[tuple[str, str]]:
    rows = box.airbase.vendors.values()
    return ((row["erp_reference_id"], row["name"]) for row in rows if row["erp_reference_id"])


def _airbase_orders(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
    for row in box.airbase.purchase_orders.values():
        if row["erp_reference_id"] and row["status"] not in DEAD:
            yield row["erp_reference_id"], Decimal(str(row["total_amount"]))


def _named_items(box: Sandbox) -> Iterator[tuple[str, str]]:
    return ((row["IFS key"], row["name"]) for row in box.monday.rows(BOARDS["suppliers"][0]))


def _board(name: str, column: str) -> Callable[[Sandbox], Sides]:
    """The amount and the state of each item: what is cancelled in the ERP stays on its board, as cancelled."""

    def rows(box: Sandbox) -> Iterator[tuple[str, tuple[Decimal, str]]]:
        for row in box.monday.rows(BOARDS[name][0]):
            yield row["IFS key"], (Decimal(str(row.get(column) or 0)), str(row.get("Status")))

    return rows


def _with_state(
    source: Callable[[Sandbox], Sides], table: str, key: Callable[[Row], str]
) -> Callable[[Sandbox], Sides]:
    def rows(box: Sandbox) -> Iterator[tuple[str, tuple[Any, str]]]:
        states = {key(row): str(row["ObjState"]) for row in box.ifs.rows(table)}
        return ((each, (value, states[each])) for each, value in source(box))

    return rows


# --- the SaaS as sources, and the ERP as their target ----------------------------------------------------------------


def _spent(kind: str) -> Callable[[Sandbox], Sides]:
    def rows(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
        kept = getattr(box.airbase, saas.SPEND[kind])
        return ((k, Decimal(row["total_amount"])) for k, row in kept.items() if k.startswith(f"{kind}-"))

    return rows


def _dead_spent(kind: str) -> Callable[[Sandbox], Iterable[str]]:
    def rows(box: Sandbox) -> Iterator[str]:
        kept = getattr(box.airbase, saas.SPEND[kind])
        return (k for k, row in kept.items() if row["status"] in DEAD)

    return rows


def _entered(table: str, prefix: str, worth: Callable[[Row], Decimal]) -> Callable[[Sandbox], Sides]:
    """Documents of ours that stand, but those that a reversal takes back, and the reversals."""

    def rows(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
        live = [row for row in box.ifs.rows(table) if row["ObjState"] not in DEAD]
        ours = {id(row): str(row["ExternalRef"]) for row in live if str(row["ExternalRef"] or "").startswith(prefix)}
        over = {said.removesuffix("/R1") for said in ours.values() if said.endswith("/R1")}
        for row in live:
            said = ours.get(id(row), "/R1")
            if not said.endswith("/R1") and said not in over:
                yield said.removeprefix(prefix), worth(row)

    return rows


def _gross(row: Row) -> Decimal:
    return Decimal(row["GrossAmount"])


def _bills(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
    return ((key, _billed(row)) for key, row in box.procurify.bills.items())


def _billed(row: Row) -> Decimal:
    return Decimal(str(row["invoice_total"])).quantize(Decimal("0.01"))


def _dead_bills(box: Sandbox) -> Iterator[str]:
    return (key for key, row in box.procurify.bills.items() if row["status"] == 3)


def _placed(box: Sandbox) -> Iterator[tuple[str, Decimal]]:
    return ((str(key), Decimal(str(row["total"]))) for key, row in box.procurify.purchase_orders.items())


def _dead_placed(box: Sandbox) -> Iterator[str]:
    return (str(key) for key, row in box.procurify.purchase_orders.items() if row["state"] == 1)


_BACK_CIN7, _BACK_AIRBASE = "ifs/suppliers_from_cin7", "ifs/suppliers_from_airbase"
VIEWS = {
    view.flow: view
    for view in (
        View(
            *("cin7/suppliers", _suppliers, _cin7_suppliers),
            also=(_BACK_CIN7,),
            alias=lambda box: {key: str(row["AdditionalAttribute1"]) for key, row in box.cin7.suppliers.items()},
        ),
        View("cin7/purchases", _orders, _cin7_purchases, _dead_orders, day=_stamped),
        View("cin7/purchase_invoices", _proposals, _cin7_invoices, _dead_proposals),
        View("hubspot/supplier_companies", _suppliers, _companies),
        View("hubspot/invoices", _proposals, _invoices, _dead_proposals),
        View(
            *("airbase/vendors", _suppliers, _vendors),
            also=(_BACK_AIRBASE,),
            alias=lambda box: {key: str(row["erp_reference_id"]) for key, row in box.airbase.vendors.items()},
        ),
        View("airbase/purchase_orders", _orders, _airbase_orders, _dead_orders, day=_stamped),
        View("monday/suppliers", _suppliers, _named_items),
        View(
            "monday/purchase_orders",
            _with_state(_orders, erp.ORDERS, lambda row: str(row["OrderNo"])),
            _board("purchase_orders", "Amount"),
            day=_stamped,
            held=_held_with_state,
        ),
        View(
            "monday/journal_entries",
            _with_state(_vouchers, erp.VOUCHERS, _voucher_key),
            _board("journal_entries", "Debit"),
            held=_held_voucher,
            moves_on=True,
        ),
        View(
            "ifs/vouchers_from_airbase_payments",
            *(_spent("pay"), _entered(erp.VOUCHERS, "airbase-payment-", _debit), _dead_spent("pay")),
        ),
        View(
            "ifs/vouchers_from_airbase_requests",
            *(_spent("rq"), _entered(erp.VOUCHERS, "airbase-request-", _debit), _dead_spent("rq")),
        ),
        View(
            "ifs/vouchers_from_airbase_bills",
            *(_spent("bill"), _entered(erp.VOUCHERS, "airbase-bill-", _debit), _dead_spent("bill")),
        ),
        View(
            "ifs/supplier_invoices_from_procurify",
            *(_bills, _entered("SupplierInvoiceSet", "procurify-bill-", _gross), _dead_bills),
        ),
        View(
            "ifs/posting_proposals_from_procurify",
            *(_placed, _entered(erp.PROPOSALS, "procurify-po-", _gross), _dead_placed),
        ),
    )
}
"""Flow -> both its sides. Those that lead a supplier back are seen in that of their pair."""
