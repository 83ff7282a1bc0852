"""$metadata of one projection, as EDMX, under the tenant's own names."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from mlc_dagster.sandbox.ifs_names import Collection

_EDM = {
    "text": "Edm.String",
    "decimal": "Edm.Decimal",
    "int": "Edm.Int64",
    "bool": "Edm.Boolean",
    "date": "Edm.Date",
    "timestamp": "Edm.DateTimeOffset",
}


def edmx(projection: str, collections: Iterable[Collection]) -> bytes:
    """The EDMX document of a projection that serves these collections."""
    served, space = list(collections), f"IfsApp.{projection}"
    types = "".join(_entity_type(collection, space) for collection in served)
    sets = "".join(_entity_set(collection, space, served) for collection in served)
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace={quoteattr(space)}>{types}'
        f'<EntityContainer Name="{projection}">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )
    return document.encode()


def _type_name(collection: Collection) -> str:
    return collection.set.removesuffix("Set")


def _entity_type(collection: Collection, space: str) -> str:
    keys = {collection.wire(key) for key in collection.keys}
    refs = "".join(f"<PropertyRef Name={quoteattr(collection.wire(key))}/>" for key in collection.keys)
    properties = "".join(
        f"<Property Name={quoteattr(wire)} Type={quoteattr(_EDM[kind])}"
        + (' Scale="variable"' if kind == "decimal" else "")
        + (' Nullable="false"/>' if wire in keys else "/>")
        for wire, (_, kind) in collection.names.items()
    )
    navigation = ""
    if collection.navigation:
        target = quoteattr(f"Collection({space}.{_type_name(collection.lines())})")
        navigation = f"<NavigationProperty Name={quoteattr(collection.navigation)} Type={target}/>"
    return (
        f"<EntityType Name={quoteattr(_type_name(collection))}><Key>{refs}</Key>{properties}{navigation}</EntityType>"
    )


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
