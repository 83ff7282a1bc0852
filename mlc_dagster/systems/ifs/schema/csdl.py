"""A service's $metadata, as XML (EDMX) or as JSON (CSDL): its entity sets, properties, keys, arrays and actions."""

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
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)  # type -> its own key properties
    navigations: dict[str, Types] = field(default_factory=dict)  # type -> its own navigation properties: their types
    actions: list[tuple[str, str]] = field(default_factory=list)  # (type that it is bound to, name of the action)

    def properties(self, name: str) -> Types | None:
        """Of an entity set, those of its base types included; None where there is no such set."""
        return self.properties_of(self.sets[name]) if name in self.sets else None

    def arrays(self, name: str) -> dict[str, Types]:
        """Navigation property of an entity set -> the properties that are found there."""
        found = self.navigations_of(self.sets.get(name, "")).items()
        return {one: self.properties_of(target_of(kind)) for one, kind in found}

    def properties_of(self, kind: str) -> Types:
        """Of a type, by its name; empty where it is not described."""
        own = {one: its for each in reversed(self._line(kind)) for one, its in self.kinds[each][1].items()}
        return {one: self.plain.get(self._whole(its), its) for one, its in own.items()}

    def keys_of(self, kind: str) -> tuple[str, ...]:
        """The key properties of a type, in their order; those of its base type where it names none of its own."""
        return next((self.keys[each] for each in self._line(kind) if self.keys.get(each)), ())

    def navigations_of(self, kind: str) -> Types:
        """Navigation property -> its type: "Collection(IfsApp.P.Line)" leads to many."""
        return {one: its for each in reversed(self._line(kind)) for one, its in self.navigations.get(each, {}).items()}

    def actions_of(self, kind: str) -> tuple[str, ...]:
        """The actions that are bound to one row of a type: "PurchaseOrder_Release"."""
        line = self._line(kind)
        return tuple(action for bound, action in self.actions if self._whole(bound) in line)

    def _line(self, kind: str) -> list[str]:
        """A type and those that it is derived from, itself first."""
        line: list[str] = []
        whole = self._whole(kind)
        while whole in self.kinds and whole not in line:
            line.append(whole)
            whole = self._whole(self.kinds[whole][0])
        return line

    def _whole(self, kind: str) -> str:
        space, _, name = kind.rpartition(".")
        return f"{self.aliases.get(space, space)}.{name}"


def target_of(kind: str) -> str:
    """The type that a navigation property leads to, whether to one or to many."""
    return kind.removeprefix("Collection(").removesuffix(")")


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
            name = f"{space}.{kind.get('Name')}"
            model.kinds[name] = (kind.get("BaseType", ""), _typed(kind, "Property"))
            model.keys[name] = tuple(one.get("Name", "") for one in _all(kind, "PropertyRef"))
            model.navigations[name] = _typed(kind, "NavigationProperty")
        for one in _all(schema, "TypeDefinition"):
            model.plain[f"{space}.{one.get('Name')}"] = one.get("UnderlyingType", "")
        model.sets |= {one.get("Name", ""): one.get("EntityType", "") for one in _all(schema, "EntitySet")}
        for one in _all(schema, "Action"):
            binding = next(_all(one, "Parameter"), None) if one.get("IsBound") == "true" else None
            if binding is not None:
                model.actions.append((binding.get("Type", ""), one.get("Name", "")))
    return model


def _typed(kind: ET.Element, what: str) -> Types:
    return {one.get("Name", ""): one.get("Type", "") for one in _all(kind, what)}


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
        model.actions += _json_actions(schema)
        for name, one in _members(schema):
            match one.get("$Kind"):
                case "EntityType":
                    model.kinds[f"{space}.{name}"] = (str(one.get("$BaseType", "")), _json_typed(one, "Property"))
                    model.keys[f"{space}.{name}"] = tuple(key for key in one.get("$Key", ()) if isinstance(key, str))
                    model.navigations[f"{space}.{name}"] = _json_typed(one, "NavigationProperty")
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


def _json_typed(kind: Mapping[str, Any], what: str) -> Types:
    """A property without $Type is text, one without $Kind a plain one."""
    own = ((name, one) for name, one in _members(kind) if one.get("$Kind", "Property") == what)
    return {name: _json_type(one) for name, one in own}


def _json_actions(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(type, name) of each bound action. An action is a list, one member for each of its overloads."""
    for name, overloads in schema.items():
        for one in overloads if isinstance(overloads, list) else ():
            if isinstance(one, Mapping) and one.get("$Kind") == "Action" and one.get("$IsBound") is True:
                yield _json_type(next(iter(one.get("$Parameter") or ()), {})), name


def _json_type(one: Mapping[str, Any]) -> str:
    named = str(one.get("$Type", "Edm.String"))
    return f"Collection({named})" if one.get("$Collection") is True else named
