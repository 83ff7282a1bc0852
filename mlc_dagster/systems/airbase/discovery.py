"""`mlc discover airbase`: subsidiaries, types of ledger entries and labels of tags beside the ERP's. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.airbase.client import AirbaseClient
from mlc_dagster.systems.airbase.connect import airbase_client
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.airbase.spend.entry_types import EntryType, Kind
from mlc_dagster.systems.shared.discovery import Choice, CodesInUse, Discovery, discovered
from mlc_dagster.systems.shared.findings import Finding, Question, budget, refused

TITLE = (
    "Proposed by `mlc discover airbase`; nothing was changed. A line with a question mark is for a person to decide."
)
KINDS: tuple[str, ...] = get_args(Kind)


def discover_airbase(question: Question, flows: Sequence[Flow], codes: CodesInUse) -> Discovery:
    """Raises AccessDenied where the token is refused."""
    section, (token,) = question.section(AirbaseSettings), question.secrets
    client = airbase_client(section, token, budget, tries=2)
    client.probe(section.paths.vendors)
    types, findings = _types(client)
    choices = [*_type_choices(types), *_paths(section), *_terms(codes)]
    return discovered("airbase", [], choices, [*findings, _subsidiaries(client, codes), _accounts(client, codes)])


def _types(client: AirbaseClient) -> tuple[Sequence[EntryType], list[Finding]]:
    try:
        found = list(client.ledger_entry_types())
    except MlcError as error:
        return [], [refused("airbase", "ledger entries", error)]
    return found, [Finding("airbase", f"type {each.type or '(none)'}", True, each.words()) for each in found]


def _type_choices(types: Sequence[EntryType]) -> Iterator[Choice]:
    """Nobody publishes what they mean: it is never guessed by their names."""
    amounts: dict[str, list[str]] = {}
    for each in types:
        amounts.setdefault(each.type or "(none)", []).append(f"{each.entries} of {each.amount} {each.currency}")
    for name, told in amounts.items():
        yield Choice(f"types.{name}", f"What ledger entries of type {name} are ({'; '.join(told)})", KINDS)


def _paths(section: AirbaseSettings) -> Iterator[Choice]:
    for name in ("purchase_orders", "purchase_requests"):
        if not getattr(section.paths, name):
            words = f"The path of {name.replace('_', ' ')}, as your portal documents it; empty: these flows are off"
            yield Choice(f"paths.{name}", words, ())


def _terms(codes: CodesInUse) -> Iterator[Choice]:
    for code, number in codes.payment_terms.most_common():
        yield Choice(f"payment_terms.{code}", f"Airbase's name of payment term {code} ({number} records)", ())


def _subsidiaries(client: AirbaseClient, codes: CodesInUse) -> Finding:
    try:
        there = client.books().subsidiaries
    except MlcError as error:
        return refused("airbase", "subsidiaries", error)
    if there is None:
        return Finding("airbase", "subsidiaries", True, "not checked: airbase.paths.subsidiaries is empty")
    missing = sorted(set(codes.companies) - set(there))
    words = (
        f"{', '.join(sorted(there))}; no subsidiary has the reference {', '.join(missing)}"
        if missing
        else "one for each company"
    )
    return Finding("airbase", "subsidiaries", not missing, words)


def _accounts(client: AirbaseClient, codes: CodesInUse) -> Finding:
    try:
        there = {str(each) for each in client.books().accounts}
    except MlcError as error:
        return refused("airbase", "accounts", error)
    missing = sorted(set(codes.accounts) - there)
    words = (
        f"not in Airbase, by number: {', '.join(missing[:20])}" if missing else "all that documents name are in Airbase"
    )
    return Finding("airbase", "accounts in use", not missing, words)
