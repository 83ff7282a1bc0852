"""One set or array on the wire: which stored rows it shows, its keys and columns, and what may be done to it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal

from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.ifs.views.columns import Column, Source

MAIN, INT = "/ifs/main/ifsapplications/projection/v1", "/ifs/int/ifsapplications/entity/v1"
META = ("luname", "keyref", "Objgrants")
_YEAR = 32_000_000  # seconds

Sources = Callable[[Stored], Iterable[Source]]


def itself(head: Stored) -> Iterator[Source]:
    """A row for each stored row."""
    yield Source(head)


def lines(head: Stored) -> Iterator[Source]:
    """A row for each line."""
    for line in head.lines:
        yield Source(head, line)


@dataclass(frozen=True)
class Action:
    """A bound action of the state machine: its name, the states that it leads from, and the one that it leads to."""

    name: str
    origins: tuple[str, ...]
    state: str


@dataclass(frozen=True)
class View:
    """`set`: its name as an entity set; for an array below a header, the navigation property's."""

    projection: str
    set: str
    entity: str  # its type
    kind: str  # the catalogue's set whose stored rows it shows
    keys: tuple[str, ...]  # on the wire
    columns: tuple[Column, ...]
    sources: Sources = itself
    arrays: tuple[View, ...] = ()
    surface: str = MAIN
    writes: frozenset[str] = frozenset()  # POST, PATCH
    demanded: tuple[str, ...] = ()  # what a POST has to send
    actions: tuple[Action, ...] = ()
    etags: bool = True
    is_granted: bool = True  # False: it may be read alone; a write is a 403
    no_filter: tuple[str, ...] = ()  # columns without an index: a filter on one times out
    adds: Mapping[str, Any] = field(default_factory=dict)  # by the catalogue's names, to each row that is made

    @property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def array(self, name: str) -> View | None:
        return next((each for each in self.arrays if each.set == name), None)


EtagForm = Literal["time", "integer"]


class ViewRow(Stored):
    """A row on the wire: fields under its names, the stored row that it shows, and the line if it is one."""

    __slots__ = ("source",)

    def __init__(self, view: View, source: Source, form: EtagForm) -> None:
        fields = {column.name: column.value(source) for column in view.columns}
        key = tuple(fields[name] for name in view.keys)
        fields = {**dict(zip(META, (view.entity, keyref(view, key), None), strict=True)), **fields}
        stamped = {**fields, "LastModified": fields.get("LastModified")}
        super().__init__(stamped, view.keys, [], etag(view, key, fields, form))
        if "LastModified" not in fields:
            del self.fields["LastModified"]
        self.source = source
        if not view.etags:
            self.etag = ""


def rows(view: View, heads: Iterable[Stored], form: EtagForm) -> Iterator[ViewRow]:
    for head in heads:
        for source in view.sources(head):
            yield ViewRow(view, source, form)


def keyref(view: View, key: tuple[Any, ...]) -> str:
    """`COMPANY=10^INVOICE_ID=55012^`: the key's columns in the alphabet, in capitals."""
    parts = sorted((_column_name(name), value) for name, value in zip(view.keys, key, strict=True))
    return "".join(f"{name}={value}^" for name, value in parts)


def _column_name(name: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() and place else letter for place, letter in enumerate(name)).upper()


def etag(view: View, key: tuple[Any, ...], fields: Mapping[str, Any], form: EtagForm) -> str:
    """It changes with what the row shows; a change of its lines, or of another set's columns, does not show in it."""
    where = blake2b(repr((view.set, key)).encode(), digest_size=12).hexdigest().upper()[:10]
    what = int.from_bytes(blake2b(repr(fields).encode(), digest_size=8).digest(), "big")
    version = str(what % 10**9) if form == "integer" else _moment(what)
    return f'W/"{b64encode(f"W/{chr(34)}AAAP{where}AAG:{version}{chr(34)}".encode()).decode()}"'


def _moment(number: int) -> str:
    return (datetime(2000, 1, 1) + timedelta(seconds=number % (25 * _YEAR))).strftime("%Y%m%d%H%M%S")
