"""Whose a delivered record is, company and other party: by what was sent, by its document, by what was held of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from mlc_dagster.core.vocabulary import key_parts
from mlc_dagster.ledger.database import chunks
from mlc_dagster.ledger.records.hold_columns import narrow
from mlc_dagster.ledger.tables import contents, deliveries, holds, stakes


class Whose(NamedTuple):
    """Of one record."""

    company: str  # empty: not told
    party: str | None = None


NOBODYS = Whose("")


def whose_are(connection: Connection, flow: str, keys: Sequence[str]) -> dict[str, Whose]:
    """Stored key -> whose it is, of those of which anything tells it; what was sent last counts most."""
    found: dict[str, Whose] = {}
    for chunk in chunks(keys):
        for told in (_by_holds, _by_document, _by_content):
            found |= {key: whose for key, whose in told(connection, flow, chunk) if whose.company}
    return found


def _by_content(connection: Connection, flow: str, keys: Sequence[str]) -> Iterator[tuple[str, Whose]]:
    same = (
        contents.c.flow == deliveries.c.flow,
        contents.c.key == deliveries.c.key,
        contents.c.fingerprint == deliveries.c.fingerprint,
    )
    wanted = select(contents.c.key, contents.c.content).join_from(deliveries, contents, same[0] & same[1] & same[2])
    mine = (deliveries.c.flow == flow, contents.c.flow == flow, deliveries.c.key.in_(keys))
    for row in connection.execute(wanted.where(*mine)):
        sent: Any = json.loads(row.content) if row.content else None
        told = narrow((), sent) if isinstance(sent, dict) else {}
        yield row.key, Whose(told.get("company") or "", told.get("party") or None)


def _by_document(connection: Connection, flow: str, keys: Sequence[str]) -> Iterator[tuple[str, Whose]]:
    """A supplier's invoice."""
    mine = (stakes.c.flow == flow, stakes.c.key.in_(keys), stakes.c.document.is_not(None))
    for row in connection.execute(select(stakes.c.key, stakes.c.document).where(*mine)):
        parts = key_parts(row.document, 3)
        if len(parts) == 3:  # it was not cut
            yield row.key, Whose(parts[0], parts[1])


def _by_holds(connection: Connection, flow: str, keys: Sequence[str]) -> Iterator[tuple[str, Whose]]:
    wanted = select(holds.c.key, holds.c.company, holds.c.party).where(holds.c.flow == flow, holds.c.key.in_(keys))
    for row in connection.execute(wanted.order_by(holds.c.id)):
        yield row.key, Whose(row.company, row.party or None)
