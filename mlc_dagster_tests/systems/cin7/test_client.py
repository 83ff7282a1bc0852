"""What Cin7's answers mean, its books, its lists, and what stops a run."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from mlc_dagster.core.errors import AccessDenied, Misconfigured, MlcError, RecordRejected, TransientError
from mlc_dagster.core.outcomes import Draft, Saved, Unanswered
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.systems.cin7.api import Cin7Api, covers
from mlc_dagster.systems.cin7.client import Cin7Client, classify, signature
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal, purchase_from_order, supplier_from_ifs
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES, PURCHASES, SUPPLIERS
from mlc_dagster.transport.client import ApiClient, KeyRing, LocalBudget, Throttled
from mlc_dagster.transport.sign_in import HeaderKeys
from mlc_dagster_tests.systems.cin7.samples import EVER, api_on, client_on, facts, order, proposal, save, supplier

NOW = {"retry-after": "0 Seconds"}
BUSY = '[{"ErrorCode":400,"Exception":"You have reached 60 calls per 60 seconds API limit."}]'


def judged(status: int, body: str = "", **headers: str) -> MlcError | None:
    request = httpx.Request("POST", "https://cin7.test/ExternalApi/v2/supplier")
    return classify(httpx.Response(status, text=body, headers=headers, request=request))


@pytest.mark.parametrize(
    "status, body, headers, seconds",
    [
        (429, "", {}, 60),
        (429, "", {"Retry-After": "60 Seconds"}, 60),
        (429, "", {"Retry-After": "7"}, 7),
        (400, BUSY, {}, 60),
        (503, "You reached 60 calls per minute API limit", {}, 60),
        (503, "", {"Retry-After": "5"}, 5),
    ],
)
def test_too_many_calls_has_many_faces(status: int, body: str, headers: dict[str, str], seconds: float) -> None:
    error = judged(status, body, **headers)
    assert isinstance(error, Throttled) and error.retry_after == seconds


def test_a_503_that_says_nothing_of_calls_may_have_acted() -> None:
    """It is left to the ApiClient: a read is repeated, a write has an unknown outcome."""
    assert judged(503, "upstream connect error") is None


@pytest.mark.parametrize(
    "body, words",
    [
        (
            '[{"ErrorCode":400,"Exception":"Account with specified ID not found"}]',
            "Account with specified ID not found",
        ),
        ('{"ErrorCode":404,"Exception":"Category not found."}', "Category not found."),
        ('[{"ErrorCode":1,"Exception":"One."},{"ErrorCode":2,"Exception":"Two."}]', "One.; Two."),
        ("plain text", "plain text"),
        ("[1, null]", "[1, null]"),
    ],
)
def test_a_refusal_is_told_in_cin7s_words(body: str, words: str) -> None:
    error = judged(400, body)
    assert isinstance(error, RecordRejected) and error.message.endswith(f": {words}")


def test_wrong_keys_stop_the_run_and_name_the_variables_but_not_the_key(box: Sandbox) -> None:
    keys = signature("sandbox-account", "secret-of-ours")
    api = ApiClient("cin7", f"{box.url}/cin7/ExternalApi/v2", auth=keys, classify=classify)
    record = supplier_from_ifs(supplier(), facts())
    with pytest.raises(AccessDenied) as caught:
        save(Cin7Client(api), SUPPLIERS, Draft("S100", record, None, EVER))
    assert "CIN7_ACCOUNT_ID and CIN7_APPLICATION_KEYS" in str(caught.value)
    assert "secret-of-ours" not in f"{caught.value}{caught.value!r}"


def test_a_wrong_address_is_named_at_the_first_call(box: Sandbox) -> None:
    api = ApiClient("cin7", f"{box.url}/cin7/ExternalApi/v2/v3", auth=HeaderKeys({"a": "b"}), classify=classify)
    with respx.mock:
        respx.get(url__startswith=box.url).respond(200, html="<html>Sign in</html>")
        with pytest.raises(Misconfigured, match="answers with a web page: there is no API at this address"):
            Cin7Client(api).books()


def test_a_page_of_maintenance_later_on_is_asked_again(box: Sandbox) -> None:
    api = Cin7Api(api_on(box.url))
    api.get("/me")
    page = {"body": "<html>Back soon</html>", "headers": {"content-type": "text/html"}}
    box.faults.add(system="cin7", method="GET", path="ref/account", status=200, times=2, **page)
    assert len(list(api.pages("/ref/account", "AccountsList"))) == 4


def test_a_page_of_maintenance_in_answer_to_a_create_is_looked_up(box: Sandbox) -> None:
    client, record = client_on(box), supplier_from_ifs(supplier(), facts())
    box.faults.add(system="cin7", method="POST", path="supplier", status=200, body="<html>Back soon</html>")
    assert isinstance(save(client, SUPPLIERS, Draft("S100", record, None, EVER))[0], Unanswered)
    assert isinstance(save(client, SUPPLIERS, Draft("S100", record, None, EVER))[0], Saved)
    assert len(box.cin7.suppliers) == 1


# --- books ----------------------------------------------------------------------------------------------------------


def test_the_books_hold_what_may_be_used_and_nothing_else(box: Sandbox) -> None:
    books = box.cin7.books
    box.cin7.add_account("4999", "Closed", status="ARCHIVED")
    books.add_payment_term("Old", 5, active=False)
    books.add_tax_rule("Sales only", 10, for_purchase=False)
    books.add_location("Closed shop", deprecated=True)
    there = box.cin7.add_supplier(
        Name="A", Currency="EUR", PaymentTerm="30 days", TaxRule="Tax Exempt", AccountPayable="800"
    )
    found = client_on(box).books()
    assert found.accounts == {"4010", "4200", "610", "800"}
    assert (found.payment_terms, found.locations, found.products) == ({"30 days"}, {"Main Warehouse"}, {"BOLT-8"})
    assert found.tax_percents == {"Tax Exempt": Decimal(0), "Tax on Purchases": Decimal(25)}
    assert found.supplier_currency == {there: "EUR"}
    assert (found.payable_account, found.base_currency) == ("800", box.cin7.base_currency)


def test_books_are_read_again_after_a_minute_and_not_before(box: Sandbox) -> None:
    now = [0.0]
    client = Cin7Client(api_on(box.url), clock=lambda: now[0])
    client.books()
    box.cin7.add_account("4999", "New")
    now[0] = 59.0
    assert "4999" not in client.books().accounts
    now[0] = 61.0
    assert "4999" in client.books().accounts


def test_a_supplier_that_was_just_made_is_in_the_books_at_once(box: Sandbox) -> None:
    """Within one run purchases are judged seconds after their supplier was created."""
    client = client_on(box)
    client.books()
    (made,) = save(client, SUPPLIERS, Draft("S100", supplier_from_ifs(supplier(), facts()), None, EVER))
    assert isinstance(made, Saved)
    assert client.books().supplier_currency == {made.remote_id: "SEK"}


def test_a_list_of_several_pages_is_read_whole(box: Sandbox) -> None:
    for number in range(2050):
        box.cin7.books.add_product(f"P{number}", "A part")
    assert len(client_on(box).books().products) == 2051


def test_a_list_without_a_total_ends_with_the_page_that_is_not_full() -> None:
    api = ApiClient("cin7", "https://cin7.test", auth=HeaderKeys({"k": "v"}))
    with respx.mock(base_url="https://cin7.test") as mock:
        pages = [[{"n": 1}] * 1000, [{"n": 2}] * 3]
        route = mock.get("/x").mock(side_effect=[httpx.Response(200, json={"L": rows}) for rows in pages])
        assert len(list(Cin7Api(api).pages("/x", "L"))) == 1003
        assert route.call_count == 2


def test_the_limit_is_kept_and_several_keys_share_the_work() -> None:
    limits = Limits(cin7_calls_per_minute=6, window_seconds=1.0)
    with Sandbox(limits=limits) as box:
        signs = [signature("sandbox-account", f"sandbox-key-{number}") for number in (1, 2)]
        ring = KeyRing(signs, [LocalBudget(6, 1.0) for _ in signs])
        api = ApiClient("cin7", f"{box.url}/cin7/ExternalApi/v2", budget=ring, classify=classify)
        client = Cin7Client(api)
        drafts = [
            Draft(
                str(number),
                supplier_from_ifs(supplier(supplier_id=str(number), name=f"N{number}"), facts()),
                None,
                EVER,
            )
            for number in range(20)
        ]
        assert all(isinstance(outcome, Saved) for outcome in client.save(SUPPLIERS, drafts))
        assert len(box.cin7.suppliers) == 20
        assert box.peaks("cin7").keys() == {"sandbox-key-1", "sandbox-key-2"}
        assert max(box.peaks("cin7").values()) <= 6


def test_a_create_that_was_turned_away_for_the_rate_is_sent_again(box: Sandbox) -> None:
    box.faults.add(system="cin7", method="POST", path="supplier", status=400, body=BUSY, headers=NOW, times=3)
    record = supplier_from_ifs(supplier(), facts())
    (outcome,) = save(client_on(box), SUPPLIERS, Draft("S100", record, None, EVER))
    assert isinstance(outcome, Saved) and len(box.cin7.suppliers) == 1


def test_a_cin7_that_stays_away_stops_the_run(box: Sandbox) -> None:
    box.faults.add(system="cin7", method="GET", path="supplier", status=502, times=None)
    record = supplier_from_ifs(supplier(), facts())
    with pytest.raises(TransientError):
        save(client_on(box, max_attempts=3), SUPPLIERS, Draft("S100", record, None, EVER))


# --- totals ---------------------------------------------------------------------------------------------------------


def test_where_cin7_counts_tax_into_a_lines_total_it_is_sent_so() -> None:
    """The documented formula leaves tax out, one integrator found it in: Cin7's refusal says what it expects."""
    known = facts(delivered={"cin7/suppliers": {"S100": "s"}, "cin7/purchases": {"P1": "p"}})
    record = invoice_from_proposal(proposal(po_reference="P1"), known)
    stage = {"Status": "AUTHORISED", "Lines": [], "AdditionalCharges": [{"Description": "Bolts"}]}
    purchase = {"ID": "p", "OrderNumber": "PO-1", "Status": "ORDERED", "SupplierID": "S", "Order": stage, "Invoice": []}
    sent: list[Any] = []

    def judge(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content, parse_float=Decimal)
        sent.append(body["AdditionalCharges"][0]["Total"])
        if sent[-1] != Decimal("156.25"):
            text = "attribute 'Total' doesn't match with calculated value. Expected value is: 156.25"
            return httpx.Response(400, json=[{"ErrorCode": 400, "Exception": text}])
        return httpx.Response(200, json={"Invoices": [{"TaskID": "t", "InvoiceNumber": "F-2026-17"}]})

    client = Cin7Client(ApiClient("cin7", "https://cin7.test", auth=HeaderKeys({"k": "v"}), classify=classify))
    with respx.mock(base_url="https://cin7.test") as mock:
        mock.get("/advanced-purchase").respond(json=purchase)
        mock.post("/advanced-purchase/invoice").mock(side_effect=judge)
        for _ in range(2):
            (outcome,) = save(client, PURCHASE_INVOICES, Draft("0010/7", record))
            assert isinstance(outcome, Saved) and outcome.remote_id == "p/t"
    assert sent == [Decimal("125.00"), Decimal("156.25"), Decimal("156.25")]


