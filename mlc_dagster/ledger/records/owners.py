"""One document of a target has one owner among the keys of a flow: the one that it was delivered for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, func, select

from mlc_dagster.core.outcomes import OWNED, Ready, Refused, Saved, owned_words
from mlc_dagster.ledger.columns import storable, stored_key
from mlc_dagster.ledger.database import Database, chunks
from mlc_dagster.ledger.entries import NEVER_AGAIN, Answer
from mlc_dagster.ledger.tables import deliveries

Outcomes = Sequence[tuple[Ready, Answer]]


class Owners:
    """Of what was delivered, and was not superseded since. By index: the size of the ledger does not matter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, flow: str, remote_ids: Iterable[str]) -> dict[str, str]:
        """Remote id -> the key that it was delivered for; where several have it, the first in their order."""
        return {remote_id: keys[0] for remote_id, keys in self.all(flow, remote_ids).items()}

    def all(self, flow: str, remote_ids: Iterable[str]) -> dict[str, list[str]]:
        """Remote id -> every key that it was delivered for, in their order."""
        with self._database.reading() as connection:
            found = _keys(connection, flow, list(remote_ids))
        return {remote_id: sorted(keys) for remote_id, keys in found.items()}

    def shared(self, flow: str) -> dict[str, list[str]]:
        """Remote id -> the keys, two or more, that it was delivered for."""
        several = (
            select(deliveries.c.remote_id)
            .where(*_alive(flow))
            .group_by(deliveries.c.remote_id)
            .having(func.count() > 1)
        )
        with self._database.reading() as connection:
            ids = [row.remote_id for row in connection.execute(several)]
            return {remote_id: sorted(keys) for remote_id, keys in _keys(connection, flow, ids).items()}


def taken(connection: Connection, flow: str, outcomes: Outcomes) -> dict[str, str]:
    """Key -> the other key of the flow that owns its document. Asked only for ids that are new to their key.

    Of two in one batch the first one has it.
    """
    saved = [(ready.key, answer) for ready, answer in outcomes if isinstance(answer, Saved)]
    new = {key: answer.remote_id for key, answer in saved if answer.remote_id != answer.draft.remote_id}
    if not new:
        return {}
    owners = _keys(connection, flow, list(dict.fromkeys(new.values())))
    first: dict[str, str] = {}
    found: dict[str, str] = {}
    for key, remote_id in new.items():
        others = owners.get(storable(remote_id), set()) - {stored_key(key)}
        owner = min(others, default="") or first.setdefault(remote_id, key)
        if owner != key:
            found[key] = owner
    return found


def refused(outcomes: Outcomes, owned: Mapping[str, str], target: str) -> Outcomes:
    """The outcomes, with a refusal for each that another key owns: nothing is delivered under two keys."""
    return [(ready, _refused(ready, answer, owned.get(ready.key), target)) for ready, answer in outcomes]


def _refused(ready: Ready, answer: Answer, owner: str | None, target: str) -> Answer:
    if owner is None or not isinstance(answer, Saved):
        return answer
    words = owned_words(ready.key, owner, answer.detail or answer.remote_id, target)
    return Refused(replace(answer.draft, remote_id=None), words, OWNED)


def _alive(flow: str) -> tuple[ColumnElement[bool], ...]:
    version = func.coalesce(deliveries.c.version, "")
    return deliveries.c.flow == flow, deliveries.c.fingerprint.is_not(None), version != NEVER_AGAIN


def _keys(connection: Connection, flow: str, remote_ids: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for chunk in chunks([storable(each) for each in remote_ids]):
        wanted = select(deliveries.c.key, deliveries.c.remote_id).where(*_alive(flow))
        for row in connection.execute(wanted.where(deliveries.c.remote_id.in_(chunk))):
            found.setdefault(row.remote_id, set()).add(row.key)
    return found
