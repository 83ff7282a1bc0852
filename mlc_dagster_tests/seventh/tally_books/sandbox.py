"""Tally Books in the sandbox: it keeps what it is sent, and refuses what the real one refuses."""

from collections.abc import Mapping
from typing import Any

from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import RollingCounts, whole_seconds
from mlc_dagster.sandbox.part import Part
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode, query_of

TOKEN = "sandbox-tally-token"
PAGE = 2  # rows: small, so that paging is tried


class TallySandbox:
    skew_seconds = 0.0

    def __init__(self, counts: RollingCounts, journal: Journal) -> None:
        self.counts, self._journal = counts, journal
        self.suppliers: list[dict[str, Any]] = []
        self.journals: list[dict[str, Any]] = []

    def put_journal(self, row: dict[str, Any]) -> dict[str, Any]:
        self.journals.append(row)
        return row

    def state(self) -> dict[str, Any]:
        return {"suppliers": self.suppliers, "journals": self.journals}

    remembered = state

    def recall(self, kept: dict[str, Any]) -> None:
        self.suppliers, self.journals = kept["suppliers"], kept["journals"]

    def answer(self, call: Call) -> Answer:
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return answer_json(401, {"error": "The token is not valid."})
        if wait := self.counts.admit(TOKEN):
            return answer_json(429, {"error": "Too many calls."}, retry_after=whole_seconds(wait))
        query, body = query_of(call.query), decode(call.body) if call.body else {}
        match [call.method, *call.path.split("/")[3:]]:
            case ["GET", "company"]:
                return answer_json(200, {"name": "Acme"})
            case ["GET", "suppliers"]:
                wanted = query.get("external_ref")
                return _page([row for row in self.suppliers if row["external_ref"] == wanted], query)
            case ["GET", "journals"]:
                return _page([row for row in self.journals if row["updated_at"] >= query["updated_from"]], query)
            case ["POST", "suppliers"]:
                if any(row["external_ref"] == body["external_ref"] for row in self.suppliers):
                    return answer_json(409, {"error": "external_ref is taken."})
                self.suppliers.append({"id": f"S{len(self.suppliers) + 1}"})
                return self._changed(call, self.suppliers[-1], body)
            case ["PATCH", "suppliers", number] if found := [row for row in self.suppliers if row["id"] == number]:
                return self._changed(call, found[0], body)
        return answer_json(404, {"error": "There is no such thing."})

    def _changed(self, call: Call, row: dict[str, Any], body: dict[str, Any]) -> Answer:
        row.update(body)
        self._journal.changed("tally", call.method, call.path, body, row["id"])
        return answer_json(200, row)


def _page(rows: list[dict[str, Any]], query: Mapping[str, str]) -> Answer:
    start = int(query.get("cursor", 0))
    following = str(start + PAGE) if start + PAGE < len(rows) else None
    return answer_json(200, {"items": rows[start : start + PAGE], "next": following})


PART = Part(
    name="tally",
    make=lambda shared, limits: TallySandbox(RollingCounts(limits["calls_per_minute"], shared.minute), shared.journal),
    settings=lambda url: {"base_url": f"{url}/tally"},
    secrets={"TALLY_TOKEN": TOKEN},
    limits={"calls_per_minute": 120},
    controls={("POST", "journals"): TallySandbox.put_journal},
)
