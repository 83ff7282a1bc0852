"""What the sandboxed Airbase holds, and how it judges what it is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import uuid4

REQUESTS, ENTRIES = "purchase_requests", "ledger_entries"
BILLS = "bills"
"""Bills as documents of their own: nobody has published them, so their shape is that of orders and ledger entries."""
BLANK = "This field may not be blank."
_AMOUNT = re.compile(r"-?\d{1,20}(\.\d{1,6})?")


class Refusal(Exception):
    """A refused entity, with the body that says why."""

    def __init__(self, body: dict[str, Any], status: int = 400) -> None:
        super().__init__(str(body))
        self.body, self.status = body, status


class Shelves:
    """Rows by kind and id."""

    def __init__(self, vendor_details: tuple[str, ...] = ()) -> None:
        """`vendor_details`: fields that vendors have beside those that were recorded; kept as they come."""
        self.vendor_details = vendor_details
        kinds = ("vendors", "accounts", "subsidiaries", "purchase_orders", BILLS, REQUESTS, ENTRIES)
        self.rows: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in kinds}
        self.order_fields: tuple[str, ...] = ()  # fields of orders that this tenant has made for itself

    def shown(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """As GET answers it: the vendor within has the name and the key that it has now."""
        within = row.get("vendor")
        vendor = self.rows["vendors"].get(within.get("airbase_id")) if within else None
        now = {name: vendor[name] for name in ("name", "erp_reference_id")} if vendor else {}
        return {**row, "vendor": {**within, **now}} if within else dict(row)

    # --- the chart and the subsidiaries ---

    def add_account(self, code: str, name: str, active: bool, subsidiaries: tuple[str, ...]) -> None:
        self.remove_account(code)
        row = {
            "name": name,
            "account_number": code,
            "type": "expense",
            "category": "",
            "is_active": active,
            "subsidiary_reference_ids": [self._subsidiary({"erp_reference_id": each}) for each in subsidiaries],
        }
        self._put("accounts", code, row)

    def remove_account(self, code: str) -> None:
        for known in [row["airbase_id"] for row in self._named("accounts", code)]:
            del self.rows["accounts"][known]

    def add_subsidiary(self, code: str, name: str, currency: str) -> None:
        self._put("subsidiaries", code, {"name": name, "erp_currency_reference_id": currency})

    def _put(self, kind: str, code: str, row: dict[str, Any]) -> dict[str, Any]:
        made = str(uuid4())
        self.rows[kind][made] = {"id": made, "airbase_id": made, "erp_reference_id": code, **row}
        return self.rows[kind][made]

    def _named(self, kind: str, code: str) -> list[dict[str, Any]]:
        return [row for row in self.rows[kind].values() if row["erp_reference_id"] == code] if code else []

    # --- what is sent ---

    def upsert(self, kind: str, body: Mapping[str, Any], patched: str = "") -> tuple[dict[str, Any], bool]:
        """The row, and whether it is new. Raises Refusal."""
        known = self._known(kind, {**body, "airbase_id": patched} if patched else body)
        if patched and known is None:
            raise Refusal({"detail": "Not found."}, 404)
        fields = self.judge(kind, {**(known or {}), **body})
        if known is None:
            return self._put(kind, fields["erp_reference_id"], fields), True
        if known["erp_reference_id"]:  # Airbase takes no change of a key
            fields["erp_reference_id"] = known["erp_reference_id"]
        known.update(fields)
        return known, False

    def _known(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        if wanted := body.get("airbase_id"):
            return self.rows[kind].get(str(wanted))
        return next(iter(self._named(kind, str(body.get("erp_reference_id") or ""))), None)

    def check(self, kind: str, entity: Any) -> None:
        """Raises Refusal as `upsert` would, and keeps nothing."""
        known = self._known(kind, entity) if isinstance(entity, Mapping) else None
        self.judge(kind, {**known, **entity} if known else entity)

    def judge(self, kind: str, body: Any) -> dict[str, Any]:
        """The fields as they are kept. Raises Refusal."""
        if not isinstance(body, Mapping):
            raise Refusal({"non_field_errors": ["Invalid data. Expected a dictionary."]})
        judges = {"vendors": self._vendor, BILLS: self._bill}
        return judges.get(kind, self._order)(body)

    def _vendor(self, body: Mapping[str, Any]) -> dict[str, Any]:
        subsidiaries = body.get("subsidiary_reference_ids") or []
        return {
            "erp_reference_id": _text(body, "erp_reference_id", 255, required=False),
            "erp_parent_reference_id": None,
            "name": _text(body, "name", 255),
            "is_active": body.get("is_active", True) is True,
            "email": _text(body, "email", 255, required=False),
            "payment_terms": _text(body, "payment_terms", 255, required=False) or None,
            "subsidiary_reference_ids": [self._subsidiary(each) for each in subsidiaries],
            **{name: body.get(name) for name in self.vendor_details},
        }

    def _subsidiary(self, given: Any) -> dict[str, str]:
        for row in self.rows["subsidiaries"].values():
            if given.get("airbase_id") == row["airbase_id"] or given.get("erp_reference_id") == row["erp_reference_id"]:
                return {name: row[name] for name in ("airbase_id", "erp_reference_id")}
        raise Refusal({"subsidiary_reference_ids": [f"Subsidiary {given.get('erp_reference_id')} does not exist."]})

    def _order(self, body: Mapping[str, Any]) -> dict[str, Any]:
        lines = body.get("line_items")
        if not isinstance(lines, list) or not lines:
            raise Refusal({"line_items": ["This field is required."]})
        kept = [self._line(line) for line in lines]
        total, computed = _amount(body, "total_amount"), sum((Decimal(line["amount"]) for line in kept), Decimal(0))
        if total != computed:
            raise Refusal({"total_amount": [f"The lines make {computed}, found {total}."]})
        vendor = self._vendor_of(body.get("vendor") or {})
        return {
            "erp_reference_id": _text(body, "erp_reference_id", 255),
            "po_number": _text(body, "po_number", 255),
            "vendor": {name: vendor[name] for name in ("airbase_id", "name", "erp_reference_id")},
            "subsidiary": self._subsidiary(body["subsidiary"]) if body.get("subsidiary") else None,
            "currency": {"iso_code": _text(body.get("currency") or {}, "iso_code", 3)},
            "status": _text(body, "status", 30),
            "order_date": _text(body, "order_date", 10),
            "total_amount": body["total_amount"],
            "notes": _text(body, "notes", 2000, required=False),
            "line_items": kept,
            **{name: _text(body, name, 2000, required=False) for name in self.order_fields if name in body},
        }

    def _bill(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A vendor has each number once, among what is not void."""
        vendor, order = self._vendor_of(body.get("vendor") or {}), self._order_of(body)
        number, lines = _text(body, "invoice_number", 255), body.get("expense_list")
        self._refuse_second(body, vendor["airbase_id"], number)
        if not isinstance(lines, list) or not lines:
            raise Refusal({"expense_list": ["This field is required."]})
        total, computed = _amount(body, "total_amount"), sum((_amount(line, "amount") for line in lines), Decimal(0))
        if total != computed:
            raise Refusal({"total_amount": [f"The lines make {computed}, found {total}."]})
        return {
            "erp_reference_id": _text(body, "erp_reference_id", 255, required=False),
            "invoice_number": number,
            "vendor": {name: vendor[name] for name in ("airbase_id", "name", "erp_reference_id")},
            "purchase_order": order and {name: order[name] for name in ("airbase_id", "erp_reference_id")},
            "subsidiary": self._subsidiary(body["subsidiary"]) if body.get("subsidiary") else None,
            "currency": {"iso_code": _text(body.get("currency") or {}, "iso_code", 3)},
            "status": _text(body, "status", 30, required=False) or "draft",
            "entry_date": _text(body, "entry_date", 10),
            "due_date": _text(body, "due_date", 10, required=False) or None,
            "total_amount": body["total_amount"],
            "notes": _text(body, "notes", 2000, required=False),
            "airbase_url": body.get("airbase_url") or f"https://dashboard.airbase.example/bills/{uuid4()}",
            "expense_list": [self._bill_line(line) for line in lines],
        }

    def _order_of(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        given = body.get("purchase_order")
        order = self._known("purchase_orders", given) if given else None
        if given and order is None:
            raise Refusal({"purchase_order": ["Purchase order does not exist."]})
        return order

    def _refuse_second(self, body: Mapping[str, Any], vendor: str, number: str) -> None:
        own, key = str(body.get("airbase_id") or ""), str(body.get("erp_reference_id") or "")
        for row in self.rows[BILLS].values():
            same = (row["vendor"]["airbase_id"], row["invoice_number"]) == (vendor, number)
            if (
                same
                and row["status"] != "void"
                and row["airbase_id"] != own
                and (row["erp_reference_id"] or "-") != key
            ):
                raise Refusal({"invoice_number": [f"A bill with this number exists: {row['airbase_id']}."]})

    def _bill_line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        code = str((line.get("account") or {}).get("erp_reference_id") or "")
        if code and not any(row["is_active"] for row in self._named("accounts", code)):
            raise Refusal({"expense_list": [f"Account {code} does not exist or is not active."]})
        return {**line, "description": _text(line, "description", 255)}

    def _vendor_of(self, given: Mapping[str, Any]) -> dict[str, Any]:
        known = self._known("vendors", given)
        if known is None:
            raise Refusal({"vendor": ["Vendor does not exist."]})
        return known

    def _line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        account = line.get("account")
        code = str((account or {}).get("erp_reference_id") or "")
        if account and not any(row["is_active"] for row in self._named("accounts", code)):
            raise Refusal({"line_items": [f"Account {code} does not exist or is not active."]})
        for name in ("quantity", "unit_price", "amount"):
            _amount(line, name)
        return {**line, "description": _text(line, "description", 255)}


def _text(body: Mapping[str, Any], name: str, longest: int, *, required: bool = True) -> str:
    value = body.get(name)
    if value is None or value == "":
        if required:
            raise Refusal({name: [BLANK]})
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise Refusal({name: [f"Ensure this field is a text of no more than {longest} characters."]})
    return value


def _amount(body: Mapping[str, Any], name: str) -> Decimal:
    """Amounts are texts."""
    value = body.get(name)
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise Refusal({name: ["A valid number is required."]})
    try:
        return Decimal(value)
    except InvalidOperation:
        raise Refusal({name: ["A valid number is required."]}) from None
