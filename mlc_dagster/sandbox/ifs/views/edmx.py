"""$metadata as IFS Cloud writes it: no Nullable, no Annotations, numbers of 130 digits, members that are no sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from mlc_dagster.sandbox.ifs.views.columns import Column
from mlc_dagster.sandbox.ifs.views.view import View

_EDM = {
    "text": "Edm.String",
    "decimal": "Edm.Decimal",
    "int": "Edm.Decimal",
    "bool": "Edm.Boolean",
    "date": "Edm.Date",
    "midnight": "Edm.DateTimeOffset",
    "timestamp": "Edm.DateTimeOffset",
}
_NUMBERS = ' Precision="130" Scale="65"'
_LENGTHS = {"luname": 80, "keyref": 4000, "Objgrants": 2000, "Company": 20, "VoucherType": 3, "CurrencyCode": 3}
_ENUMS = {
    "PartyType": ("Company", "Customer", "Supplier", "Person"),
    "SupplierCategory": ("Supplier", "Prospect"),
    "CustomerCategory": ("Customer", "Prospect", "EndCustomer"),
    "IdentifierRefValidation": ("None", "Finland", "Sweden"),
    "LogicalAccountType": ("Assets", "Liabilities", "Revenues", "Cost", "Statistics", "StatisticsOpeningBalance"),
    "LedgFlag": ("LedgerAccount", "NotLedgerAccount"),
    "TaxHandlingValue": ("Restricted", "All", "Blocked"),
    "Category": ("External", "Internal"),
    "MethodId": ("Phone", "Mobile", "Fax", "EMail", "WWW"),
}
_DEMANDS = ("Can", "Mandatory", "Blocked")
_STATES = ("Planned", "Released", "Confirmed", "Arrived", "Received", "Invoiced", "Closed", "Cancelled", "Stopped")


def document(projection: str, views: Iterable[View]) -> bytes:
    """The EDMX document of one service."""
    sets, space = tuple(views), f"IfsApp.{projection}"
    every = tuple({view.entity: view for root in sets for view in _with_arrays(root)}.values())
    types = "".join(_entity_type(view, space, every) for view in every)
    members = "".join(text for view in every for text in _beside(view, space))
    found = "".join(_enums(every))
    container = "".join(_entity_set(view, space, every) for view in sets)
    members += _everywhere()
    members += "".join(
        f'<Function Name={quoteattr(name)}><ReturnType Type="Edm.String"/></Function>' for name in _function_names(sets)
    )
    functions = "".join(
        f"<FunctionImport Name={quoteattr(name)} Function={quoteattr(f'{space}.{name}')} "
        'IncludeInServiceDocument="true"/>'
        for name in _function_names(sets)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace={quoteattr(space)}>{found}{types}{members}'
        f'<EntityContainer Name="DefaultContainer">{container}{functions}</EntityContainer></Schema>'
        "</edmx:DataServices></edmx:Edmx>"
    ).encode()


def _with_arrays(view: View) -> Iterator[View]:
    yield view
    for each in view.arrays:
        yield from _with_arrays(each)


def _entity_type(view: View, space: str, every: Iterable[View]) -> str:
    refs = "".join(f"<PropertyRef Name={quoteattr(key)}/>" for key in view.keys)
    meta = "".join(_property(name, "Edm.String") for name in ("luname", "keyref", "Objgrants"))
    own = "".join(_property(column.name, _type(column, view, space)) for column in view.columns)
    arrays = "".join(
        f"<NavigationProperty Name={quoteattr(each.set)} Type={quoteattr(f'Collection({space}.{each.entity})')}/>"
        for each in view.arrays
    )
    return (
        f"<EntityType Name={quoteattr(view.entity)}><Key>{refs}</Key>{meta}{own}{_references(view, space, every)}"
        f"{arrays}</EntityType>"
    )


def _property(name: str, kind: str) -> str:
    facets = _NUMBERS if kind == "Edm.Decimal" else ""
    if kind == "Edm.String":
        length = 4000 if name.startswith("Cf_") else _LENGTHS.get(name, 200)
        facets = f' MaxLength="{length}"'
    return f"<Property Name={quoteattr(name)} Type={quoteattr(kind)}{facets}/>"


def _type(column: Column, view: View, space: str) -> str:
    return f"{space}.{_enum_name(column, view)}" if column.kind == "enum" else _EDM[column.kind]


def _enum_name(column: Column, view: View) -> str:
    return f"{view.entity}State" if column.name == "Objstate" else column.name


def _enums(every: Iterable[View]) -> Iterator[str]:
    """Each once, over Int32."""
    seen = {_enum_name(column, view): column.name for view in every for column in view.columns if column.kind == "enum"}
    for name, column in seen.items():
        values = _STATES if column == "Objstate" else _ENUMS.get(column, _DEMANDS)
        members = "".join(f'<Member Name="{value}" Value="{number}"/>' for number, value in enumerate(values))
        yield f'<EnumType Name={quoteattr(name)} UnderlyingType="Edm.Int32">{members}</EnumType>'


def _references(view: View, space: str, every: Iterable[View]) -> str:
    """To-one: `AccountRef` from a column to the Reference set that has it as its last key."""
    found = []
    for other in every:
        name = other.keys[-1]
        if other.set.startswith("Reference_") and other is not view and all(key in view.by_name for key in other.keys):
            pairs = "".join(
                f'<ReferentialConstraint Property="{key}" ReferencedProperty="{key}"/>' for key in other.keys
            )
            kind = quoteattr(f"{space}.{other.entity}")
            found.append(f"<NavigationProperty Name={quoteattr(f'{name}Ref')} Type={kind}>{pairs}</NavigationProperty>")
    return "".join(found)


def _beside(view: View, space: str) -> Iterator[str]:
    """What is no entity set, and a reader of names passes by: complex types; and the actions of its states."""
    etag = '<Property Name="ETag" Type="Edm.String" MaxLength="128"/>'
    for name in ("CopyValues", "Structure"):
        yield f"<ComplexType Name={quoteattr(view.entity + name)}>{etag}</ComplexType>"
    bound = f'<Parameter Name="Bindingparam" Type={quoteattr(f"{space}.{view.entity}")}/>'
    for action in view.actions:
        yield f'<Action Name={quoteattr(action.name)} IsBound="true">{bound}</Action>'


def _everywhere() -> str:
    """The complex types that every service has."""
    etag, text = (f'<Property Name="{name}" Type="Edm.String"/>' for name in ("ETag", "Info"))
    decs = "".join(
        f'<ComplexType Name="{name}">{etag}{text}</ComplexType>' for name in ("EntityDec", "ConfigEntityDec")
    )
    return f'{decs}<ComplexType Name="StreamInfoRec">{text}</ComplexType>'


def _function_names(sets: Iterable[View]) -> list[str]:
    return [f"{view.entity}_Default" for view in sets if "POST" in view.writes] or ["GetMultiCompanyInfo"]


def _entity_set(view: View, space: str, every: Iterable[View]) -> str:
    kind = quoteattr(f"{space}.{view.entity}")
    bound = "".join(
        f'<NavigationPropertyBinding Path="{other.keys[-1]}Ref" Target={quoteattr(other.set)}/>'
        for other in every
        if other.set.startswith("Reference_") and other is not view and all(key in view.by_name for key in other.keys)
    )
    return f"<EntitySet Name={quoteattr(view.set)} EntityType={kind}>{bound}</EntitySet>"
