"""A system's messages say `monday.boards`; on the connection monday_us the setting is monday_us.boards."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial, wraps
from typing import Any

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.outcomes import Refused, Unanswered

Rename = Callable[[str], str]


def names_of(system: str, connection: str, settings: Collection[str], secrets: Mapping[str, str]) -> Rename:
    """Text -> the text with the names that settings and secrets have on the connection. What only looks like a setting,
    such as monday.com, stays. `secrets`: what messages say -> the name here.
    """
    setting = re.compile(rf"(?<![\w./]){system}(?=\.(?:{'|'.join(map(re.escape, settings))})\b)")

    def rename(text: str) -> str:
        for said, name in secrets.items():
            text = re.sub(rf"\b{said}\b", name, text)
        return setting.sub(connection, text)

    return rename


class ConnectionClient:
    """A client whose errors, and the reasons of what it refuses, name the settings of its own connection."""

    def __init__(self, client: Any, rename: Rename) -> None:
        self._client, self._rename = client, rename

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return wraps(found)(partial(self._call, found)) if callable(found) else found

    def _call(self, method: Callable[..., Any], *words: Any, **named: Any) -> Any:
        try:
            found = method(*words, **named)
        except MlcError as error:
            self._reword(error)
            raise
        return self._each(found) if isinstance(found, Iterator) else found

    def _each(self, found: Iterator[Any]) -> Iterator[Any]:
        try:
            for each in found:
                is_reason = isinstance(each, Refused | Unanswered)
                yield replace(each, reason=self._rename(each.reason)) if is_reason else each
        except MlcError as error:
            self._reword(error)
            raise

    def _reword(self, error: MlcError) -> None:
        error.message = self._rename(error.message)
        error.cure = self._rename(error.cure) if error.cure else error.cure
        error.args = (error.message if error.cure is None else f"{error.message}\n  {error.cure}",)
