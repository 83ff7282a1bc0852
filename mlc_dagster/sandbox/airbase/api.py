"""The sandboxed Airbase: its accounting API, with its token, its pages, its rate limit and its refusals."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from threading import RLock
from typing import Any
from uuid import uuid4

from mlc_dagster.sandbox.airbase import spend
from mlc_dagster.sandbox.airbase.state import BILLS, ENTRIES, REQUESTS, Refusal, Shelves
from mlc_dagster.sandbox.airbase.traits import AirbaseTraits, listed, without_references
from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import RollingCounts, whole_seconds
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode, query_of

BASE = "/airbase/v1/accounting/"
TOKEN = "sandbox-airbase-token"  # noqa: S105 - known to everybody
BULK = "bulk_upsert"
MOST_IN_BULK = 100
WRITABLE = ("vendors", "purchase_orders", BILLS)
IN_THE_UI = ("name", "email", "is_active", "payment_terms")


class AirbaseSandbox:
    """Keeps vendors and purchase orders, and acknowledgements of purchase requests and ledger entries; these, accounts
    and subsidiaries are filled by a seed or by a test. What it is like is said by its traits.
    """

    def __init__(
        self, counts: RollingCounts, journal: Journal, lock: RLock, traits: AirbaseTraits | None = None
    ) -> None:
        self.counts, self._journal, self._lock, self.token = counts, journal, lock, TOKEN
        self.traits = traits or AirbaseTraits()
        self.scheme, self.heeds_filters = self.traits.scheme, self.traits.heeds_filters
        self.partial_bulks, self.has_payment_terms = self.traits.partial_bulks, self.traits.has_payment_terms
        self.read_only, self.read_only_orders = listed(self.traits.read_only), listed(self.traits.read_only_orders)
        self.read_only_bills: tuple[str, ...] = ()
        self._shelves = Shelves(listed(self.traits.vendor_details))
        self._shelves.order_fields = listed(self.traits.order_fields)

    # --- for tests and seeds ---

    @property
    def vendors(self) -> dict[str, dict[str, Any]]:
        """Id -> vendor, as GET answers it."""
        return self._copy("vendors")

    @property
    def purchase_orders(self) -> dict[str, dict[str, Any]]:
        return self._copy("purchase_orders")

    @property
    def bills(self) -> dict[str, dict[str, Any]]:
        return self._copy(BILLS)

    @property
    def purchase_requests(self) -> dict[str, dict[str, Any]]:
        return self._copy(REQUESTS)

    @property
    def ledger_entries(self) -> dict[str, dict[str, Any]]:
        """Id -> ledger entry, whatever its status."""
        return self._copy(ENTRIES)

    def _copy(self, name: str) -> dict[str, dict[str, Any]]:
        with self._lock:
            return copy.deepcopy({known: self._shown(name, row) for known, row in self._shelves.rows[name].items()})

    def add_account(self, code: str, name: str, *, active: bool = True, subsidiaries: tuple[str, ...] = ()) -> None:
        """Add an account, or replace the one with this code."""
        with self._lock:
            self._shelves.add_account(code, name, active, subsidiaries)

    def remove_account(self, code: str) -> None:
        with self._lock:
            self._shelves.remove_account(code)

    def add_subsidiary(self, code: str, name: str, currency: str) -> None:
        with self._lock:
            self._shelves.add_subsidiary(code, name, currency)

    def add_vendor(self, **vendor: Any) -> str:
        """A vendor that was there before; its id. Raises Refusal."""
        with self._lock:
            return str(self._shelves.upsert("vendors", vendor)[0]["airbase_id"])

    def change_vendor(self, which: str, **fields: Any) -> None:
        """As a person would: what is IN_THE_UI, and what vendors have here. Raises KeyError, ValueError, Refusal."""
        in_the_ui = (*IN_THE_UI, *self._shelves.vendor_details)
        if strangers := fields.keys() - set(in_the_ui):
            raise ValueError(f"people change {', '.join(in_the_ui)} of a vendor; found {', '.join(sorted(strangers))}")
        with self._lock:
            self._shelves.upsert("vendors", fields, patched=self._shelves.rows["vendors"][which]["airbase_id"])

    def change_order(self, which: str, **fields: Any) -> None:
        """As a person would, on a purchase order, its status too. Raises KeyError, Refusal."""
        with self._lock:
            known = self._shelves.rows["purchase_orders"][which]
            known.update(self._shelves.judge("purchase_orders", {**known, **copy.deepcopy(fields)}))

    def add_bill(self, **bill: Any) -> str:
        """As a person enters one; its id. Fields as GET answers them. Raises Refusal."""
        with self._lock:
            return str(self._shelves.upsert(BILLS, copy.deepcopy(bill))[0]["airbase_id"])

    def change_bill(self, which: str, **fields: Any) -> None:
        """As a person would, its status too. Raises KeyError, Refusal."""
        with self._lock:
            known = self._shelves.rows[BILLS][which]
            known.update(self._shelves.judge(BILLS, {**known, **copy.deepcopy(fields)}))

    def delete(self, kind: str, which: str) -> None:
        """As a person would, a vendor, a purchase order or a bill. Raises KeyError."""
        with self._lock:
            del self._shelves.rows[kind][which]

    def add_request(self, **fields: Any) -> str:
        """An approved purchase request; its id. Fields as in `airbase_spend.made`. Raises ValueError."""
        return self._add(REQUESTS, fields)

    def add_entry(self, **fields: Any) -> str:
        """A bill payment that waits for the ERP; its id. Fields as in `airbase_spend.made`. Raises ValueError."""
        return self._add(ENTRIES, fields)

    def _add(self, kind: str, fields: Mapping[str, Any]) -> str:
        with self._lock:
            row = spend.made(self._shelves, kind, copy.deepcopy(fields))
            if row["airbase_id"] in self._shelves.rows[kind]:
                raise ValueError(f"there is one of {kind} with the id {row['airbase_id']} already; change() changes it")
            self._shelves.rows[kind][row["airbase_id"]] = row
            return str(row["airbase_id"])

    def change(self, kind: str, which: str, **fields: Any) -> None:
        """As a person would, on "purchase_requests" or "ledger_entries". Raises KeyError and ValueError."""
        with self._lock:
            rows = self._shelves.rows[kind]
            rows[which] = spend.changed(self._shelves, kind, rows[which], copy.deepcopy(fields))

    # --- sandbox.System ---

    @property
    def skew_seconds(self) -> float:
        return 0.0

    def state(self) -> dict[str, Any]:
        """All that it holds, as GET answers it."""
        return {name: list(self._copy(name).values()) for name in self._shelves.rows}

    def remembered(self) -> dict[str, Any]:
        with self._lock:
            return {name: list(rows.values()) for name, rows in self._shelves.rows.items()}

    def recall(self, kept: dict[str, Any]) -> None:
        """Go on with what was kept; a kind that is new since then begins empty."""
        with self._lock:
            for name, rows in kept.items():
                self._shelves.rows[name] = {row["airbase_id"]: row for row in rows}

    def answer(self, call: Call) -> Answer:
        if call.headers.get("authorization", "") != f"{self.scheme} {self.token}".strip():
            return answer_json(401, {"detail": "Authentication credentials were not provided."})
        wait = self.counts.admit("token")
        count = self.counts.by_credential["token"]
        left = {"x-ratelimit-limit": str(count.limit), "x-ratelimit-remaining": str(count.limit - len(count.accepted))}
        left["x-request-id"] = str(uuid4())
        if wait:
            said = {"detail": f"Request was throttled. Expected available in {whole_seconds(wait)} seconds."}
            answer = answer_json(429, said, retry_after=whole_seconds(wait))
        else:
            answer = self._served(call)
        answer.headers.update(left)
        return answer

    # --- on the wire ---

    def _served(self, call: Call) -> Answer:
        if not call.path.endswith("/"):
            return Answer(301, b"", {"location": f"{call.origin}{call.path}/"})
        name, *rest = call.path.removeprefix(BASE).strip("/").split("/") if call.path.startswith(BASE) else [""]
        if name not in self._shelves.rows or len(rest) > 1:
            return answer_json(404, {"detail": "Not found."})
        try:
            return self._shelved(call, name, rest[0] if rest else "")
        except Refusal as refused:
            return answer_json(refused.status, refused.body)

    def _shelved(self, call: Call, name: str, which: str) -> Answer:
        match (call.method, which):
            case ("GET", ""):
                return answer_json(200, self._page(name, query_of(call.query, plus_is_space=True)))
            case ("POST", "") if name in WRITABLE:
                return self._written(call, name, which)
            case ("POST", "bulk_upsert") if name in WRITABLE:
                return self._bulk(call, name)
            case ("PATCH", _) if name in WRITABLE and which:
                return self._written(call, name, which)
            case ("GET", _) if name in spend.STATUSES:
                return answer_json(200, self._shown(name, self._found(name, which)))
            case ("PATCH", _) if name in spend.STATUSES and which:
                return self._acknowledged(call, name, which)
        return answer_json(405, {"detail": f'Method "{call.method}" not allowed.'})

    def _page(self, name: str, options: Mapping[str, str]) -> dict[str, Any]:
        rows = self._filtered(name, options)
        page, size = int(options.get("page", "1")), min(int(options.get("page_size", "100")), 250)
        more = page * size < len(rows)
        pagination = {"next": page + 1 if more else None, "previous": page - 1 if page > 1 else None}
        return {
            "data": [self._shown(name, row) for row in rows[(page - 1) * size : page * size]],
            "pagination": {**pagination, "page": page, "page_size": size},
        }

    def _filtered(self, name: str, options: Mapping[str, str]) -> list[dict[str, Any]]:
        """A filter that is not heeded is no error: all rows come, as though it had matched them."""
        rows = list(self._shelves.rows[name].values())
        if "erp_reference_id" in options and self.heeds_filters:
            rows = [row for row in rows if (row["erp_reference_id"] or "") == options["erp_reference_id"]]
        if name not in spend.STATUSES or ("status" in options and not self.heeds_filters):
            return rows
        status = options.get("status", spend.UNASKED.get(name, ""))
        if status and status not in spend.STATUSES[name]:
            raise Refusal({"status": [f"Select a valid choice. {status} is not one of the available choices."]})
        return [row for row in rows if status in ("", row["status"])]

    def _shown(self, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
        shown = self._shelves.shown(row)
        if name == "vendors" and not self.has_payment_terms:
            shown.pop("payment_terms", None)
        if name in (ENTRIES, REQUESTS) and self.traits.blank_tags:
            shown = without_references(shown)
        return shown

    def _found(self, name: str, which: str) -> dict[str, Any]:
        if which not in self._shelves.rows[name]:
            raise Refusal({"detail": "Not found."}, 404)
        return self._shelves.rows[name][which]

    def _acknowledged(self, call: Call, name: str, which: str) -> Answer:
        body, row = _body(call), self._found(name, which)
        row.update(spend.acknowledged(name, body))
        self._journal.changed("airbase", call.method, call.path, body, which)
        return answer_json(200, self._shown(name, row))

    def _written(self, call: Call, name: str, which: str) -> Answer:
        body = _body(call)
        row, made = self._shelves.upsert(name, self._heard(name, body), patched=which)
        self._journal.changed("airbase", call.method, call.path, body, row["airbase_id"])
        return answer_json(201 if made else 200, self._shown(name, row))

    def _heard(self, name: str, entity: Any) -> Any:
        """Fields that this tenant does not have are dropped without a word."""
        if not isinstance(entity, dict):
            return entity
        of_vendors = {*self.read_only, *(() if self.has_payment_terms else ("payment_terms",))}
        of_orders = set(self.read_only_orders)
        dropped = {"vendors": of_vendors, BILLS: set(self.read_only_bills)}.get(name, of_orders)
        lowered = {"email"} if self.traits.lowers_mail else set()
        heard = {field: value for field, value in entity.items() if field not in dropped}
        return {field: str(value).lower() if field in lowered and value else value for field, value in heard.items()}

    def _bulk(self, call: Call, name: str) -> Answer:
        """All or nothing; with `partial_bulks` what is good is kept, and the rest is named beside it."""
        body = _body(call)
        entities = body.get("entities")
        if not isinstance(entities, list) or not entities:
            raise Refusal({"entities": ["This field is required."]})
        if len(entities) > MOST_IN_BULK:
            raise Refusal({"entities": [f"Ensure this field has no more than {MOST_IN_BULK} elements."]})
        entities = [self._heard(name, each) for each in entities]
        errors = [fault for place, each in enumerate(entities) if (fault := self._fault(name, place, each))]
        bad = {error["index"] for error in errors}
        if bad and not self.partial_bulks:
            raise Refusal({"validation_errors": errors})
        kept = [self._shelves.upsert(name, each) for place, each in enumerate(entities) if place not in bad]
        answer: dict[str, Any] = {
            "created": [self._shown(name, row) for row, made in kept if made],
            "updated": [self._shown(name, row) for row, made in kept if not made],
        }
        self._journal.changed("airbase", call.method, call.path, body, f"{len(kept)} entities")
        return answer_json(200, {**answer, "validation_errors": errors} if errors else answer)

    def _fault(self, name: str, place: int, entity: Any) -> dict[str, Any] | None:
        try:
            self._shelves.check(name, entity)
        except Refusal as refused:
            return {"index": place, **refused.body}
        return None


def _body(call: Call) -> dict[str, Any]:
    try:
        body = decode(call.body)
    except ValueError as error:
        raise Refusal({"detail": f"JSON parse error - {error}"}) from None
    if not isinstance(body, dict):
        raise Refusal({"detail": "Invalid data. Expected a dictionary."})
    return body
