"""A tenant that tells what it has and gives one row of it: services, sets, arrays and rights as a test says them.

It is written from facts/ifs-tenants.md, sections 2, 3 and 8, and knows nothing of how it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import quoteattr

from mlc_dagster_tests.systems.loopback import Asked, Loopback, Wire, answers

MAIN, INT = "/ifs/main/ifsapplications/projection/v1", "/ifs/int/ifsapplications/entity/v1"
TYPES = {"d": "Edm.Date", "n": "Edm.Decimal", "b": "Edm.Boolean", "t": "Edm.DateTimeOffset", "i": "Edm.Int32"}
META = "luname keyref Objgrants"


@dataclass
class Kind:
    """An entity type: `"Company AccountingYear:n"`; types d, n, b, t, i, else text; `e` an enumeration."""

    keys: str
    fields: str = ""
    arrays: Mapping[str, Kind] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    rows: int = 1


@dataclass
class FakeTenant:
    main: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict)  # projection -> set -> type
    int: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict)
    listed: tuple[str, ...] | None = None  # what AllProjections lists; None: it is not granted
    column: str = "ProjectionName"
    instead: Mapping[str, bytes | Wire] = field(default_factory=dict)  # a part of the address: what is answered there
    lines: list[Asked] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[Loopback]:
        with Loopback(self.reply).running() as server:
            yield server

    def reply(self, asked: Asked) -> bytes | Wire:
        path, query = urlsplit(asked.target).path, parse_qs(urlsplit(asked.target).query)
        for part, answer in self.instead.items():
            if part in path:
                return answer
        if path.endswith("/token"):
            return answers(body={"access_token": "a.b.c", "expires_in": 180, "token_type": "Bearer"})
        assert asked.line.startswith("GET "), f"{asked.line}: a discovery reads only"
        if "/AllProjections.svc/" in path:
            return self._listing(path, query)
        surface, services = (INT, self.int) if path.startswith(INT) else (MAIN, self.main)
        service, _, rest = path.removeprefix(f"{surface}/").partition(".svc/")
        if service not in services:
            return refusal(404, "Metadata not found.")
        if rest == "$metadata":
            return edmx(service, services[service])
        kind = services[service].get(rest)
        return refusal(404, f"no {rest}") if kind is None else self._rows(kind, query)

    def _listing(self, path: str, query: Mapping[str, list[str]]) -> bytes:
        if self.listed is None:
            return refusal(403, "not granted")
        if path.endswith("$metadata"):
            return edmx("AllProjections", {"Projections": Kind(self.column, "Description ApiClass")})
        first, most = int_of(query, "$skip", 0), int_of(query, "$top", 100)
        rows = [{self.column: name, "Description": f"The {name}"} for name in self.listed[first : first + most]]
        return answers(body={"value": rows})

    def _rows(self, kind: Kind, query: Mapping[str, list[str]]) -> bytes:
        assert query["$top"] == ["1"], query
        known = {name for name, _ in properties(kind)}
        for name in query["$select"][0].split(","):
            if name not in known:
                return refusal(400, f"The property '{name}' is not defined")
        return answers(body={"value": [{"@odata.etag": 'W/"1"'}] * kind.rows})


def int_of(query: Mapping[str, list[str]], name: str, usual: int) -> int:
    return int(query.get(name, [str(usual)])[0])


def refusal(status: int, message: str) -> bytes:
    return answers(status, {"error": {"code": "X", "message": message}})


def properties(kind: Kind) -> Iterator[tuple[str, str]]:
    for word in f"{META} {kind.keys} {kind.fields}".split():
        name, _, its = word.partition(":")
        yield name, its


def edmx(service: str, sets: Mapping[str, Kind]) -> bytes:
    """As recorded: no Nullable, CopyValues and Dec types beside the entities, functions imported."""
    space, types, entries, actions = f"IfsApp.{service}", "", "", ""
    every: dict[str, Kind] = {name.removesuffix("Set"): kind for name, kind in sets.items()}
    for name, kind in list(every.items()):
        every |= {f"{name}{array}": below for array, below in kind.arrays.items()}
    for name, kind in every.items():
        types += _entity(space, name, kind) + f'<ComplexType Name="{name}CopyValues">{_own(kind, space)}</ComplexType>'
        actions += "".join(
            f'<Action Name="{each}" IsBound="true"><Parameter Name="x" Type="{space}.{name}"/></Action>'
            for each in kind.actions
        )
    entries = "".join(f'<EntitySet Name="{name}" EntityType="{space}.{name.removesuffix("Set")}"/>' for name in sets)
    entries += '<FunctionImport Name="GetNothing" Function="GetNothing" IncludeInServiceDocument="true"/>'
    document = (
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="{space}">{types}'
        f'<EnumType Name="Flag"><Member Name="On"/></EnumType>{actions}'
        f'<EntityContainer Name="DefaultContainer">{entries}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )
    return answers(body=document.encode(), headers={"Content-Type": "application/xml"})


def _entity(space: str, name: str, kind: Kind) -> str:
    keys = "".join(f"<PropertyRef Name={quoteattr(word.partition(':')[0])}/>" for word in kind.keys.split())
    arrays = "".join(
        f'<NavigationProperty Name="{array}" Type="Collection({space}.{name}{array})"/>' for array in kind.arrays
    )
    refs = f'<NavigationProperty Name="CompanyRef" Type="{space}.Reference_Company"/>'
    return f'<EntityType Name="{name}"><Key>{keys}</Key>{_own(kind, space)}{arrays}{refs}</EntityType>'


def _own(kind: Kind, space: str) -> str:
    return "".join(
        f'<Property Name={quoteattr(name)} Type="{f"{space}.Flag" if its == "e" else TYPES.get(its, "Edm.String")}"/>'
        for name, its in properties(kind)
    )


def tenant_settings(url: str, companies: Iterable[str] = ("10",)) -> dict[str, Any]:
    """The content of a mlc.yaml."""
    token = f"{url}/ifs/auth/realms/one/protocol/openid-connect/token"
    return {
        "partitions_start": "2026-01-01",
        "companies": {code: {"currency": "EUR"} for code in companies},
        "ifs": {"base_url": f"{url}/ifs", "token_url": token, "timeout_seconds": "2", "sites": {"S1": "10"}},
    }


_CODES = " ".join(f"Code{letter}" for letter in "BCDEFGHIJ")
_ACCOUNT = (
    "Description AccntType LogicalAccountType:e ValidFrom:d ValidUntil:d LedgFlag:e ReqText:e TaxHandlingValue:e "
    "TaxCodeMandatory:b " + " ".join(f"ReqCode{letter}:e" for letter in "BCDEFGHIJ")
)
_LINE = (
    "PartNo Description BuyQtyDue:n BuyUnitMeas BuyUnitPrice:n FbuyUnitPrice:n NetAmtCurr:n FeeCode Objstate "
    f"WantedDeliveryDate:d CodeA {_CODES}"
)


def cloud() -> dict[str, dict[str, Kind]]:
    """What facts/ifs-tenants.md, section 3, knows of services on /main; each call anew, to be changed by a test."""
    order_line = "OrderNo LineNo ReleaseNo"
    return {
        "SupplierHandling": {
            "SupplierInfoGeneralSet": Kind(
                "SupplierId",
                "Name CreationDate:d AssociationNo DefaultDomain:b DefaultLanguage Country CountryCode PartyType:e "
                "OneTime:b SupplierCategory:e B2bSupplier:b IdentifierRefValidation:e",
                {
                    "SupplierPurchases": Kind("VendorNo", "CurrencyCode PayTermId BuyerCode NoteText"),
                    "SupplierInvoiceCompanies": Kind("Company Identity PartyType:e", "PayTermId DefCurrency"),
                    "SupplierPayments": Kind("Company Identity PartyType:e", "BlockedForPayment:b"),
                },
            ),
            "Reference_SupplierInfoGeneral": Kind("SupplierId", "Name Country AssociationNo CreationDate:d"),
        },
        "CustomerHandling": {
            "CustomerInfoSet": Kind(
                "CustomerId",
                "Name CountryCode CreationDate:d AssociationNo",
                {"CreditInfo": Kind("Company Identity", "CreditLimit:n CreditBlock")},
            )
        },
        "PurchaseOrderHandling": {
            "PurchaseOrderSet": Kind(
                "OrderNo",
                "Company VendorNo Contract OrderDate:t BuyerCode CurrencyCode Objstate",
                {
                    "LinePartArray": Kind(order_line, f"{_LINE} NetAmountBase:n"),
                    "LineNopartArray": Kind(order_line, f"{_LINE.replace('PartNo ', '')} NetAmtBase:n"),
                    "LineRentalPartArray": Kind(order_line, f"{_LINE} NetAmountBase:n"),
                },
                ("PurchaseOrder_Release", "PurchaseOrder_Cancel", "PurchaseOrder_PrintOrder"),
            )
        },
        "CustomerOrderHandling": {
            "CustomerOrderSet": Kind(
                "OrderNo",
                "Contract CustomerNo CurrencyCode OrderDate:t Objstate",
                {"OrderLinesArray": Kind("OrderNo LineNo RelNo LineItemNo:n", "CatalogNo CatalogDesc BuyQtyDue:n")},
            )
        },
        "VoucherRowsAnalysis": {
            "VoucherRowSet": Kind(
                "Company VoucherType AccountingYear:n VoucherNo:n RowNo:n",
                "VoucherDate:d AccountingPeriod:n Account CurrencyAmount:n DebetAmount:n CreditAmount:n CurrencyCode "
                f"CurrencyRate:n Text ReferenceNumber EnteredByUserGroup {_CODES}",
            ),
            "Reference_Account": Kind("Company Account", _ACCOUNT),
            **{
                f"Reference_Code{letter}": Kind(
                    f"Company Code{letter}", "CodePart Description ValidFrom:d ValidUntil:d Cf_Own"
                )
                for letter in "BCDEFGHIJ"
            },
        },
    }
