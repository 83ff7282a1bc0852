"""A call and its answer, as both sandboxed systems see them; numbers stay exact in both directions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import msgspec

JSON = "application/json"
_numbers = msgspec.json.Encoder(decimal_format="number")
_texts = msgspec.json.Encoder(decimal_format="string")


@dataclass(frozen=True)
class Call:
    """One request: the path is still percent-encoded, header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    origin: str  # "http://127.0.0.1:8787", for links in answers


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def encode(value: Any, decimals_as_text: bool = False) -> bytes:
    return (_texts if decimals_as_text else _numbers).encode(value)


def decode(body: bytes) -> Any:
    """Parsed JSON with exact decimals. Raises ValueError where the text is not JSON."""
    return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def answer_json(status: int, content: Any, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, encode(content), {"content-type": JSON, **named})


def query_of(text: str, plus_is_space: bool = False) -> dict[str, str]:
    """The options of a query string; the last one wins."""
    options = {}
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            options[_plain(name, plus_is_space)] = _plain(value, plus_is_space)
    return options


def _plain(text: str, plus_is_space: bool) -> str:
    return unquote(text.replace("+", " ") if plus_is_space else text)
