"""Tenants that differ from the sandbox's own names, read by the catalogue that begins with IFS Cloud's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import EntitySet, Pull, Row, Scope, Window
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.ifs.tokens import PATH as TOKEN
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.client import IfsClient, classify
from mlc_dagster.systems.ifs.connect import ifs_client
from mlc_dagster.systems.ifs.entry_records import ENTRIES
from mlc_dagster.systems.ifs.odata.expressions import literal
from mlc_dagster.systems.ifs.settings import EntitySetSettings, IfsSettings
from mlc_dagster.transport.client import ApiClient, LocalBudget
from mlc_dagster_tests.systems.ifs.conftest import Memory, Reader, client_of

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
TODAY = Scope("2026-11-05", Window.day(date(2026, 11, 5)))
SHORT = Decimal("0.12345678901234567891")
CLOUD = ifs.catalogue({}, "cloud")


@contextmanager
def tenant(*profiles: str) -> Iterator[Sandbox]:
    with Sandbox(profiles=profiles, limits=Limits(ifs_requests_per_minute=100_000)) as box:
        yield box


@pytest.fixture
def pages() -> Iterator[Sandbox]:
    with tenant("ifs.pages") as box:
        yield box


def cloud(box: Sandbox, **options: Any) -> IfsClient:
    return client_of(box, catalogue=CLOUD, clock=lambda: NOW, **options)


def reading(box: Sandbox, entity: EntitySet, memory: Memory | None = None, **options: Any) -> tuple[list[Row], Pull]:
    return Reader(cloud(box, **options))(entity, TODAY, memory)


def order(number: str, *amounts: str, **more: Any) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = [{"PartNo": "A"}, {"PartNo": None}, {"PartNo": "A", "Rental": True}]
    lines = [
        {"LineNo": str(at + 1), "ReleaseNo": "1", "LineAmount": Decimal(amount), "Account": "4010", **kinds[at % 3]}
        for at, amount in enumerate(amounts)
    ]
    return {
        "OrderNo": number,
        "Company": "0010",
        "VendorNo": "S1",
        "CurrencyCode": "EUR",
        "CurrencyRate": Decimal(10),
        "ObjState": "Released",
        "PurchaseOrderLines": lines,
        **more,
    }


# --- lines in several arrays ----------------------------------------------------------------------------------------


def test_lines_of_three_arrays_are_lines_of_one_order_and_its_total_is_their_sum(pages: Sandbox) -> None:
    pages.ifs.put("PurchaseOrderSet", order("P1", "10.50", "7", "1"))
    pages.ifs.put("PurchaseOrderSet", order("P2"))
    rows, pull = reading(pages, CLOUD["purchase_order_set"], Memory())
    found = {row["order_no"]: row for row in rows}
    lines = found["P1"]["lines"]
    assert [(line["line_no"], line["line_amount"], line["account"]) for line in lines] == [
        ("1", Decimal("10.5"), "4010"),
        ("2", Decimal(7), "4010"),
        ("3", Decimal(1), "4010"),
    ]
    assert [line["base_amount"] for line in lines] == [Decimal(105), Decimal(70), Decimal(10)]
    assert (found["P1"]["total_amount"], found["P1"]["obj_state"]) == (Decimal("18.5"), "Released")
    assert (found["P2"]["total_amount"], found["P2"]["lines"]) == (Decimal(0), [])
    assert pull.requests == sum(pages.calls("ifs").values()) - 1  # the sign-in


def test_a_line_that_changes_is_news_though_its_header_says_nothing_of_it(pages: Sandbox) -> None:
    memory = Memory()
    for number in ("P1", "P2"):
        pages.ifs.put("PurchaseOrderSet", order(number, "10", "7"))
    assert len(reading(pages, CLOUD["purchase_order_set"], memory)[0]) == 2
    kept = {key: version for key, (version, _) in memory.kept["ifs/purchase_order_set"].items()}
    assert len(reading(pages, CLOUD["purchase_order_set"], memory)[0]) == 2
    assert {key: version for key, (version, _) in memory.kept["ifs/purchase_order_set"].items()} == kept
    pages.ifs.put("PurchaseOrderSet", order("P2", "10", "8"))
    later = Reader(client_of(pages, catalogue=CLOUD, clock=lambda: datetime(2026, 11, 6, 12, tzinfo=UTC)))
    rows, _ = later(CLOUD["purchase_order_set"], Scope("2026-11-06", Window.day(date(2026, 11, 6))), memory)
    assert [(row["order_no"], row["total_amount"]) for row in rows] == [("P2", Decimal(18))]


def test_an_array_that_the_tenant_does_not_have_is_named_and_no_order_is_without_lines(pages: Sandbox) -> None:
    pages.ifs.put("PurchaseOrderSet", order("P1", "10"))
    named = EntitySetSettings.model_validate({"lines": {"navigations": ["LinePartArray", "LineServiceArray"]}})
    entity = ifs.catalogue({"purchase_order_set": named}, "cloud")["purchase_order_set"]
    with pytest.raises(Misconfigured, match="LineServiceArray") as error:
        Reader(cloud(pages))(entity, TODAY, Memory())
    assert "ifs.entity_sets.purchase_order_set.lines.navigations" in str(error.value)
    with pytest.raises(Misconfigured, match="LineServiceArray"):
        cloud(pages).schema_report(entity)


# --- children ---------------------------------------------------------------------------------------------------------


def test_terms_and_currency_of_a_supplier_come_from_below_it(pages: Sandbox) -> None:
    pages.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "One", "PaymentTerms": "30", "CurrencyCode": "EUR"})
    pages.ifs.put("SupplierSet", {"SupplierId": "S2", "Name": "Two"})
    rows, _ = reading(pages, CLOUD["supplier_set"], Memory())
    found = {row["supplier_id"]: (row["name"], row["payment_terms"], row["currency_code"]) for row in rows}
    assert found == {"S1": ("One", "30", "EUR"), "S2": ("Two", None, None)}
    assert {row["vat_no"] for row in rows} == {None}
    got, etag = cloud(pages).get(CLOUD["supplier_set"], {"supplier_id": "S1"})
    assert (got["payment_terms"], bool(etag)) == ("30", True)


def test_what_a_record_is_joined_by_may_be_any_field_of_it(pages: Sandbox) -> None:
    """The company of an order is its site's: here the voucher-like set is that of customers, joined by a number."""
    pages.ifs.put("PurchaseOrderSet", order("P1", "10", VendorNo="C1"))
    pages.ifs.put("PurchaseOrderSet", order("P2", "10", VendorNo="C2"))
    pages.ifs.put("CustomerSet", {"CustomerId": "C1", "Name": "0020"})
    child = {"set": "CustomerInfoSet", "projection": "CustomerHandling", "on": {"vendor_no": "CustomerId"}}
    said = EntitySetSettings.model_validate({"children": [{**child, "fields": {"company": "Name"}}]})
    entity = ifs.catalogue({"purchase_order_set": said}, "cloud")["purchase_order_set"]
    rows, _ = Reader(cloud(pages))(entity, TODAY, Memory())
    assert {row["order_no"]: (row["company"], row["vendor_no"]) for row in rows} == {
        "P1": ("0020", "C1"),
        "P2": (None, "C2"),
    }


