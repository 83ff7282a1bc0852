"""A JSON document whose numbers keep their digits, and whose objects tell which of their names stand twice."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any


class Doubled(dict[str, Any]):
    """An object with a name that stands twice in it: no reader can say which value is meant."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice = frozenset(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)


def exact_document(content: bytes) -> Any:
    """Raises ValueError for what is no JSON."""
    try:
        return json.loads(content, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_object)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Doubled(pairs)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
