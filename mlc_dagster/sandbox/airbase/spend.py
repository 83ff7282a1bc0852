"""The sandboxed Airbase's purchase requests and ledger entries, made whole from the few fields that one cares about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import uuid4

from mlc_dagster.sandbox.airbase.state import ENTRIES, REQUESTS, Refusal, Shelves

Row = dict[str, Any]

STATUSES = {
    REQUESTS: ("pending", "approved", "rejected", "denied", "sync_complete"),
    ENTRIES: ("sync_ready", "sync_complete", "sync_failed"),
}
UNASKED = {ENTRIES: "sync_ready"}
"""What a list without ?status= is of."""

WRITABLE = {
    REQUESTS: ("status", "erp_reference_id"),
    ENTRIES: ("status", "erp_reference_id", "erp_url", "error_message"),
}
_LONGEST = {"erp_reference_id": 255, "erp_url": 2000, "error_message": 2000}
_LINES = {REQUESTS: "line_items", ENTRIES: "expense_list"}
PAYS = {"bill_payment": "bill", "reimbursement_payment": "reimbursement"}
"""Payment -> what it pays."""

OWED = ("bill", *PAYS)
"""What names a payable account, as recorded: bills, and what pays another entry. Transfers and card spend do not."""

_DAY = "2026-11-05T00:00:00"  # Airbase's own dates have no zone
_PERSON = {"name": "B. Gonzales", "email": "b.gonzales@example.test"}
_APPROVER = {"name": "C. Okafor", "email": "c.okafor@example.test"}


# --- what the ERP's side may write ----------------------------------------------------------------------------------


def acknowledged(kind: str, body: Mapping[str, Any]) -> Row:
    """The fields to keep of an acknowledgement. Raises Refusal."""
    for name, value in body.items():
        if name not in WRITABLE[kind]:
            raise Refusal({name: ["This field may not be written."]})
        if name == "status":
            if value not in STATUSES[kind]:
                raise Refusal({name: [f'"{value}" is not a valid choice.']})
        elif value is not None and not _is_text(value, _LONGEST[name]):
            raise Refusal({name: [f"Ensure this field is a text of no more than {_LONGEST[name]} characters."]})
    return dict(body)


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest


# --- what people enter ----------------------------------------------------------------------------------------------


def made(shelves: Shelves, kind: str, given: Mapping[str, Any]) -> Row:
    """A whole request or entry. `vendor` (its id), `subsidiary`, `currency` and accounts may be given as codes.

    `department` and `account` are those of every line that has none of its own, `subsidiary_amount` the one in
    `amounts`. Without a total it is that of the lines; without lines there is one, of the total.
    Raises ValueError for a field that there is not, and for an entry in a foreign currency without `subsidiary_amount`.
    """
    identity = str(given.get("airbase_id") or uuid4())
    own = _request(identity) if kind == REQUESTS else _entry(identity, given)
    row = {
        "id": identity,
        "airbase_id": identity,
        "erp_reference_id": None,
        "vendor": None if "vendor" in given or own.get("employee") else _any_vendor(shelves),
        "subsidiary": "0010",
        "currency": None,
        "total_amount": None,
        "notes": "",
        _LINES[kind]: [{}],
        **own,
    }
    return changed(shelves, kind, row, given)


def changed(shelves: Shelves, kind: str, row: Row, given: Mapping[str, Any]) -> Row:
    """The row as a person left it; fields as `made` takes them. Raises ValueError as `made` does."""
    short = {"department", "account"} | ({"subsidiary_amount"} if kind == ENTRIES else set())
    _only(f"a row of {kind}", given, {*row, *short})
    new = {
        **row,
        **{name: value for name, value in given.items() if name not in short},
        **{name: row[name] for name in ("id", "airbase_id")},
    }
    new["vendor"] = _vendor(shelves, kind, new["vendor"])
    new["subsidiary"] = _subsidiary(shelves, new["subsidiary"])
    new["currency"] = _currency(kind, new["currency"] or _home(shelves, new["subsidiary"]))
    new[_LINES[kind]] = _lines(shelves, kind, row, given)
    counted = "total_amount" not in given and (row["total_amount"] is None or _LINES[kind] in given)
    new["total_amount"] = _sum(new[_LINES[kind]]) if counted else str(new["total_amount"])
    if kind == ENTRIES:
        new |= {name: _account(shelves, new[name]) for name in ("bank_account", "ap_account", "amortization_account")}
        new["amounts"] = _amounts(shelves, row, new, given)
    return new


def _only(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    if strangers := sorted(set(given) - set(known)):
        raise ValueError(f"{what} has no {', '.join(strangers)}; it has {', '.join(sorted(known))}")


def _request(identity: str) -> Row:
    return {
        "request_number": f"PR-{identity[:8]}",
        "status": "approved",
        "purchase_type": "Software",
        "approved_date": _DAY,
        "requester": _PERSON,
        "approver": _APPROVER,
        "invoice_number": None,
    }


def _entry(identity: str, given: Mapping[str, Any]) -> Row:
    kind, link = str(given.get("type", "bill_payment")), f"https://dashboard.airbase.example/transactions/{identity}"
    return {
        "erp_url": None,
        "url": link,
        "airbase_url": link,
        "type": kind,
        "status": "sync_ready",
        "error_message": "",
        "spend_owner": _PERSON,
        "credit_mode": None,
        "employee": _PERSON if kind.startswith("reimbursement") else None,
        "invoice_number": None,
        "ap_account": "2440" if kind in OWED else None,
        "receipt_link": None,
        "entry_date": _DAY,
        "transaction_tags": [],
        "is_amortized": False,
        **dict.fromkeys(("amortization_account", "amortization_start_date", "amortization_end_date", "amounts")),
        **_payment(kind, given.get("entry_date", _DAY)),
    }


def _payment(kind: str, paid_on: str) -> Row:
    """What only payments have."""
    if kind not in PAYS:
        return {"bank_account": None, "applied_to": None, "payment_entry_date": None}
    paid = str(uuid4())
    applied = {"id": paid, "airbase_id": paid, "transaction_type": PAYS[kind]}
    return {"bank_account": "1930", "applied_to": [applied], "payment_entry_date": paid_on}


# --- lines ----------------------------------------------------------------------------------------------------------


def _lines(shelves: Shelves, kind: str, row: Row, given: Mapping[str, Any]) -> list[Row]:
    own, short = given.get(_LINES[kind]), {name: given[name] for name in ("department", "account") if name in given}
    if own is not None:
        return [_line(shelves, kind, place, {**short, **line}) for place, line in enumerate(own, 1)]
    lines, total = row[_LINES[kind]], given.get("total_amount")
    only = {"amount": total} if total is not None and len(lines) == 1 else {}
    return [_line(shelves, kind, place, {**line, **short, **only}) for place, line in enumerate(lines, 1)]


def _sum(lines: Iterable[Row]) -> str:
    try:
        return str(sum((Decimal(line["amount"]) for line in lines), Decimal(0)))
    except InvalidOperation:
        raise ValueError("an amount of a line is no number; give total_amount beside it") from None


def _line(shelves: Shelves, kind: str, place: int, given: Mapping[str, Any]) -> Row:
    """Lines of requests mostly have no account yet: the purchase type has one."""
    line = {"line_number": place, "description": f"Line {place}", "amount": "100.00", "account": None, "tags": None}
    if kind == ENTRIES:
        line |= {"receipt_link": None, "account": "4010"}
        line |= {"amortization_start_date": None, "amortization_end_date": None}
    _only("a line", given, {*line, "department"})
    line |= {name: value for name, value in given.items() if name != "department"}
    department = given.get("department", None if line["tags"] is not None else "CC100")
    if "department" in given or line["tags"] is None:
        line["tags"] = [department_tag(department)] if department else []
    account = _account(shelves, line["account"])
    if account and kind == REQUESTS:
        account = {"erp_reference_id": account["erp_reference_id"]}
    return {**line, "amount": str(line["amount"]), "account": account}


def department_tag(code: str, name: str = "") -> Row:
    return {"type_label": "Department", "erp_reference_id": code, "name": name or f"Department {code}"}


# --- what is named by a code ----------------------------------------------------------------------------------------


def _any_vendor(shelves: Shelves) -> str:
    first = next(iter(shelves.rows["vendors"].values()), None)
    first = first or shelves.upsert("vendors", {"name": "Paper Mill AB", "erp_reference_id": "S1"})[0]
    return str(first["airbase_id"])


def _vendor(shelves: Shelves, kind: str, given: Any) -> Row | None:
    if not isinstance(given, str):
        return dict(given) if given else None
    if given not in shelves.rows["vendors"]:
        raise ValueError(f"there is no vendor with the id {given!r}; add_vendor gives one")
    vendor = shelves.rows["vendors"][given]
    named = {name: vendor[name] for name in ("airbase_id", "name", "erp_reference_id")}
    if kind == REQUESTS:
        return named
    by_hand = not vendor["erp_reference_id"]
    return {"id": given, **named, "created_in_platform": by_hand, "created_in_airbase": by_hand}


def _subsidiary(shelves: Shelves, given: Any) -> Row | None:
    return _named(shelves, "subsidiaries", given, "Company")


def _account(shelves: Shelves, given: Any) -> Row | None:
    return _named(shelves, "accounts", given, "Account")


def _named(shelves: Shelves, kind: str, given: Any, word: str) -> Row | None:
    if not isinstance(given, str):
        return dict(given) if given else None
    known = [row["name"] for row in shelves.rows[kind].values() if row["erp_reference_id"] == given]
    return {"erp_reference_id": given, "name": known[0] if known else f"{word} {given}"}


def _home(shelves: Shelves, subsidiary: Row | None) -> str:
    code = (subsidiary or {}).get("erp_reference_id")
    rows = shelves.rows["subsidiaries"].values()
    return next((str(row["erp_currency_reference_id"]) for row in rows if row["erp_reference_id"] == code), "SEK")


def _currency(kind: str, given: Any) -> Row:
    if not isinstance(given, str):
        return dict(given)
    return {"iso_code": given} if kind == REQUESTS else {"erp_reference_id": given, "iso_code": given}


def _amounts(shelves: Shelves, row: Row, new: Row, given: Mapping[str, Any]) -> Row:
    """The entry's amounts. Raises ValueError where that in the subsidiary's currency cannot be known."""
    touched = {"total_amount", "currency", "subsidiary", "expense_list", "subsidiary_amount"} & given.keys()
    if "amounts" in given or (row["amounts"] and not touched):
        return dict(new["amounts"])
    total, currency, home = new["total_amount"], new["currency"]["iso_code"], _home(shelves, new["subsidiary"])
    if currency != home and "subsidiary_amount" not in given:
        raise ValueError(f"an entry in {currency} needs subsidiary_amount, its amount in {home}")
    in_own, in_home = _money(total, currency), _money(str(given.get("subsidiary_amount", total)), home)
    return {"amount": in_own, "transaction_amount": in_own, "settlement_amount": None, "subsidiary_amount": in_home}


def _money(amount: str, currency: str) -> Row:
    return {"amount": amount, "currency": {"iso_code": currency, "erp_reference_id": currency}}