COMPANIES = {"navigation": "SupplierInvoiceCompanies", "fields": {"payment_terms": "PayTermId"}}


@pytest.mark.parametrize("company, terms", [("0010", "30"), ("20", "10")])
def test_of_several_companies_rows_that_of_the_named_one_counts(pages: Sandbox, company: str, terms: str) -> None:
    pages.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "One", "PaymentTerms": "30", "CurrencyCode": "EUR"})
    said = EntitySetSettings.model_validate({"children": [{**COMPANIES, "company": company}]})
    entity = ifs.catalogue({"supplier_set": said}, "cloud")["supplier_set"]
    rows, _ = Reader(cloud(pages))(entity, TODAY, Memory())
    assert [row["payment_terms"] for row in rows] == [terms]


def test_rows_of_several_companies_that_differ_hold_the_supplier_until_one_is_named(pages: Sandbox) -> None:
    pages.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "One", "PaymentTerms": "30", "CurrencyCode": "EUR"})
    said = EntitySetSettings.model_validate({"children": [COMPANIES]})
    entity = ifs.catalogue({"supplier_set": said}, "cloud")["supplier_set"]
    (row,), _ = Reader(cloud(pages))(entity, TODAY, Memory())
    assert row["payment_terms"] is None and "SupplierInvoiceCompanies" in row["unreadable"]
    assert '"key": "S1"' in row["unreadable"] and "ifs.entity_sets.supplier_set.children" in row["unreadable"]


