"""OData v4 as IFS speaks it: literals, keys, and the filters that walk a collection. Pure text.

Strings are quoted, with quotes doubled; numbers are bare; timestamps have no fraction unless the value has one, since
their precision is 0 by default. Sources: facts/ifs.md, section 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

from mlc_dagster.core.vocabulary import EntitySet, Row
from mlc_dagster.systems.ifs.schema.catalogue import wire_name

MAX_FILTER = 5500
"""Percent-encoded characters of a $filter: with the rest, a URL of about 6,000 passes every proxy seen so far."""

MAX_TERMS = 100
"""Keys in one $filter: its parser is recursive."""


NUMERIC = frozenset(f"Edm.{name}" for name in ("Decimal", "Double", "Single", "Int64", "Int32", "Int16", "Byte"))

NO_TYPES: Mapping[str, str] = {}


def literal(value: object, kind: str = "") -> str:
    """A value as $filter and key predicates write it, of a type of $metadata where that is known.

    Raises TypeError for what has no literal.
    """
    return _literal(_as(kind, value)) if value is not None and kind else _literal(value)


class _Bare(str):
    """A text that is no string on the wire: a number, a Guid, a member of an enumeration."""


def _as(kind: str, value: object) -> object:
    """The value as this type has it: IFS keeps numbers as keys where others keep texts, and the other way round."""
    if isinstance(value, str):
        if kind in NUMERIC or kind == "Edm.Guid":
            return _Bare(value) if re.fullmatch(r"[0-9a-fA-F.+-]{1,60}", value) else value
        return value if kind.startswith(("Edm.", "Collection(")) else _Bare(f"{kind}{_literal(value)}")
    if kind == "Edm.String" and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _literal(value)
    if kind == "Edm.Date" and isinstance(value, datetime):
        return value.astimezone(UTC).date()
    if kind == "Edm.DateTimeOffset" and isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _literal(value: object) -> str:
    if isinstance(value, _Bare):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    raise TypeError(f"no OData literal for {type(value).__name__}")


def service(entity: EntitySet) -> str:
    """Below the connection's base URL; absolute where the set has a surface of its own."""
    return f"{entity.surface}/{entity.projection}.svc"


def collection(entity: EntitySet) -> str:
    return f"{service(entity)}/{entity.path}"


def one(entity: EntitySet, key: Mapping[str, object]) -> str:
    """The path of one row: `/SupplierHandling.svc/SupplierSet(SupplierId='a%2Fb')`."""
    return f"{service(entity)}/{key_path(entity, key)}"


def key_path(entity: EntitySet, key: Mapping[str, object]) -> str:
    """The path of one row below its service."""
    parts = (f"{wire_name(name, entity.wire)}={quote(_of(entity, name, key), safe='')}" for name in entity.keys)
    return f"{entity.path}({','.join(parts)})"


def _of(entity: EntitySet, name: str, key: Mapping[str, object]) -> str:
    return literal(key[name], entity.types.get(wire_name(name, entity.wire), ""))


def equals(names: Sequence[str], values: Sequence[object], types: Mapping[str, str] = NO_TYPES) -> str:
    """`A eq 'x' and B eq 7`."""
    pairs = zip(names, values, strict=True)
    return " and ".join(f"{name} eq {literal(value, types.get(name, ''))}" for name, value in pairs)


def beyond(names: Sequence[str], values: Sequence[object], types: Mapping[str, str] = NO_TYPES) -> str:
    """What comes after a row in the order of these columns: the keyset continuation.

    `(A gt 'x' or (A eq 'x' and B gt 7))`
    """
    first = _behind(names[0], values[0], types)
    if len(names) == 1:
        return first
    return f"({first} or ({_at(names[0], values[0], types)} and {beyond(names[1:], values[1:], types)}))"


