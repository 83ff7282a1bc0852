"""A service's $metadata, as XML (EDMX) or as JSON (CSDL): which entity sets it has, and of which properties."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Types = dict[str, str]
"""Property -> its type: "Edm.String", "Collection(Edm.String)", "IfsApp.Handling.State"."""


@dataclass(frozen=True)
class UnreadMetadata:
    """An answer to $metadata that tells nothing of the fields, in words."""

    why: str


@dataclass
class MetadataModel:
    """What a $metadata document says. Names of types are whole, or begin with their namespace's alias."""

    sets: dict[str, str] = field(default_factory=dict)  # entity set -> its type
    kinds: dict[str, tuple[str, Types]] = field(default_factory=dict)  # type -> its base type, its own properties
    plain: dict[str, str] = field(default_factory=dict)  # type definition -> the Edm type that it stands for
    aliases: dict[str, str] = field(default_factory=dict)  # alias -> namespace
    links: dict[str, dict[str, str]] = field(default_factory=dict)  # type -> navigation property -> type

    def properties(self, name: str) -> Types | None:
        """Of an entity set, those of its base types included; None where there is no such set."""
        if name not in self.sets:
            return None
        return self._plain(self._of(self.sets[name], ()))

    def arrays(self, name: str) -> dict[str, Types]:
        """Navigation property of an entity set -> the properties that are found there."""
        found = self._links(self.sets.get(name, ""), ()).items()
        return {one: self._plain(self._of(kind, ())) for one, kind in found}

    def _links(self, kind: str, seen: tuple[str, ...]) -> dict[str, str]:
        whole = self._whole(kind)
        if whole in seen:
            return {}
        base = self.kinds.get(whole, ("", {}))[0]
        return {**(self._links(base, (*seen, whole)) if base else {}), **self.links.get(whole, {})}

    def _plain(self, types: Types) -> Types:
        return {one: self.plain.get(self._whole(kind), kind) for one, kind in types.items()}

    def _of(self, kind: str, seen: tuple[str, ...]) -> Types:
        whole = self._whole(kind)
        if whole in seen or whole not in self.kinds:
            return {}
        base, own = self.kinds[whole]
        return {**self._of(base, (*seen, whole)), **own}

    def _whole(self, kind: str) -> str:
        space, _, name = kind.rpartition(".")
        return f"{self.aliases.get(space, space)}.{name}"


def read_metadata(content: bytes) -> MetadataModel | UnreadMetadata:
    """What the document says; JSON too, since servers choose it by an Accept header, or in spite of one."""
    start = content.lstrip()[:1]
    if start == b"{":
        return _from_json(content)
    if not start:
        return UnreadMetadata("an empty answer")
    return _from_xml(content)


# --- XML ------------------------------------------------------------------------------------------------------------


def _from_xml(content: bytes) -> MetadataModel | UnreadMetadata:
    """Expat refuses entity bombs since 2.4, and loads nothing from elsewhere."""
    try:
        root = ET.fromstring(content)  # noqa: S314
    except (SyntaxError, ValueError, LookupError) as error:  # an encoding that Python does not know is a LookupError
        is_page = b"<html" in content[:2000].lower()
        return UnreadMetadata("a web page" if is_page else f"no XML that can be read ({str(error)[:80]})")
    name = root.tag.rpartition("}")[2]
    if name != "Edmx" or not any(True for _ in _all(root, "Schema")):
        return UnreadMetadata("a web page" if name.lower() == "html" else f"XML that holds no schema ({name[:40]})")
    return _edmx(root)


def _edmx(root: ET.Element) -> MetadataModel:
    """Its namespaces differ between versions, so local names are compared."""
    model = MetadataModel()
    for schema in _all(root, "Schema"):
        space = schema.get("Namespace", "")
        model.aliases[schema.get("Alias", space)] = space
        for kind in _all(schema, "EntityType"):
            model.kinds[f"{space}.{kind.get('Name')}"] = (kind.get("BaseType", ""), _properties(kind))
            model.links[f"{space}.{kind.get('Name')}"] = _links(kind)
        for one in _all(schema, "TypeDefinition"):
            model.plain[f"{space}.{one.get('Name')}"] = one.get("UnderlyingType", "")
        model.sets |= {one.get("Name", ""): one.get("EntityType", "") for one in _all(schema, "EntitySet")}
    return model


def _properties(kind: ET.Element) -> Types:
    return {one.get("Name", ""): one.get("Type", "") for one in _all(kind, "Property")}


def _links(kind: ET.Element) -> Types:
    found = _all(kind, "NavigationProperty")
    return {one.get("Name", ""): one.get("Type", "").removeprefix("Collection(").removesuffix(")") for one in found}


def _all(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (one for one in element.iter() if one.tag.rpartition("}")[2] == name)


# --- JSON -----------------------------------------------------------------------------------------------------------


def _from_json(content: bytes) -> MetadataModel | UnreadMetadata:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        return UnreadMetadata(f"no JSON that can be read ({str(error)[:80]})")
    model = _csdl(document)
    return model if model.sets else UnreadMetadata("JSON that holds no entity set")


def _csdl(document: Mapping[str, Any]) -> MetadataModel:
    """CSDL JSON 4.0 and 4.01: what has no $ before its name is a schema, and within one a type or the container."""
    model = MetadataModel()
    for space, schema in _members(document):
        model.aliases[str(schema.get("$Alias", space))] = space
        for name, one in _members(schema):
            match one.get("$Kind"):
                case "EntityType":
                    model.kinds[f"{space}.{name}"] = (str(one.get("$BaseType", "")), _json_properties(one))
                    model.links[f"{space}.{name}"] = _json_links(one)
                case "TypeDefinition":
                    model.plain[f"{space}.{name}"] = str(one.get("$UnderlyingType", ""))
                case "EntityContainer":
                    model.sets |= {each: str(it["$Type"]) for each, it in _members(one) if _is_set(it)}
    return model


def _members(of: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those that are objects: annotations (@) and the facets of `of` itself ($) are left out, actions are lists."""
    return ((name, one) for name, one in of.items() if name[:1] not in "$@" and isinstance(one, Mapping))


def _is_set(member: Mapping[str, Any]) -> bool:
    """The standard marks a set by $Collection, Olingo by $Kind."""
    return "$Type" in member and (member.get("$Collection") is True or member.get("$Kind") == "EntitySet")


def _json_properties(kind: Mapping[str, Any]) -> Types:
    """A property without $Type is text."""
    own = ((name, one) for name, one in _members(kind) if one.get("$Kind", "Property") == "Property")
    return {name: _json_type(one) for name, one in own}


def _json_links(kind: Mapping[str, Any]) -> Types:
    return {name: str(one.get("$Type", "")) for name, one in _members(kind) if one.get("$Kind") == "NavigationProperty"}


def _json_type(one: Mapping[str, Any]) -> str:
    named = str(one.get("$Type", "Edm.String"))
    return f"Collection({named})" if one.get("$Collection") is True else named