# --- headers that are made of rows ------------------------------------------------------------------------------------


def voucher(number: int, rows: int, **more: Any) -> dict[str, Any]:
    below = [{"Account": "4010", "DebitAmount": Decimal(at + 1), "Text": f"row {at}"} for at in range(rows)]
    head = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026, "VoucherNo": number}
    return {**head, "VoucherDate": "2026-11-05", "UserGroup": "AC", "VoucherRows": below, **more}


@pytest.mark.parametrize("page_size", [1, 3, 7, 5_000])
def test_a_voucher_is_whole_wherever_a_page_of_rows_ends(pages: Sandbox, page_size: int) -> None:
    for number in range(1, 9):
        pages.ifs.put("VoucherSet", voucher(number, number, ExternalRef=f"PR-{number}"))
    rows, _ = reading(pages, CLOUD["voucher_set"], Memory(), page_size=page_size)
    assert sorted((row["voucher_no"], len(row["lines"])) for row in rows) == [(n, n) for n in range(1, 9)]
    (one,) = (row for row in rows if row["voucher_no"] == 3)
    assert (one["external_ref"], one["user_group"], one["voucher_date"]) == ("PR-3", "AC", date(2026, 11, 5))
    assert [(line["row_no"], line["debit_amount"], line["text"]) for line in one["lines"]] == [
        (1, Decimal(1), "row 0"),
        (2, Decimal(2), "row 1"),
        (3, Decimal(3), "row 2"),
    ]
    assert {row["last_modified"] for row in rows} == {None} and {row["obj_state"] for row in rows} == {None}


def test_amounts_of_twenty_decimals_keep_every_digit(pages: Sandbox) -> None:
    given = voucher(1, 2)
    given["VoucherRows"][0]["DebitAmount"] = SHORT
    given["VoucherRows"][1]["DebitAmount"] = Decimal("123456789012345678.12345678901234567891")
    pages.ifs.put("VoucherSet", given)
    (row,), _ = reading(pages, CLOUD["voucher_set"], Memory())
    assert row["unreadable"] is None
    assert [line["debit_amount"] for line in row["lines"]] == [
        SHORT,
        Decimal("123456789012345678.12345678901234567891"),
    ]


def test_a_row_that_does_not_say_what_voucher_it_is_of_is_held_and_no_other_with_it() -> None:
    head = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026}
    rows = [{**head, "VoucherNo": number, "RowNo": 1, "@odata.etag": f'W/"{number}"'} for number in (1, "none", 3)]

    def answer(request: httpx.Request) -> httpx.Response:
        condition = request.url.params.get("$filter", "")
        if " gt " in condition or "$skip" in request.url.params:
            return httpx.Response(200, json={"value": []})
        found = rows if not condition else [row for row in rows if f"VoucherNo eq {row['VoucherNo']}" in condition]
        return httpx.Response(200, json={"value": found})

    with respx.mock as routes:
        routes.route().mock(side_effect=answer)
        client = IfsClient(ApiClient("ifs", "https://erp.test/main", classify=classify), clock=lambda: NOW)
        found, pull = Reader(client)(CLOUD["voucher_set"], TODAY, Memory())
    assert sorted(row["voucher_no"] or 0 for row in found) == [0, 1, 3]
    (held,) = (row for row in found if row["unreadable"])
    assert "VoucherNo" in held["unreadable"] and '"none"' in held["unreadable"]
    assert pull.unreadable == 1


