"""HubSpot's objects in the sandbox: what is kept, what a value must look like, and in which words it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from mlc_dagster.sandbox.hubspot.traits import Traits

Row = dict[str, Any]

KINDS = ("companies", "contacts", "deals", "invoices", "line_items")
_TEXT = ("string", "text")
DEFAULTS: dict[str, dict[str, tuple[str, str]]] = {
    "companies": dict.fromkeys(("name", "domain", "phone", "city", "country", "description"), _TEXT),
    "contacts": {"email": _TEXT},
    "deals": {
        "dealname": _TEXT,
        "pipeline": ("enumeration", "select"),
        "dealstage": ("enumeration", "select"),
        "amount": ("number", "number"),
        "closedate": ("datetime", "date"),
        "deal_currency_code": _TEXT,
    },
    "invoices": {
        **dict.fromkeys(("hs_currency", "hs_number", "hs_title", "hs_purchase_order_number", "hs_comments"), _TEXT),
        "hs_invoice_billable": ("bool", "booleancheckbox"),
        "hs_invoice_status": ("enumeration", "select"),
        "hs_invoice_date": ("datetime", "date"),
        "hs_due_date": ("datetime", "date"),
        **dict.fromkeys(("hs_amount_billed", "hs_tax", "hs_balance_due"), ("number", "number")),
    },
    "line_items": {
        **dict.fromkeys(("name", "description", "hs_sku", "hs_line_item_currency_code"), _TEXT),
        "quantity": ("number", "number"),
        "price": ("number", "number"),
        "amount": ("number", "number"),
    },
}
STATUSES = ("draft", "open", "paid", "voided")
LEADS_TO = {"draft": STATUSES, "open": ("open", "paid", "voided"), "paid": ("paid", "voided"), "voided": ("voided",)}
"""A status -> those that may follow it: none goes back (facts/saas-doubts.md, 2.3)."""


def definition(**given: Any) -> Row:
    """A property with all that HubSpot always tells of one."""
    return {"description": "", "options": [], "hasUniqueValue": False, **given}


class InvalidError(Exception):
    """HubSpot's error for one input: category, message, code, and what it is about."""

    def __init__(self, message: str, code: str = "", category: str = "VALIDATION_ERROR", **context: list[str]) -> None:
        super().__init__(message)
        self.message, self.code, self.category, self.context = message, code, category, context
        self.status = 404 if category == "OBJECT_NOT_FOUND" else 400


