"""Values that mlc.example.yaml has only to show what goes where: a copy is filled in before it is used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mlc_dagster.settings.mistakes import Mistake, Place, found

IN_ADDRESSES = (
    (re.compile(r"//acme\.(ifs\.cloud|procurify\.com)\b", re.I), "the address of your own tenant"),
    (re.compile(r"/realms/acmeprod\b", re.I), "your own realm, which API Explorer shows"),
)
IDS = {
    "board": (re.compile(r"123456789\d"), "the id of your own board, as its address shows it"),
    "portal_id": (re.compile(r"147000001"), "the id of your own portal, or nothing"),
}
"""By the name of the setting."""


def mistakes(content: Any, path: Place = ()) -> Iterator[Mistake]:
    """Every value that is still the example's."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from mistakes(value, (*path, name))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from mistakes(value, (*path, number))
    elif expected := _expected(str(content), path):
        yield Mistake(path, f"{found(path, content)}: this is still the example's value; expected {expected}")


def _expected(text: str, path: Place) -> str:
    if "://" in text:
        return " and ".join(words for sign, words in IN_ADDRESSES if sign.search(text))
    sign, words = IDS.get(str(path[-1]) if path else "", (None, ""))
    return words if sign and sign.fullmatch(text) else ""