def test_only_vouchers_of_which_a_row_changed_are_news(pages: Sandbox) -> None:
    memory = Memory()
    for number in (1, 2):
        pages.ifs.put("VoucherSet", voucher(number, 3))
    reading(pages, CLOUD["voucher_set"], memory)
    changed = voucher(2, 3)
    changed["VoucherRows"][2]["Text"] = "corrected"
    pages.ifs.put("VoucherSet", changed)
    later = Reader(client_of(pages, catalogue=CLOUD, clock=lambda: datetime(2026, 11, 6, 12, tzinfo=UTC)))
    rows, _ = later(CLOUD["voucher_set"], Scope("2026-11-06", Window.day(date(2026, 11, 6))), memory)
    assert [(row["voucher_no"], row["lines"][2]["text"]) for row in rows] == [(2, "corrected")]


def test_a_voucher_is_found_by_the_reference_of_its_rows(pages: Sandbox) -> None:
    for number in (1, 2, 3):
        pages.ifs.put("VoucherSet", voucher(number, 2, ExternalRef=f"PR-{number}"))
    client, entity = cloud(pages), CLOUD["voucher_set"]
    (found,) = client.find(entity, external_ref="PR-2")
    assert (found[0]["voucher_no"], len(found[0]["lines"])) == (2, 2)
    many = client.find_many(entity, "external_ref", ["PR-1", "PR-3", "PR-9"], company="0010")
    assert sorted(row["voucher_no"] for row, _ in many) == [1, 3]
    key = {"company": "0010", "voucher_type": "M", "accounting_year": 2026, "voucher_no": 3}
    assert client.get(entity, key)[0]["external_ref"] == "PR-3"
    assert len(client.every(entity)) == 3
    with pytest.raises(Misconfigured, match=r"obj_state.*none"):
        client.find(entity, obj_state="Approved")


# --- one record from several sets -------------------------------------------------------------------------------------


def test_code_parts_of_nine_sets_are_one_set_of_a_company(pages: Sandbox) -> None:
    for company, part, value in (("0010", "B", "100"), ("0010", "C", "100"), ("0030", "B", "300"), ("0010", "J", "X")):
        row = {"Company": company, "CodePart": part, "CodePartValue": value, "Description": f"{part} {value}"}
        pages.ifs.put("CodePartValueSet", row)
    entity = CLOUD["code_part_value_set"]
    rows, pull = Reader(cloud(pages))(entity, Scope("0010", company="0010"))
    assert [(row["code_part"], row["code_part_value"], row["description"]) for row in rows] == [
        ("B", "100", "B 100"),
        ("C", "100", "C 100"),
        ("J", "X", "J X"),
    ]
    assert pull.duplicate_keys == 0
    found = cloud(pages).find_many(entity, "code_part_value", ["100", "300"])
    assert sorted((row["company"], row["code_part"]) for row, _ in found) == [
        ("0010", "B"),
        ("0010", "C"),
        ("0030", "B"),
    ]
    one, _ = cloud(pages).get(entity, {"company": "0010", "code_part": "C", "code_part_value": "100"})
    assert one["description"] == "C 100"


def test_what_an_account_demands_is_read(pages: Sandbox) -> None:
    pages.ifs.put("AccountSet", {"Company": "0010", "Account": "4010", "ReqCodeB": "Mandatory"})
    rows, _ = Reader(cloud(pages))(CLOUD["account_set"], Scope("0010", company="0010"))
    assert [(row["req_code_b"], row["req_code_c"], row["tax_code_mandatory"]) for row in rows] == [
        ("Mandatory", "Can", False)
    ]