@dataclass
class Objects:
    """The objects of a portal, by kind and id, and the associations between them."""

    currencies: set[str]
    stages: dict[str, set[str]]  # pipeline -> stage ids
    properties: dict[str, dict[str, Row]] = field(default_factory=dict)  # kind -> name -> definition
    groups: dict[str, dict[str, Row]] = field(default_factory=dict)
    rows: dict[str, dict[str, Row]] = field(default_factory=dict)  # kind -> id -> object
    links: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # "invoices/line_items" -> id -> ids
    required: dict[str, list[str]] = field(default_factory=dict)  # kind -> what this portal's admin requires
    last_id: int = 100_000
    merged: dict[str, dict[str, str]] = field(default_factory=dict)  # kind -> id -> the id that it was merged into
    traits: Traits = field(default_factory=Traits)
    looks: dict[str, int] = field(default_factory=dict)  # id of an invoice -> how often its total was read

    def __post_init__(self) -> None:
        for kind in KINDS:
            named = DEFAULTS[kind].items()
            group = f"{kind}_information"
            definitions = {
                name: definition(name=name, label=name, type=t, fieldType=f, groupName=group) for name, (t, f) in named
            }
            for name in ("hs_object_id", "hs_merged_object_ids"):
                only_read = {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": True}
                own = {"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": group}
                definitions[name] = definition(**own, modificationMetadata=only_read)
            moment = {"name": "hs_lastmodifieddate", "label": "hs_lastmodifieddate", "type": "datetime"}
            moment |= {"fieldType": "date", "groupName": group}
            definitions["hs_lastmodifieddate"] = definition(**moment, modificationMetadata=only_read)
            self.properties.setdefault(kind, definitions)
            self.groups.setdefault(kind, {})
            self.rows.setdefault(kind, {})

    def live(self, kind: str) -> dict[str, Row]:
        return {each: row for each, row in self.rows[kind].items() if not row["archived"]}

    def find(self, kind: str, value: str, by: str | None = None) -> Row | None:
        """By id, or by a unique property, without regard to case and white space."""
        if not by:
            row = self.rows[kind].get(self.now(kind, value))
            return row if row and not row["archived"] else None
        definition = self.properties[kind].get(by)
        if definition is None or not definition.get("hasUniqueValue"):
            raise InvalidError(f"Unable to perform update/upsert by non-unique {kind} property {by}")
        wanted = value.strip().casefold()
        rows = self.live(kind).values()
        return next((row for row in rows if (row["properties"].get(by) or "").strip().casefold() == wanted), None)

    def now(self, kind: str, remote_id: str) -> str:
        """The id that an id leads to, through merges."""
        while remote_id in self.merged.get(kind, {}):
            remote_id = self.merged[kind][remote_id]
        return remote_id

    def still_lags(self, invoice: Row) -> bool:
        """Whether a read still shows the total from before."""
        self.looks[invoice["id"]] = self.looks.get(invoice["id"], 0) + 1
        return self.looks[invoice["id"]] <= self.traits.total_lags

    def write(self, kind: str, properties: Mapping[str, Any], known: Row | None) -> Row:
        """Create or update. Raises InvalidError, and then nothing has changed."""
        for name, value in properties.items():
            self._judge(kind, name, value, known)
        merged = {
            **(known["properties"] if known else {}),
            **{name: value or None for name, value in properties.items()},
        }
        self._judge_whole(kind, merged, known)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if known is None:
            self.last_id += 1
            known = {"id": str(self.last_id), "createdAt": now, "archived": False}
            if kind == "invoices":
                merged.setdefault("hs_invoice_status", "draft")
                merged.setdefault("hs_invoice_billable", "true")
            self.rows[kind][known["id"]] = known
        known.update(properties=merged, updatedAt=now)
        self._compute(kind, known)
        return known

    # --- values -------------------------------------------------------------------------------------------------------

    def _judge(self, kind: str, name: str, value: Any, known: Row | None) -> None:
        definition = self.properties[kind].get(name)
        if definition is None:
            raise InvalidError(f'Property "{name}" does not exist', "PROPERTY_DOESNT_EXIST", propertyName=[name])
        if not isinstance(value, str):
            raise InvalidError(f"{name} must be a string", "INVALID_STRING", propertyName=[name])
        if value and not _fits(definition["type"], value):
            code = f"INVALID_{definition['type'].upper()}"
            raise InvalidError(f"{value} was not a valid {definition['type']}.", code, propertyName=[name])
        if len(value) > 65_536:
            raise InvalidError(f"{name} is longer than 65536 characters", "INVALID_LENGTH", propertyName=[name])
        if self._is_read_only(kind, name, known):
            raise InvalidError(f"{name} is a read only property", "READ_ONLY_VALUE", propertyName=[name])
        if value and self._is_unique(kind, name):
            for other in self._others(kind, name, value, known):
                text = f"{other['id']} already has that value."
                raise InvalidError(text, "CONFLICTING_UNIQUE_VALUE", propertyName=[name])

    def required_of(self, kind: str) -> list[str]:
        """What this portal's admin requires of a new record."""
        always = self.traits.required_of_companies.split(",") if kind == "companies" else []
        return [*self.required.get(kind, ()), *filter(None, always)]

    def _is_read_only(self, kind: str, name: str, known: Row | None) -> bool:
        if name in ("hs_balance_due", "hs_merged_object_ids", "hs_object_id", "hs_lastmodifieddate"):
            return True
        beside_lines = known is not None and bool(self.of(kind, "line_items", known["id"]))
        return name == "hs_amount_billed" and self.traits.amount_billed == "read_only" and beside_lines

    def _is_unique(self, kind: str, name: str) -> bool:
        if (kind, name) == ("invoices", "hs_number"):
            return self.traits.numbers_are_unique
        return bool(self.properties[kind][name].get("hasUniqueValue"))

    def _others(self, kind: str, name: str, value: str, known: Row | None) -> Iterable[Row]:
        """Records that have a value already; those in the recycle bin, where they keep theirs."""
        rows = self.rows[kind] if self.traits.archived_keys_stay_taken else self.live(kind)
        folded = value.strip().casefold()
        alike = (row for row in rows.values() if (row["properties"].get(name) or "").strip().casefold() == folded)
        return (row for row in alike if row is not known)

    def _judge_whole(self, kind: str, merged: Row, known: Row | None) -> None:
        missing = [name for name in self.required_of(kind) if known is None and not merged.get(name)]
        if missing:
            text = f"A value for {missing[0]} must be provided"
            raise InvalidError(text, "MISSING_REQUIRED_PROPERTY", propertyName=missing)
        if kind == "companies" and not (merged.get("name") or merged.get("domain")):
            raise InvalidError("A company needs a name or a domain")
        if kind == "invoices":
            self._judge_invoice(merged, known)
        if kind == "line_items" and Decimal(merged.get("price") or 0) < 0:
            raise InvalidError("price cannot be negative", "INVALID_PRICE", propertyName=["price"])
        if kind == "deals" and merged.get("dealstage") not in self.stages.get(merged.get("pipeline") or "", ()):
            text = f"{merged.get('dealstage')} was not one of the allowed options"
            raise InvalidError(text, "INVALID_OPTION", propertyName=["dealstage"])

    def _judge_invoice(self, merged: Row, known: Row | None) -> None:
        if merged.get("hs_currency") not in self.currencies:
            text = f"{merged.get('hs_currency')} is not a currency of this account"
            raise InvalidError(text, "INVALID_OPTION", propertyName=["hs_currency"])
        status = merged.get("hs_invoice_status") or "draft"
        if status not in STATUSES:
            text = f"{status} was not one of the allowed options: {', '.join(STATUSES)}"
            raise InvalidError(text, "INVALID_OPTION", propertyName=["hs_invoice_status"])
        before = (known["properties"].get("hs_invoice_status") if known else None) or "draft"
        if status not in LEADS_TO[before]:
            text = f"The status of an invoice cannot be changed from {before} to {status}"
            raise InvalidError(text, "INVALID_STATUS", propertyName=["hs_invoice_status"])
        self._judge_due_date(merged)
        if status in ("draft", "voided"):
            return
        if known is None or not self.of("invoices", "line_items", known["id"]):
            raise InvalidError("The association INVOICE_TO_LINE_ITEM is required")
        if merged.get("hs_invoice_billable") != "false" and not self.of("invoices", "contacts", known["id"]):
            raise InvalidError("The association INVOICE_TO_CONTACT is required")

    def _judge_due_date(self, merged: Row) -> None:
        due = merged.get("hs_due_date")
        concerned = self.traits.past_due_refused == "always" or merged.get("hs_invoice_billable") != "false"
        if due and concerned and datetime.fromisoformat(due) < datetime.now(UTC):
            raise InvalidError("The due date must be in the future", "INVALID_DATE", propertyName=["hs_due_date"])

    def _compute(self, kind: str, row: Row) -> None:
        """A line's amount, and from the lines the invoice's total: what was written there is overwritten."""
        if kind == "line_items":
            values = row["properties"]
            values["amount"] = f"{Decimal(values.get('quantity') or 1) * Decimal(values.get('price') or 0):f}"
            for invoice in self.of("line_items", "invoices", row["id"]):
                self._compute("invoices", self.rows["invoices"][invoice])
        elif kind == "invoices" and (lines := self.of("invoices", "line_items", row["id"])):
            if self.traits.amount_billed == "writable" and row["properties"].get("hs_amount_billed"):
                return
            counted = lines[:1] if self.traits.total_of == "first_line" else lines
            amounts = (Decimal(self.rows["line_items"][line]["properties"]["amount"]) for line in counted)
            row["properties"]["hs_amount_billed"] = f"{sum(amounts, Decimal(0)):f}"

    # --- associations -------------------------------------------------------------------------------------------------

    def of(self, source: str, target: str, remote_id: str) -> list[str]:
        there = self.links.get(f"{source}/{target}", {}).get(remote_id, [])
        return [each for each in there if each in self.rows[target] and not self.rows[target][each]["archived"]]

    def associate(self, source: str, one: str, target: str, other: str) -> None:
        """Both ways. A line item belongs to one parent only."""
        for kind, remote_id in ((source, one), (target, other)):
            if remote_id not in self.live(kind):
                raise InvalidError(f"No {kind} with id {remote_id}", "", "OBJECT_NOT_FOUND", ids=[remote_id])
        if "line_items" in (source, target):
            line, parent = (one, other) if source == "line_items" else (other, one)
            kind = target if source == "line_items" else source
            if any(each != parent for each in self.of("line_items", kind, line)):
                raise InvalidError(f"Line item {line} belongs to another {kind} already")
        for path, first, second in ((f"{source}/{target}", one, other), (f"{target}/{source}", other, one)):
            there = self.links.setdefault(path, {}).setdefault(first, [])
            if second not in there:
                there.append(second)
        self._recompute(source, one, target, other)

    def separate(self, source: str, one: str, target: str, other: str) -> None:
        for path, first, second in ((f"{source}/{target}", one, other), (f"{target}/{source}", other, one)):
            there = self.links.get(path, {}).get(first, [])
            if second in there:
                there.remove(second)
        self._recompute(source, one, target, other)

    def archive(self, kind: str, ids: Iterable[str]) -> None:
        """Into the recycle bin: a unique value is free again; an invoice takes its line items along."""
        for each in ids:
            if row := self.live(kind).get(each):
                invoices = self.of("line_items", "invoices", each) if kind == "line_items" else []
                if kind == "invoices":
                    self.archive("line_items", self.of("invoices", "line_items", each))
                row["archived"] = True
                for invoice in invoices:
                    self._compute("invoices", self.rows["invoices"][invoice])

    def _recompute(self, *ends: str) -> None:
        for kind, remote_id in (ends[:2], ends[2:]):
            if kind == "invoices" and remote_id in self.rows[kind]:
                self._compute(kind, self.rows[kind][remote_id])


def _fits(kind: str, value: str) -> bool:
    try:
        if kind == "number":
            return Decimal(value).is_finite() and "e" not in value.lower()
        if kind == "datetime":
            return datetime.fromisoformat(value).tzinfo is not None
    except (InvalidOperation, ValueError):
        return False
    return value in ("true", "false") if kind == "bool" else True
