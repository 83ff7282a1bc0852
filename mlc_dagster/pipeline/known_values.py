"""What is known of the values that records wait for: where it differs from before, their holds may heal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from importlib import metadata

from mlc_dagster.core.facts import Books, Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.records.causes import Cause

CODE_PARTS = "BCDEFGHIJ"
RELEASE = metadata.version("mlc-dagster")

Delivered = tuple[str, str, bool]
"""The flow that delivered it, its remote id, and whether it is on hold itself."""


def marks(flow: Flow, causes: Iterable[Cause], facts: Facts, ledger: Ledger) -> dict[Cause, str]:
    """Cause -> a mark that differs when mlc.yaml, the release, or what is known of a missing value differs."""
    asked = list(causes)
    delivered = _delivered(flow, {value for cause in asked for value in cause.values if value}, ledger)
    general = _general(facts)
    return {cause: _mark(general, *_of_cause(cause, facts, delivered)) for cause in asked}


def _mark(*known: object) -> str:
    return hashlib.blake2b("\n".join(map(repr, known)).encode("utf-8", "replace"), digest_size=12).hexdigest()


def _general(facts: Facts) -> str:
    """All that is no list of values: what mlc.yaml says, and the release, whose rules may be others."""
    books = [getattr(facts.books, one.name) for one in fields(Books) if one.name not in (*_LISTS, *_MAPS)]
    listed = (facts.companies, facts.payment_terms, facts.tax_rules, facts.gl_accounts, facts.options, facts.tables)
    return _mark(RELEASE, books, facts.extra_fields, *listed)


_LISTS = tuple(one.name for one in fields(Books) if isinstance(getattr(Books(), one.name), frozenset | None))
_MAPS = tuple(one.name for one in fields(Books) if isinstance(getattr(Books(), one.name), Mapping))


def _of_cause(cause: Cause, facts: Facts, delivered: Mapping[str, list[Delivered]]) -> Iterator[object]:
    yield facts.companies.get(cause.company)
    companies = [cause.company] if cause.company in facts.companies else sorted(facts.companies)
    for value in filter(None, cause.values):
        there = delivered.get(value, [])
        yield there
        for name in [*_names(value, facts), *(remote_id for _, remote_id, _ in there)]:
            yield from (name in (getattr(facts.books, each) or ()) for each in _LISTS)
            yield from (getattr(facts.books, each).get(name) for each in _MAPS)
            yield from (facts.accounts.get((company, name)) for company in companies)
            yield from (facts.code_parts.get((company, part, name)) for company in companies for part in CODE_PARTS)


def _names(value: str, facts: Facts) -> list[str]:
    """The value itself, and what the tables of mlc.yaml make of it."""
    tables = (facts.gl_accounts, facts.payment_terms, facts.tax_rules, *facts.tables.values())
    return [value, *dict.fromkeys(table[value] for table in tables if table.get(value, value) != value)]


def _delivered(flow: Flow, values: set[str], ledger: Ledger) -> dict[str, list[Delivered]]:
    """Value -> of each flow that goes first its remote id under this key, and whether that is on hold itself."""
    found: dict[str, list[Delivered]] = {}
    keys = {**{value: value for value in values}, **{key_text(value): value for value in values}}
    for needed in (*flow.needs, *flow.links) if keys else ():
        ids = ledger.remote_ids(needed, keys)
        held = ledger.held(needed, ids) if flow.needs_settled else frozenset[str]()
        for key, remote_id in ids.items():
            found.setdefault(keys[key], []).append((needed, remote_id, key in held))
    return found
