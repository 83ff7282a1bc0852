"""What people decided on held records: a release lets one content pass, a discard keeps one content away for good."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select

from mlc_dagster.core.commands import REASON, offered
from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.inert import inert
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, upsert
from mlc_dagster.ledger.entries import Decided, Decision, Event, HoldEntry, Run
from mlc_dagster.ledger.records import deliveries, holds
from mlc_dagster.ledger.records.proposals import Proposals, mark_of
from mlc_dagster.ledger.records.reads import last_number
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.records.users import Users
from mlc_dagster.ledger.tables import attempts, decisions
from mlc_dagster.ledger.tables import holds as held
from mlc_dagster.rules.waiving import AT_THE_LOAD, FOUR_EYES, TAKEN_AS_KNOWN, unwaivable

EVENTS: dict[Decided, Event] = {"released": Event.RELEASED, "discarded": Event.DISCARDED}


class DecisionRefused(MlcError):
    """The decision was not written: nothing has changed."""


class NeedsSecondPerson(DecisionRefused):
    """The first word is in the trail; the record is on hold until another person says the same."""


class LedgerDecisions:
    """At most one decision stands for a key: the latest. The trail keeps all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, flow: str, keys: Iterable[str]) -> dict[str, Decision]:
        """Key -> the decision that stands. A flow without any costs one small question."""
        with self._database.reading() as connection:
            if not _has_any(connection, flow):
                return {}
            stored = {stored_key(key): key for key in keys}
            found = [entry(row) for row in _rows(connection, flow, list(stored))]
            return {stored[each.key]: replace(each, version=_version(connection, each)) for each in found}

    def release(self, hold: HoldEntry, who: str, reason: str, run: Run, *, confirmed: bool = False) -> Decision:
        """This content passes the rules that it was held by. Raises DecisionRefused.

        A record that was held since it changed after it was posted counts as known: nothing is written to the target.
        Some rules want two people: the first word is kept, and NeedsSecondPerson is raised. `confirmed`: both have
        signed in to the review page and said so. Where people sign in at all, that is the only way to be the second.
        """
        if kept := unwaivable(hold.rules):
            why = "; ".join(f"{rule} cannot be waived: {because}" for rule, because in kept.items())
            cure = "Correct it at its source; the hold heals by itself. Or discard it: it is then never sent."
            raise DecisionRefused(f"{hold.flow} {hold.key} cannot be released. {why}.", cure=cure)
        if not confirmed and not FOUR_EYES.isdisjoint(hold.rules):
            if Users(self._database).any():
                raise self._proposed(hold, who, reason)
            if not self._is_seconded(hold, who, reason, run):
                raise _needs_another(hold, who)
        return self._decide(hold, "released", who, reason, run)

    def _proposed(self, hold: HoldEntry, who: str, reason: str) -> NeedsSecondPerson:
        who, reason = _expect_words(hold, "released", who, reason)
        Proposals(self._database).propose(hold.flow, hold.key, "release", mark_of(hold), hold.company, (who, reason))
        words = f"{hold.flow} {inert(hold.key)} is still on hold: {who} has proposed it"
        return NeedsSecondPerson(words, cure="Another person confirms it on the review page, signed in.")

    def _is_seconded(self, hold: HoldEntry, who: str, reason: str, run: Run) -> bool:
        """Whether another person let this very content pass before; else this is the first word, and is kept."""
        who, reason = _expect_words(hold, "released", who, reason)
        with self._database.writing() as connection:
            trail = Trail(connection, hold.flow, run)
            _still_open(connection, hold)
            before = _first_words(connection, hold)
            if any(name != who.casefold() for name in before):
                return True
            if not before:
                told = {"version": hold.version, "fingerprint": hold.content, "detail": f"by {who}: {reason}"}
                trail.add([line(Event.RELEASED_ONCE, hold.key, **told)])
        return False

    def discard(self, hold: HoldEntry, who: str, reason: str, run: Run) -> Decision:
        """This content is never sent. Raises DecisionRefused."""
        return self._decide(hold, "discarded", who, reason, run)

    def _decide(self, hold: HoldEntry, verdict: Decided, who: str, reason: str, run: Run) -> Decision:
        """The decision, the end of the hold and their lines in the trail: all of it, or nothing."""
        who, reason = _expect_words(hold, verdict, who, reason)
        with self._database.writing() as connection:
            trail = Trail(connection, hold.flow, run)
            row = _still_open(connection, hold)
            decision = Decision(hold.flow, hold.key, verdict, hold.rules, hold.content, who, reason, trail.at)
            _write(connection, decision, anew=not _tries_again(connection, decision))
            lines = [_line(EVENTS[verdict], decision, hold)]
            if verdict == "released" and TAKEN_AS_KNOWN in hold.rules:
                lines += _taken_as_known(connection, decision, hold)
            trail.add(lines)
            holds.close(trail, [row], verdict)
        return decision


