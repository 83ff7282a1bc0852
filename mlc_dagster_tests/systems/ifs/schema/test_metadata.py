"""$metadata in every form that servers give it, and reads that go on where there is none; each names its fields."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from mlc_dagster.core.vocabulary import Scope, Window
from mlc_dagster.sandbox import Sandbox, Tenant
from mlc_dagster.sandbox.ifs.metadata import csdl, edmx
from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.ifs.rows import RowSet
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.client import IfsClient, classify
from mlc_dagster.systems.ifs.schema.csdl import MetadataModel, UnreadMetadata, read_metadata
from mlc_dagster.systems.ifs.schema.metadata import SchemaReport
from mlc_dagster.transport.client import ApiClient
from mlc_dagster_tests.systems.ifs.conftest import DAY, TEN, Memory, Reader, client_of
from mlc_dagster_tests.systems.loopback import Asked, Loopback, answers

Start = Callable[..., Sandbox]

XML = """<?xml version="1.0" encoding="{encoding}"?>
<{prefix}Edmx Version="{version}" xmlns{colon}="{space}"><{prefix}DataServices>
<Schema xmlns="{schema}" Namespace="Erp" Alias="Self">
<TypeDefinition Name="Code" UnderlyingType="Edm.String"/>
<EntityType Name="Base" Abstract="true">
<Key><PropertyRef Name="Id"/></Key><Property Name="Id" Type="Self.Code"/></EntityType>
<EntityType Name="Supplier" BaseType="Self.Base"><Property Name="N\u00e4me" Type="Edm.String"/></EntityType>
<EntityContainer Name="Container"><EntitySet Name="SupplierSet" EntityType="Self.Supplier"/></EntityContainer>
</Schema></{prefix}DataServices></{prefix}Edmx>"""
OASIS = {"space": "http://docs.oasis-open.org/odata/ns/edmx", "schema": "http://docs.oasis-open.org/odata/ns/edm"}
MICROSOFT = {
    "space": "http://schemas.microsoft.com/ado/2007/06/edmx",
    "schema": "http://schemas.microsoft.com/ado/2009/11/edm",
}


def xml(encoding: str = "utf-8", prefix: str = "edmx:", version: str = "4.0", spaces: Any = None) -> bytes:
    colon = f":{prefix[:-1]}" if prefix else ""
    text = XML.format(encoding=encoding, prefix=prefix, colon=colon, version=version, **(spaces or OASIS))
    return text.encode(encoding)


def as_json(version: str, supplier: dict[str, Any], entity_set: dict[str, Any]) -> bytes:
    base = {"$Kind": "EntityType", "$Abstract": True, "$Key": ["Id"], "Id": {"$Type": "Self.Code", "$Nullable": False}}
    erp = {
        "$Alias": "Self",
        "Code": {"$Kind": "TypeDefinition", "$UnderlyingType": "Edm.String"},
        "Base": base,
        "Supplier": {"$Kind": "EntityType", "$BaseType": "Self.Base", **supplier},
        "Block": [{"$Kind": "Action", "$IsBound": True}],
        "Container": {"$Kind": "EntityContainer", "SupplierSet": entity_set, "Me": {"$Type": "Self.Supplier"}},
    }
    more = {"$EntityContainer": "Erp.Container", "$Reference": {"https://other.test": {}}}
    return json.dumps({"$Version": version, **more, "Erp": erp, "@x": {}}, ensure_ascii=False).encode()


STANDARD = as_json(
    "4.01",
    {"N\u00e4me": {"$Nullable": True}, "Owner": {"$Kind": "NavigationProperty", "$Type": "Self.Supplier"}},
    {"$Collection": True, "$Type": "Self.Supplier", "$NavigationPropertyBinding": {"Owner": "SupplierSet"}},
)
OLINGO = as_json("4.01", {"N\u00e4me": {"$Type": "Edm.String"}}, {"$Kind": "EntitySet", "$Type": "Self.Supplier"})


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(xml(), id="XML"),
        pytest.param(xml("utf-16"), id="XML in UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + xml(), id="XML with a byte order mark"),
        pytest.param(b"\n " + xml().partition(b"?>")[2], id="XML without a declaration"),
        pytest.param(xml(prefix=""), id="XML with a default namespace"),
        pytest.param(xml(spaces=MICROSOFT, version="1.0"), id="XML of an older version"),
        pytest.param(STANDARD, id="JSON by the standard"),
        pytest.param(STANDARD.replace(b"4.01", b"4.0"), id="JSON 4.0"),
        pytest.param(OLINGO, id="JSON as Olingo writes it"),
    ],
)
def test_metadata_is_read_in_every_form(content: bytes) -> None:
    found = read_metadata(content)
    assert isinstance(found, MetadataModel), found
    assert found.properties("SupplierSet") == {"Id": "Edm.String", "N\u00e4me": "Edm.String"}
    assert found.properties("CustomerSet") is None and list(found.sets) == ["SupplierSet"]


@pytest.mark.parametrize("kind", [edmx, csdl])
def test_xml_and_json_of_one_service_say_the_same(kind: Callable[..., bytes]) -> None:
    tenant = Tenant()
    orders = next(rows for rows in (RowSet(kind) for kind in _kinds()) if rows.kind.set == "PurchaseOrderSet")
    served = [Collection(tenant, orders), Collection(tenant, orders).lines()]
    expected, found = (read_metadata(made("PurchaseOrderHandling", served)) for made in (edmx, kind))
    assert isinstance(expected, MetadataModel) and isinstance(found, MetadataModel)
    assert {name: found.properties(name) for name in found.sets} == {
        name: expected.properties(name) for name in expected.sets
    }
    assert len(found.sets) == 2


def _kinds() -> Any:
    from mlc_dagster.sandbox.ifs.catalogue import KINDS

    return KINDS


ORDERS = """<Edmx Version="4.0"><DataServices><Schema Namespace="IfsApp.Orders">
<EntityType Name="Order"><Key><PropertyRef Name="OrderNo"/></Key><Property Name="OrderNo" Type="Edm.String"/>
<NavigationProperty Name="LineArray" Type="Collection(IfsApp.Orders.Line)"/>
<NavigationProperty Name="CompanyRef" Type="IfsApp.Orders.Line">
<ReferentialConstraint Property="A"/></NavigationProperty>
</EntityType>
<EntityType Name="Line"><Key><PropertyRef Name="OrderNo"/><PropertyRef Name="LineNo"/></Key></EntityType>
<EntityType Name="Confirmed" BaseType="IfsApp.Orders.Order"/>
<ComplexType Name="OrderCopyValues"><Property Name="OrderNo" Type="Edm.String"/></ComplexType>
<Action Name="Order_Release" IsBound="true"><Parameter Name="o" Type="IfsApp.Orders.Order"/></Action>
<Action Name="Order_All" IsBound="true"><Parameter Name="o" Type="Collection(IfsApp.Orders.Order)"/></Action>
<Action Name="Unbound"><Parameter Name="o" Type="IfsApp.Orders.Order"/></Action>
<EntityContainer Name="DefaultContainer"><EntitySet Name="OrderSet" EntityType="IfsApp.Orders.Order"/></EntityContainer>
</Schema></DataServices></Edmx>"""
ORDERS_JSON = {
    "Order": {
        "$Kind": "EntityType",
        "$Key": ["OrderNo"],
        "OrderNo": {},
        "LineArray": {"$Kind": "NavigationProperty", "$Collection": True, "$Type": "IfsApp.Orders.Line"},
        "CompanyRef": {"$Kind": "NavigationProperty", "$Type": "IfsApp.Orders.Line"},
    },
    "Line": {"$Kind": "EntityType", "$Key": ["OrderNo", "LineNo"]},
    "Confirmed": {"$Kind": "EntityType", "$BaseType": "IfsApp.Orders.Order"},
    "Order_Release": [{"$Kind": "Action", "$IsBound": True, "$Parameter": [{"$Type": "IfsApp.Orders.Order"}]}],
    "Order_All": [
        {"$Kind": "Action", "$IsBound": True, "$Parameter": [{"$Type": "IfsApp.Orders.Order", "$Collection": True}]}
    ],
    "Unbound": [{"$Kind": "Action", "$Parameter": [{"$Type": "IfsApp.Orders.Order"}]}],
    "DefaultContainer": {"$Kind": "EntityContainer", "OrderSet": {"$Collection": True, "$Type": "IfsApp.Orders.Order"}},
}


@pytest.mark.parametrize("content", [ORDERS.encode(), json.dumps({"IfsApp.Orders": ORDERS_JSON}).encode()])
def test_keys_arrays_and_actions_of_a_type_are_told_those_of_its_base_too(content: bytes) -> None:
    model = read_metadata(content)
    assert isinstance(model, MetadataModel)
    assert list(model.sets) == ["OrderSet"] and "IfsApp.Orders.OrderCopyValues" not in model.kinds
    for kind in ("IfsApp.Orders.Order", "IfsApp.Orders.Confirmed"):
        assert model.keys_of(kind) == ("OrderNo",)
        assert model.properties_of(kind) == {"OrderNo": "Edm.String"}
        assert model.navigations_of(kind)["LineArray"] == "Collection(IfsApp.Orders.Line)"
        assert model.navigations_of(kind)["CompanyRef"] == "IfsApp.Orders.Line"
        assert model.actions_of(kind) == ("Order_Release",)
    assert model.keys_of("IfsApp.Orders.Line") == ("OrderNo", "LineNo")
    assert model.actions_of("IfsApp.Orders.Line") == () == model.keys_of("IfsApp.Orders.None")


def test_a_type_that_is_its_own_base_ends() -> None:
    found = read_metadata(xml().replace(b'Abstract="true"', b'BaseType="Self.Supplier"'))
    assert isinstance(found, MetadataModel) and set(found.properties("SupplierSet") or ()) == {"Id", "N\u00e4me"}


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "an empty answer"),
        (b"<!DOCTYPE html><html><body><p>Sign in<br></body></html>", "a web page"),
        (b"<html><body/></html>", "a web page"),
        (b'<?xml version="1.0"?><service xmlns="http://www.w3.org/2007/app"/>', "XML that holds no schema (service)"),
        (xml()[:300], "no XML that can be read"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "no XML that can be read"),
        (b"Not found", "no XML that can be read"),
        (b"\x1f\x8b\x08\x00", "no XML that can be read"),
        (b'{"value": [{"name": "SupplierSet", "kind": "EntitySet"}]}', "JSON that holds no entity set"),
        (b'{"$Version": "4.01"', "no JSON that can be read"),
        (b'{"a":' * 100_000, "no JSON that can be read"),
        (b'{"E": {"$Kind": 7, "C": {"$Kind": "EntityContainer", "S": {"$Type": null}}}}', "no entity set"),
    ],
)  # fmt: skip
def test_what_is_no_metadata_is_said_in_words(content: bytes, words: str) -> None:
    found = read_metadata(content)
    assert isinstance(found, UnreadMetadata) and words in found.why


# --- a tenant's, over HTTP --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metadata", ["xml", "by accept", "406", "json"])
def test_every_form_of_a_tenants_metadata_gives_the_same_report_and_the_rows_are_read(
    start: Start, metadata: str
) -> None:
    box = start(metadata=metadata, fields={"PurchaseOrderLineSet": {"TaxCode": "VatCode"}})
    box.ifs.put("PurchaseOrderSet", {"OrderNo": "P1", "Cf_Rating": "A", "PurchaseOrderLines": [{"LineNo": "1"}]}, TEN)
    client = client_of(box)
    report = client.schema_report(ifs.PURCHASE_ORDERS)
    rows, _ = Reader(client)(ifs.PURCHASE_ORDERS)
    assert (report.gone, report.changed, report.untold) == (("lines.tax_code",), {}, "")
    assert {"Cf_Rating", "PurchaseOrderLineSet.VatCode"} <= set(report.new)
    assert [(row["order_no"], len(row["lines"])) for row in rows] == [("P1", 1)]


@pytest.mark.parametrize(
    "tenant, words", [("none", "404"), ("page", "GET /SupplierHandling.svc/$metadata answers a web page")]
)
def test_where_there_is_no_metadata_the_rows_are_read_and_it_is_said_once(
    start: Start, caplog: pytest.LogCaptureFixture, tenant: str, words: str
) -> None:
    box = start(metadata=tenant)
    box.ifs.put("SupplierSet", {"SupplierId": "S1"}, TEN)
    client = client_of(box)
    with caplog.at_level(logging.WARNING, "mlc_dagster.ifs"):
        reports = [client.schema_report(ifs.SUPPLIERS) for _ in range(3)]
        rows, _ = Reader(client)(ifs.SUPPLIERS)
    assert [row["supplier_id"] for row in rows] == ["S1"]
    assert all(words in report.untold for report in reports) and reports[0].gone == ()
    (told,) = caplog.messages
    assert told.startswith("SupplierHandling: the fields are not compared with the tenant's: ") and words in told


def test_a_right_to_metadata_that_is_lacking_stops_no_read(start: Start) -> None:
    box = start()
    box.ifs.put("SupplierSet", {"SupplierId": "S1"}, TEN)
    box.faults.add(system="ifs", path="$metadata", status=403, times=None, body="no")
    client = client_of(box)
    assert "403" in client.schema_report(ifs.SUPPLIERS).untold
    assert len(Reader(client)(ifs.SUPPLIERS)[0]) == 1


def test_an_outage_of_metadata_is_waited_for_as_any_other(start: Start) -> None:
    box = start()
    fault = box.faults.add(system="ifs", path="$metadata", status=503, times=2, headers={"Retry-After": "0"})
    assert client_of(box).schema_report(ifs.SUPPLIERS) == SchemaReport() and fault.hits == 2


def told_by(answer: Callable[[Asked], bytes]) -> tuple[SchemaReport, list[str]]:
    """The report of a server that answers so, and the Accept headers that it got."""
    asked: list[str] = []

    def exchange(call: Asked) -> bytes:
        asked.append(call.headers["accept"])
        return answer(call)

    with Loopback(exchange).running() as server, ApiClient("ifs", server.url, classify=classify) as api:
        return IfsClient(api).schema_report(ifs.SUPPLIERS), asked


def test_a_server_that_gives_json_alone_is_asked_again() -> None:
    def json_alone(call: Asked) -> bytes:
        if "json" not in call.headers["accept"]:
            return answers(406, {"error": {"code": "NA", "message": "XML is not served."}})
        return answers(200, json.loads(OLINGO))

    report, asked = told_by(json_alone)
    assert asked == ["application/xml", "application/json"]
    assert not report.untold and "name" in report.gone and report.new == ("Id", "N\u00e4me")


def test_a_server_that_refuses_both_is_told_by_its_first_words() -> None:
    report, asked = told_by(lambda _: answers(406, {"error": {"code": "NA", "message": "Never."}}))
    assert len(asked) == 2 and "406" in report.untold and "Never." in report.untold


def test_zipped_metadata_is_read() -> None:
    packed = gzip.compress(xml())
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}"
    )
    report, _ = told_by(lambda _: f"{head}\r\n\r\n".encode() + packed)
    assert report.new == ("Id", "N\u00e4me")


def test_a_set_whose_type_is_described_elsewhere_is_read_as_it_is() -> None:
    report, _ = told_by(lambda _: answers(200, json.loads(OLINGO.replace(b'"Supplier":', b'"Vendor":'))))
    assert report.gone == () and "names the type Self.Supplier, and does not describe it" in report.untold


# --- $select ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Every request that leaves."""
    sent: list[httpx.Request] = []
    send = httpx.Client.send

    def recorded(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        sent.append(request)
        return send(self, request, **options)

    monkeypatch.setattr(httpx.Client, "send", recorded)
    return sent


def without_fields(sent: list[httpx.Request]) -> list[str]:
    """GETs of rows that do not name their fields, nested ones included."""
    reads = [each.url for each in sent if each.method == "GET" and ".svc/" in each.url.path]
    rows = [url for url in reads if not url.path.endswith(("$metadata", "$count"))]
    assert rows, "rows were read"
    bare = [str(url) for url in rows if not parse_qs(url.query.decode()).get("$select")]
    nested = [
        str(url)
        for url in rows
        if "$expand" in str(url) and "($select=" not in parse_qs(url.query.decode())["$expand"][0]
    ]
    return bare + nested


@pytest.mark.parametrize(
    "tenant",
    [{}, {"expand": False}, {"count": False}, {"next_link": True}, {"metadata": "by accept"}],
    ids=["usual", "lines apart", "no count", "nextLink", "metadata by accept"],
)
def test_every_read_of_rows_names_its_fields(start: Start, asked: list[httpx.Request], tenant: dict[str, Any]) -> None:
    box = start(**tenant)
    for number in range(7):
        lines = [{"LineNo": "1"}, {"LineNo": "2"}]
        box.ifs.put("PurchaseOrderSet", {"OrderNo": f"P{number}", "PurchaseOrderLines": lines}, TEN)
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "Acme"}, TEN)
    box.ifs.put("AccountSet", {"Company": "0010", "Account": "4010"}, TEN)
    client = client_of(box, page_size=6)
    Reader(client)(ifs.PURCHASE_ORDERS)
    Reader(client)(ifs.ACCOUNTS, Scope("0010", company="0010"))
    client.get(ifs.PURCHASE_ORDERS, {"order_no": "P1"})
    client.find(ifs.PURCHASE_ORDERS, order_no="P1")
    client.find(ifs.SUPPLIERS, most=1)
    client.find_many(ifs.PURCHASE_ORDERS, "order_no", ["P1", "P2"])
    client.every(ifs.SUPPLIERS)
    client.changed_since(ifs.PURCHASE_ORDERS, TEN)
    client.modify(ifs.SUPPLIERS, {"supplier_id": "S1"}, lambda row: {"name": "Other"} if row["name"] == "Acme" else {})
    assert without_fields(asked) == []


def test_a_sweep_names_its_fields_too(start: Start, asked: list[httpx.Request]) -> None:
    from dataclasses import replace

    box = start(modified=False)
    box.ifs.put("SupplierSet", {"SupplierId": "S1"})
    today = DAY.today()
    swept = replace(ifs.SUPPLIERS, delta="sweep", modified=None)
    rows, _ = Reader(client_of(box))(swept, Scope(today.isoformat(), Window.day(today)), Memory())
    assert len(rows) == 1 and without_fields(asked) == []
