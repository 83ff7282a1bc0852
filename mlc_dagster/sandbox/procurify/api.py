"""The sandboxed Procurify: its sign-in, its pages, its silent filters, its rate limit and its refusals."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from typing import Any
from uuid import uuid4

from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import RollingCounts, whole_seconds
from mlc_dagster.sandbox.procurify import documents as papers
from mlc_dagster.sandbox.procurify import whole_documents as whole
from mlc_dagster.sandbox.procurify.lines import Cost, Line
from mlc_dagster.sandbox.procurify.lists import ACCOUNT_CODES, BILLS, ORDER_STATUSES, ORDERS, PLAIN, VENDORS
from mlc_dagster.sandbox.procurify.pages import NOT_FOUND, Listing, Refusal, body_of, page
from mlc_dagster.sandbox.procurify.profiles import Domain
from mlc_dagster.sandbox.procurify.reference_data import ME, Amount, Books, Row
from mlc_dagster.sandbox.procurify.state import Shelves
from mlc_dagster.sandbox.procurify.tokens import CLIENT_ID, DAY, PATH, ProcurifyTokens
from mlc_dagster.sandbox.procurify.vendors import ALL_GROUPS, GROUPS, OTHER, judged
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, query_of

BASE = "/procurify/api/"
Verb = Callable[..., Answer]


class ProcurifySandbox:
    """Keeps vendors, purchase orders and bills.

    `heeds_filters=False`: ranges of dates are ignored without a word. `flat_pagination`: `pagination` at the top level.
    `link_origin`: another origin in `next` and `previous`. `forbidden`: parts of paths that the role may not see.
    `read_only`: fields of a vendor that are dropped with 2xx, as by a role that may not write them.
    """

    def __init__(self, counts: RollingCounts, journal: Journal, lock: RLock, traits: Domain) -> None:
        self.counts, self._journal, self._lock, self._traits = counts, journal, lock, traits
        self.heeds_filters, self.flat_pagination, self.link_origin = traits.heeds_filters, traits.flat_pagination, ""
        self.forbidden: set[str] = set()
        self.read_only: set[str] = set()
        self.tokens = ProcurifyTokens(DAY)
        self._shelves = Shelves()
        self._routes: tuple[tuple[str, dict[str, Verb]], ...] = (
            ("v3/users/me", {"GET": self._me}),
            ("v2/(currencies|locations)", {"GET": self._book}),
            ("v3/(departments|account-codes)", {"GET": self._book}),
            ("v2/purchase_orders/(purchased|receivable)/([a-z]+)", {"GET": self._orders}),
            ("v2/purchase_orders/([0-9a-zA-Z-]+)", {"GET": self._order}),
            ("v3/ap/bills", {"GET": self._bills}),
            ("v2/ap/bills/([0-9a-f]+)", {"GET": self._bill}),
            ("v3/vendors", {"GET": self._vendors, "POST": self._new_vendor}),
            ("v3/vendors/([0-9]+)", {"GET": self._vendor, "PATCH": self._changed_vendor, "PUT": self._changed_vendor}),
            ("v3/vendors/([a-z_]+)", {"GET": self._vendors}),
        )

    # --- for tests and seeds ---

    @property
    def vendors(self) -> dict[int, Row]:
        """Id -> vendor, as GET answers it."""
        with self._lock:
            return copy.deepcopy(self._shelves.vendors)

    @property
    def purchase_orders(self) -> dict[int, Row]:
        """procurify_PO -> purchase order with its lines, as GET of one answers it."""
        with self._lock:
            return copy.deepcopy(self._shelves.purchase_orders)

    @property
    def bills(self) -> dict[str, Row]:
        """uuid without its dashes, as the path of one wants it -> bill, as GET of one answers it."""
        with self._lock:
            return copy.deepcopy(self._shelves.bills)

    @property
    def books(self) -> Books:
        """Reference data: put_currency, put_location, put_department, put_account_code."""
        return self._shelves.books

    def put_vendor(self, **fields: Any) -> int:
        """A vendor that was there before; its id. `currency` may be the ISO code."""
        with self._lock:
            return int(self._shelves.put_vendor(fields)["id"])

    def put_purchase_order(
        self,
        vendor: int | None = None,
        lines: Sequence[Line] = (Line("100.00"),),
        currency: str | None = None,
        **fields: Any,
    ) -> int:
        """Its procurify_PO. Without a vendor it is the first one's; totals are computed unless `fields` have them."""
        with self._lock:
            return int(self._shelves.put_order(vendor, lines, currency, fields)["procurify_PO"])

    def put_bill(
        self,
        vendor: int | None = None,
        lines: Sequence[Line] = (Line("100.00"),),
        costs: Sequence[Cost] = (),
        shipping: Amount = "0",
        currency: str | None = None,
        orders: Sequence[int] = (),
        **fields: Any,
    ) -> str:
        """Its uuid without dashes. `orders` are covered beside those that the lines name in `po`. Raises KeyError."""
        with self._lock:
            return self._shelves.put_bill(vendor, lines, costs, shipping, currency, orders, fields)

    def touch_bill(self, uuid: str, **changes: Any) -> None:
        """Change it as somebody in Procurify does: its version and last_modified_datetime move on."""
        with self._lock:
            bill = self._shelves.bills[uuid]
            moved = {"version": bill["version"] + 1, "last_modified_datetime": papers.stamp()}
            bill.update({**moved, **papers.floats(changes)})

    def touch_purchase_order(self, number: int, **changes: Any) -> None:
        with self._lock:
            order = self._shelves.purchase_orders[number]
            moved = {"version": order["version"] + 1, "last_modified": papers.stamp()}
            order.update({**moved, **papers.plain(changes)})

    def touch_vendor(self, number: int, **changes: Any) -> None:
        with self._lock:
            self._shelves.vendors[number].update({"dateModified": papers.stamp(), **papers.plain(changes)})

    def deactivate_vendor(self, number: int) -> None:
        """As a person does: it is in no list but that of all, and loses its external id. Raises KeyError."""
        self.touch_vendor(number, active=False, external_id=None)

    def delete_vendor(self, number: int) -> None:
        """As support does, for good. Raises KeyError."""
        with self._lock:
            del self._shelves.vendors[number]

    @property
    def token_seconds(self) -> float:
        """How long the tokens live that are given out from now on."""
        return self.tokens.seconds

    @token_seconds.setter
    def token_seconds(self, seconds: float) -> None:
        self.tokens.seconds = seconds

    def expire_tokens(self) -> None:
        """Every token given out so far is refused from now on."""
        self.tokens.expire_all()

    # --- sandbox.System ---

    @property
    def skew_seconds(self) -> float:
        return 0.0

    def state(self) -> dict[str, Any]:
        """All that it holds."""
        with self._lock:
            return copy.deepcopy(self._shelves.kept())

    def remembered(self) -> dict[str, Any]:
        return self.state()

    def recall(self, kept: dict[str, Any]) -> None:
        with self._lock:
            self._shelves.recall(kept)

    def answer(self, call: Call) -> Answer:
        answer = self.tokens.grant(call) if call.path == PATH else self._barred(call) or self._served(call)
        answer.headers["x-request-id"] = uuid4().hex
        return answer

    # --- on the wire ---

    def _barred(self, call: Call) -> Answer | None:
        if not call.path.endswith("/"):
            query = f"?{call.query}" if call.query else ""
            return Answer(301, b"", {"location": f"{call.origin}{call.path}/{query}"})
        if not self.tokens.accepts(call.headers.get("authorization", "")):
            return answer_json(401, {"detail": "Authentication credentials were not provided or are not valid."})
        if call.headers.get("x-procurify-client") != "api":
            return answer_json(403, {"detail": "X-Procurify-Client is missing or not a known client."})
        if wait := self.counts.admit(CLIENT_ID):
            seconds = whole_seconds(wait)
            said = {"detail": f"Request was throttled. Expected available in {seconds} seconds."}
            return answer_json(429, said, retry_after=seconds)
        if any(part in call.path for part in self.forbidden):
            return answer_json(403, {"detail": "You do not have permission to perform this action."})
        return None

    def _served(self, call: Call) -> Answer:
        path = call.path.removeprefix(BASE).removesuffix("/") if call.path.startswith(BASE) else ""
        found = next(((match, verbs) for way, verbs in self._routes if (match := re.fullmatch(way, path))), None)
        try:
            if found is None:
                raise NOT_FOUND
            match, verbs = found
            if call.method not in verbs:
                raise Refusal({"detail": f'Method "{call.method}" not allowed.'}, 405)
            return verbs[call.method](call, *match.groups())
        except Refusal as refused:
            return answer_json(refused.status, refused.body)

    def _listed(
        self, call: Call, rows: Iterable[Row], listing: Listing, show: Callable[[Row], Row] = dict, **metadata: Any
    ) -> Answer:
        found = listing.narrowed(list(rows), query_of(call.query, plus_is_space=True), self.heeds_filters)
        pagination, wanted = page(call, found, self.link_origin)
        data = [show(row) for row in wanted]
        if self.flat_pagination:
            return answer_json(200, {"pagination": pagination, "metadata": metadata, "data": data})
        return answer_json(200, {"metadata": {"pagination": pagination, **metadata}, "data": data})

    def _me(self, _: Call) -> Answer:
        return answer_json(200, {"metadata": {}, "data": ME})

    def _book(self, call: Call, name: str) -> Answer:
        rows = getattr(self.books, name.replace("-", "_")).values()
        show = self._traits.location if name == "locations" else dict
        return self._listed(call, rows, ACCOUNT_CODES if name == "account-codes" else PLAIN, show)

    def _orders(self, call: Call, _role: str, status: str) -> Answer:
        if status not in ORDER_STATUSES:
            raise NOT_FOUND
        rows = self._shelves.purchase_orders.values()
        counts = {name: sum(map(fits, rows)) for name, fits in ORDER_STATUSES.items()}
        found = filter(ORDER_STATUSES[status], rows)
        return self._listed(call, found, ORDERS, self._shelves.order_row, counts=counts)

    def _order(self, _: Call, which: str) -> Answer:
        if (order := self._shelves.order_of(which)) is None:
            raise NOT_FOUND
        return answer_json(
            200, {"metadata": whole.ORDER_PERMISSIONS, "data": whole.whole_order(self._shelves.shown(order))}
        )

    def _bills(self, call: Call) -> Answer:
        money = [bill["currency"] for bill in self._shelves.bills.values()]
        told = {"permissions": whole.BILL_PERMISSIONS, "summary": whole.summary(0, money)}
        return self._listed(call, self._shelves.bills.values(), BILLS, self._shelves.bill_row, **told)

    def _bill(self, _: Call, which: str) -> Answer:
        if which not in self._shelves.bills:
            raise NOT_FOUND
        bill = whole.bill(self.books, self._shelves.shown(self._shelves.bills[which]))
        told = {
            "permissions": whole.BILL_PERMISSIONS,
            "summary": whole.summary(bill["total_cost"], whole.currencies(bill)),
        }
        return answer_json(200, {"metadata": told, "data": bill})

    def _vendors(self, call: Call, group: str = "default") -> Answer:
        """All but the list of all are of the active ones."""
        if group not in (*GROUPS, *ALL_GROUPS):
            raise NOT_FOUND
        rows = [row for row in self._shelves.vendors.values() if group == "all" or row["active"]]
        rows = [row for row in rows if group not in GROUPS or row["type"] == GROUPS[group]]
        if query_of(call.query).get("exclude_other", "").lower() == "true":
            rows = [row for row in rows if row["type"] != OTHER]
        return self._listed(call, rows, VENDORS)

    def _vendor(self, _: Call, which: str) -> Answer:
        return answer_json(200, {"metadata": {}, "data": self._known_vendor(which)})

    def _known_vendor(self, which: str) -> Row:
        if int(which) not in self._shelves.vendors:
            raise NOT_FOUND
        return self._shelves.vendors[int(which)]

    def _new_vendor(self, call: Call) -> Answer:
        body = body_of(call)
        vendor = self._shelves.put_vendor(self._writable(judged(self.books, body, whole=True)))
        self._journal.changed("procurify", call.method, call.path, body, str(vendor["id"]))
        return answer_json(201, {"metadata": {}, "data": vendor})

    def _writable(self, fields: Row) -> Row:
        heard = {name: value for name, value in fields.items() if name not in self.read_only}
        if self._traits.lowers_mail and heard.get("email"):
            heard["email"] = [each.lower() for each in heard["email"]]
        return heard

    def _changed_vendor(self, call: Call, which: str) -> Answer:
        """dateModified moves on, even where nothing was sent."""
        vendor, body = self._known_vendor(which), body_of(call)
        kept = self._writable(judged(self.books, body, whole=call.method == "PUT"))
        vendor.update({**kept, "dateModified": papers.stamp()})
        self._journal.changed("procurify", call.method, call.path, body, which)
        return answer_json(200, {"metadata": {}, "data": vendor})