@pytest.mark.parametrize(
    "theirs, ours, same",
    [
        ({"Price": Decimal("1.2500")}, {"Price": Decimal("1.25")}, True),
        ({"Price": 2}, {"Price": Decimal("2.00")}, True),
        ({"Note": None}, {"Note": ""}, True),
        ({"Note": "a\r\nb"}, {"Note": "a\nb"}, True),
        ({"SupplierID": "AB-C"}, {"SupplierID": "ab-c"}, True),
        ({"RequiredBy": "2026-12-01T00:00:00.000Z"}, {"RequiredBy": "2026-12-01T00:00:00"}, True),
        ({"Name": "ACME"}, {"Name": "Acme"}, False),
        ({"Lines": [{"SKU": "A", "Cost": 1}]}, {"Lines": [{"SKU": "A"}]}, True),
        ({"Lines": [{"SKU": "A"}, {"SKU": "B"}]}, {"Lines": [{"SKU": "A"}]}, False),
        ({"IsServiceOnly": False}, {"IsServiceOnly": True}, False),
        ({"Quantity": "1"}, {"Quantity": 1}, False),
        ({}, {"Price": Decimal(0)}, False),
    ],
)
def test_two_documents_are_equal_by_their_meaning(theirs: Any, ours: Any, same: bool) -> None:
    assert covers(theirs, ours) is same


def test_the_targets_are_what_the_client_dispatches_on(box: Sandbox) -> None:
    assert set(client_on(box)._writers) == {target.name for target in (SUPPLIERS, PURCHASES, PURCHASE_INVOICES)}


def test_a_supplier_that_another_run_made_since_the_list_was_read_is_known(box: Sandbox) -> None:
    client = client_on(box)
    assert client.books().supplier_currency == {}
    fields = {"Currency": "EUR", "PaymentTerm": "30 days", "TaxRule": "Tax Exempt", "AccountPayable": "800"}
    made = box.cin7.add_supplier(Name="Made Meanwhile AB", **fields)
    purchase = purchase_from_order(order(), facts(delivered={"cin7/suppliers": {"S100": made}}))
    assert client.known(PURCHASES, [purchase]).supplier_currency == {made: "EUR"}
    listed = ("GET", "/cin7/ExternalApi/v2/supplier")
    before = box.calls("cin7")[listed]
    client.known(PURCHASES, [purchase])
    assert box.calls("cin7")[listed] == before, "what the list has costs no call"
