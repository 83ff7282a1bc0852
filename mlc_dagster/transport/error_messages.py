"""A remote system's own words in its refusals, as Django's REST framework gives them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.transport.responses import exact_json

LONGEST = 300
"""Characters of a system's own words in a reason."""

_SAY_NOTHING = ("detail", "message", "null")  # names of fields that stand for the whole record


def parsed(content: bytes) -> Any:
    """The body as exact JSON; None where it is none."""
    try:
        return exact_json(content)
    except ValueError:
        return None


def sentence(body: Any) -> str:
    """What a refusal says, on one line: {"name": ["This field may not be blank."]} -> name: This field ...

    Seen: {"detail": "..."}, {"message": "..."}, {"field": ["..."]}, {"errors": {"field": {"message": "..."}}}.
    """
    if isinstance(body, Mapping):
        told = body.get("errors") or body
        if not isinstance(told, Mapping):
            return sentence(told)
        unsaid = "code" if "message" in told else ""  # the message says it in words
        said = {name: text for name, each in told.items() if name != unsaid and (text := sentence(each))}
        return "; ".join(text if name in _SAY_NOTHING else f"{name}: {text}" for name, text in said.items())[:LONGEST]
    if isinstance(body, list | tuple):
        return "; ".join(text for each in body if (text := sentence(each)))[:LONGEST]
    return "" if body is None else " ".join(str(body).split())[:LONGEST]