def test_a_company_that_the_service_account_may_not_see_is_empty_and_no_error(pages: Sandbox) -> None:
    pages.ifs.put("AccountSet", {"Company": "0099", "Account": "4010"})
    assert Reader(cloud(pages))(CLOUD["account_set"], Scope("0099", company="0099"))[0] == []


# --- all of it --------------------------------------------------------------------------------------------------------


def test_every_set_that_the_tenant_has_is_as_the_catalogue_of_ifs_cloud_says(pages: Sandbox) -> None:
    client = cloud(pages)
    reports = {name: client.schema_report(entity) for name, entity in CLOUD.items()}
    assert {name: report.gone for name, report in reports.items() if report.gone} == {}
    assert {name for name, report in reports.items() if report.untold} == {
        "posting_proposal_head_set",
        "supplier_invoice_set",
        "customer_invoice_set",
        "posted_voucher_set",
        "receipt_info_set",
    }


def test_a_set_that_the_tenant_does_not_have_is_not_asked_for(pages: Sandbox) -> None:
    client = cloud(pages)
    with pytest.raises(Misconfigured, match=r"ifs/supplier_invoice_set: .* the tenant has none"):
        client.find(CLOUD["supplier_invoice_set"], invoice_no="1")
    assert sum(pages.calls("ifs").values()) == 0


# --- surfaces ---------------------------------------------------------------------------------------------------------


def test_lines_of_an_entity_service_are_joined_to_headers_of_a_projection() -> None:
    """Orders on /main and all their lines on /int, whose set is activated (profile `entity`)."""
    with tenant("ifs.entity") as box:
        box.ifs.put("PurchaseOrderSet", order("P1", "10.50", "7", "1"))
        lines = {"set": "PurchaseOrderLineSet", "projection": "PurchaseOrderLineEntity", "surface": "int"}
        said = {"expand": "never", "lines": lines}
        content = {"base_url": f"{box.url}/ifs", "token_url": f"{box.url}{TOKEN}", "catalogue": "cloud"}
        section = IfsSettings.model_validate({**content, "entity_sets": {"purchase_order_set": said}})
        client = ifs_client(section, "sandbox", "sandbox-secret", lambda _, calls, seconds: LocalBudget(calls, seconds))
        entity = ifs.catalogue_for(section)["purchase_order_set"]
        (row,), _ = Reader(client)(entity, TODAY)
        assert [line["line_amount"] for line in row["lines"]] == [Decimal("10.5"), Decimal(7), Decimal(1)]
        assert row["total_amount"] == Decimal("18.5")


# --- what may be entered twice ----------------------------------------------------------------------------------------


def test_vouchers_that_carry_one_reference_are_found_by_their_rows(pages: Sandbox) -> None:
    for number, reference in ((1, "PR-7"), (2, "PR-8"), (3, "PR-7")):
        pages.ifs.put("VoucherSet", voucher(number, 3, ExternalRef=reference))
    scan = cloud(pages, page_size=2).scan_documents(ENTRIES, NOW - timedelta(days=1), {})  # type: ignore[arg-type]
    found = sorted((each.reference, each.id) for each in scan.documents)
    assert found == [("PR-7", "0010/M/2026/1"), ("PR-7", "0010/M/2026/3"), ("PR-8", "0010/M/2026/2")]


