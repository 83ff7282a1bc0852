"""docs/settings.md: every setting of mlc.yaml, from the models that read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.systems.configuration import json_schema
from mlc_dagster.systems.registry import systems

LEAD = """# Settings

Every setting of mlc.yaml: its path, what it takes, what it is where it is left out, and what it means. Made from the
models that read the file by `python -m mlc_dagster_tests.reference`; a test holds it. `mlc check` names every mistake
by its line and path, `mlc schema` prints the JSON schema for editors, `mlc init` writes the first file.

Environment: `MLC_CONFIG` (mlc.yaml), `MLC_STORAGE` (.mlc/storage), `MLC_DATABASE_URL` (sqlite:///.mlc/ledger.db),
`MLC_MASTER_KEY` (of the vault), `MLC_STATE_MODE` (0600). Secrets: `mlc credentials list`.
"""
DEEPEST = 6
ALIKE = {
    "base_url": "Where its API is",
    "timeout_seconds": "Without a byte for so long, a call is given up",
    "requests_per_minute": "Calls that it is sent in a minute, by all runs together",
    "page_size": "Rows that are asked for in one request",
    "hmac_encoding": "How the signature is written",
    "expand": "Whether lines come by $expand: auto tries it once",
    "children": "More fields of a record, from arrays or sets below it",
    "sources": "Several sets that hold the rows of one record",
    "navigation": "The array of the lines below a header",
    "surface": "The address before the projection, where it is not the connection's own",
}
"""What a name means wherever it stands, where the model says nothing more of it."""
BELOW = "Where it is, below base_url"


def page() -> str:
    schema = json.loads(json_schema())
    names = {ERP: 0, **dict.fromkeys(systems(), 1)}
    top = {name: each for name, each in schema["properties"].items() if name not in names}
    parts = [LEAD, "\n## The whole file\n\n", *_table(_rows(schema, "", top, 0))]
    for name in sorted(names, key=lambda name: (names[name], name)):
        parts += [f"\n## {name}\n\n{_words(schema, schema['properties'][name])}\n\n"]
        parts += _table(_rows(schema, "", {name: schema["properties"][name]}, 0))
    return "".join(parts)


def _table(rows: Iterator[tuple[str, str, str, str]]) -> Iterator[str]:
    yield "| setting | takes | left out | what it is |\n|---|---|---|---|\n"
    for path, takes, usual, words in rows:
        yield f"| `{path}` | {takes} | {usual} | {words} |\n"


def _rows(
    schema: Mapping[str, Any], path: str, properties: Mapping[str, Any], depth: int
) -> Iterator[tuple[str, str, str, str]]:
    for name, each in properties.items():
        here, found = f"{path}.{name}" if path else name, _resolved(schema, each)
        inner, entry = found.get("properties"), _resolved(schema, found.get("additionalProperties"))
        if inner and depth < DEEPEST:
            yield from _rows(schema, here, inner, depth + 1)
        elif entry.get("properties") and depth < DEEPEST:
            yield from _rows(schema, f"{here}.<name>", entry["properties"], depth + 1)
        else:
            words = _words(schema, each) or (BELOW if ".paths." in here else ALIKE.get(name, ""))
            yield here, _cell(_takes(schema, each)), _cell(_usual(each)), _cell(words)


def _resolved(schema: Mapping[str, Any], each: Any) -> Mapping[str, Any]:
    """Behind its reference, and without the choice of being left out."""
    if not isinstance(each, Mapping):
        return {}
    if "$ref" in each:
        return {**_resolved(schema, schema["$defs"][each["$ref"].rpartition("/")[2]]), **_without(each, "$ref")}
    options = [one for one in each.get("anyOf", ()) if one.get("type") != "null"]
    if len(options) == 1:
        return {**_resolved(schema, options[0]), **_without(each, "anyOf")}
    return each


def _without(each: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in each.items() if key not in (name, "title")}


def _takes(schema: Mapping[str, Any], each: Any) -> str:
    found = _resolved(schema, each)
    if "enum" in found:
        return ", ".join(map(str, found["enum"]))
    if "const" in found:
        return str(found["const"])
    if "anyOf" in found:
        return " or ".join(dict.fromkeys(_takes(schema, one) for one in found["anyOf"]))
    kind = found.get("type", "anything")
    if kind == "array":
        return f"list of {_takes(schema, found.get('items', {}))}"
    if kind == "object" and (entry := found.get("additionalProperties")) and entry is not True:
        return f"name: {_takes(schema, entry)}"
    return {"string": "text", "boolean": "true, false", "integer": "whole number"}.get(kind, kind) + _bounds(found)


def _bounds(found: Mapping[str, Any]) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    said = [f"{word} {found[name]:g}" for name, word in words.items() if isinstance(found.get(name), int | float)]
    return f" {' '.join(said)}" if said else ""


def _usual(each: Mapping[str, Any]) -> str:
    if "default" not in each:
        return "needed" if "anyOf" not in each else ""
    value = each["default"]
    return "" if value in (None, "", {}, []) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _words(schema: Mapping[str, Any], each: Mapping[str, Any]) -> str:
    own = each.get("description") or _resolved(schema, each).get("description") or ""
    return " ".join(str(own).split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
