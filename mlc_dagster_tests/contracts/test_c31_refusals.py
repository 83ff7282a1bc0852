"""C31, what a demo does not ask for: operations that are served and rarely used, and refusals in their form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster_tests.contracts.holding import ANSWER, faults
from mlc_dagster_tests.contracts.published import published
from mlc_dagster_tests.contracts.recorder import Recorder, recorded
from mlc_dagster_tests.sandbox.conftest import CIN7, ORDERS, SECRET, SURFACE, TOKEN, ifs_client, procurify_client

OBJECTS, LINKS = "/hubspot/crm/objects/2026-09", "/hubspot/crm/associations/2026-09"
CIN7_API, ACCOUNTING, PROCURIFY = "/cin7/ExternalApi/v2", "/airbase/v1/accounting", "/procurify/api"
SIGNED = {
    "hubspot": {"Authorization": "Bearer pat-na1-sandbox"},
    "cin7": CIN7,
    "airbase": {"Authorization": "Token sandbox-airbase-token"},
    "monday": {"Authorization": "sandbox-monday-token", "API-Version": "2026-10"},
}


@dataclass(frozen=True)
class Ask:
    """A request, and the status that it is answered with."""

    what: str
    status: int
    method: str
    path: str
    body: Any = None
    signed: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def system(self) -> str:
        return self.path.split("/")[1]


def monday(what: str, query: str, status: int = 200, **more: Any) -> Ask:
    return Ask(f"monday: {what}", status, "POST", "/monday/v2", {"query": query}, **more)


COMPANY = {"properties": {"name": "A"}, "associations": [], "objectWriteTraceId": "1"}
SUPPLIER = {"Name": "A", "Currency": "SEK", "PaymentTerm": "30 days", "AccountPayable": "800", "TaxRule": "Tax Exempt"}
VENDOR = {"name": "A", "email": [], "type": 4, "overall_score": None}
ASKS = (
    Ask("hubspot: no token", 401, "GET", "/hubspot/account-info/2026-09/details", signed=False),
    Ask("hubspot: create", 201, "POST", f"{OBJECTS}/companies/batch/create", {"inputs": [COMPANY]}),
    Ask("hubspot: one of two refused", 207, "POST", f"{OBJECTS}/companies/batch/create",
        {"inputs": [COMPANY, {**COMPANY, "properties": {"nope": "1"}, "objectWriteTraceId": "2"}]}),
    Ask("hubspot: all refused", 400, "POST", f"{OBJECTS}/companies/batch/upsert",
        {"inputs": [{"id": "1", "idProperty": "nope", "properties": {}}]}),
    Ask("hubspot: too many", 400, "POST", f"{OBJECTS}/companies/batch/read", {"inputs": [{"id": "1"}] * 101}),
    Ask("hubspot: not there", 207, "POST", f"{OBJECTS}/companies/batch/read",
        {"inputs": [{"id": "1"}], "properties": [], "propertiesWithHistory": []}),
    Ask("hubspot: unknown type", 404, "POST", f"{OBJECTS}/butterflies/batch/read", {"inputs": []}),
    Ask("hubspot: archive", 204, "POST", f"{OBJECTS}/companies/batch/archive", {"inputs": [{"id": "100001"}]}),
    Ask("hubspot: no associations", 207, "POST", f"{LINKS}/invoices/companies/batch/read", {"inputs": [{"id": "1"}]}),
    Ask("hubspot: nothing to associate", 404, "POST", f"{LINKS}/invoices/companies/batch/associate/default",
        {"inputs": [{"from": {"id": "1"}, "to": {"id": "2"}}]}),
    Ask("hubspot: remove associations", 200, "POST", f"{LINKS}/invoices/companies/batch/archive",
        {"inputs": [{"from": {"id": "1"}, "to": [{"id": "2"}]}]}),
    Ask("cin7: no key", 403, "GET", f"{CIN7_API}/me", signed=False),
    Ask("cin7: unknown account", 400, "GET", f"{CIN7_API}/ref/account?Code=1"),
    Ask("cin7: a supplier", 200, "POST", f"{CIN7_API}/supplier", {**SUPPLIER, "Status": "Active"}),
    Ask("cin7: a supplier without a name", 400, "POST", f"{CIN7_API}/supplier", {"Currency": "SEK"}),
    Ask("cin7: unknown purchase", 400, "GET", f"{CIN7_API}/advanced-purchase?ID=67fee337-f793-478f-a0c6-2ab71677251c"),
    Ask("airbase: no token", 401, "GET", f"{ACCOUNTING}/vendors/", signed=False),
    Ask("airbase: a vendor without a name", 400, "POST", f"{ACCOUNTING}/vendors/bulk_upsert/", {"entities": [{}]}),
    Ask("airbase: nothing sent", 400, "POST", f"{ACCOUNTING}/vendors/bulk_upsert/", {}),
    Ask("airbase: unknown entry", 404, "GET", f"{ACCOUNTING}/ledger_entries/67fee337-f793-478f-a0c6-2ab71677251c/"),
    monday("no token", "{ version { value } }", 401, signed=False),
    monday("not GraphQL", "{", 400),
    monday("unknown field", "{ nope }"),
    monday("unknown board", 'mutation { create_item(board_id: "1", item_name: "A") { id } }'),
    monday("items", '{ items(ids: ["1"]) { id state } }'),
    Ask("procurify: no token", 401, "GET", f"{PROCURIFY}/v3/users/me/", signed=False),
    Ask("procurify: no client", 403, "GET", f"{PROCURIFY}/v3/users/me/", headers={"X-Procurify-Client": "x"}),
    Ask("procurify: a vendor", 201, "POST", f"{PROCURIFY}/v3/vendors/", VENDOR),
    Ask("procurify: a vendor without a name", 400, "POST", f"{PROCURIFY}/v3/vendors/", {"email": []}),
    Ask("procurify: unknown bill", 404, "GET", f"{PROCURIFY}/v2/ap/bills/{'0' * 32}/"),
    Ask("ifs: no token", 401, "GET", f"{SURFACE}{ORDERS}?$top=1&$select=OrderNo", signed=False),
    Ask("ifs: wrong secret", 401, "POST", TOKEN, {**SECRET, "client_secret": "x"}, signed=False),
    Ask("ifs: unknown service", 404, "GET", f"{SURFACE}/Nope.svc/$metadata"),
    Ask("ifs: unknown property", 400, "GET", f"{SURFACE}{ORDERS}?$top=1&$select=Nope"),
    Ask("ifs: bad filter", 400, "GET", f"{SURFACE}{ORDERS}?$top=1&$filter=Nope%20eq%201"),
    Ask("ifs: unknown key", 404, "GET", f"{SURFACE}{ORDERS}('1')"),
    Ask("ifs: unknown key to change", 404, "PATCH", f"{SURFACE}{ORDERS}('1')", {"Notes": "x"},
        headers={"If-Match": 'W/"x"'}),
)  # fmt: skip


@pytest.fixture(scope="module")
def asked() -> Iterator[tuple[Sandbox, Recorder]]:
    box = Sandbox(limits=Limits(ifs_requests_per_minute=10_000, procurify_requests_per_second=10_000))
    recorder = recorded(box)
    with box:
        yield box, recorder


def answered(box: Sandbox, ask: Ask) -> httpx.Response:
    headers = {"Accept": "application/json", **(SIGNED.get(ask.system, {}) if ask.signed else {})}
    if ask.signed and ask.system in ("ifs", "procurify"):
        with ifs_client(box) if ask.system == "ifs" else procurify_client(box) as client:
            headers |= dict(client.headers)
    form = ask.path == TOKEN
    sent = {"data": ask.body} if form else {"json": ask.body} if ask.body is not None else {}
    return httpx.request(ask.method, box.url + ask.path, headers={**headers, **ask.headers}, **sent)


@pytest.mark.promise("C31", "what a demo does not ask for, and refusals: the form of each answer")
@pytest.mark.parametrize("ask", ASKS, ids=lambda ask: ask.what)
def test_c31_an_answer_has_its_published_form(ask: Ask, asked: tuple[Sandbox, Recorder]) -> None:
    box, recorder = asked
    assert answered(box, ask).status_code == ask.status
    exchange, told = recorder.exchanges[-1], published(ask.system)
    operation = told.operation(exchange.method, exchange.path)
    assert operation is not None
    assert [fault for side, fault in faults(exchange, operation, told) if side == ANSWER] == []
