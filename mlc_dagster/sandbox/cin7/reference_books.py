"""The reference books of the sandboxed Cin7 Core: accounts, terms, tax rules, locations, products, attribute sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from mlc_dagster.sandbox.cin7.traits import Cin7Traits
from mlc_dagster.sandbox.wire import Answer, answer_json

NOBODY = str(UUID(int=0))


class RefusedError(Exception):
    """What Cin7 answers to a request it does not accept: HTTP status, and the ErrorCode in the body."""

    def __init__(self, text: str, status: int = 400, code: int | None = None) -> None:
        super().__init__(text)
        self.status, self.code = status, code or status

    def answer(self) -> Answer:
        return answer_json(self.status, [{"ErrorCode": self.code, "Exception": str(self)}])


def guid(*parts: object) -> str:
    """The same parts give the same GUID, so that a seeded sandbox has the same ids each time."""
    return str(uuid5(NAMESPACE_URL, "/".join(str(part) for part in parts)))


_CLASSES = {"CURRLIAB": "LIABILITY", "CURRENT": "ASSET", "FIXED": "ASSET", "REVENUE": "REVENUE", "EQUITY": "EQUITY"}
_PLAIN_LOCATION: dict[str, Any] = {
    **dict.fromkeys(("FixedAssetsLocation", "IsShopfloor", "IsCoMan", "IsStaging"), False),
    **dict.fromkeys(("ParentID", "ParentName", "PickZones"), None),
    **dict.fromkeys(("AddressLine1", "AddressLine2", "AddressCitySuburb", "AddressStateProvince"), ""),
    **dict.fromkeys(("AddressZipPostCode", "AddressCountry"), ""),
    "ReferenceCount": 0,
}
"""What is told of a location that has no address, no parent and no special use."""
_SYSTEM_NAMES = {"CREDITORS": "Accounts payable", "DEBTORS": "Accounts receivable"}


class Books:
    """The books by name or code. They start with what every Cin7 account has, and nothing else."""

    def __init__(self, traits: Cin7Traits | None = None) -> None:
        self.traits = traits or Cin7Traits()
        self.accounts: dict[str, dict[str, Any]] = {}
        self.payment_terms: dict[str, dict[str, Any]] = {}
        self.tax_rules: dict[str, dict[str, Any]] = {}
        self.locations: dict[str, dict[str, Any]] = {}
        self.products: dict[str, dict[str, Any]] = {}
        self.attribute_sets: dict[str, dict[str, Any]] = {}
        self.products_once = self.traits.products_once
        self._fill()

    def _fill(self) -> None:
        self.add_account("800", "Accounts Payable", kind="CURRLIAB", system="CREDITORS")
        self.add_account("610", "Accounts Receivable", kind="CURRENT", system="DEBTORS")
        self.add_payment_term("30 days", 30)
        self.add_tax_rule("Tax Exempt")
        self.add_tax_rule("Tax on Purchases", 25)
        self.add_location("Main Warehouse", is_default=True)
        self.add_attribute_set("IFS", "IFS key")

    def add_account(
        self, code: str, name: str, *, kind: str = "EXPENSE", status: str = "ACTIVE", system: str = ""
    ) -> None:
        """`kind` is Cin7's Type (EXPENSE, CURRLIAB, ...); `system` its SystemAccountCode (CREDITORS, ...)."""
        self.accounts[code] = {
            "Code": code,
            "Name": name,
            "Type": kind,
            "Status": status,
            "Description": name,
            "Class": _CLASSES.get(kind, "EXPENSE"),
            "SystemAccount": _SYSTEM_NAMES.get(system),
            "SystemAccountCode": system or None,
            "ForPayments": False,
            "DisplayName": f"{code}: {name}",
            "OldCode": None,
            "BankAccountId": None,
            "BankAccountNumber": None,
        }

    def add_payment_term(self, name: str, days: int, *, active: bool = True) -> None:
        facts = {"Duration": days, "Method": "number of days", "IsActive": active, "IsDefault": False}
        self.payment_terms[name] = {"ID": guid("term", name), "Name": name, **facts}

    def add_tax_rule(self, name: str, percent: int = 0, *, active: bool = True, for_purchase: bool = True) -> None:
        facts = {"TaxInclusive": False, "TaxPercent": percent, "IsTaxForSale": True, "IsTaxForPurchase": for_purchase}
        rule = {"ID": guid("tax", name), "Name": name, "Account": "820", "IsActive": active, **facts, "Components": []}
        self.tax_rules[name] = rule

    def add_location(self, name: str, *, is_default: bool = False, deprecated: bool = False) -> None:
        facts = {"IsDefault": is_default, "IsDeprecated": deprecated, "Bins": [], **_PLAIN_LOCATION}
        self.locations[name] = {"ID": guid("location", name), "Name": name, **facts}

    def add_product(self, sku: str, name: str, *, kind: str = "Stock", unit: str = "Item") -> None:
        facts = {"Type": kind, "UOM": unit, "PurchaseTaxRule": None, "InventoryAccount": None, "ExpenseAccount": None}
        rest = {"Status": "Active", "Category": "Other", "CostingMethod": "FIFO", "Suppliers": []}
        known = {"ID": guid("product", sku), "SKU": sku, "Name": name}
        self.products[sku] = {**known, **facts, **rest, "LastModifiedOn": "2026-01-05T08:00:00Z"}

    def add_attribute_set(self, name: str, *attributes: str) -> None:
        """All ten slots are told, those that are not used as well."""
        given = dict(enumerate(attributes, 1))
        slots: dict[str, Any] = {}
        for number in range(1, 11):
            kind = "Text" if number in given else "Not used"
            told = {"Name": given.get(number, ""), "Type": kind, "Values": ""}
            slots.update({f"Attribute{number}{word}": each for word, each in told.items()})
        used = [{"Name": each, "Type": "Text", "Values": ""} for each in attributes]
        self.attribute_sets[name] = {"ID": guid("attributes", name), "Name": name, **slots, "Attributes": used}

    # --- on the wire ---

    def page(self, path: str, options: Mapping[str, str]) -> Answer | None:
        """The answer to GET /ref/... or /product; None where there is no such book."""
        book = self._book(path)
        if book is None:
            return None
        wrapper, rows, filters = book
        code = options.get("code")
        if path == "ref/account" and code and code not in self.accounts:
            raise RefusedError("Account with specified ID not found")
        found = [
            row
            for row in rows
            if all(keeps(row, options[name]) for name, keeps in filters.items() if options.get(name))
        ]
        most = self.traits.locations_in_page if path == "ref/location" else 1000
        return paged(wrapper, found, options, most)

    def _book(self, path: str) -> tuple[str, list[dict[str, Any]], dict[str, Filter]] | None:
        flags = {"isactive": _same("IsActive"), "name": starts("Name")}
        books: dict[str, tuple[str, dict[str, dict[str, Any]], dict[str, Filter]]] = {
            "ref/account": ("AccountsList", self.accounts, _ACCOUNT_FILTERS),
            "ref/paymentterm": ("PaymentTermList", self.payment_terms, {**flags, "method": _same("Method")}),
            "ref/tax": ("TaxRuleList", self.tax_rules, {**flags, "istaxforpurchase": _same("IsTaxForPurchase")}),
            "ref/location": ("LocationList", self.locations, {"name": starts("Name")}),
            "ref/attributeset": ("AttributeSetList", self.attribute_sets, {"name": starts("Name")}),
            "product": ("Products", self.products, {"sku": starts("SKU"), "name": starts("Name"), "id": _same("ID")}),
        }
        if path not in books:
            return None
        wrapper, rows, filters = books[path]
        return wrapper, list(rows.values()), filters


Filter = Callable[[Mapping[str, Any], str], bool]


def starts(field: str) -> Filter:
    """Cin7's name filters are starts-with, whatever the case."""
    return lambda row, text: str(row[field]).lower().startswith(text.lower())


def _same(field: str) -> Filter:
    return lambda row, text: str(row[field]).lower() == text.lower()


_ACCOUNT_FILTERS = {"code": _same("Code"), "name": starts("Name"), "type": _same("Type"), "status": _same("Status")}


def paged(wrapper: str, rows: Iterable[Mapping[str, Any]], options: Mapping[str, str], most: int = 1000) -> Answer:
    """A page, from 1; `Limit` is 100 when it is left out, and 1..1000. A page is cut at `most`, and the next one begins
    where Limit says.
    """
    found = list(rows)
    page, limit = _number(options, "page", 1), _number(options, "limit", 100)
    if limit > 1000:
        raise RefusedError("Limit must be between 1 and 1000")
    shown = found[(page - 1) * limit : page * limit][:most]
    return answer_json(200, {"Total": len(found), "Page": page, wrapper: shown})


def _number(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name) or str(default)
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise RefusedError(f"{name.title()} must be a number from 1; found '{text}'")
    return int(text)
