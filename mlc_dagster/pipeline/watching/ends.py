"""What is about to end, told before it does: credentials, and the calls of a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import secret
from mlc_dagster.pipeline.watching.alert import Alert
from mlc_dagster.settings import Settings
from mlc_dagster.settings.alerts import AlertThresholds
from mlc_dagster.transport.token_claims import end_of

SEEN = timedelta(hours=2)  # what was seen of a quota before that may be another day's

Owners = Callable[[str], frozenset[str]]
"""Connection -> who is asked about what goes to it."""


@dataclass(frozen=True)
class Ends:
    """When credentials end, by what mlc.yaml says, and by what the credentials say themselves."""

    connections: Mapping[str, date] = field(default_factory=dict)  # `credential_ends`
    secrets: Mapping[str, datetime] = field(default_factory=dict)  # name of a secret -> the end that it states


def ends_of(settings: Settings, secrets: Iterable[str], ledger: Callable[[], Ledger]) -> Ends:
    """What mlc.yaml says, and what secrets that are JSON Web Tokens say of themselves; nothing else of them is read."""
    days = {name: one.credential_ends for name, one in settings.connections.items() if one.credential_ends}
    stated = dict[str, datetime]()
    lasts = 2 * timedelta(days=settings.alerts.thresholds.credential_days).total_seconds() if settings.alerts else 0
    for name in secrets:
        with suppress(MlcError):  # whoever needs it says that it cannot be had
            if end := end_of(secret(name, ledger).strip(), lasts):
                stated[name] = end
    return Ends(days, stated)


def ending(ledger: Ledger, ends: Ends, limits: AlertThresholds, now: datetime, owners: Owners) -> Iterator[Alert]:
    """One for a connection, a secret, or a person's token; one for a connection whose calls of the day run out."""
    told = {f"the credential of {name}": (_start_of(day), owners(name)) for name, day in ends.connections.items()}
    told |= {name: (end, owners("")) for name, end in ends.secrets.items()}
    told |= {
        f"the token of {user.name} for the review page": (user.ends_at, owners(""))
        for user in ledger.users.all()
        if user.removed_at is None
    }
    for what, (end, whose) in sorted(told.items()):
        if now < end <= now + timedelta(days=limits.credential_days):
            text = f"It ends on {end:%Y-%m-%d %H:%M} UTC. Make another one before, and set it: {_cure(what)}"
            yield Alert("credential", f"ends {what} {end:%Y-%m-%d}", f"{what} ends on {end:%Y-%m-%d}", text, whose)
    yield from _quotas(ledger, limits, now, owners)


def _quotas(ledger: Ledger, limits: AlertThresholds, now: datetime, owners: Owners) -> Iterator[Alert]:
    lowest: dict[str, tuple[float, str]] = {}
    for quota in ledger.quotas.all():
        share = quota.left / quota.most if quota.most else 1.0
        if now - quota.at < SEEN and share < min(limits.quota_left_share, lowest.get(quota.connection, (1.0, ""))[0]):
            lowest[quota.connection] = share, f"{quota.left} of {quota.most} calls of the day are left"
    for name, (share, words) in sorted(lowest.items()):
        text = f"{words}. When none is left, its loads wait until the day is over; nothing is lost."
        subject = f"{share:.0%} of the day's calls of {name} are left"
        yield Alert("quota", f"quota {name}", subject, text, owners(name), "/due")


def _start_of(day: date) -> datetime:
    """Whoever says a day may mean its first moment."""
    return datetime.combine(day, time(), UTC)


def _cure(what: str) -> str:
    if what.endswith("for the review page"):
        return "mlc users add, with the same roles."
    if what.startswith("the credential of "):
        return "mlc credentials set, and credential_ends in mlc.yaml."
    return f"mlc credentials set {what}"
