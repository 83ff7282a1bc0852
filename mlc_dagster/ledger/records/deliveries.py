"""What each flow delivered under which key, and which attempts have no answer yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import starmap
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    func,
    literal_column,
    null,
    select,
    update,
)

from mlc_dagster.core.outcomes import Ready, Refused, Saved, Unanswered
from mlc_dagster.ledger.bulk import Bulk
from mlc_dagster.ledger.columns import storable, stored_key
from mlc_dagster.ledger.database import DIALECTS, chunks, upsert
from mlc_dagster.ledger.entries import NEVER_AGAIN, Answer, AsOf, Event
from mlc_dagster.ledger.records import contents
from mlc_dagster.ledger.records.judging import rows_of
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import deliveries, flows

_OPEN = {name: null() for name in ("open_since", "open_remote_id", "open_version", "open_read_number")}


def has_any(connection: Connection, flow: str) -> bool:
    some = select(deliveries.c.key).where(deliveries.c.flow == flow, deliveries.c.fingerprint.is_not(None)).limit(1)
    return connection.execute(some).first() is not None


def began_at(connection: Connection, flow: str) -> datetime | None:
    return connection.execute(select(flows.c.began_at).where(flows.c.flow == flow)).scalar()


def begin(trail: Trail, attempts: Sequence[tuple[Ready, str | None]]) -> None:
    refuse_repeats(ready.key for ready, _ in attempts)
    if not attempts:
        return
    new = contents.keep(trail, [ready for ready, _ in attempts])
    lines = [_sent(ready, remote_id, new.get(stored_key(ready.key), "")) for ready, remote_id in attempts]
    trail.connection.execute(_begun(trail.connection.dialect.name), {"flow": trail.flow, "began_at": trail.at})
    told = map(itemgetter("key", "remote_id", "version"), lines)
    opened = ((*each, ready.read_number) for each, (ready, _) in zip(told, attempts, strict=True))
    _OPENED.write(trail.connection, {"flow": trail.flow, "open_since": trail.at}, opened)
    trail.add(lines)


def _sent(ready: Ready, remote_id: str | None, detail: str) -> dict[str, Any]:
    version, content = ready.version, ready.fingerprint
    return line(Event.SENT, ready.key, version=version, fingerprint=content, remote_id=remote_id, detail=detail)


@cache
def _begun(dialect: str) -> Any:
    return upsert(dialect, flows).on_conflict_do_nothing()


def refuse_repeats(keys: Iterable[str]) -> None:
    """Two drafts under one key, sent side by side, would be two records in the target."""
    seen: set[str] = set()
    if twice := sorted({key for key in keys if key in seen or seen.add(key)}):  # type: ignore[func-returns-value]
        raise ValueError(
            f"{len(twice)} key(s) stand twice in one batch, such as {twice[0]!r}: hand over one record each"
        )


def _opened(dialect: str) -> Any:
    """Opens an attempt; where one is open already, its earlier time stands: from then on the record may exist."""
    statement = upsert(dialect, deliveries)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["flow", "key"],
        set_={
            "open_since": func.coalesce(deliveries.c.open_since, new.open_since),
            "open_remote_id": func.coalesce(new.open_remote_id, deliveries.c.open_remote_id),
            "open_version": _newer(deliveries.c.open_version, new.open_version),
            "open_read_number": _later(deliveries.c.open_read_number, new.open_read_number),
        },
    )


def _newer(old: ColumnElement[str], new: ColumnElement[str]) -> ColumnElement[str]:
    return case((func.coalesce(old, literal_column("''")) > new, old), else_=new)


def _later(old: ColumnElement[int], new: ColumnElement[int]) -> ColumnElement[int]:
    """The higher of two read numbers; the one that is known, where the other is not."""
    return case((func.coalesce(old, literal_column("-1")) > func.coalesce(new, literal_column("-1")), old), else_=new)


_OPENED = Bulk(
    {name: _opened(name) for name in DIALECTS},
    alike=("flow", "open_since"),
    own=("key", "open_remote_id", "open_version", "open_read_number"),
)


def note_id(trail: Trail, key: str, remote_id: str) -> None:
    noted = (
        update(deliveries)
        .where(deliveries.c.flow == trail.flow, deliveries.c.key == key, deliveries.c.open_since.is_not(None))
        .values(open_remote_id=remote_id)
    )
    if trail.connection.execute(noted).rowcount != 1:
        raise ValueError(f"{trail.flow} {key!r}: the target gave it an id, but no attempt was begun")
    trail.add([line(Event.BEGUN, key, remote_id=remote_id)])


def finish(trail: Trail, outcomes: Sequence[tuple[Ready, Answer]]) -> None:
    refuse_repeats(ready.key for ready, _ in outcomes)
    lines = [_line(ready, answer) for ready, answer in outcomes]
    told = zip(lines, outcomes, strict=True)
    saved = [(each, answer, ready) for each, (ready, answer) in told if isinstance(answer, Saved)]
    refused = [{"of_flow": trail.flow, "of_key": r.key} for r, answer in outcomes if _is_an_answer(answer)]
    common = {"flow": trail.flow, "delivered_at": trail.at, "run_id": trail.run.run_id}
    _DELIVERED.write(trail.connection, {**common, "partition": trail.run.partition}, starmap(_delivery, saved))
    if refused:
        trail.connection.execute(_refused(), refused)
    trail.add(lines)


def _is_an_answer(answer: Answer) -> bool:
    """A refusal that ends the doubt. Else the attempt stays open."""
    return isinstance(answer, Refused) and not answer.in_doubt


def _delivery(told: dict[str, Any], saved: Saved, ready: Ready) -> tuple[str | int | None, ...]:
    link = storable(saved.link)
    known = (told["key"], told["remote_id"], told["fingerprint"], told["version"])
    return (*known, link, told["detail"], ready.source or None, ready.read_number)


def _delivered(dialect: str) -> Any:
    statement = upsert(dialect, deliveries)
    new = statement.excluded
    plain = ("remote_id", "fingerprint", "link", "detail", "delivered_at", "run_id", "partition", "source_fingerprint")
    return statement.on_conflict_do_update(
        index_elements=["flow", "key"],
        set_={name: new[name] for name in plain} | _as_of(new) | _OPEN | {"stale_since": null()},
    )


def _as_of(new: Any) -> dict[str, ColumnElement[Any]]:
    """A stamp never goes back, so that stored rows from before a clock was set right stay older."""
    version, number = deliveries.c.version, deliveries.c.read_number
    return {"version": _newer(version, new.version), "read_number": _later(number, new.read_number)}


_DELIVERED = Bulk(
    {name: _delivered(name) for name in DIALECTS},
    alike=("flow", "delivered_at", "run_id", "partition"),
    own=("key", "remote_id", "fingerprint", "version", "link", "detail", "source_fingerprint", "read_number"),
)


@cache
def _refused() -> Any:
    """The attempt has its answer. An id that the target gave is kept: the next attempt goes on where this one ended."""
    known = func.coalesce(deliveries.c.open_remote_id, deliveries.c.remote_id)
    return (
        update(deliveries)
        .where(deliveries.c.flow == bindparam("of_flow"), deliveries.c.key == bindparam("of_key"))
        .values({"remote_id": known} | _OPEN)
    )


def late(outcomes: Sequence[tuple[Ready, Answer]]) -> Iterator[dict[str, Any]]:
    """Lines that tell what a writer was answered which had been overtaken, and change no delivery."""
    for ready, answer in outcomes:
        told = _line(ready, answer)
        said = told["event"] if not told["detail"] else f"{told['event']}: {told['detail']}"
        yield {**told, "event": Event.LATE.value, "detail": said}


def _line(ready: Ready, answer: Answer) -> dict[str, Any]:
    remote_id = answer.draft.remote_id
    match answer:
        case Saved(remote_id=remote_id, action=action, detail=detail):
            event, reason = Event(action), detail
        case Refused(reason=reason):
            event = Event.REFUSED
        case Unanswered(reason=reason):
            event = Event.UNANSWERED
    return line(
        event, ready.key, version=ready.version, fingerprint=ready.fingerprint, remote_id=remote_id, detail=reason
    )


def delivered(connection: Connection, flow: str, keys: Sequence[str]) -> dict[str, AsOf]:
    """Key -> of when the state is that was delivered, for the keys that were."""
    stored = {stored_key(key): key for key in keys}
    rows = rows_of(connection, flow, keys)
    return {stored[row.key]: AsOf(row.version, row.read_number) for row in rows if row.version is not None}


def take_as_known(connection: Connection, flow: str, key: str, fingerprint: str, version: str) -> bool:
    """This content counts as delivered, though nothing was sent. False: nothing was ever delivered under the key."""
    newest = _newer(deliveries.c.version, bindparam("to_version", version))
    known = (
        update(deliveries)
        .where(deliveries.c.flow == flow, deliveries.c.key == key, deliveries.c.fingerprint.is_not(None))
        .values(fingerprint=fingerprint, version=newest, source_fingerprint=null())  # of which source is not told
    )
    return connection.execute(known).rowcount == 1


def supersede(trail: Trail, taken: Mapping[str, str]) -> list[str]:
    """Key -> what took its place: nothing is delivered under these keys any more. Those that are new to this."""
    known = {row.key for row in rows_of(trail.connection, trail.flow, list(taken)) if row.version == NEVER_AGAIN}
    new = [key for key in sorted(taken) if stored_key(key) not in known]
    if new:
        statement = upsert(trail.connection.dialect.name, deliveries)
        last = statement.on_conflict_do_update(index_elements=["flow", "key"], set_={"version": NEVER_AGAIN})
        trail.connection.execute(last, [{"flow": trail.flow, "key": key, "version": NEVER_AGAIN} for key in new])
        trail.add(line(Event.SUPERSEDED, key, version=NEVER_AGAIN, detail=f"by {taken[key]}") for key in new)
    return new


def remote_ids(connection: Connection, flow: str, keys: Sequence[str] | None) -> dict[str, str]:
    """Key -> remote id of what was delivered; all keys of the flow where none are named."""
    delivered = (
        select(deliveries.c.key, deliveries.c.remote_id)
        .where(deliveries.c.flow == flow)
        .where(deliveries.c.remote_id.is_not(None), deliveries.c.fingerprint.is_not(None))
    )
    if keys is None:
        return {row.key: row.remote_id for row in connection.execute(delivered)}
    stored = {stored_key(key): key for key in keys}
    found = (connection.execute(delivered.where(deliveries.c.key.in_(chunk))) for chunk in chunks(keys))
    return {stored[row.key]: row.remote_id for rows in found for row in rows}
