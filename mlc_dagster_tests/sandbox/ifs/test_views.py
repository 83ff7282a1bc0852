"""Tenants whose services show the rows otherwise: what such a tenant answers, as the fact sheets have it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.ifs.tokens import PATH
from mlc_dagster.sandbox.ifs.views.view import INT, MAIN

PLENTY = Limits(ifs_requests_per_minute=100_000)
SUPPLIERS = "/SupplierHandling.svc/SupplierInfoGeneralSet"
ORDERS = "/PurchaseOrderHandling.svc/PurchaseOrderSet"
VOUCHERS = "/VoucherRowsAnalysis.svc/VoucherRowSet"
NEW = {
    "B2bSupplier": False,
    "Country": "SE",
    "CreationDate": "2026-01-01",
    "DefaultDomain": True,
    "DefaultLanguage": "en",
    "IdentifierRefValidation": "None",
    "Name": "New",
    "OneTime": False,
    "PartyType": "Supplier",
    "SupplierCategory": "Supplier",
    "ValidDataProcessingPurpose": False,
}


def opened(box: Sandbox, surface: str = MAIN) -> httpx.Client:
    form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox-secret"}
    token = httpx.post(box.url + PATH, data=form).json()
    assert token["expires_in"] == 180
    return httpx.Client(base_url=box.url + surface, headers={"Authorization": f"Bearer {token['access_token']}"})


def filled(*profiles: str) -> Sandbox:
    box = Sandbox(profiles=profiles, limits=PLENTY)
    terms = {"PaymentTerms": "30", "CurrencyCode": "EUR", "Email": "a@b.example", "Country": "SE"}
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "One", **terms})
    lines: list[dict[str, Any]] = [
        {"PartNo": "A", "Account": "4010", "BuyUnitPrice": Decimal("2.50"), "LineAmount": Decimal("10.00")},
        {"PartNo": None, "Description": "Work", "LineAmount": Decimal("7.00")},
        {"PartNo": "A", "Rental": True, "LineAmount": Decimal("1.00")},
    ]
    order = {"Company": "0010", "OrderDate": "2026-11-05", "CurrencyRate": Decimal(10), "ObjState": "Released"}
    box.ifs.put("PurchaseOrderSet", {"OrderNo": "P1", "TotalAmount": 18, "PurchaseOrderLines": lines, **order})
    rows = [
        {"Account": "4010", "DebitAmount": Decimal("0.12345678901234567891"), "CurrencyAmount": Decimal("1.5")},
        {"Account": "2440", "CreditAmount": Decimal("0.12345678901234567891"), "CurrencyAmount": Decimal("-1.5")},
    ]
    head = {"VoucherType": "M", "AccountingYear": 2026, "VoucherNo": 7, "VoucherDate": "2026-11-05", "UserGroup": "AC"}
    box.ifs.put("VoucherSet", {"Company": "0010", "ExternalRef": "PR-7", "VoucherRows": rows, **head})
    box.ifs.put("AccountSet", {"Company": "0010", "Account": "4010", "ReqCodeB": "Mandatory"})
    box.ifs.put("AccountSet", {"Company": "0099", "Account": "4010"})
    for part in "BC":
        box.ifs.put("CodePartValueSet", {"Company": "0010", "CodePart": part, "CodePartValue": "X"})
    return box


@pytest.fixture(scope="module")
def pages() -> Iterator[Sandbox]:
    with filled("ifs.pages") as box:
        yield box


@pytest.fixture
def tenant(pages: Sandbox) -> httpx.Client:
    return opened(pages)


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def test_keys_come_with_a_select_that_leaves_them_out_in_the_row_and_the_context(tenant: httpx.Client) -> None:
    answer = tenant.get(f"{SUPPLIERS}?$select=Name&$top=1")
    (row,) = rows(answer)
    assert row["SupplierId"] == "S1" and row["@odata.id"].endswith(f"{SUPPLIERS}(SupplierId=%27S1%27)")
    assert (
        answer.json()["@odata.context"]
        == f"{tenant.base_url}SupplierHandling.svc/$metadata#SupplierInfoGeneralSet(Name,SupplierId)"
    )
    assert "@odata.id" not in rows(tenant.get(f"{SUPPLIERS}?$select=SupplierId,Name"))[0]
    assert "@odata.nextLink" not in answer.json()


def test_an_etag_is_the_base64_of_objid_and_a_time(tenant: httpx.Client) -> None:
    (row,) = rows(tenant.get(f"{SUPPLIERS}?$select=SupplierId&$filter=SupplierId eq 'S1'"))
    inner = base64.b64decode(row["@odata.etag"][3:-1]).decode()
    assert re.fullmatch(r'W/"AAAP[0-9A-F]{10}AAG:\d{14}"', inner)


def test_an_array_without_a_select_shows_luname_and_keyref_alone(tenant: httpx.Client) -> None:
    (row,) = rows(tenant.get(f"{ORDERS}('P1')/LinePartArray"))
    assert row.keys() == {"@odata.etag", "luname", "keyref", "Objgrants"}
    assert row["keyref"] == "LINE_NO=1^ORDER_NO=P1^RELEASE_NO=1^"


def test_the_lines_of_an_order_are_in_three_arrays_that_name_the_base_amount_in_two_ways(tenant: httpx.Client) -> None:
    wanted = {"LinePartArray": ("NetAmountBase", "1"), "LineRentalPartArray": ("NetAmountBase", "3")}
    for name, (base, number) in {**wanted, "LineNopartArray": ("NetAmtBase", "2")}.items():
        (row,) = rows(tenant.get(f"{ORDERS}('P1')/{name}?$select=LineNo,NetAmtCurr,{base}"))
        assert (row["LineNo"], row[base]) == (number, row["NetAmtCurr"] * 10)
    answer = tenant.get(f"{ORDERS}('P1')/LineNopartArray?$select=NetAmountBase").json()["error"]
    assert answer["message"] == "Malformed Request."
    assert "'NetAmountBase'" in answer["details"][0]["message"]
    assert "IfsApp.PurchaseOrderHandling.PurchaseOrderLineNopart" in answer["details"][0]["message"]


def test_a_price_in_the_orders_currency_is_not_buy_unit_price(tenant: httpx.Client) -> None:
    (row,) = rows(tenant.get(f"{ORDERS}('P1')/LinePartArray?$select=BuyUnitPrice,FbuyUnitPrice,CodeA"))
    assert (row["FbuyUnitPrice"], row["BuyUnitPrice"], row["CodeA"]) == (2.5, 25, "4010")


def test_a_header_has_no_total_no_rate_and_days_at_midnight(tenant: httpx.Client) -> None:
    row = tenant.get(f"{ORDERS}('P1')").json()
    assert row["OrderDate"] == "2026-11-05T00:00:00Z" and row["Objstate"] == "Released"
    assert not row.keys() & {"TotalAmount", "CurrencyRate", "LastModified", "Notes", "WantedReceiptDate"}


def test_count_and_expand_are_not_implemented(tenant: httpx.Client) -> None:
    for path in (f"{ORDERS}/$count", f"{ORDERS}?$count=true", f"{ORDERS}?$expand=LinePartArray"):
        assert (tenant.get(path).status_code, tenant.get(path).json()["error"]["code"]) == (501, "ODP_NOT_IMPLEMENTED")


def test_a_filter_on_a_column_without_an_index_times_out(tenant: httpx.Client) -> None:
    answer = tenant.get(f"{SUPPLIERS}?$filter=Cf_Region eq 'x'")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "ODP_OPERATION_TIMEOUT")


def test_terms_of_a_supplier_are_its_own_in_each_company(tenant: httpx.Client) -> None:
    found = rows(tenant.get(f"{SUPPLIERS}('S1')/SupplierInvoiceCompanies?$select=Company,PayTermId"))
    assert [(row["Company"], row["PayTermId"]) for row in found] == [("0010", "30"), ("20", "10"), ("0030", "10")]
    (buys,) = rows(tenant.get(f"{SUPPLIERS}('S1')/SupplierPurchases?$select=PayTermId,CurrencyCode"))
    assert (buys["PayTermId"], buys["CurrencyCode"]) == ("30", "EUR")
    address = f"{SUPPLIERS}('S1')/SupplierInfoAddresses(SupplierId='S1',AddressId='1')"
    (mail,) = rows(tenant.get(f"{address}/AddressCommunicationMethods?$select=MethodId,Value"))
    assert (mail["MethodId"], mail["Value"]) == ("EMail", "a@b.example")


def test_a_supplier_is_made_with_its_eleven_constants_and_its_children_apart(
    pages: Sandbox, tenant: httpx.Client
) -> None:
    for name in NEW:
        less = {each: value for each, value in NEW.items() if each != name}
        answer = tenant.post(SUPPLIERS, json=less)
        assert answer.status_code == 400 and f"[{name}]" in answer.json()["error"]["details"][0]["message"]
    made = tenant.post(SUPPLIERS, json=NEW)
    number = made.json()["SupplierId"]
    place = f"{SUPPLIERS}('{number}')/SupplierPurchases"
    assert made.status_code == 201 and rows(tenant.get(place)) == []
    assert tenant.post(place, json={"CurrencyCode": "SEK", "PayTermId": "30"}).status_code == 201
    assert tenant.post(place, json={"CurrencyCode": "SEK"}).status_code == 409
    stored = next(row for row in pages.ifs.rows("SupplierSet") if row["SupplierId"] == number)
    assert (stored["Name"], stored["CurrencyCode"], stored["PaymentTerms"]) == ("New", "SEK", "30")


def test_a_state_is_changed_by_a_bound_action_alone(pages: Sandbox) -> None:
    with filled("ifs.pages") as box:
        tenant = opened(box)
        etag = tenant.get(f"{ORDERS}('P1')").headers["etag"]
        ignored = tenant.patch(f"{ORDERS}('P1')", json={"Objstate": "Cancelled"}, headers={"If-Match": etag})
        assert (ignored.status_code, ignored.json()["Objstate"]) == (200, "Released")
        act = f"{ORDERS}('P1')/IfsApp.PurchaseOrderHandling.PurchaseOrder_Cancel"
        assert tenant.post(act).status_code == 428
        done = tenant.post(act, headers={"If-Match": etag})
        assert (done.status_code, done.json()["Objstate"]) == (200, "Cancelled")
        assert box.ifs.rows("PurchaseOrderSet")[0]["ObjState"] == "Cancelled"
        assert tenant.post(act, headers={"If-Match": etag}).status_code == 412
        again = tenant.post(act, headers={"If-Match": done.headers["etag"]})
        assert again.status_code == 400 and "PurchaseOrder.STATE" in again.json()["error"]["details"][0]["message"]


def test_a_changed_line_changes_its_own_etag_and_not_its_headers(pages: Sandbox) -> None:
    with filled("ifs.pages") as box:
        tenant = opened(box)
        seen = [tenant.get(f"{ORDERS}('P1')").headers["etag"], _line_etag(tenant)]
        order = box.ifs.rows("PurchaseOrderSet")[0]
        order["PurchaseOrderLines"][0]["LineAmount"] = Decimal(99)
        box.ifs.put("PurchaseOrderSet", order)
        assert tenant.get(f"{ORDERS}('P1')").headers["etag"] == seen[0]
        assert _line_etag(tenant) != seen[1]


def _line_etag(tenant: httpx.Client) -> str:
    return str(rows(tenant.get(f"{ORDERS}('P1')/LinePartArray?$select=LineNo"))[0]["@odata.etag"])


def test_metadata_has_no_nullable_and_no_annotations_and_members_that_are_no_sets(tenant: httpx.Client) -> None:
    answer = tenant.get("/VoucherRowsAnalysis.svc/$metadata", headers={"Accept": "application/xml"})
    text = answer.text
    assert answer.headers["content-type"] == "application/xml"
    assert "Nullable" not in text and "Annotation" not in text
    assert '<Property Name="VoucherNo" Type="Edm.Decimal" Precision="130" Scale="65"/>' in text
    assert text.count("<EntitySet ") == 11 and 'Name="Reference_CodeJ"' in text
    assert "<ComplexType" in text and "<FunctionImport" in text and '<EnumType Name="ReqCodeB"' in text
    assert re.search(r'<EntityType Name="VoucherRow"><Key>.*?</Key><Property Name="luname" ', text)
    assert '<NavigationProperty Name="AccountRef"' in text and 'Name="Cf_Customer_Project_Id"' in text


def test_an_unknown_service_is_a_404_in_json_although_xml_was_asked_for(tenant: httpx.Client) -> None:
    answer = tenant.get("/Nowhere.svc/$metadata", headers={"Accept": "application/xml"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Metadata not found.")


def test_every_projection_is_listed_the_tenants_own_among_others(tenant: httpx.Client) -> None:
    found = rows(tenant.get("/AllProjections.svc/Projections?$top=5000&$select=ProjectionName"))
    names = {row["ProjectionName"] for row in found}
    assert {"SupplierHandling", "VoucherRowsAnalysis"} < names and len(names) > 20


def test_now_and_then_a_read_is_told_that_the_model_changed() -> None:
    with Sandbox(profiles=("ifs.pages", "ifs.modified_every=3"), limits=PLENTY) as box:
        statuses = [opened(box).get(f"{SUPPLIERS}?$top=1").status_code for _ in range(6)]
    assert statuses == [200, 200, 503, 200, 200, 503]


def test_recorded_is_vouchers_by_rows_accounts_and_nine_sets_of_code_parts() -> None:
    with filled("ifs.recorded") as box:
        tenant = opened(box)
        answer = tenant.get(f"{VOUCHERS}?$filter=AccountingYear eq 2026&$count=true")
        first, second = rows(answer)
        assert answer.json()["@odata.count"] == 2
        assert '"DebetAmount":0.12345678901234567891' in answer.text
        assert (first["ReferenceNumber"], first["EnteredByUserGroup"], first["RowNo"]) == ("PR-7", "AC", 1)
        assert (second["CurrencyCreditAmount"], second["CurrencyDebetAmount"]) == (1.5, None)
        assert not first.keys() & {"Objstate", "LastModified"}
        accounts = rows(tenant.get("/VoucherRowsAnalysis.svc/Reference_Account?$select=Account,ReqCodeB,ReqCodeC"))
        assert [(row["Company"], row["ReqCodeB"], row["ReqCodeC"]) for row in accounts] == [
            ("0010", "Mandatory", "Can")
        ]
        (value,) = rows(tenant.get("/VoucherRowsAnalysis.svc/Reference_CodeC?$select=CodeC"))
        assert (value["Company"], value["CodeC"]) == ("0010", "X")
        key = "Company='0010',VoucherType='M',AccountingYear=2026,VoucherNo=7,RowNo=1"
        assert tenant.get(f"{VOUCHERS}({key})").json()["Account"] == "4010"
        assert tenant.post(VOUCHERS, json={"Company": "0010"}).status_code == 405
        assert tenant.patch(f"{VOUCHERS}({key})", json={"Text": "x"}, headers={"If-Match": "*"}).status_code == 405
        assert tenant.get(SUPPLIERS).status_code == 404


def test_the_company_of_another_user_is_absent_with_200() -> None:
    with filled("ifs.recorded") as box:
        answer = opened(box).get("/VoucherRowsAnalysis.svc/Reference_Account?$filter=Company eq '0099'")
        assert rows(answer) == []


def test_a_tenant_of_the_user_interface_has_nothing_on_the_other_surface(pages: Sandbox) -> None:
    assert opened(pages, INT).get("/PurchaseOrderLineEntity.svc/PurchaseOrderLineSet").status_code == 404


# --- services that a tenant built itself ------------------------------------------------------------------------------


@pytest.fixture
def own() -> Iterator[Sandbox]:
    with filled("ifs.own-services", "ifs.modified_every=0") as box:
        yield box


def test_what_a_tenant_built_for_its_postings_has_the_records_own_names_and_a_stamp(own: Sandbox) -> None:
    tenant = opened(own)
    path = "/VoucherHandling.svc/VoucherSet"
    select = "$select=VoucherNo,ExternalRef,LastModified"
    (head,) = rows(tenant.get(f"{path}?{select}&$filter=LastModified ge 2020-01-01T00:00:00Z"))
    assert (head["VoucherNo"], head["ExternalRef"]) == (7, "PR-7") and head["LastModified"].endswith("Z")
    assert rows(tenant.get(f"{path}?{select}&$filter=LastModified ge 2999-01-01T00:00:00Z")) == []
    lines = rows(tenant.get("/VoucherHandling.svc/VoucherRowSet?$select=RowNo,DebitAmount&$filter=VoucherNo eq 7"))
    assert [line["RowNo"] for line in lines] == [1, 2]
    assert rows(tenant.get(f"{VOUCHERS}?$select=RowNo,DebetAmount")) != [], "the pages are there as before"


def test_its_stamped_rows_come_in_the_order_of_time_within_any_window(own: Sandbox) -> None:
    for number, stamp in ((8, "2026-11-03T00:00:00Z"), (9, "2026-11-01T00:00:00Z"), (10, "2026-11-02T00:00:00Z")):
        keys = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026, "VoucherNo": number}
        own.ifs.put("VoucherSet", {**keys, "LastModified": stamp})
    window = "LastModified ge 2026-11-01T00:00:00Z and LastModified lt 2026-11-03T00:00:00Z"
    order = "$orderby=LastModified,Company,VoucherType,AccountingYear,VoucherNo"
    found = rows(opened(own).get(f"/VoucherHandling.svc/VoucherSet?$select=VoucherNo&$filter={window}&{order}"))
    assert [row["VoucherNo"] for row in found] == [9, 10]


def test_a_row_is_shown_as_it_is_after_each_change(own: Sandbox) -> None:
    """What is shown of a stored row is made once of each of its versions."""
    path, seen = "/SupplierHandling.svc/SupplierInfoGeneralSet?$select=SupplierId,Name", []
    for name in ("One", "Two", "Two", "Three"):
        own.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": name})
        (row,) = rows(opened(own).get(path))
        seen.append((row["Name"], row["@odata.etag"]))
    assert [name for name, _ in seen] == ["One", "Two", "Two", "Three"] and len({etag for _, etag in seen}) == 3
