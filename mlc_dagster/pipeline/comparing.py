"""When what decides a mapping has changed: which delivered records would be made otherwise, of all that is stored.

Each record is mapped anew and compared; no rule is asked, nothing is held and nothing is sent. It goes from the newest
partition to the oldest as long as there is time, and the next run goes on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline.prepare import AsRead, mapped, read_number, referred

Stored = Callable[[str], Iterable[Iterable[AsRead]]]
"""The stored rows of a partition, in batches."""

AT_THE_END = "\uffff"
"""Behind every partition."""


def mark(facts: Facts, release: str) -> str:
    """Differs where mlc.yaml, the rates and accounts of the target, or the release map otherwise."""
    books = facts.books
    told = {
        "release": release,
        "companies": {code: asdict(company) for code, company in facts.companies.items()},
        "tables": facts.tables,
        "options": facts.options,
        "extras": facts.extra_fields,
        "maps": [facts.payment_terms, facts.tax_rules, facts.gl_accounts],
        "books": [books.tax_percents, books.base_currency, books.payable_account],
    }
    return hashlib.blake2b(json.dumps(told, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def compare(
    flow: Flow,
    facts: Facts,
    ledger: Ledger,
    partitions: Sequence[str],
    stored: Stored,
    by: str,
    in_time: Callable[[], bool],
) -> None:
    """Note in the ledger what is stale, and what is no more, since the last mark was another one than `by`."""
    was, to = ledger.stale.compared(flow.name)
    if was == by and to is None:
        return
    start = to if was == by and to is not None else AT_THE_END
    for partition in sorted((each for each in partitions if each < start), reverse=True):
        if not in_time():
            return
        for states in _states(flow, facts, ledger, partition, stored):
            stale = [key for key, state in states.items() if state is State.STALE]
            ledger.stale.note(flow.name, stale, [key for key, state in states.items() if state is State.UNCHANGED])
        ledger.stale.compare_to(flow.name, by, partition)
    ledger.stale.compare_to(flow.name, by, None)


def _states(flow: Flow, facts: Facts, ledger: Ledger, partition: str, stored: Stored) -> Iterator[Mapping[str, State]]:
    for batch in stored(partition):
        rows, number = list(batch), read_number(batch)
        known = replace(facts, **referred(flow, rows, facts, ledger), unusable={})
        ready: list[Ready] = list(mapped(flow, rows, known, partition, number))
        yield {key: standing.state for key, standing in ledger.judge(flow.name, ready).items()}
