"""Column types that keep text and time exactly, alike on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.types import TypeEngine

from mlc_dagster.core.vocabulary import version_of

KEY_BYTES = 1000  # PostgreSQL refuses index entries above 2,704 bytes


def storable(text: str) -> str:
    """The text as both databases can hold it.

    NUL, which PostgreSQL refuses, is written "%00": no key holds that by itself, since `key_text` encodes the percent
    sign. A lone surrogate, which is not UTF-8, is written as Python would (backslash, u, four digits).
    """
    if "\x00" in text:
        text = text.replace("\x00", "%00")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def stored_key(key: str) -> str:
    """The key as it stands in the database: longer than 1,000 bytes, its end gives way to a digest of the whole."""
    key = storable(key)
    if len(key) <= KEY_BYTES // 4:  # a character has four bytes at most
        return key
    encoded = key.encode()
    if len(encoded) <= KEY_BYTES:
        return key
    digest = hashlib.blake2b(encoded, digest_size=16).hexdigest()
    return f"{encoded[: KEY_BYTES - 33].decode(errors='ignore')}~{digest}"


class Name(TypeDecorator[str]):
    """Text of our own making, compared byte by byte: in a language's own order, versions would not sort."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return TEXT(collation="C") if dialect.name == "postgresql" else Text()


class Words(Name):
    """Text of any origin."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Key(Name):
    """A key of any length and content; comes back as `stored_key` wrote it."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else stored_key(value)


class Moment(TypeDecorator[datetime]):
    """An aware UTC time with microseconds. SQLite has no such type: text that sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return String(27) if dialect.name == "sqlite" else DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value!r}; the ledger keeps aware times")
        return version_of(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


Serial = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only in a column called INTEGER