# --- types of keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, kind, text",
    [
        ("4010", "Edm.Decimal", "4010"),
        ("4010", "Edm.String", "'4010'"),
        (2026, "Edm.Decimal", "2026"),
        (2026, "Edm.String", "'2026'"),
        ("0e5f1c1e-0000-4000-8000-000000000001", "Edm.Guid", "0e5f1c1e-0000-4000-8000-000000000001"),
        ("Supplier", "IfsApp.SupplierHandling.PartyType", "IfsApp.SupplierHandling.PartyType'Supplier'"),
        ("O'Hara", "IfsApp.X.Name", "IfsApp.X.Name'O''Hara'"),
        ("1 or 1 eq 1", "Edm.Decimal", "'1 or 1 eq 1'"),
        (date(2026, 11, 5), "Edm.DateTimeOffset", "2026-11-05T00:00:00Z"),
        (datetime(2026, 11, 5, 8, tzinfo=UTC), "Edm.Date", "2026-11-05"),
        (None, "Edm.Decimal", "null"),
        (True, "Edm.String", "true"),
    ],
)
def test_a_value_is_written_as_the_type_of_its_column_has_it(value: object, kind: str, text: str) -> None:
    assert literal(value, kind) == text


def test_a_key_that_is_refused_is_asked_for_again_by_the_type_that_metadata_tells() -> None:
    """Proposal numbers are texts on this tenant: a bare number is 400 there."""
    asked: list[str] = []
    metadata = (
        '<Edmx xmlns="e"><DataServices><Schema xmlns="s" Namespace="IfsApp.P"><EntityType Name="Head">'
        '<Property Name="Company" Type="Edm.String"/><Property Name="ProposalId" Type="Edm.String"/></EntityType>'
        '<EntityContainer Name="C"><EntitySet Name="PostingProposalHeadSet" EntityType="IfsApp.P.Head"/>'
        "</EntityContainer></Schema></DataServices></Edmx>"
    )

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/$metadata"):
            return httpx.Response(200, content=metadata, headers={"content-type": "application/xml"})
        asked.append(str(request.url.params["$filter"]))
        if "ProposalId eq '7'" not in asked[-1]:
            return httpx.Response(400, json={"error": {"code": "ODP", "message": "Malformed Request."}})
        return httpx.Response(200, json={"value": [{"Company": "0010", "ProposalId": "7", "@odata.etag": 'W/"1"'}]})

    with respx.mock(assert_all_called=False) as routes:
        routes.route().mock(side_effect=answer)
        client = IfsClient(ApiClient("ifs", "https://erp.test/main", classify=classify))
        (found,) = client.find(ifs.POSTING_PROPOSALS, company="0010", proposal_id=7)
        (again,) = client.find(ifs.POSTING_PROPOSALS, company="0010", proposal_id=7)
    assert found == again and found[0]["proposal_id"] == 7
    assert asked == [
        "Company eq '0010' and ProposalId eq 7",
        "Company eq '0010' and ProposalId eq '7'",
        "Company eq '0010' and ProposalId eq '7'",
    ]


# --- sweeps without ETags ---------------------------------------------------------------------------------------------


def test_rows_without_etags_are_news_only_when_something_of_them_changed() -> None:
    """The version of such a row is a hash of all that is read of it."""
    rows = {f"S{n}": f"name {n}" for n in range(7)}

    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        wanted = [] if " gt " in asked.get("$filter", "") or "$skip" in asked else sorted(rows)
        return httpx.Response(200, json={"value": [{"SupplierId": key, "Name": rows[key]} for key in wanted]})

    memory = Memory()
    entity = ifs.catalogue({"supplier_set": EntitySetSettings(delta="sweep")})["supplier_set"]

    def read(day: int) -> list[str]:
        at = datetime(2026, 11, day, 12, tzinfo=UTC)
        with respx.mock(assert_all_called=False) as routes:
            routes.route().mock(side_effect=answer)
            client = IfsClient(ApiClient("ifs", "https://erp.test/main", classify=classify), clock=lambda: at)
            scope = Scope(str(at.date()), Window.day(at.date()))
            return [row["supplier_id"] for row in Reader(client)(entity, scope, memory)[0]]

    assert read(5) == sorted(rows)
    assert read(6) == []
    rows["S3"] = "another name"
    assert read(7) == ["S3"]
