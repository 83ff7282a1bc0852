"""Whose rows they are: several ERP tenants may keep one database, and none of them sees or touches another's rows.

The tenant stands before each stored name: "!nordlys/cin7/purchases". The empty tenant's names are as they always were,
so that a ledger of an earlier release is that of the empty tenant, without one row changed. It is the column's type
that puts the tenant there and takes it off (`Scoped`), by the engine that the statement runs on: a query cannot forget
it. What lists a table without naming a flow or the like asks for `of_tenant(column)` (tests refuse every statement that
asks for neither); a stored name of another tenant that is read all the same is an error, never an answer.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Engine, String, and_, bindparam, func, literal_column, type_coerce

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger.columns import Key, Name

FIRST, END = "!", "/"
"""Around a tenant. No name begins like this, and every name sorts behind it."""
NAMES_BEGIN = chr(ord(FIRST) + 1)
LAST = chr(0x10FFFF)
_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_ATTRIBUTE = "mlc_tenant"

Tenant = str | None
"""A tenant's name, empty for the one that needs none; None for the whole of a ledger, names as they are stored: for
backups, moves and the like, which look at no content."""


def checked(tenant: str) -> str:
    """The tenant, where it can be one. Raises Misconfigured."""
    if tenant and not _VALID.fullmatch(tenant):
        raise Misconfigured(
            f"{tenant[:40]!r} cannot be a tenant: 1 to 32 letters, digits, - and _ are, the first a letter or a digit",
            cure="Name it shortly, such as nordlys; once rows were written under a name, it stays.",
        )
    return tenant


def assign(engine: Engine, tenant: Tenant) -> None:
    """All that runs on this engine is of this tenant."""
    setattr(engine.dialect, _ATTRIBUTE, tenant)


def stored_name(name: str, dialect: Dialect) -> str:
    """As it stands in the database. Raises ValueError where it could be read as another tenant's."""
    tenant = _of(dialect)
    if tenant is None:
        return name
    if name.startswith(FIRST):
        raise ValueError(f"{name!r}: no name in the ledger begins with {FIRST}")
    return f"{_before(tenant)}{name}"


def plain_name(stored: str, dialect: Dialect) -> str:
    """The name without its tenant. Raises LookupError where the row is another tenant's."""
    tenant = _of(dialect)
    if tenant is None:
        return stored
    before = _before(tenant)
    if stored.startswith(before or FIRST) != bool(before):
        raise LookupError(f"a query of the tenant {tenant!r} found a row of another one: nothing of it is told")
    return stored[len(before) :]


def in_words(stored: str) -> str:
    """A stored name for people who look at the whole of a ledger: "cin7/purchases of nordlys"."""
    if not stored.startswith(FIRST):
        return stored
    tenant, _, name = stored[len(FIRST) :].partition(END)
    return f"{name} of {tenant}"


def of_tenant(column: ColumnElement[str], *, walked: bool = False) -> ColumnElement[bool]:
    """The rows of the tenant that asks, by the column's index; `walked`: not by it, where another order is wanted."""
    text = type_coerce(func.coalesce(column, literal_column("''")) if walked else column, Name())
    lowest, highest = (bindparam(None, "", type_=kind, unique=True) for kind in (_Lowest(), _Highest()))
    return and_(text >= lowest, text < highest)


def raw(column: ColumnElement[str]) -> ColumnElement[str]:
    """The column as it is stored: whoever reads it says whose it is."""
    return type_coerce(column, String())


class Scoped(Name):
    """A name of one tenant: of a flow, a connection, an entity, an asset."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else stored_name(value, dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else plain_name(value, dialect)


class ScopedKey(Key):
    """The same of any length and content: of a lease, a budget, a secret."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        shortened = super().process_bind_param(value, dialect)
        return None if shortened is None else stored_name(shortened, dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else plain_name(value, dialect)


class _Lowest(Name):
    """Where a tenant's names begin, in the order of the database."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str:
        tenant = _of(dialect)
        return _before(tenant) or (NAMES_BEGIN if tenant is not None else "")


class _Highest(Name):
    """Where they have ended."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str:
        tenant = _of(dialect)
        return f"{FIRST}{tenant}{chr(ord(END) + 1)}" if tenant else LAST


def _of(dialect: Dialect) -> Tenant:
    found: Tenant = getattr(dialect, _ATTRIBUTE, "")
    return found


def _before(tenant: Tenant) -> str:
    return f"{FIRST}{tenant}{END}" if tenant else ""
