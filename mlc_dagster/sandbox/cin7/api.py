"""The sandboxed Cin7 Core: External API v2, with its keys, its rate limit and its refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from threading import RLock
from typing import Any

from mlc_dagster.sandbox.cin7 import documents, webhooks
from mlc_dagster.sandbox.cin7 import list as cin7_list
from mlc_dagster.sandbox.cin7.purchases import Purchases
from mlc_dagster.sandbox.cin7.reference_books import Books, RefusedError
from mlc_dagster.sandbox.cin7.suppliers import Suppliers
from mlc_dagster.sandbox.cin7.traits import Cin7Traits
from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import RollingCounts
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode, query_of

BASE = "/cin7/externalapi/v2/"
ACCOUNT_ID, APPLICATION_KEYS = "sandbox-account", ("sandbox-key-1", "sandbox-key-2", "sandbox-key-3")
_NOT_FOUND_PAGE = b"<!DOCTYPE html><html><head><title>Cin7 Core</title></head><body>Page not found</body></html>"

Verb = Callable[[Mapping[str, str], Any], Any]


class Cin7Sandbox:
    """Keeps suppliers and purchases; the books are filled by a seed or by a test."""

    def __init__(
        self,
        counts: RollingCounts,
        journal: Journal,
        lock: RLock,
        base_currency: str = "SEK",
        traits: Cin7Traits | None = None,
    ) -> None:
        self.counts, self._journal, self._lock, self.base_currency = counts, journal, lock, base_currency
        self.account_id, self.keys = ACCOUNT_ID, APPLICATION_KEYS
        self.company = "Sandbox"
        self.traits = traits or Cin7Traits()
        self.books = Books(self.traits)
        self._suppliers = Suppliers(self.books)
        self._purchases = Purchases(self.books, self._suppliers, base_currency)
        self._refusals = 0
        self._reads: dict[tuple[str, str], Verb] = {
            ("GET", "me"): lambda _, __: self._me(),
            ("GET", "supplier"): lambda options, _: self._suppliers.page(options),
            ("GET", "purchaselist"): lambda options, _: cin7_list.page(
                self._purchases.by_id.values(), options, self.traits
            ),
            ("GET", "advanced-purchase"): lambda options, _: self._shown(self._purchases.find(options.get("id"))),
            ("GET", "webhooks"): lambda _, __: webhooks.page(self.traits),
            ("GET", "purchase/order"): lambda options, _: self._purchases.order(
                self._purchases.find(options.get("taskid"))
            ),
            ("GET", "advanced-purchase/invoice"): lambda options, _: self._invoices(options),
        }
        self._writes: dict[tuple[str, str], Verb] = {
            ("POST", "supplier"): lambda _, body: _wrapped(self._suppliers.create(body)),
            ("PUT", "supplier"): lambda _, body: _wrapped(self._suppliers.update(body)),
            ("POST", "advanced-purchase"): lambda _, body: self._shown(self._purchases.create(body)),
            ("PUT", "advanced-purchase"): lambda _, body: self._shown(self._purchases.update(body)),
            ("DELETE", "advanced-purchase"): lambda options, _: self._voided(options),
            ("POST", "purchase/order"): lambda _, body: self._purchases.write_order(body),
            ("POST", "advanced-purchase/invoice"): lambda _, body: self._purchases.write_invoice(body),
        }

    # --- for tests and seeds ---

    @property
    def suppliers(self) -> dict[str, dict[str, Any]]:
        """ID -> supplier, as GET answers it."""
        with self._lock:
            return {supplier["ID"]: dict(supplier) for supplier in self._suppliers.by_id.values()}

    @property
    def purchases(self) -> dict[str, dict[str, Any]]:
        """ID -> purchase, as it is kept; voided ones included."""
        with self._lock:
            return {purchase["ID"]: dict(purchase) for purchase in self._purchases.by_id.values()}

    @property
    def accounts(self) -> dict[str, dict[str, Any]]:
        """Code -> account."""
        with self._lock:
            return dict(self.books.accounts)

    def add_account(
        self, code: str, name: str, *, kind: str = "EXPENSE", status: str = "ACTIVE", system: str = ""
    ) -> None:
        """Add an account, or replace the one with this code."""
        with self._lock:
            self.books.add_account(code, name, kind=kind, status=status, system=system)

    def remove_account(self, code: str) -> None:
        """Raises KeyError where there is no such account."""
        with self._lock:
            del self.books.accounts[code]

    def add_supplier(self, **supplier: Any) -> str:
        """A supplier that was there before; its ID. Fields as POST /supplier takes them. Raises RefusedError."""
        with self._lock:
            return str(self._suppliers.create(supplier)["ID"])

    def add_purchase(self, at: datetime | None = None, **header: Any) -> str:
        """A purchase that somebody else made, changed last at that time; its ID. Fields as POST /advanced-purchase
        takes them, and `Order`, as POST /purchase/order does. Raises RefusedError.
        """
        with self._lock:
            order = header.pop("Order", None)
            usual = {"Approach": "INVOICE", "PurchaseType": "Advanced", "Location": "Main Warehouse"}
            purchase = self._purchases.create({**usual, **header})
            if order is not None:
                self._purchases.write_order({"TaskID": purchase["ID"], "Status": "AUTHORISED", **order})
            self._touched(purchase["ID"], at)
            return str(purchase["ID"])

    def add_invoice(self, purchase_id: str, at: datetime | None = None, **invoice: Any) -> None:
        """An invoice more on a purchase. Fields as POST /advanced-purchase/invoice takes them. Raises RefusedError."""
        with self._lock:
            self._purchases.write_invoice({"PurchaseID": purchase_id, "Status": "DRAFT", **invoice})
            self._touched(purchase_id, at)

    def _touched(self, purchase_id: str, at: datetime | None) -> None:
        if at is not None:
            self._purchases.find(purchase_id)["LastUpdatedDate"] = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def void_purchase(self, purchase_id: str) -> None:
        """Raises RefusedError."""
        with self._lock:
            self._purchases.void(purchase_id, True)

    def void_invoice(self, purchase_id: str, task_id: str) -> None:
        """As a person would. Raises RefusedError."""
        with self._lock:
            self._purchases.void_invoice(purchase_id, task_id)

    def edit_price(self, purchase_id: str, price: Any) -> Decimal:
        """As a person would: the first line of an order has another price, authorised or not; its total. Raises
        RefusedError.
        """
        with self._lock:
            return Decimal(self._purchases.edit_price(purchase_id, price)["Order"]["Total"])

    def change_supplier(
        self,
        which: str,
        *,
        contact: Mapping[str, Any] | None = None,
        address: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """As a person would: fields of the supplier, of its first contact and of its first address, or of a new one.

        Fields as PUT /supplier takes them. Raises RefusedError.
        """
        with self._lock:
            self._suppliers.edit(which, fields, contact, address)

    def remembered(self) -> dict[str, Any]:
        """All that it keeps, for `recall` after a restart."""
        with self._lock:
            books = {name: book for name, book in vars(self.books).items() if isinstance(book, dict)}
            purchases = list(self._purchases.by_id.values())
            kept = {"suppliers": list(self._suppliers.by_id.values()), "purchases": purchases}
            return {"books": books, **kept, "last_number": self._purchases.last_number}

    def recall(self, content: Mapping[str, Any]) -> None:
        with self._lock:
            vars(self.books).update(content["books"])
            self._suppliers.by_id = {supplier["ID"].lower(): supplier for supplier in content["suppliers"]}
            self._purchases.recall(content["purchases"], content["last_number"])

    @property
    def skew_seconds(self) -> float:
        return 0.0

    def state(self) -> dict[str, Any]:
        """All suppliers and purchases with their totals, for comparing with what was sent."""
        purchases = list(self.purchases.values())
        return {
            "suppliers": list(self.suppliers.values()),
            "purchases": [{**purchase, "Total": purchase["Order"]["Total"]} for purchase in purchases],
            "accounts": sorted(self.accounts),
            "taxes_documents": self.traits.tax_method == "Total",
            "tax_percents": {name: rule["TaxPercent"] for name, rule in self.books.tax_rules.items()},
        }

    # --- on the wire ---

    def answer(self, call: Call) -> Answer:
        key = call.headers.get("api-auth-applicationkey", "")
        if call.headers.get("api-auth-accountid") != self.account_id or key not in self.keys:
            return RefusedError("Incorrect credentials!", 403).answer()
        path = call.path.lower().partition(BASE)[2].rstrip("/")
        if self.counts.admit(key):
            return self._too_many(path)
        try:
            return self._served(call, path)
        except RefusedError as refused:
            return refused.answer()

    def _served(self, call: Call, path: str) -> Answer:
        options = {name.lower(): value for name, value in query_of(call.query, plus_is_space=True).items()}
        if call.method == "GET" and (page := self.books.page(path, options)):
            return page
        if read := self._reads.get((call.method, path)):
            return _answered(read(options, None))
        if write := self._writes.get((call.method, path)):
            body = _body(call)
            result = write(options, body)
            self._journal.changed("cin7", call.method, call.path, body, _identity(result))
            return _answered(result)
        if path in ("purchase", "purchase/stock", "purchase/invoice", "purchase/creditnote", "purchase/payment"):
            text = "This endpoint is deprecated and does not support Advanced Purchase and Service Purchase."
            raise RefusedError(f"{text} Please use AdvancedPurchase endpoint")
        if any(path == known for _, known in (*self._reads, *self._writes)):
            return answer_json(
                405, {"Message": f"The requested resource does not support http method '{call.method}'."}
            )
        return Answer(200, _NOT_FOUND_PAGE, {"content-type": "text/html; charset=utf-8"})

    def _too_many(self, path: str) -> Answer:
        """The four forms that were met: 429 with a Retry-After that is no number, 503 with the sentence alone, 400 with
        it on purchases, and 429 of a day without any time.
        """
        seconds, limit = f"{self.counts.window:g}", self.counts.limit
        self._refusals += 1
        forms = ("429", "503", "400", "day")
        form = forms[self._refusals % 4] if self.traits.busy == "in turn" else self.traits.busy
        if form == "400" or (form == "429" and "purchase" in path and self._refusals % 3 == 0):
            return RefusedError(f"You have reached {limit} calls per {seconds} seconds API limit.").answer()
        if form == "503":
            return RefusedError(f"You reached {limit} calls per minute API limit", 503).answer()
        answer = RefusedError(f"You reached {limit} calls per minute API limit", 429).answer()
        if form == "429":
            answer.headers["retry-after"] = f"{seconds} Seconds"
        return answer

    def _me(self) -> dict[str, Any]:
        return {
            "Company": self.company,
            "Currency": self.base_currency,
            "TimeZone": "UTC",
            "LockDate": None,
            "OpeningBalanceDate": "2020-12-31T00:00:00",
            "TaxCalculationMethod": self.traits.tax_method,
            "DefaultSaleTaxRuleName": "Tax Exempt",
            "DefaultSaleTaxRuleId": None,
            "DefaultWeightUnits": "g",
            "DefaultDimensionsUnits": "cm",
            "MaximumDecimalPlacesInQuantity": "4",
            "ApplyCustomerDiscountsAfterOtherDiscounts": False,
            "DiscountRule": "Price",
            "AutomaticallyApplyDiscounts": False,
            "RoundingTable": [],
        }

    def _shown(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        return documents.purchase(kept, self.traits)

    def _invoices(self, options: Mapping[str, str]) -> dict[str, Any]:
        purchase = self._purchases.find(options.get("purchaseid") or options.get("taskid"))
        return documents.invoices(purchase)

    def _voided(self, options: Mapping[str, str]) -> dict[str, Any]:
        void = options.get("void", "").lower() == "true"
        return self._shown(self._purchases.void(options.get("id"), void))


def _wrapped(supplier: dict[str, Any]) -> dict[str, Any]:
    return {"Total": 1, "Page": 1, "SupplierList": [supplier]}


def _answered(result: Any) -> Answer:
    return result if isinstance(result, Answer) else answer_json(200, result)


def _identity(result: Mapping[str, Any]) -> str:
    if "SupplierList" in result:
        return str(result["SupplierList"][0]["ID"])
    return str(result.get("ID") or result.get("TaskID") or result.get("PurchaseID"))


def _body(call: Call) -> Any:
    if call.method == "DELETE":
        return None
    try:
        body = decode(call.body)
    except ValueError as error:
        raise RefusedError(f"Invalid JSON: {error}") from None
    if not isinstance(body, dict):
        raise RefusedError("A JSON object is expected")
    return body
