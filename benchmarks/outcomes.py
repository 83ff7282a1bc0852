"""What each flow makes of seeded records, as one digest: run before and after a change that must change nothing."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import msgspec

from mlc_dagster import pipeline
from mlc_dagster.core.facts import Books, CodePart, CompanyMapping, Facts, KnownSupplier, LedgerAccount
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import Record, fingerprint
from mlc_dagster.systems.configuration import flows as all_flows

RECORDS = 3000
TEXTS = (
    "0010",
    "S1",
    "4010",
    "4020",
    "V0",
    "SEK",
    "30",
    "a/b",
    "50%",
    "Released",
    "Cancelled",
    "x\x00",
    "y" * 300,
    "1",
)
AMOUNTS = [
    Decimal(text) for text in ("0", "1", "2", "3", "12.5", "37.5", "25", "-5", "0.12345678", "0.125", "2.675", "1E+14")
]
DAYS = [date(2026, 11, day) for day in (1, 5, 9)]
CODES = frozenset(TEXTS)
FACTS = Facts(
    companies={"0010": CompanyMapping("0010", "SEK", closed_until=DAYS[0])},
    accounts={("0010", code): LedgerAccount("0010", code, valid_from=DAYS[1]) for code in ("4010", "4020", "S1")},
    code_parts={("0010", part, "30"): CodePart(valid_until=DAYS[1]) for part in "BCDEF"},
    books=Books(
        accounts=CODES - {"4020"},
        payment_terms=CODES,
        tax_rules=frozenset({"Standard"}),
        tax_percents={"Standard": Decimal("12.5")},
        products=CODES - {"1"},
        locations=frozenset({"Main"}),
        supplier_currency=dict.fromkeys(TEXTS, "SEK"),
        base_currency="SEK",
        payable_account="2440",
        currencies=frozenset({"SEK"}),
        suppliers={"S1": KnownSupplier("S1", "Svea", "SEK")},
    ),
    payment_terms={"30": "30"},
    tax_rules={"V0": "Standard", "S1": "Standard"},
    options={
        "location": "Main",
        "external_key": "AdditionalAttribute1",
        "tax_rule": "Standard",
        "request_status": "Released",
        "ledger_status": "Released",
    },
    tables={"types": dict.fromkeys(TEXTS, "listed")},
    delivered={flow.name: dict.fromkeys(TEXTS, "1") for table in all_flows().values() for flow in table},
)
"""Books by which some of the seeded records are good, and most break one rule or another."""

GOOD = {
    "company": "0010",
    "status": "Released",
    "buy_qty_due": Decimal(3),
    "buy_unit_price": Decimal("12.5"),
    "line_amount": Decimal("37.5"),
}
"""What fits together; most records have it."""

PLAIN: dict[Any, Callable[[random.Random], Any]] = {
    str: lambda seeded: seeded.choice(TEXTS),
    Decimal: lambda seeded: seeded.choice(AMOUNTS),
    int: lambda seeded: seeded.randrange(1, 2026),
    bool: lambda seeded: seeded.random() < 0.5,
    date: lambda seeded: seeded.choice(DAYS),
    datetime: lambda seeded: datetime(2026, 11, seeded.randint(1, 5), 8, seeded.randint(0, 59), tzinfo=UTC),
}


def some(record: type[Record], seeded: random.Random) -> Record:
    """A record whose fields all have values, or lack them, by chance."""
    given = {field.name: _value(field.type, seeded) for field in msgspec.structs.fields(record)}
    if seeded.random() < 0.8:
        given |= {name: value for name, value in GOOD.items() if name in given}
    return record(**given)


def _value(hint: Any, seeded: random.Random) -> Any:
    inner = [part for part in get_args(hint) if part not in (NoneType, Ellipsis)]
    if NoneType in get_args(hint) and seeded.random() < 0.1:
        return None
    if get_origin(hint) in (tuple, list):
        return tuple(_value(inner[0], seeded) for _ in range(seeded.choice((0, 1, 1, 2, 4))))
    if get_origin(hint) is Literal:
        return seeded.choice(inner)
    if inner:
        return _value(inner[0], seeded)
    if issubclass(hint, StrEnum):
        return seeded.choice(list(hint))
    return some(hint, seeded) if issubclass(hint, Record) else PLAIN[hint](seeded)


def outcomes(flow: Flow) -> tuple[str, Counter[str], float]:
    """(digest of all that came of the records, kinds of outcome, records per second of one core)."""
    seeded = random.Random(flow.name)
    rows = [(some(flow.source.record, seeded), None, None) for _ in range(RECORDS)]
    started = time.process_time()
    judged = [pipeline.judge(flow, row, FACTS, "2026-11-05") for row in rows]
    speed = RECORDS / (time.process_time() - started)
    kinds = Counter(type(one).__name__ if isinstance(one, Ready) else _why(one) for one in judged)
    told = repr([judged, [_mapped(flow, record) for record, _, _ in rows]])
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest(), kinds, speed


def _mapped(flow: Flow, record: Record) -> str:
    """The fingerprint of what would be sent, of those that are held too."""
    try:
        return fingerprint(flow.mapping(record, FACTS))
    except (ValueError, ArithmeticError, LookupError) as error:
        return repr(error)


def _why(one: Any) -> str:
    return ", ".join(problem.rule for problem in one.problems) if hasattr(one, "problems") else "out of scope"


if __name__ == "__main__":
    for flow in [flow for table in all_flows().values() for flow in table]:
        digest, kinds, speed = outcomes(flow)
        print(f"{flow.name:45} {digest} {kinds['Ready']:5} ready, {len(kinds):4} kinds of outcome {speed:9,.0f}/s")
