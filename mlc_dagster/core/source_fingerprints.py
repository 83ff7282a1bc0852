"""What a record's source is, as far as it decides what is sent: by this, what changed is told from what is stale.

Of the source counts its content without its stamp, which of its fields are read, and what the ledger knows of the very
records that it refers to: a company that was merged has another remote id, and its invoices follow. What mlc.yaml, a
chart, a tax rate or a release says is no part of it. Pure.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import EntitySet, Record, fingerprint, record_key

DECIDES_NOTHING = frozenset({"description", "projection", "path", "surface", "expand", "actions", "constants", "types"})
"""Of an entity set: how it is asked for, written and shown, and not what its fields mean."""


class SourceFingerprints:
    """Of the sources of one flow."""

    def __init__(self, flow: Flow) -> None:
        self._flow, self._fields = flow, fields_read(flow.source)
        own = {field.name for field in msgspec.structs.fields(flow.source.record)}
        stamp = flow.source.modified or "last_modified"
        self._blank = {stamp: None} if stamp in own else {}

    def of(self, source: Record, facts: Facts) -> str:
        """`<fields read>-<content>-<what it refers to>`. Equal texts: the same source."""
        also = self._also(source, facts)
        digest = hashlib.blake2b(json.dumps(also, sort_keys=True).encode(), digest_size=8).hexdigest() if also else ""
        return f"{self._fields}-{self.content(source)}-{digest}"

    def content(self, source: Record) -> str:
        """Of the source record alone, without what tells of its way, and its stamp."""
        if self._flow.substance:
            return fingerprint(self._flow.substance(source))
        return fingerprint(msgspec.structs.replace(source, **self._blank) if self._blank else source)

    def is_of(self, source: Record, known: str | None) -> bool:
        """Whether a delivery was made from this content, as far as `of` told of it."""
        return (known or "").split("-")[1:2] == [self.content(source)]

    def _also(self, source: Record, facts: Facts) -> dict[str, Any]:
        """The remote ids of what it refers to, not its own, and why it is on hold in the flows that it tells of."""
        flow = self._flow
        refers = flow.needs_key(source) if flow.needs_key else {}
        ids = {
            f"{needed} {key}": facts.delivered.get(needed, {}).get(key)
            for needed, keys in refers.items()
            if flow.here(needed) != flow.name and flow.here(needed) not in flow.links
            for key in ((keys,) if isinstance(keys, str) else keys)
        }
        key = record_key(source, flow.source.keys) if flow.tells else ""
        told = {f"held {other}": held[key] for other, held in facts.held.items() if key in held}
        return {**{name: each for name, each in ids.items() if each is not None}, **told}


def compares(one: str | None, other: str | None) -> bool:
    """Whether two are of the same fields, so that they tell whether their sources differ."""
    return bool(one and other) and _fields_of(one) == _fields_of(other) != ""


def _fields_of(text: str | None) -> str:
    return (text or "").partition("-")[0] if "-" in (text or "") else ""


def fields_read(entity: EntitySet) -> str:
    """Eight hexadecimal digits that differ where other fields are read, or from elsewhere."""
    text = json.dumps(_plain(entity), sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, type) and issubclass(value, Record):
        return {field.name: _nested(field.type) for field in msgspec.structs.fields(value)}
    if dataclasses.is_dataclass(value):
        return {
            field.name: _plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name not in DECIDES_NOTHING
        }
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _nested(hint: Any) -> Any:
    """The fields of the records that a field holds."""
    if isinstance(hint, type) and issubclass(hint, Record):
        return _plain(hint)
    return [found for part in get_args(hint) if (found := _nested(part))]
