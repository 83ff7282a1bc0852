"""What the client learns of a tenant, what it writes, and what it refuses to follow."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.core.errors import Misconfigured, OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.vocabulary import Pull, Row
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.client import IfsClient, classify
from mlc_dagster.systems.ifs.line_records import Posting
from mlc_dagster.systems.ifs.odata.expressions import any_of_keys, beyond, literal, one, up_to
from mlc_dagster.systems.ifs.settings import EntitySetSettings as Names
from mlc_dagster.systems.ifs.settings import LineSetSettings as Lines
from mlc_dagster.transport.client import ApiClient
from mlc_dagster_tests.systems.ifs.conftest import A_DAY, TEN, Reader, client_of

Start = Callable[..., Sandbox]


def supplier(box: Sandbox, key: str) -> dict[str, Any]:
    return next(row for row in box.ifs.rows("SupplierSet") if row["SupplierId"] == key)


# --- text of queries --------------------------------------------------------------------------------------------------


def test_literals_are_quoted_doubled_or_bare() -> None:
    moment = datetime(2026, 11, 5, 9, 30, tzinfo=UTC)
    assert [literal(value) for value in ("a'b", 7, Decimal("1E+2"), True, None, date(2026, 11, 5), moment)] == [
        "'a''b'", "7", "100", "true", "null", "2026-11-05", "2026-11-05T09:30:00Z",
    ]  # fmt: skip
    assert literal(moment.replace(microsecond=250_000)) == "2026-11-05T09:30:00.250000Z"


def test_a_key_in_a_path_hides_what_a_path_would_take_for_its_own() -> None:
    assert one(ifs.SUPPLIERS, {"supplier_id": "a/b'c%d?#é"}).endswith(
        "/SupplierSet(SupplierId=%27a%2Fb%27%27c%25d%3F%23%C3%A9%27)"
    )


def test_what_comes_after_a_row_is_asked_key_by_key() -> None:
    assert beyond(["A", "B", "C"], [1, "x", 2]) == "(A gt 1 or (A eq 1 and (B gt 'x' or (B eq 'x' and C gt 2))))"


def test_of_a_moment_with_a_fraction_more_digits_may_follow_than_we_can_say() -> None:
    moment = datetime(2026, 11, 5, 9, 30, microsecond=250_000, tzinfo=UTC)
    at, after = "2026-11-05T09:30:00.250000Z", "2026-11-05T09:30:00.250001Z"
    assert beyond(["A", "B"], [moment, 2]) == f"(A ge {after} or (A ge {at} and A lt {after} and B gt 2))"
    assert up_to(["A", "B"], [moment, 2]) == f"(A lt {at} or (A ge {at} and A lt {after} and B le 2))"
    assert beyond(["A", "B"], [moment.replace(microsecond=0), 2]) == (
        "(A gt 2026-11-05T09:30:00Z or (A eq 2026-11-05T09:30:00Z and B gt 2))"
    )


def test_keys_are_asked_in_filters_that_fit_a_url() -> None:
    wanted = [("0010", "é" * (n % 60)) for n in range(500)]
    filters = list(any_of_keys(["Company", "Account"], wanted))
    assert [key for _, asked in filters for key in asked] == wanted
    assert all(len(httpx.QueryParams({"f": text}).__str__()) < 6_500 for text, _ in filters)


# --- links ------------------------------------------------------------------------------------------------------------


class Linking:
    """A tenant that answers two rows at a time and gives opaque links; its own idea of its address is odd."""

    def __init__(self, origin: str) -> None:
        self.origin, self.asked = origin, list[httpx.URL]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        at = int(parse_qs(request.url.query.decode()).get("$skiptoken", ["0"])[0])
        rows = [
            {"@odata.etag": f"e{n}", "SupplierId": f"S{n}", "LastModified": "2026-11-05T10:00:00Z"}
            for n in range(at, min(5, at + 2))
        ]
        body: dict[str, Any] = {"@odata.count": 5, "value": rows}
        if at + 2 < 5:
            body["@odata.nextLink"] = f"{self.origin}SupplierSet?$skiptoken={at + 2}"
        return httpx.Response(200, json=body)

    def client(self) -> IfsClient:
        api = ApiClient("ifs", "https://erp.test/projection/v1", classify=classify, transport=httpx.MockTransport(self))
        return IfsClient(api)


@pytest.mark.parametrize("origin", ["", "http://erp.test:48080/projection/v1/SupplierHandling.svc/"])
def test_an_opaque_link_is_followed_on_the_address_that_is_configured(origin: str) -> None:
    tenant = Linking(origin)
    rows, _ = Reader(tenant.client())(ifs.SUPPLIERS)
    assert [row["supplier_id"] for row in rows] == ["S0", "S1", "S2", "S3", "S4"]
    assert {(url.scheme, url.host, url.port) for url in tenant.asked} == {("https", "erp.test", None)}
    assert len([url for url in tenant.asked if not url.path.endswith("/$count")]) == 3


def test_a_link_to_another_host_is_never_followed() -> None:
    tenant = Linking("https://elsewhere.example/")
    with pytest.raises(Misconfigured, match=r"elsewhere\.example"):
        Reader(tenant.client())(ifs.SUPPLIERS)
    assert len(tenant.asked) == 1


def test_lines_that_the_tenant_cuts_off_are_fetched_by_its_link() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "rest" in str(request.url):
            return httpx.Response(200, json={"value": [{"LineNo": "3", "ReleaseNo": "1"}]})
        lines = [{"LineNo": str(n), "ReleaseNo": "1"} for n in (1, 2)]
        rows: list[dict[str, Any]] = [
            {"@odata.etag": "e", "OrderNo": key, "PurchaseOrderLines": lines} for key in ("A", "B", "C")
        ]
        rows[1]["PurchaseOrderLines@odata.nextLink"] = "PurchaseOrderSet('B')/PurchaseOrderLines?$skiptoken=rest"
        return httpx.Response(200, json={"@odata.count": 3, "value": rows})

    api = ApiClient("ifs", "https://erp.test/v1", classify=classify, transport=httpx.MockTransport(answer))
    rows, _ = Reader(IfsClient(api))(ifs.PURCHASE_ORDERS)
    assert [[line["line_no"] for line in row["lines"]] for row in rows] == [["1", "2"], ["1", "2", "3"], ["1", "2"]]


def test_a_walk_that_does_not_move_on_stops_and_says_which_columns_to_check() -> None:
    """A tenant whose timestamps are shown rounded answers the same page for ever."""
    page = {"value": [{"@odata.etag": "e", "SupplierId": "S1", "LastModified": "2026-11-05T10:00:00Z"}]}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=page))
    client = IfsClient(ApiClient("ifs", "https://erp.test", classify=classify, transport=transport))
    with pytest.raises(Misconfigured, match="LastModified, SupplierId"):
        list(client.read(ifs.SUPPLIERS, A_DAY, Pull("ifs/supplier_set", "x")))


# --- $metadata --------------------------------------------------------------------------------------------------------


def test_the_schema_report_names_what_is_gone_new_and_changed(start: Start) -> None:
    box = start(fields={"PurchaseOrderSet": {"BuyerCode": "Buyer"}, "PurchaseOrderLineSet": {"TaxCode": "VatCode"}})
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Cf_Rating": "A"}, TEN)
    orders = client_of(box).schema_report(ifs.PURCHASE_ORDERS)
    assert orders is not None
    assert (orders.gone, orders.changed) == (("buyer_code", "lines.tax_code"), {})
    assert {"Buyer", "PurchaseOrderLineSet.VatCode"} <= set(orders.new)
    suppliers = client_of(box).schema_report(ifs.SUPPLIERS)
    assert suppliers is not None and (suppliers.gone, suppliers.new) == ((), ("Cf_Rating",))


def test_a_type_that_changed_is_reported(box: Sandbox) -> None:
    from dataclasses import replace

    wire = {"credit_limit": "Blocked", "blocked": "CreditLimit"}
    report = client_of(box).schema_report(replace(ifs.SUPPLIERS, wire=wire))
    assert report is not None
    assert report.changed == {
        "credit_limit": ("Edm.Decimal", "Edm.Boolean"),
        "blocked": ("Edm.Boolean", "Edm.Decimal"),
    }


def test_a_field_that_the_tenant_lacks_is_left_out_and_the_rest_is_read(start: Start) -> None:
    box = start(fields={"PurchaseOrderSet": {"Notes": "Remark"}, "PurchaseOrderLineSet": {"TaxCode": "VatCode"}})
    box.ifs.put("PurchaseOrderSet", {"OrderNo": "P1", "Notes": "n", "PurchaseOrderLines": [{"LineNo": "1"}]}, TEN)
    rows, _ = Reader(client_of(box))(ifs.PURCHASE_ORDERS)
    assert (rows[0]["order_no"], rows[0]["notes"], len(rows[0]["lines"])) == ("P1", None, 1)


@pytest.mark.parametrize(
    "overrides, words",
    [
        (
            {"orders": Names(set="x")},
            r"ifs\.entity_sets\.orders in mlc\.yaml: no entity set .* purchase_order_set",
        ),
        (
            {"supplier_set": Names(fields={"nam": "x"})},
            r"supplier_set\.fields\.nam in mlc\.yaml: no field of this name; nearest: name",
        ),
        ({"supplier_set": Names(fields={"name": "Notes"})}, r"Notes stands for both name and notes"),
        (
            {"account_set": Names(lines=Lines(set="x"))},
            r"account_set\.lines in mlc\.yaml: account_set has no lines",
        ),
        (
            {"voucher_set": Names(lines=Lines(fields={"x": "y"}))},
            r"voucher_set\.lines\.fields\.x",
        ),
        ({"supplier_set": Names(keys={"supplier_id": "Objid"})}, r"keys\.supplier_id.*Objid names a row's place"),
    ],
)
def test_a_name_that_nothing_has_is_refused_with_its_place_in_the_settings(overrides: Any, words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        ifs.catalogue(overrides)


# --- one row ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a'b", "a/b", "100%", "å b", "#?&", "0001", "''"])
def test_a_row_is_read_and_changed_by_a_key_that_holds_anything(box: Sandbox, key: str) -> None:
    box.ifs.put("SupplierSet", {"SupplierId": key, "Name": "before", "CreditLimit": Decimal("0.1")}, TEN)
    client = client_of(box)
    row, etag = client.get(ifs.SUPPLIERS, {"supplier_id": key})
    client.update(
        ifs.SUPPLIERS, {"supplier_id": key}, {"name": "after", "credit_limit": Decimal("12345678901234.5678")}, etag
    )
    assert row["name"] == "before"
    assert supplier(box, key)["Name"] == "after"
    assert supplier(box, key)["CreditLimit"] == Decimal("12345678901234.5678")


def test_another_writers_field_is_kept_and_ours_is_written_after_a_second_look(box: Sandbox) -> None:
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "a", "PaymentTerms": "30"}, TEN)
    seen: list[Row] = []

    def change(row: Row) -> dict[str, Any]:
        seen.append(row)
        if len(seen) == 1:
            box.ifs.put("SupplierSet", {**supplier(box, "S1"), "Name": "theirs"})
        return {"payment_terms": "60"}

    row, _ = client_of(box).modify(ifs.SUPPLIERS, {"supplier_id": "S1"}, change)
    assert (row["name"], row["payment_terms"]) == ("theirs", "60")
    assert [row["name"] for row in seen] == ["a", "theirs"]
    patches = [call for call in box.calls("ifs") if call[0] == "PATCH"]
    assert sum(box.calls("ifs")[call] for call in patches) == 2


def test_a_row_that_never_rests_is_given_up_after_three_tries(box: Sandbox) -> None:
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "a"}, TEN)
    tries: list[Row] = []

    def change(row: Row) -> dict[str, Any]:
        tries.append(row)
        box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": f"theirs {len(tries)}"})
        return {"name": "ours"}

    with pytest.raises(StaleRecord):
        client_of(box).modify(ifs.SUPPLIERS, {"supplier_id": "S1"}, change)
    assert len(tries) == 3
    assert supplier(box, "S1")["Name"] == "theirs 3"


def test_a_change_whose_answer_was_lost_is_seen_and_not_sent_again(box: Sandbox) -> None:
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "a"}, TEN)
    box.faults.add(system="ifs", method="PATCH", drop="after")
    change = lambda row: {} if row["name"] == "b" else {"name": "b"}  # noqa: E731
    row, _ = client_of(box).modify(ifs.SUPPLIERS, {"supplier_id": "S1"}, change)
    assert row["name"] == "b"
    assert len([entry for entry in box.journal("ifs") if entry["method"] == "PATCH"]) == 1


def test_nothing_to_write_is_not_written(box: Sandbox) -> None:
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "a"}, TEN)
    client_of(box).modify(ifs.SUPPLIERS, {"supplier_id": "S1"}, lambda _: {})
    assert box.journal("ifs") == []


def test_a_voucher_is_created_with_its_rows_and_found_by_its_reference(box: Sandbox) -> None:
    client = client_of(box)
    for account in ("4010", "2440"):
        box.ifs.put("AccountSet", {"Company": "0010", "Account": account}, TEN)
    lines = [
        {"row_no": 1, "account": "4010", "debit_amount": Decimal("10.10"), "currency_code": "SEK"},
        {"row_no": 2, "account": "2440", "credit_amount": Decimal("10.10"), "currency_code": "SEK"},
    ]
    row = {
        "company": "0010", "voucher_type": "M", "accounting_year": 2026, "voucher_date": date(2026, 11, 5),
        "external_ref": "PR'77", "lines": lines,
    }  # fmt: skip
    created, etag = client.create_document(ifs.VOUCHERS, row)
    ((found, found_etag),) = client.find(ifs.VOUCHERS, company="0010", external_ref="PR'77")
    assert created["voucher_no"] == found["voucher_no"]
    assert etag == found_etag
    assert [line["account"] for line in created["lines"]] == ["4010", "2440"]
    assert created["lines"][0]["debit_amount"] == Decimal("10.1")
    assert client.find(ifs.VOUCHERS, external_ref="PR-78") == []


def test_a_create_whose_answer_was_lost_is_not_repeated(box: Sandbox) -> None:
    box.faults.add(system="ifs", method="POST", path="SupplierSet", drop="after")
    with pytest.raises(OutcomeUnknown):
        client_of(box).create(ifs.SUPPLIERS, {"supplier_id": "S1", "name": "n"})
    assert len(box.ifs.rows("SupplierSet")) == 1


@pytest.mark.parametrize("code", ["MI_MODIFIED_ERROR", "FND_LOCKED"])
def test_a_write_that_certainly_did_not_act_is_sent_again(box: Sandbox, code: str) -> None:
    body = json.dumps({"error": {"code": code, "message": "The record is currently locked."}})
    box.faults.add(system="ifs", method="POST", path="SupplierSet", times=1, status=400, body=body)
    client_of(box).create(ifs.SUPPLIERS, {"supplier_id": "S1", "name": "n"})
    assert len(box.ifs.rows("SupplierSet")) == 1


@pytest.mark.parametrize("code, status", [("MI_MODIFIED_ERROR", 503), ("MI_MODIFIED_ERROR", 500), ("FND_LOCKED", 500)])
def test_a_passing_state_of_the_server_proves_nothing_of_a_write(box: Sandbox, code: str, status: int) -> None:
    body = json.dumps({"error": {"code": code, "message": "The record is currently locked."}})
    box.faults.add(system="ifs", method="POST", path="SupplierSet", times=1, status=status, body=body, acts=True)
    with pytest.raises(OutcomeUnknown):
        client_of(box).create(ifs.SUPPLIERS, {"supplier_id": "S1", "name": "n"})
    assert len(box.ifs.rows("SupplierSet")) == 1


def test_a_row_that_others_have_in_hand_is_read_and_written_again(box: Sandbox) -> None:
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "old"})
    body = json.dumps({"error": {"code": "FND_LOCKED", "message": "The record is currently locked."}})
    box.faults.add(system="ifs", method="PATCH", path="SupplierSet", times=2, status=500, body=body)
    row, _ = client_of(box).modify(ifs.SUPPLIERS, {"supplier_id": "S1"}, lambda row: {"name": "new"})
    assert row["name"] == "new"


def test_a_refusal_is_told_in_the_words_of_the_database(box: Sandbox) -> None:
    detail = {"code": "DATABASE_ERROR", "message": "ORA-20110: SupplierInfo.COUNTRYNULL: Field [Country] is mandatory."}
    body = json.dumps({"error": {"code": "ODP_ERROR", "message": "Database error", "details": [detail]}})
    box.faults.add(system="ifs", method="POST", path="SupplierSet", status=500, body=body)
    with pytest.raises(RecordRejected, match=r"Field \[Country\] is mandatory") as refused:
        client_of(box).create(ifs.SUPPLIERS, {"supplier_id": "S1"})
    assert refused.value.status == 500


def test_a_row_that_is_not_there_is_rejected_with_its_status(box: Sandbox) -> None:
    with pytest.raises(RecordRejected) as refused:
        client_of(box).get(ifs.SUPPLIERS, {"supplier_id": "nobody"})
    assert refused.value.status == 404


def test_a_row_is_read_in_both_shapes_that_tenants_answer_a_key_with() -> None:
    row = {"@odata.etag": "body", "SupplierId": "S1"}
    for body, headers, etag in [(row, {}, "body"), ({"value": [row]}, {"etag": "header"}, "header")]:
        transport = httpx.MockTransport(
            lambda _, body=body, headers=headers: httpx.Response(200, json=body, headers=headers)
        )
        client = IfsClient(ApiClient("ifs", "https://erp.test", classify=classify, transport=transport))
        found, found_etag = client.get(ifs.SUPPLIERS, {"supplier_id": "S1"})
        assert (found["supplier_id"], found_etag) == ("S1", etag)


def test_postings_name_the_account_the_company_and_the_date_of_each_line(box: Sandbox) -> None:
    lines = [{"LineNo": "1", "Account": "4010"}, {"LineNo": "2", "Account": "4020", "Company": "20"}, {"LineNo": "3"}]
    order = {"OrderNo": "P1", "Company": "0010", "OrderDate": date(2026, 1, 2), "PurchaseOrderLines": lines}
    box.ifs.put("PurchaseOrderSet", order, TEN)
    pull = Pull("ifs/purchase_order_set", "x")
    (batch,) = client_of(box).read(ifs.PURCHASE_ORDERS, A_DAY, pull)
    from mlc_dagster.core.arrow_columns import records_of

    ((record, _, _),) = records_of(batch, ifs.PurchaseOrder)
    assert record is not None and len(list(rows_of(batch))) == 1
    assert list(record.postings()) == [
        Posting("0010", "4010", date(2026, 1, 2), "1/1"),
        Posting("20", "4020", date(2026, 1, 2), "2/1"),
    ]
