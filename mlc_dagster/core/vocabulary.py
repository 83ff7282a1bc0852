"""What is read: records, entity sets, windows, and the small pure things about them. No I/O, no clock, no system."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any, Literal, Protocol

import msgspec

ERP = "ifs"
"""The hub: every flow begins or ends there."""

Row = dict[str, Any]
"""A row as read: record field -> exact value (str, Decimal, int, bool, date, aware datetime, list of Row, None)."""


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A typed record. Codes are `str`, amounts `Decimal`, times aware and UTC.

    Defaults are left out when encoded: a field that a later release adds changes no fingerprint until it has a value.
    """


@dataclass(frozen=True)
class LineSet:
    """The lines of an entity: a collection below each header, and an entity set of its own."""

    field: str  # the field of the header's record that holds them
    navigation: str  # OData navigation property, for $expand
    path: str  # the lines' own entity set, for tenants that refuse $expand
    record: type[Record]
    keys: tuple[str, ...]  # record fields; the header's keys come first
    wire: Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )  # record field -> name on the wire, where it differs
    absent: frozenset[str] = frozenset()  # record fields that the tenant does not have: not selected, None
    arrays: tuple[str, ...] = ()  # navigation properties, where a header has its lines in several
    wire_of: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)  # array -> its own names
    absent_of: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)  # array -> what it has not
    projection: str = ""  # of the lines' own set; empty: the header's
    surface: str = ""  # likewise
    stamp: str = ""  # the modified column of the lines' own set, on the wire; empty: it has none
    name: str = ""  # of its own in the catalogue, where what belongs to a header is a set that mlc.yaml names

    @property
    def has_stamp(self) -> bool:
        """Whether it can be asked which lines changed, beside their headers."""
        return bool(self.path and self.stamp)

    @property
    def navigations(self) -> tuple[str, ...]:
        return self.arrays or (self.navigation,)


@dataclass(frozen=True)
class ChildSet:
    """More fields of a header's record: from an array below it (`navigation`), or from a set of its own (`path`)."""

    fields: Mapping[str, str]  # record field -> name on the wire
    navigation: str = ""
    path: str = ""
    projection: str = ""  # empty: the header's
    surface: str = ""  # likewise
    on: Mapping[str, str] = dataclasses.field(default_factory=dict)  # the header's key -> what it is called there
    company: str | None = None  # only the row of this company
    field: str = ""  # of the header's record, where it holds a list of these rows: "contacts"
    keys: tuple[str, ...] = ()  # of a list: the fields of its own record that tell its rows apart
    gone: frozenset[str] = frozenset()  # of a list: fields of its record that the tenant does not have
    constants: Mapping[str, str | int | bool] = dataclasses.field(default_factory=dict)  # with each create, on the wire
    is_written: bool = False  # its rows are changed, and made where there is none

    @property
    def told(self) -> frozenset[str]:
        """The fields of the header's record that it holds."""
        return frozenset([self.field]) if self.field else frozenset(self.fields)


@dataclass(frozen=True)
class PartSet:
    """One of several sets that hold the rows of one record: nine sets of code parts."""

    path: str
    projection: str = ""  # empty: the entity's
    surface: str = ""  # likewise
    constants: Mapping[str, str] = dataclasses.field(default_factory=dict)  # record field -> its value in this set
    wire: Mapping[str, str] = dataclasses.field(default_factory=dict)  # over the entity's
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class EntitySet:
    """One collection of a remote system. Names are record fields; `wire` maps those that a tenant calls otherwise."""

    system: str
    name: str  # "purchase_order_set": last segment of the asset key
    projection: str  # OData service; empty where the system has none
    path: str  # entity set as the URL names it
    record: type[Record]
    keys: tuple[str, ...]
    modified: str | None = "last_modified"  # record field; None: the tenant has no such column
    lines: LineSet | None = None
    beside: LineSet | None = None  # what happens to a header later, in a set of its own: receipts. Always asked apart
    partition: Literal["day", "company"] = "day"
    delta: Literal["modified", "sweep"] = "modified"
    expand: Literal["auto", "always", "never"] = "auto"
    wire: Mapping[str, str] = dataclasses.field(default_factory=dict)
    description: str = ""
    surface: str = ""  # address before the projection, where it is not the connection's own
    is_off: bool = False  # the tenant does not have this set: nothing is asked of it
    is_of_its_day: bool = False  # a row of a day says nothing of later days: the day read again is no news
    is_master: bool = False  # suppliers, customers: the first day holds whatever is older too
    absent: frozenset[str] = frozenset()  # record fields that the tenant does not have: not selected, None
    constants: Mapping[str, str | int | bool] = dataclasses.field(default_factory=dict)  # on the wire, with each create
    sums: Mapping[str, str] = dataclasses.field(default_factory=dict)  # header's field -> lines' field
    header_from_rows: bool = False  # the set holds the lines; headers are its rows that share their keys
    children: tuple[ChildSet, ...] = ()
    sources: tuple[PartSet, ...] = ()
    actions: Mapping[str, str] = dataclasses.field(default_factory=dict)  # state -> bound action
    types: Mapping[str, str] = dataclasses.field(default_factory=dict)  # name on the wire -> type, as far as told
    rows_move_on: bool = False  # a row leaves the set when it is posted: that it is not there says nothing
    page: str = ""  # where people see one of its rows, with the fields of its key in braces; empty: not told
    sites: Mapping[str, str] | None = None  # site (contract) -> company, where the set has no company of its own

    @property
    def not_selected(self) -> frozenset[str]:
        """Record fields that are no column of the set itself."""
        below = {name for child in self.children for name in child.told}
        beside = {self.beside.field} if self.beside else set()
        return self.absent | below | self.sums.keys() | beside

    @property
    def key(self) -> tuple[str, str]:
        """The asset key: ("ifs", "purchase_order_set")."""
        return (self.system, self.name)


LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
"""Before any stamp that a system gives."""


@dataclass(frozen=True)
class Window:
    """Half open, UTC: start <= modified < end."""

    start: datetime
    end: datetime

    @classmethod
    def day(cls, day: date) -> Window:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return cls(start, start + timedelta(days=1))

    @classmethod
    def until(cls, day: date) -> Window:
        """The day, and whatever is older."""
        return cls(LONG_AGO, cls.day(day).end)

    @property
    def last_day(self) -> date:
        """On which it ends: of one day, that day."""
        return (self.end - timedelta(microseconds=1)).date()


@dataclass(frozen=True)
class Scope:
    """What part of an entity set is read: a day's window, or one company's snapshot."""

    partition: str  # "2026-11-05" or "0010"
    window: Window | None = None
    company: str | None = None


@dataclass
class Pull:
    """The account of one read; the client fills it in while the rows stream."""

    entity: str  # "ifs/purchase_order_set"
    partition: str
    filter: str = ""  # the $filter as sent, first page
    started_at: datetime | None = None
    ended_at: datetime | None = None
    pages: int = 0
    requests: int = 0
    windows: int = 0  # slices of the window that were walked side by side
    rows: int = 0  # distinct rows handed over
    repeated: int = 0  # rows seen twice because they moved while paging; the newer one was kept
    stale: frozenset[int] = frozenset()  # of those the older ones: places in the order handed over, to be dropped
    strays: int = 0  # rows handed over that no readable or believable timestamp places in a day
    unreadable: int = 0  # rows that did not fit the record; stored as text, held later
    expected_before: int | None = None  # the tenant's $count and the strays, None where it does not answer $count
    expected_after: int | None = None
    duplicate_keys: int = 0  # two different rows under one key
    clock_skew_seconds: float = 0.0  # server's Date header minus our clock
    seconds_ahead: float = 0.0  # by which the newest stamp lies after the server's clock
    throttled_seconds: float = 0.0
    etags: str = ""  # fingerprint of all (key, ETag) pairs: the partition's data version
    read_number: int | None = None  # given before its first request, higher than that of every walk that began earlier


class Sightings(Protocol):
    """Remembers keys and ETags, for rows that no modified timestamp can place in a day."""

    def place(self, entity: str, seen: Sequence[tuple[str, str]], today: date) -> None:
        """Record (key, ETag) pairs: a key that is new, or whose ETag changed, is placed on `today`."""

    def placed_on(self, entity: str, day: date) -> list[str]:
        """The keys whose present ETag was first seen on that day."""


EXACT = Context(prec=100)
"""More digits than any number has here: the usual context rounds at 28."""


# --- small pure things ----------------------------------------------------------------------------------------------

_ENCODER = msgspec.json.Encoder(decimal_format="string", order="deterministic")


def renamed(text: str, system: str, connection: str) -> str:
    """A name that holds a system's, for another connection to it: ifs/suppliers_from_cin7 is _from_cin7_us there."""
    return re.sub(rf"(?<![a-z0-9]){system}(?![a-z0-9])", connection, text)


def fingerprint(record: Record) -> str:
    """32 hexadecimal digits over the record's content: equal content, equal text."""
    return hashlib.blake2b(_ENCODER.encode(record), digest_size=16).hexdigest()


def version_of(modified: datetime | None) -> str:
    """Sortable text of a timestamp; empty where the source gives none."""
    if modified is None:
        return ""
    moment = modified.astimezone(UTC)
    to_the_second = _ENCODER.encode(moment)[1:20].decode()  # behind the quote; a tenth of the time of strftime
    return f"{to_the_second}.{moment.microsecond:06}Z"


def plain(amount: Decimal) -> Decimal:
    """The same number without trailing zeros or exponent: 1.5000 -> 1.5, 1E+2 -> 100."""
    shorter = amount.normalize(EXACT)
    return shorter.quantize(Decimal(1), context=EXACT) if shorter.as_tuple().exponent > 0 else shorter  # type: ignore[operator]


def record_key(record: Record, keys: Sequence[str]) -> str:
    """The source row's own key as text: the ledger key, the hold key and the external reference.

    Parts are joined by "/"; a slash or percent sign inside a part is percent-encoded, so two keys are never one text.
    """
    return key_text(*[getattr(record, name) for name in keys])


def key_text(*parts: object) -> str:
    """The text of a key from its parts: key_text("0010", 7) is "0010/7"."""
    text = "/".join(map(str, parts))
    plain_parts = "%" not in text and text.count("/") < len(parts)
    return text if plain_parts else "/".join([_escaped(str(part)) for part in parts])


def key_parts(text: str, count: int) -> tuple[str, ...]:
    """The parts of a key's text, of which there are so many: key_parts("0010/7", 2) is ("0010", "7")."""
    if count == 1 and "%" not in text:
        return (text,)
    return tuple(part.replace("%2F", "/").replace("%25", "%") for part in text.split("/"))


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("/", "%2F")
