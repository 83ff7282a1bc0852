"""What a ping asks of Cin7: each key, the chart of accounts, and the names that mlc.yaml takes for granted."""

from __future__ import annotations

from collections.abc import Iterator

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.facts import Books
from mlc_dagster.systems.cin7.account_rules import WHOLE, rules_of
from mlc_dagster.systems.cin7.api import Cin7Api, Document
from mlc_dagster.systems.cin7.connect import cin7_client
from mlc_dagster.systems.cin7.ping_names import names_in_cin7
from mlc_dagster.systems.cin7.ping_webhooks import webhooks_in_cin7
from mlc_dagster.systems.cin7.reference_books import lock_date, read_books
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.shared.findings import Finding, Question, budget, clock, rate, refused, wrong
from mlc_dagster.transport.client import ApiClient, in_order


def ask_cin7(question: Question) -> Iterator[Finding]:
    """Each key by itself, since a load uses them all; the books by the first that is good."""
    section = question.section(Cin7Settings)
    try:
        account, keys = question.secrets
        cin7_client(section, account, keys, budget)
    except MlcError as error:
        yield refused("cin7", "sign-in", error)
        return
    good: list[ApiClient] = []
    each_key = [key.strip() for key in keys.split(",") if key.strip()]
    named = [(key, f"sign-in, key {number} of {len(each_key)}") for number, key in enumerate(each_key, 1)]
    yield from in_order(lambda pair: _key(section, account, *pair, good), named, len(named))
    if good:
        yield from _account(question, good[0], len(each_key))


def _key(section: Cin7Settings, account: str, key: str, what: str, good: list[ApiClient]) -> Finding:
    client = cin7_client(section, account, key, budget, tries=2)
    try:
        me = Cin7Api(client.api).get("/me")
    except MlcError as error:
        return refused("cin7", what, error)
    good.append(client.api)
    return Finding("cin7", what, True, f"company {me.get('Company')}, base currency {me.get('Currency')}{_rules(me)}")


def _rules(me: Document) -> str:
    """What decides about documents: how they are taxed, and from when on they may be changed."""
    whole = rules_of(me).tax_method == WHOLE
    taxed = ", documents taxed as a whole: their tax may be a cent a line off the ERP's" if whole else ""
    return f"{taxed}{_locked(me)}"


def _locked(me: Document) -> str:
    told, locked = me.get("LockDate"), lock_date(me)
    if not told:
        return ""
    return f", locked before {locked}" if locked else f", LockDate {told!r}: no ISO date, so that nothing is held by it"


def _account(question: Question, http: ApiClient, keys: int) -> Iterator[Finding]:
    section = question.section(Cin7Settings)
    api = Cin7Api(http)
    try:
        books = read_books(api, {})  # without products and suppliers: those are long lists
        yield _chart(books)
        if not books.payable_account:
            fault = "Cin7 has no account with the system code CREDITORS"
            yield wrong("cin7", "chart of accounts", fault, "Make it in Cin7: suppliers are payable on no other.")
        yield from names_in_cin7(question, books, api)
        yield from webhooks_in_cin7(api)
    except MlcError as error:
        yield refused("cin7", "books", error)
    yield from clock("cin7", http)
    calls = section.calls_per_minute
    yield rate("cin7", (), f"{keys * calls} calls a minute ({keys} keys, {calls} each)")


def _chart(books: Books) -> Finding:
    if books.accounts:
        return Finding("cin7", "chart of accounts", True, f"{len(books.accounts)} accounts to post to")
    cure = "Make the chart of accounts in Cin7: without it every record is held."
    return wrong("cin7", "chart of accounts", "no account to post to", cure)