def _expect_words(hold: HoldEntry, verdict: Decided, who: str, reason: str) -> tuple[str, str]:
    """Both, without what surrounds them. Raises DecisionRefused."""
    who, reason = who.strip(), reason.strip()
    if not who or not reason:
        raise DecisionRefused(
            f"{hold.flow} {hold.key} is not {verdict}: it is not said {'why' if who else 'by whom'}",
            cure="The trail keeps who decided, and why.",
        )
    return who, reason


def _first_words(connection: Connection, hold: HoldEntry) -> list[str]:
    """Who let this content pass already, in small letters."""
    mine = (attempts.c.flow == hold.flow, attempts.c.key == hold.key, attempts.c.fingerprint == hold.content)
    wanted = select(attempts.c.detail).where(*mine, attempts.c.event == Event.RELEASED_ONCE)
    details = connection.execute(wanted.order_by(attempts.c.id)).scalars()
    return [detail.removeprefix("by ").partition(": ")[0].casefold() for detail in details]


def _needs_another(hold: HoldEntry, who: str) -> NeedsSecondPerson:
    words = f"{hold.flow} {inert(hold.key)} is still on hold: the word of {who.strip()} is kept, and a second person's"
    again = offered("holds release", hold.key, flow=hold.flow, reason=REASON)
    return NeedsSecondPerson(f"{words} is needed", cure=f"Another person says: {again} --who NAME")


def _has_any(connection: Connection, flow: str) -> bool:
    return connection.execute(select(decisions.c.key).where(decisions.c.flow == flow).limit(1)).first() is not None


def _rows(connection: Connection, flow: str, keys: Sequence[str]) -> Iterator[Row[Any]]:
    for chunk in chunks(keys):
        yield from connection.execute(
            select(decisions).where(decisions.c.flow == flow, decisions.c.key.in_(chunk)).order_by(decisions.c.key)
        )


def entry(row: Row[Any]) -> Decision:
    fields = dict(row._mapping)
    return Decision(**{**fields, "rules": tuple(rule for rule in row.rules.split(",") if rule)})


def _still_open(connection: Connection, hold: HoldEntry) -> Row[Any]:
    """The hold as the person saw it. Raises DecisionRefused where it is no longer so."""
    row = connection.execute(
        select(held).where(held.c.id == hold.id, held.c.closed_at.is_(None)).with_for_update()
    ).first()
    look, named = f"Look again: {offered('holds show', hold.key, flow=hold.flow)}", f"{hold.flow} {inert(hold.key)}"
    if row is None:
        raise DecisionRefused(f"{named} is no longer on hold", cure=look)
    if (row.version, row.content, row.rules) != (hold.version, hold.content or None, f",{','.join(hold.rules)},"):
        raise DecisionRefused(f"{named} has changed while you looked at it", cure=look)
    if not row.content:
        cure = f"Hold it anew first: {offered('replay', flow=hold.flow, key=hold.key)}"
        raise DecisionRefused(f"{named}: an earlier release held it, and kept no fingerprint", cure=cure)
    return row


def _version(connection: Connection, decision: Decision) -> str:
    """The version that was decided on, from the trail."""
    mine = (attempts.c.flow == decision.flow, attempts.c.key == decision.key)
    event = EVENTS[decision.verdict]
    lines = select(attempts.c.version).where(*mine, attempts.c.event == event).order_by(attempts.c.id.desc())
    found: str | None = connection.execute(lines.limit(1)).scalar()
    return found or ""


def _tries_again(connection: Connection, decision: Decision) -> bool:
    """Released after the target refused it: an earlier release of its rules has to stand, or it never gets there."""
    if decision.verdict == "discarded" or not AT_THE_LOAD.issuperset(decision.rules):
        return False
    standing = select(decisions.c.verdict).where(decisions.c.flow == decision.flow, decisions.c.key == decision.key)
    return connection.execute(standing).scalar() == "released"


def _write(connection: Connection, decision: Decision, *, anew: bool) -> None:
    fields = {**vars(decision), "rules": f",{','.join(decision.rules)},", "read_number": last_number(connection)}
    del fields["version"]
    statement = upsert(connection.dialect.name, decisions)
    names = [name for name in fields if name not in ("flow", "key")] if anew else ["at"]
    replaced = {name: statement.excluded[name] for name in names}
    connection.execute(statement.on_conflict_do_update(index_elements=["flow", "key"], set_=replaced), fields)


def _line(event: Event, decision: Decision, hold: HoldEntry) -> dict[str, Any]:
    detail = f"by {decision.who}: {decision.reason}"
    return line(event, hold.key, version=hold.version, fingerprint=hold.content, detail=detail)


def _taken_as_known(connection: Connection, decision: Decision, hold: HoldEntry) -> list[dict[str, Any]]:
    known = deliveries.take_as_known(connection, hold.flow, hold.key, hold.content, hold.version)
    return [_line(Event.ADOPTED, decision, hold)] if known else []
