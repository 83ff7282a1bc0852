"""What is sent of a ready record, by what the ledger says of it; and what a document takes the place of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import EVER, Agreed, Draft, Outcome, Ready, Saved, State
from mlc_dagster.ledger import Decision, Standing

CLOCKS_APART = timedelta(minutes=5)
NOTHING_TO_SEND = frozenset({State.UNCHANGED, State.STALE, State.SUPERSEDED})
RESTS = frozenset({State.UNCHANGED, State.STALE})
LONG_AGO = EVER + timedelta(seconds=1)  # and yet in doubt: an attempt was made


def draft_of(
    one: Ready, standing: Standing, agreed: Callable[[str], Agreed | None], owner: Callable[[str, str], str]
) -> Draft:
    """New: look for it from ever, a first load adopts what is there. In doubt: from when the attempt was made."""
    new = EVER if standing.state is State.NEW else None
    return Draft(
        one.key,
        one.record,
        standing.remote_id,
        _begun(standing.since) if standing.state is State.IN_DOUBT else new,
        was_delivered=standing.delivered_version is not None,
        agreed=agreed,
        owner=partial(owner, one.key),
        version=one.version,
        as_sent=standing.as_sent,
    )


def _begun(since: datetime | None) -> datetime | None:
    """When an attempt was made; from the beginning of time where it is still to come: that was another clock."""
    return LONG_AGO if since is not None and since > datetime.now(UTC) + CLOCKS_APART else since


def superseded(flow: Flow, last_words: Sequence[tuple[Ready, Outcome]]) -> dict[str, dict[str, str]]:
    """{flow: {key: key of what took its place}}, of what was saved."""
    found: dict[str, dict[str, str]] = {}
    if flow.supersedes:
        for one, outcome in last_words:
            if isinstance(outcome, Saved):
                for other, keys in flow.supersedes(one.record).items():
                    found.setdefault(flow.here(other), {}).update(dict.fromkeys(keys, f"{flow.name} {one.key}"))
    return found


def asked_for(
    standings: Mapping[str, Standing], decisions: Mapping[str, Decision], also_unchanged: bool
) -> frozenset[str]:
    """Of what is stale: all, where somebody asks for it; what was held for it, and released since it was sent."""
    stale = {key: one.delivered_at for key, one in standings.items() if one.state is State.STALE}
    if also_unchanged:
        return frozenset(stale)
    return frozenset(key for key, at in stale.items() if at and key in decisions and decisions[key].at > at)
