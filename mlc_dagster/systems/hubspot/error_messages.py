"""HubSpot's errors in its own words: of a call, of one input of a batch, of one property. Pure.

Details stand in three places: `errors[]` with code and context (facts/hubspot.md, section 3), the context of an input's
error, and as JSON inside the message ("Property values were not valid: [...]"). The scopes that a token lacks stand in
`errors[].context` (hubspot-api-nodejs 268), and in older answers in the context of the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mlc_dagster.transport.client import exact_json

Document = Mapping[str, Any]

READ_ONLY, CONFLICT = "READ_ONLY_VALUE", "CONFLICTING_UNIQUE_VALUE"
SCOPES = ("requiredGranularScopes", "requiredScopes", "missingScopes")


class Fault(NamedTuple):
    """What is wrong with one property."""

    property: str  # empty: HubSpot does not say which
    code: str  # READ_ONLY_VALUE, MISSING_REQUIRED_PROPERTY, ...; empty: it does not say
    message: str


def faults(error: Document) -> tuple[Fault, ...]:
    """Every property that an error names, in HubSpot's order."""
    return tuple(_faults(error))


def _faults(error: Document) -> Iterator[Fault]:
    message = str(error.get("message") or "")
    told = False
    for detail in error.get("errors") or ():
        for name in _names(detail) or [""]:
            told = True
            yield Fault(name, str(detail.get("code") or ""), str(detail.get("message") or ""))
    for detail in _inside(message):
        told = True
        yield Fault(str(detail.get("name") or ""), str(detail.get("error") or ""), str(detail.get("message") or ""))
    if not told:
        code = str((error.get("context") or {}).get("code") or "")
        yield from (Fault(name, code, message) for name in _names(error))


def _names(error: Document) -> list[str]:
    names = (error.get("context") or {}).get("propertyName") or []
    return [str(each) for each in names] if isinstance(names, list) else [str(names)]


def _inside(message: str) -> list[Document]:
    """The list of details that some messages carry as JSON text."""
    start = message.find("[{")
    if start < 0:
        return []
    try:
        found = exact_json(message[start : message.rfind("]") + 1].encode())
    except ValueError:
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def reason(error: Document) -> str:
    """One error in HubSpot's words, each property by name, and the scopes that are missing."""
    message = str(error.get("message") or "")
    inside = _inside(message)
    kept = [message[: message.find("[{")].rstrip(" :") if inside else message]
    kept += [_sentence(fault) for fault in faults(error)]
    parts = [part for place, part in enumerate(kept) if part and part not in kept[:place]]
    needed = [f"needed: {', '.join(scopes)}"] if (scopes := missing_scopes(error)) else []
    correlation = [f"correlation id {error['correlationId']}"] if error.get("correlationId") else []
    return "; ".join([*parts, *needed, *correlation])[:1000]


def _sentence(fault: Fault) -> str:
    if not fault.property or fault.property in re.findall(r"\w+", fault.message):
        return fault.message
    return f"{fault.property}: {fault.message or fault.code}"


def missing_scopes(error: Document) -> list[str]:
    """The scopes that a token lacks for a call, each once."""
    contexts = [error.get("context") or {}, *((each.get("context") or {}) for each in error.get("errors") or ())]
    named = (each.get(name) for each in contexts for name in SCOPES)
    return list(dict.fromkeys(str(scope) for scopes in named if isinstance(scopes, list) for scope in scopes))
