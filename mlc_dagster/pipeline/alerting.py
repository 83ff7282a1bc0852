"""Somebody is told: of a run that failed, and once a day of what is on hold. What fails here, fails nothing else."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

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
    fits = (route for route in settings.routes if _fits(route, kind, owners))
    if (route := next(fits, None)) is not None:
        settings = of_route(route, settings)
    failed: list[MlcError] = []
    try:
        for channel in channels(settings, ledger):
            try:
                channel.send(subject, text)
            except NotSent as error:
                failed.append(error)
    except MlcError as error:
        failed.append(error)
    for each in failed:
        log.warning("an alert was not sent: %s", each)
    return [str(each) for each in failed]


def _fits(route: AlertRoute, kind: str, owners: Collection[str]) -> bool:
    is_kind, is_owner = not route.kinds or kind in route.kinds, not route.owners or set(route.owners) & set(owners)
    return is_kind and bool(is_owner)


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


def tell_failure(settings: AlertSettings, ledger: Opened, failed: FailedRun, secrets: Collection[str]) -> str:
    """One message for one cause in `quiet_minutes`, without the secrets of these names. What came of it, in words."""
    standing = _standing(ledger, failed)
    before = _due(settings, ledger, failed.cause, standing)
    if before is None:
        return f"{failed.job} failed for the same cause before: it was told then"
    told = [failed.text(settings.ui_url, before), *(each.follows(each.cause.partition(":")[0]) for each in standing)]
    text = redacted("\n".join(told), ledger, secrets)
    failures = tell(settings, ledger, redacted(failed.subject(), ledger, secrets), text, kind="run_failed")
    return f"not told: {'; '.join(failures)}" if failures else f"told that {failed.job} failed"


def _standing(ledger: Opened, failed: FailedRun) -> list[DueCause]:
    """The causes by which the run left something on the work list, with all that waits by them."""
    try:
        work = ledger().work
        mine = {task.cause for task in work.of_run(failed.run_id)}
        return [each for each in by_cause(work.all() if mine else ()) if each.cause in mine]
    except MlcError:
        return []


def _due(settings: AlertSettings, ledger: Opened, cause: str, standing: Sequence[DueCause] = ()) -> int | None:
    """How often it was not told since the last message; None: not now. A ledger that fails keeps no message back.

    What stands on the work list is told once when it begins, and once more when it needs a person, whatever job meets
    it on whatever day.
    """
    quiet = settings.quiet_minutes * 60
    try:
        alerts = ledger().alerts
        if not standing:
            return alerts.due(cause, quiet)
        marks = [(f"{each.cause}{' needs a person' if each.needs_person else ''}", each.since) for each in standing]
        found = [alerts.due(mark, quiet, since) for mark, since in marks]
        return max((each for each in found if each is not None), default=None)
    except MlcError as error:
        log.warning("whether this was told already is not known: %s", error.message)
        return 0


# --- once a day -----------------------------------------------------------------------------------------------------


def daily(ledger: Ledger, also: Iterable[str] = ()) -> tuple[str, str]:
    """Subject and text: of each flow how many are on hold, since when, by which rules; then what is paused."""
    stock, pauses = ledger.history.stock(), ledger.pauses.standing()
    by_flow: dict[str, list[str]] = defaultdict(list)
    for (flow, rule), number in sorted(ledger.count_holds().items(), key=lambda each: -each[1]):
        by_flow[flow].append(f"{rule} {number}")
    held = [
        f"{flow}: {one.holds} since {one.oldest:%Y-%m-%d} ({', '.join(by_flow[flow])})"
        for flow, one in sorted(stock.items())
    ]
    stopped = [f"{pause}{_waiting(ledger, name)}" for name, pause in pauses.items()]
    stopped += [
        f"{name} asks to be left alone: waiting until {until:%Y-%m-%d %H:%M} UTC{_waiting(ledger, name)}"
        for name, until in sorted(ledger.work.silent().items())
    ]
    stopped += [each.says() for each in by_cause(ledger.work.all())]
    total = sum(one.holds for one in stock.values())
    subject = f"mlc: {total or 'nothing'} on hold" + (f", {', '.join(pauses)} paused" if pauses else "")
    return subject, "\n".join([*held, *stopped, *also]) or "Nothing is on hold, and nothing is paused."


def _waiting(ledger: Ledger, connection: str) -> str:
    waiting = sum(task.connection == connection for task in ledger.work.all())
    return f" ({waiting} load{'s wait' if waiting > 1 else ' waits'})" if waiting else ""


def tell_daily(settings: AlertSettings, ledger: Opened, secrets: Collection[str], also: Sequence[str] = ()) -> str:
    """What came of it, in a few words."""
    try:
        subject, text = daily(ledger(), also)
    except MlcError as error:
        subject, text = "mlc: what is on hold is not known", str(error)
    failures = tell(settings, ledger, redacted(subject, ledger, secrets), redacted(text, ledger, secrets))
    return f"not told: {'; '.join(failures)}" if failures else f"told: {subject.removeprefix('mlc: ')}"