def up_to(names: Sequence[str], values: Sequence[object], types: Mapping[str, str] = NO_TYPES) -> str:
    """What does not come after a row: `(A lt 'x' or (A eq 'x' and B le 7))`."""
    at = literal(values[0], types.get(names[0], ""))
    if len(names) == 1:
        return f"{names[0]} le {at}"
    return f"({names[0]} lt {at} or ({_at(names[0], values[0], types)} and {up_to(names[1:], values[1:], types)}))"


def _behind(name: str, value: object, types: Mapping[str, str]) -> str:
    kind = types.get(name, "")
    after = _next_moment(value)
    return f"{name} gt {literal(value, kind)}" if after is None else f"{name} ge {literal(after, kind)}"


def _at(name: str, value: object, types: Mapping[str, str]) -> str:
    kind = types.get(name, "")
    at, after = literal(value, kind), _next_moment(value)
    return f"{name} eq {at}" if after is None else f"{name} ge {at} and {name} lt {literal(after, kind)}"


def _next_moment(value: object) -> datetime | None:
    """Of a moment with a fraction, the one that we can say next; None for what is exact.

    A tenant that shows fractions may keep more digits than the six that we read: no row is at just this moment then.
    """
    if not isinstance(value, datetime) or not value.microsecond or value.year == MAXYEAR:
        return None
    return value + timedelta(microseconds=1)


def all_of(*conditions: str | None) -> str | None:
    """The conditions joined by `and`; None where there is none."""
    given = [f"({each})" if " or " in each else each for each in conditions if each]
    return " and ".join(given) or None


def distinct(values: Iterable[object]) -> list[object]:
    """Each value once. A text that UTF-8 cannot hold is no value that a tenant can have."""
    return [value for value in dict.fromkeys(values) if not (isinstance(value, str) and _is_broken(value))]


def _is_broken(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def any_of_keys(
    names: Sequence[str], keys: Iterable[Sequence[object]], types: Mapping[str, str] = NO_TYPES
) -> Iterator[tuple[str, list[Sequence[object]]]]:
    """Filters that ask for rows by their keys, each short enough for a URL, with the keys it asks for."""
    terms: list[str] = []
    asked: list[Sequence[object]] = []
    length = 0
    for key in keys:
        term = f"({equals(names, key, types)})"
        size = len(quote(term, safe="")) + len("%20or%20")
        if terms and (length + size > MAX_FILTER or len(terms) == MAX_TERMS):
            yield " or ".join(terms), asked
            terms, asked, length = [], [], 0
        terms.append(term)
        asked.append(key)
        length += size
    if terms:
        yield " or ".join(terms), asked


@dataclass(frozen=True)
class Order:
    """The stable order in which a collection is walked: by its modified timestamp, if it has a part in it, and keys."""

    entity: EntitySet
    by_time: bool

    @property
    def fields(self) -> tuple[str, ...]:
        modified = self.entity.modified
        return (modified, *self.entity.keys) if self.by_time and modified else self.entity.keys

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(wire_name(name, self.entity.wire) for name in self.fields)

    @property
    def orderby(self) -> str:
        return ",".join(self.names)

    def place(self, row: Row) -> tuple[object, ...] | None:
        """Where a row stands in this order; None where a part of it is not readable."""
        found = tuple(row[name] for name in self.fields)
        return None if None in found else found

    def filter(
        self,
        after: Sequence[object] | None,
        low: datetime | None,
        high: datetime | None,
        upto: Sequence[object] | None = None,
    ) -> str | None:
        """`low` <= modified < `high`, after a place, and up to another one.

        The bounds are stated beside it: databases index them.
        """
        first = self.names[0]
        start = after[0] if after and self.by_time else low
        return all_of(
            f"{first} ge {literal(start)}" if start is not None and self.by_time else None,
            f"{first} lt {literal(high)}" if high is not None and self.by_time else None,
            beyond(self.names, after, self.entity.types) if after else None,
            up_to(self.names, upto, self.entity.types) if upto else None,
        )
