"""$metadata of one projection, as EDMX and as CSDL JSON, under the tenant's own names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import quoteattr

from mlc_dagster.sandbox.ifs.bound_actions import EVENTS
from mlc_dagster.sandbox.ifs.catalogue import Metadata
from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.wire import Answer, answer_json, encode

_EDM = {
    "text": "Edm.String",
    "decimal": "Edm.Decimal",
    "int": "Edm.Decimal",  # years, periods and numbers of vouchers included: there is no other number
    "bool": "Edm.Boolean",
    "date": "Edm.Date",
    "timestamp": "Edm.DateTimeOffset",
}


_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Sign in<br></body></html>"


def metadata(projection: str, collections: Iterable[Collection], trait: bool | Metadata, accept: str) -> Answer | None:
    """The answer that this tenant gives to an Accept header; None where it has no $metadata."""
    if trait in (False, "none"):
        return None
    wants_json = "json" in accept and "xml" not in accept
    if trait == "406" and wants_json:
        return answer_json(406, {"error": {"code": None, "message": "The requested content type is not supported."}})
    if trait == "page":
        return Answer(200, _PAGE, {"content-type": "text/html"})
    if trait == "json" or (trait == "by accept" and wants_json):
        return Answer(200, csdl(projection, collections), {"content-type": "application/json;odata.metadata=minimal"})
    return Answer(200, edmx(projection, collections), {"content-type": "application/xml"})


def csdl(projection: str, collections: Iterable[Collection]) -> bytes:
    """As Olingo writes it: entity sets by their $Kind, each property with its $Type, $Nullable only where false."""
    space = f"IfsApp.{projection}"
    served = list(collections)
    types = {_type_name(collection): _json_type(collection, space) for collection in served}
    sets = {each.set: {"$Kind": "EntitySet", "$Type": f"{space}.{_type_name(each)}"} for each in served}
    container = {projection: {"$Kind": "EntityContainer", **sets}}
    return encode({"$Version": "4.01", space: {**types, **container}})


def _json_type(collection: Collection, space: str) -> dict[str, Any]:
    keys = [collection.wire(key) for key in collection.keys]
    facets = {wire: {"$Nullable": False} if wire in keys else {} for wire in collection.names}
    properties = {wire: {"$Type": _EDM[kind], **facets[wire]} for wire, (_, kind) in collection.names.items()}
    links: dict[str, Any] = {}
    if collection.navigation:
        target = f"{space}.{_type_name(collection.lines())}"
        links = {collection.navigation: {"$Kind": "NavigationProperty", "$Type": target, "$Collection": True}}
    return {"$Kind": "EntityType", "$Key": keys, **properties, **links}


def edmx(projection: str, collections: Iterable[Collection]) -> bytes:
    """The EDMX document of a projection that serves these collections."""
    served, space = list(collections), f"IfsApp.{projection}"
    types = "".join(_entity_type(collection, space) for collection in served)
    sets = "".join(_entity_set(collection, space, served) for collection in served)
    actions = "".join(_actions(collection, space) for collection in served)
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace={quoteattr(space)}>{types}{actions}'
        f'<EntityContainer Name="DefaultContainer">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )
    return document.encode()


def _type_name(collection: Collection) -> str:
    return collection.set.removesuffix("Set")


def _entity_type(collection: Collection, space: str) -> str:
    refs = "".join(f"<PropertyRef Name={quoteattr(collection.wire(key))}/>" for key in collection.keys)
    properties = "".join(
        f"<Property Name={quoteattr(wire)} Type={quoteattr(_EDM[kind])}"
        + (' Precision="130" Scale="65"/>' if kind in ("decimal", "int") else "/>")
        for wire, (_, kind) in collection.names.items()
    )
    navigation = ""
    if collection.navigation:
        target = quoteattr(f"Collection({space}.{_type_name(collection.lines())})")
        navigation = f"<NavigationProperty Name={quoteattr(collection.navigation)} Type={target}/>"
    return (
        f"<EntityType Name={quoteattr(_type_name(collection))}><Key>{refs}</Key>{properties}{navigation}</EntityType>"
    )


def _actions(collection: Collection, space: str) -> str:
    """What is bound to a row of the set: its first parameter is the row."""
    bound = () if collection.is_lines else EVENTS.get(collection.catalogue_set, ())
    row = f'<Parameter Name="Record" Type={quoteattr(f"{space}.{_type_name(collection)}")}/>'
    return "".join(f'<Action Name={quoteattr(name)} IsBound="true">{row}</Action>' for name in bound)


def _entity_set(collection: Collection, space: str, served: list[Collection]) -> str:
    target = collection.lines().set if collection.navigation else ""
    bound = any(other.set == target for other in served)
    binding = (
        f"<NavigationPropertyBinding Path={quoteattr(str(collection.navigation))} Target={quoteattr(target)}/>"
        if bound
        else ""
    )
    name, kind = quoteattr(collection.set), quoteattr(f"{space}.{_type_name(collection)}")
    return f"<EntitySet Name={name} EntityType={kind}>{binding}</EntitySet>"
