"""Suppliers of the sandboxed Cin7: merged on PUT, contacts and addresses without an ID are created anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from mlc_dagster.sandbox.cin7 import fields
from mlc_dagster.sandbox.cin7.reference_books import Books, RefusedError, paged, starts
from mlc_dagster.sandbox.wire import Answer

_ATTRIBUTES = tuple(f"AdditionalAttribute{number}" for number in range(1, 11))
_ADDRESS = {"Line1": 256, "Line2": 256, "City": 256, "State": 256, "Postcode": 20}
_CONTACT = {"Name": 256, "Phone": 50, "MobilePhone": 50, "Fax": 50, "Email": 256, "Website": 256, "Comment": 256}


class Suppliers:
    """All suppliers, by ID."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.by_id: dict[str, dict[str, Any]] = {}

    def page(self, options: Mapping[str, str]) -> Answer:
        deprecated = options.get("includedeprecated", "").lower() == "true"
        rows = [row for row in self.by_id.values() if deprecated or row["Status"] == "Active"]
        if wanted := options.get("id"):
            rows = [row for row in self.by_id.values() if row["ID"].lower() == wanted.lower()]
        if name := options.get("name"):
            rows = [row for row in rows if starts("Name")(row, name)]
        if since := options.get("modifiedsince"):
            rows = [row for row in rows if row["LastModifiedOn"][:19] >= since[:19]]
        return paged("SupplierList", rows, options)

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        supplier = self._judged({"Status": "Active", **body}, {"Addresses": [], "Contacts": []})
        if self.named(supplier["Name"]):
            raise RefusedError(f"Supplier with name '{supplier['Name']}' already exists")
        return self._keep({"ID": str(uuid4()), **supplier})

    def update(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Scalars that are left out keep their value."""
        known = self.by_id.get(str(body.get("ID") or "").lower())
        if known is None:
            raise RefusedError("Supplier with specified ID not found", code=404)
        given = {name: value for name, value in body.items() if name not in ("Addresses", "Contacts")}
        nested = {name: body[name] for name in ("Addresses", "Contacts") if name in body}
        supplier = self._judged({**known, **given, "Addresses": [], "Contacts": [], **nested}, known)
        other = self.named(supplier["Name"])
        if other and other["ID"] != known["ID"]:
            raise RefusedError(f"Supplier with name '{supplier['Name']}' already exists")
        return self._keep({"ID": known["ID"], **supplier})

    def edit(
        self,
        which: str,
        given: Mapping[str, Any],
        contact: Mapping[str, Any] | None = None,
        address: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A person's change, later than any before it; what is new has what the form asks for. Raises RefusedError."""
        known = self.by_id.get(which.lower(), {"Contacts": [], "Addresses": [], "LastModifiedOn": ""})
        body = {**given, "ID": which}
        if contact:
            first = [{"ID": row["ID"]} for row in known["Contacts"][:1]] or [{"Name": "Office", "Default": True}]
            body["Contacts"] = [{**first[0], **contact}]
        if address:
            new = {"Line1": "1 Main Street", "Country": "Sweden", "Type": "Business", "DefaultForType": True}
            first = [{"ID": row["ID"]} for row in known["Addresses"][:1]] or [new]
            body["Addresses"] = [{**first[0], **address}]
        before, supplier = known["LastModifiedOn"], self.update(body)
        supplier["LastModifiedOn"] = max(supplier["LastModifiedOn"], fields.next_moment(before))
        return supplier

    def named(self, name: str) -> dict[str, Any] | None:
        wanted = name.strip().lower()
        return next((row for row in self.by_id.values() if row["Name"].lower() == wanted), None)

    def _keep(self, supplier: dict[str, Any]) -> dict[str, Any]:
        supplier["LastModifiedOn"] = fields.now_text()
        self.by_id[supplier["ID"].lower()] = supplier
        return supplier

    def _judged(self, body: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
        """A supplier as it may be kept. Raises RefusedError at the first field that is wrong."""
        attributes = {name: fields.text(body, name, 256) or None for name in _ATTRIBUTES}
        supplier = {
            "Name": fields.text(body, "Name", 256, required=True).strip(),
            "Currency": self._currency(body),
            "PaymentTerm": fields.payment_term(self.books, fields.text(body, "PaymentTerm", 256, required=True)),
            "TaxRule": fields.tax_rule(self.books, fields.text(body, "TaxRule", 256, required=True)),
            "AccountPayable": fields.payable_account(
                self.books, fields.text(body, "AccountPayable", 50, required=True)
            ),
            "Discount": self._discount(body),
            "Comments": fields.text(body, "Comments", 256),
            "TaxNumber": fields.text(body, "TaxNumber", 256),
            "AttributeSet": self._attribute_set(body, attributes),
            **attributes,
            "Status": fields.choice(body, "Status", ("Active", "Deprecated")),
        }
        addresses = _nested(body.get("Addresses"), known["Addresses"], _address)
        return {
            **supplier,
            "Addresses": addresses,
            "Contacts": _nested(body.get("Contacts"), known["Contacts"], _contact),
        }

    def _currency(self, body: Mapping[str, Any]) -> str:
        code = fields.text(body, "Currency", 3, required=True)
        if not (len(code) == 3 and code.isascii() and code.isupper()):
            raise RefusedError(f"Currency '{code}' not found", code=404)
        return code

    def _discount(self, body: Mapping[str, Any]) -> int:
        discount = body.get("Discount") or 0
        if not isinstance(discount, int) or not 0 <= discount <= 100:
            raise RefusedError(f"'Discount' must be a whole number from 0 to 100; found {discount!r}")
        return discount

    def _attribute_set(self, body: Mapping[str, Any], attributes: Mapping[str, Any]) -> str:
        name = fields.text(body, "AttributeSet", 256)
        if name and name not in self.books.attribute_sets:
            raise RefusedError(f"Attribute set '{name}' not found", code=404)
        if any(attributes.values()) and not name:
            raise RefusedError("'AttributeSet' is required when additional attributes are given")
        return name


def _nested(given: Any, known: list[dict[str, Any]], judged: Any) -> list[dict[str, Any]]:
    """What is known, updated by ID; what comes without an ID is new each time."""
    rows = {row["ID"].lower(): row for row in known}
    for row in given or []:
        if not isinstance(row, dict):
            raise RefusedError("Addresses and Contacts are lists of objects")
        wanted = str(row.get("ID") or "").lower()
        if wanted and wanted not in rows:
            raise RefusedError(f"Address or contact with ID {row['ID']} not found", code=404)
        before = rows.get(wanted, {})
        identity = before.get("ID") or str(uuid4())
        rows[identity.lower()] = {"ID": identity, **judged({**before, **row})}
    return list(rows.values())


def _address(row: Mapping[str, Any]) -> dict[str, Any]:
    country = fields.text(row, "Country", 100, required=True)
    if country not in fields.COUNTRIES:
        raise RefusedError(f"Country '{country}' not found; give its full name", code=404)
    fields.text(row, "Line1", 256, required=True)
    return {
        **{name: fields.text(row, name, longest) for name, longest in _ADDRESS.items()},
        "Country": country,
        "Type": fields.choice(row, "Type", ("Billing", "Business", "Shipping")),
        "DefaultForType": bool(row.get("DefaultForType")),
    }


def _contact(row: Mapping[str, Any]) -> dict[str, Any]:
    fields.text(row, "Name", 256, required=True)
    texts = {name: fields.text(row, name, longest) for name, longest in _CONTACT.items()}
    return {**texts, "Default": bool(row.get("Default")), "IncludeInEmail": bool(row.get("IncludeInEmail"))}
