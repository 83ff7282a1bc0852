"""Two records of a target side by side, read from it now: the one page that asks a system, for five seconds at most."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.outcomes import Delivered, Seen
from mlc_dagster.ledger.credentials import bank_keys, secret
from mlc_dagster.ledger.replaced_secrets import replaced
from mlc_dagster.systems import configuration
from mlc_dagster.web.review.shown_text import cut
from mlc_dagster.web.review.visits import Visit

SECONDS = 5.0
FIELDS = 100


@dataclass(frozen=True)
class BothDocuments:
    """`rows`: (field, as the one shows it that the ledger names, as the other does, whether they differ)."""

    was: str  # ids in the target
    now: str
    states: tuple[str, str] = ("", "")
    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)
    problem: str = ""  # why they are not shown
    others: tuple[str, ...] = ()  # keys of ours that are this record there already


def both_documents(visit: Visit, flow: str, key: str, now: str) -> BothDocuments:
    """The one that the ledger names for the key, and the other; where the target gives no answer, why."""
    was = visit.ledger.remote_ids(flow, [key]).get(key, "")
    others = tuple(each for each in visit.ledger.people.owners(flow, now) if each != key)
    answers: list[tuple[Seen, Seen] | str] = []

    def ask() -> None:
        try:
            answers.append(_read(visit, flow, key, was, now))
        except MlcError as error:
            answers.append(error.message)
        except Exception as error:  # whatever a client makes of an answer: it is told, and nothing is shown
            answers.append(type(error).__name__)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(SECONDS)
    answer = answers[0] if answers else f"it gave no answer within {SECONDS:g} s"
    if isinstance(answer, str):
        return BothDocuments(was, now, problem=cut(answer, 300), others=others)
    one, other = answer
    return BothDocuments(was, now, (one.state, other.state), _rows(one.values, other.values), others=others)


def _read(visit: Visit, name: str, key: str, was: str, now: str) -> tuple[Seen, Seen]:
    flow, ledger = visit.site.known_flows[name], visit.ledger
    settings = visit.site.settings
    known, bank = (lambda each: secret(each, lambda: ledger)), bank_keys(ledger, settings)
    client = configuration.client(settings, flow.target.system, known, ledger.budget, 1, kept=replaced, **bank)
    try:
        [one] = client.read_back(flow.target, [Delivered(flow, key, was)])
        [other] = client.read_back(flow.target, [Delivered(flow, key, now)])
        return one, other
    finally:
        client.api.close()


def _rows(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What differs first."""
    names = list(dict.fromkeys([*one, *other]))[:FIELDS]
    rows = [(name, _text(one.get(name)), _text(other.get(name)), one.get(name) != other.get(name)) for name in names]
    return sorted(rows, key=lambda row: not row[3])


def _text(value: Any) -> str:
    return "" if value is None else cut(str(value), 300)
