"""Somebody is told, as mlc.yaml says: of a run that failed, at once. What fails here, fails nothing else."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import secret
from mlc_dagster.pipeline.due_causes import DueCause, by_cause
from mlc_dagster.settings.alerts import PASSWORD, WEBHOOK, AlertRoute, AlertSettings
from mlc_dagster.transport.notifications import Channel, Email, NotSent, Webhook

log = logger("mlc_dagster.alerts")

LONGEST = 1500  # characters of what one error says
Opened = Callable[[], Ledger]


def channels(settings: AlertSettings, ledger: Opened) -> Iterator[Channel]:
    """The ways that mlc.yaml names. Raises Misconfigured where the secret of one is missing."""
    if settings.webhook is not None:
        where, plain = _secret(settings.webhook, ledger), settings.plain_http is not None
        yield Webhook(where, settings.webhook, settings.timeout_seconds, plain, settings.webhook_form)
    if mail := settings.email:
        password = _secret(PASSWORD, ledger) if mail.user else ""
        yield Email(**mail.model_dump(), password=password, timeout=settings.timeout_seconds)


def _secret(name: str, ledger: Opened) -> str:
    if value := secret(name, ledger).strip():
        return value
    where = (
        "the environment or .env, or seal it: mlc credentials set" if name in (WEBHOOK, PASSWORD) else "the environment"
    )
    raise Misconfigured(f"{name} is not set, and alerts in mlc.yaml need it", cure=f"Set it in {where} {name}.")


def of_route(route: AlertRoute, settings: AlertSettings) -> AlertSettings:
    """The settings for those alone that a route names."""
    mail = settings.email.model_copy(update={"to": route.to}) if settings.email and route.to else None
    return settings.model_copy(
        update={"webhook": route.webhook, "webhook_form": route.webhook_form, "email": mail, "routes": ()}
    )


@dataclass(frozen=True)
class Cause:
    """By what a message is known: who was told of it within `quiet` seconds, or since it stands, is not told again."""

    mark: str
    quiet: float  # seconds
    since: datetime | None = None


@dataclass
class Sending:
    """What came of a message: who got it, and why others did not."""

    sent: int = 0
    failed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """False: all were told before."""
        return bool(self.sent or self.failed)

    def says(self, what: str) -> str:
        return f"not told: {'; '.join(self.failed)}" if self.failed else what


def tell(
    settings: AlertSettings,
    ledger: Opened,
    subject: str,
    text: str,
    kind: str = "",
    owners: Collection[str] = (),
) -> list[str]:
    """Send it every way; a sentence for each that failed, which is logged too. Never raises an error of ours.

    `kind`, and the `owners` of what it is about: the first route that fits says who is told.
    """
    return tell_once(settings, ledger, subject, lambda _: text, (), kind, owners).failed


def tell_once(
    settings: AlertSettings,
    ledger: Opened,
    subject: str,
    text: Callable[[int], str],
    causes: Sequence[Cause],
    kind: str = "",
    owners: Collection[str] = (),
) -> Sending:
    """As `tell`, to those who were not told of one of its causes; to all where it has none.

    `text` is given how often it happened untold. Who could not be reached is told the next time.
    """
    told = Sending()
    try:
        for channel in channels(routed(settings, kind, owners), ledger):
            marks = [replace(each, mark=f"{each.mark} > {channel.whom}") for each in causes]
            if (before := _due(ledger, marks)) is None:
                continue
            try:
                channel.send(subject, text(before))
                told.sent += 1
            except NotSent as error:
                told.failed.append(_logged(error))
                _forget(ledger, marks)
    except MlcError as error:
        told.failed.append(_logged(error))
    return told


def routed(settings: AlertSettings, kind: str = "", owners: Collection[str] = ()) -> AlertSettings:
    """The settings of the first route that fits; else those of all."""
    fits = (of_route(route, settings) for route in settings.routes if _fits(route, kind, owners))
    return next(fits, settings)


def _fits(route: AlertRoute, kind: str, owners: Collection[str]) -> bool:
    is_kind, is_owner = not route.kinds or kind in route.kinds, not route.owners or set(route.owners) & set(owners)
    return is_kind and bool(is_owner)


def _logged(error: MlcError) -> str:
    log.warning("an alert was not sent: %s", error)
    return str(error)


def _due(ledger: Opened, causes: Sequence[Cause]) -> int | None:
    """How often it was not told since the last message; None: not now. A ledger that fails keeps no message back."""
    if not causes:
        return 0
    try:
        found = [ledger().alerts.due(each.mark, each.quiet, each.since) for each in causes]
        return max((each for each in found if each is not None), default=None)
    except MlcError as error:
        log.warning("whether this was told already is not known: %s", error.message)
        return 0


def _forget(ledger: Opened, causes: Sequence[Cause]) -> None:
    with suppress(MlcError):
        ledger().alerts.forget(each.mark for each in causes)


def redacted(text: str, ledger: Opened, secrets: Collection[str]) -> str:
    """The text without any of the secrets of these names, cut to what a person reads."""
    for value in sorted(set(_known(ledger, secrets)), key=len, reverse=True):
        text = text.replace(value, "***")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _known(ledger: Opened, secrets: Collection[str]) -> Iterator[str]:
    for name in (*secrets, "MLC_MASTER_KEY"):
        found = os.environ.get(name, "")
        with suppress(MlcError):  # the ledger may be what has failed
            found = found or secret(name, ledger)
        yield from (each.strip() for each in (found, *found.split(",")) if len(each.strip()) >= 6)
    if password := re.match(r"\w[\w+]*://[^:/@]*:([^@]+)@", os.environ.get("MLC_DATABASE_URL", "")):
        yield password[1]


# --- a run that failed ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FailedRun:
    """What a message says of it."""

    job: str
    run_id: str
    partitions: str  # "2026-11-05", "2026-11-01 to 2026-11-05"; empty: it has none
    errors: tuple[str, ...]  # of its steps, each in words with its cure
    flows: frozenset[str] = frozenset()  # that it was to load, as far as that is known

    @property
    def cause(self) -> str:
        """Equal for runs of one job that failed alike, whatever number, day or record they name."""
        alike = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "#", " ".join((self.job, *self.errors)))
        return hashlib.blake2b(alike.encode(), digest_size=16).hexdigest()

    def subject(self) -> str:
        days = f" for {self.partitions}" if self.partitions else ""
        return f"mlc: {self.job} failed{days}"

    def text(self, ui_url: str | None, before: int) -> str:
        again = f"So did {before} more run{'s' if before > 1 else ''} of it since the last message." if before else ""
        where = f"{ui_url}/runs/{self.run_id}" if ui_url else f"run {self.run_id}"
        return "\n".join([*(self.errors or ("No step failed; see the run's log.",)), *filter(None, (again, where))])


def tell_failure(
    settings: AlertSettings,
    ledger: Opened,
    failed: FailedRun,
    secrets: Collection[str],
    owners: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """One message for one cause in `quiet_minutes`, without the secrets of these names. What came of it, in words.

    What stands on the work list is told once when it begins, and once more when it needs a person, whatever job meets
    it on whatever day. `owners`: flow -> who is asked about it.
    """
    standing, quiet = _standing(ledger, failed), settings.quiet_minutes * 60
    causes = [Cause(each.mark, quiet, each.since) for each in standing] or [Cause(failed.cause, quiet)]
    follows = [each.follows(each.cause.partition(":")[0]) for each in standing]

    def text(before: int) -> str:
        return redacted("\n".join([failed.text(settings.ui_url, before), *follows]), ledger, secrets)

    flows = {*failed.flows, *(flow for each in standing for flow in each.flows)}
    whose = {owner for flow, owner in owners.items() if flow in flows}
    told = tell_once(settings, ledger, redacted(failed.subject(), ledger, secrets), text, causes, "run_failed", whose)
    return (
        told.says(f"told that {failed.job} failed")
        if told
        else (f"{failed.job} failed for the same cause before: it was told then")
    )


def _standing(ledger: Opened, failed: FailedRun) -> list[DueCause]:
    """The causes by which the run left something on the work list, with all that waits by them."""
    try:
        work = ledger().work
        mine = {task.cause for task in work.of_run(failed.run_id)}
        return [each for each in by_cause(work.all() if mine else ()) if each.cause in mine]
    except MlcError:
        return []
