"""`mlc discover cin7`: what the account has of all that mlc.yaml names. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mlc_dagster.core.facts import Books
from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.cin7.api import Cin7Api, Document
from mlc_dagster.systems.cin7.connect import cin7_client
from mlc_dagster.systems.cin7.reference_books import read_books
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.shared.discovery import (
    Choice,
    CodesInUse,
    Discovery,
    Setting,
    by_name_or_number,
    by_percent,
    discovered,
    table_of,
)
from mlc_dagster.systems.shared.findings import Finding, Question, budget

_SLOT = re.compile(r"AdditionalAttribute(\d+)Name|Attribute(\d+)Name")


def discover_cin7(question: Question, flows: Sequence[Flow], codes: CodesInUse) -> Discovery:
    """Locations, attribute sets, tax rules and terms beside the ERP's codes. Raises AccessDenied, Misconfigured."""
    section, (account, keys) = question.section(Cin7Settings), question.secrets
    client = cin7_client(section, account, keys, budget, tries=2)
    api = Cin7Api(client.api)
    books, me = read_books(api, {}), api.get("/me")
    sets = {str(row["Name"]): row for row in api.pages("/ref/attributeset", "AttributeSetList")}
    services = [str(row["Name"]) for row in api.pages("/product", "Products") if row.get("Type") == "Service"]
    found = [*_places(books), *_keys(sets), *_taxes(books, codes), *_terms(books, codes), *_service(services)]
    settings = [each for each in found if isinstance(each, Setting)]
    choices = [each for each in found if isinstance(each, Choice)]
    return discovered("cin7", settings, choices, list(_findings(me, books, sets, codes)))


def _places(books: Books) -> Iterator[Setting | Choice]:
    yield from _one("location", "Where purchases are received", sorted(books.locations), "Main Warehouse")


def _keys(sets: Mapping[str, Document]) -> Iterator[Setting | Choice]:
    """The slot that holds the ERP's key: of the set, the first that is named so, or the first there is."""
    with_slots = {name: slots for name, row in sets.items() if (slots := _slots(row))}
    yield from _one("attribute_set", "The attribute set that holds the ERP's key", sorted(with_slots), "IFS")
    slots = with_slots.get("IFS") or next(iter(with_slots.values()), {})
    if slots:
        named = next((number for number, name in slots.items() if "ifs" in name.casefold()), min(slots))
        yield Setting("external_key", f"AdditionalAttribute{named}", f"the slot {slots[named]!r}")


def _slots(row: Document) -> dict[int, str]:
    found = {}
    for name, value in row.items():
        if value and (match := _SLOT.fullmatch(name)):
            found[int(match.group(1) or match.group(2))] = str(value)
    return found


def _taxes(books: Books, codes: CodesInUse) -> Iterator[Setting | Choice]:
    yield from _one(
        "tax_rule", "The tax rule of suppliers and of lines without a tax code", sorted(books.tax_rules), "Tax Exempt"
    )
    matched = by_percent(codes.tax_codes, books.tax_percents)
    yield from table_of("tax_rules", "The tax rule of tax code", matched, codes.tax_codes, books.tax_rules)


def _terms(books: Books, codes: CodesInUse) -> Iterator[Setting | Choice]:
    matched = by_name_or_number(codes.payment_terms, books.payment_terms)
    yield from table_of("payment_terms", "The term of payment term", matched, codes.payment_terms, books.payment_terms)


def _service(services: Sequence[str]) -> Iterator[Setting | Choice]:
    if services:
        yield Choice("service_product", "The service product that charges are named by", tuple(sorted(services)))


def _one(path: str, words: str, there: Sequence[str], usual: str) -> Iterator[Setting | Choice]:
    """Sure where there is one alone; else a choice, with the usual name proposed where it is there."""
    if len(there) == 1:
        yield Setting(path, there[0], "the only one there is")
    else:
        yield Choice(path, words, tuple(there), usual if usual in there else "")


def _findings(me: Document, books: Books, sets: Mapping[str, Document], codes: CodesInUse) -> Iterator[Finding]:
    locked = f", locked before {books.locked_before}" if books.locked_before else ""
    yield Finding("cin7", "account", True, f"{me.get('Company')}, base currency {books.base_currency}{locked}")
    yield Finding("cin7", "chart of accounts", bool(books.accounts), f"{len(books.accounts)} accounts to post to")
    missing = sorted(set(codes.accounts) - books.accounts)
    words = f"not in Cin7, by number: {', '.join(missing[:20])}" if missing else "all that documents name are in Cin7"
    yield Finding("cin7", "accounts in use", not missing, words)
    yield Finding(
        "cin7", "attribute sets", bool(sets), ", ".join(sorted(sets)) or "none: make one with a slot for the ERP's key"
    )
