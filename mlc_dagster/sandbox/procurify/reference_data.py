"""The sandboxed Procurify's reference data: currencies, locations, departments, account codes, and their pairs."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, Any]
Amount = Decimal | str | int

DECIMALS = {"JPY": 0, "KWD": 3}
DEPARTMENT, _CODE, _BRANCH, _COMPANY = "Operations", "CC100", "Stockholm", "0010"
"""What a test gets that names no department of its own."""
_USUAL_CURRENCY = "SEK"

ME = {
    "id": 7,
    "email": "service@example.test",
    "firstName": "Service",
    "lastName": "User",
    "role": "AP",
    "domains": {"active": False, "procurify_domains": []},
    "user": 7,
    "systemaccess_cache": {},
}


class Books:
    """Rows by their name, accounts by their code; what a record names and nobody has entered is entered then."""

    def __init__(self) -> None:
        self.currencies: dict[str, Row] = {}
        self.locations: dict[str, Row] = {}
        self.departments: dict[str, Row] = {}
        self.account_codes: dict[str, Row] = {}

    def put_currency(self, name: str, rate: Amount = "1", base: bool = False) -> Row:
        """`rate` is what one unit of the base currency costs in this one."""
        row = {"name": name, "rate": str(rate), "base": base, "active": True, "description": name}
        return _put(self.currencies, name, 1, row)

    def put_location(
        self,
        name: str,
        external_id: str = "",
        currency: str = _USUAL_CURRENCY,
        time_zone: str | None = "Europe/Stockholm",
    ) -> Row:
        row = {"name": name, "external_id": external_id, "currency": self.currency(currency)["id"], "active": True}
        return _put(self.locations, name, 1, {**row, "locationTimezone": time_zone, "headquarter": not self.locations})

    def put_department(self, name: str, external_id: str = "", location: str = _BRANCH, active: bool = True) -> Row:
        branch = self.locations.get(location) or self.put_location(location, _COMPANY if location == _BRANCH else "")
        row = {"name": name, "external_id": external_id, "branch": {each: branch[each] for each in ("id", "name")}}
        return _put(self.departments, name, 11, {**row, "active": active})

    def put_account_code(self, code: str, description: str = "", account_type: int = 2, active: bool = True) -> Row:
        row = {"code": code, "description": description or code, "account_type": account_type, "active": active}
        return _put(self.account_codes, code, 61, {**row, "parent": None})

    def rename_department(self, was: str, now: str) -> None:
        """People give it another name: its id and its external id stay; a bill names it as it was called then."""
        row = self.departments.pop(was)
        self.departments[now] = {**row, "name": now}

    def rename_location(self, was: str, now: str) -> None:
        """The same, with what its departments say of it."""
        row = self.locations.pop(was)
        self.locations[now] = {**row, "name": now}
        for name, each in self.departments.items():
            if each["branch"]["id"] == row["id"]:
                self.departments[name] = {**each, "branch": {"id": row["id"], "name": now}}

    # --- as records refer to them ---

    def currency(self, name: str) -> Row:
        """As a record carries it; the first one that is entered is the base."""
        known = self.currencies.get(name) or self.put_currency(name, base=not self.currencies)
        return {each: known[each] for each in ("id", "name", "rate", "base")}

    @property
    def base_currency(self) -> Row:
        base = next((row for row in self.currencies.values() if row["base"]), None)
        return base or self.currency(_USUAL_CURRENCY)

    def budget(self, account: str | None, department: str | None) -> Row:
        """The pair that an amount is booked on; None leaves that side open."""
        code, place = self._account_code(account), self._department(department)
        number = (code["id"] if code else 0) * 1000 + (place["id"] if place else 0)
        return {"id": number, "account_code": code, "department": place}

    def _account_code(self, code: str | None) -> Row | None:
        if code is None:
            return None
        known = self.account_codes.get(code) or self.put_account_code(code)
        return {each: known[each] for each in ("id", "code", "description", "account_type")}

    def _department(self, name: str | None) -> Row | None:
        if name is None:
            return None
        known = self.departments.get(name) or self.put_department(name, _CODE if name == DEPARTMENT else "")
        return {each: known[each] for each in ("id", "name", "external_id", "branch")}


def _put(rows: dict[str, Row], name: str, first_id: int, row: Row) -> Row:
    number = rows[name]["id"] if name in rows else first_id + len(rows)
    rows[name] = {"id": number, **row}
    return rows[name]


# --- amounts as Procurify writes them ---


def text(amount: Amount, currency: str = "", places: int = 2) -> str:
    """A decimal string, with two places even for a currency that has none."""
    unit = Decimal(1).scaleb(-max(places, DECIMALS.get(currency, 2)))
    return f"{Decimal(amount).quantize(unit, ROUND_HALF_UP):f}"


def floating(amount: Amount) -> Decimal:
    """The number that a JSON float would show: 500.0, 12.345."""
    plain = f"{Decimal(amount).normalize():f}"
    return Decimal(plain if "." in plain else f"{plain}.0")


def converted(amount: Decimal, currency: Row, base: Row) -> Decimal:
    """In the base currency, in its own decimals."""
    unit = Decimal(1).scaleb(-DECIMALS.get(base["name"], 2))
    return (amount / Decimal(currency["rate"])).quantize(unit, ROUND_HALF_UP)
