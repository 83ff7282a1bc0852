"""Records prepared per second of one core: orders of four lines from rows to fingerprints, every rule asked.

By the processor's time: what else the machine does changes little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from mlc_dagster.core.arrow_columns import records_of, source_batch
from mlc_dagster.core.facts import Books, CompanyMapping, Facts, LedgerAccount
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import fingerprint, record_key, version_of
from mlc_dagster.orchestration.storage.row_store import ROWS_AT_ONCE
from mlc_dagster.pipeline.prepare import judge_all
from mlc_dagster.systems.cin7.flows import FLOWS
from mlc_dagster.systems.ifs import records as ifs

FLOW = next(flow for flow in FLOWS if flow.name == "cin7/purchases")
ORDERS = 20_000
FACTS = Facts(
    companies={"0010": CompanyMapping("0010", "SEK")},
    accounts={("0010", "4010"): LedgerAccount("0010", "4010")},
    books=Books(
        accounts=frozenset({"4010"}),
        tax_rules=frozenset({"Tax Exempt"}),
        products=frozenset({"A-1"}),
        locations=frozenset({"Main Warehouse"}),
        supplier_currency={"id-1": "SEK"},
        base_currency="SEK",
    ),
    tax_rules={"V0": "Tax Exempt"},
    options={"location": "Main Warehouse", "external_key": "AdditionalAttribute1", "tax_rule": "Tax Exempt"},
    delivered={"cin7/suppliers": {"S1": "id-1"}},
)


def order(number: int) -> dict[str, object]:
    lines = [
        {
            "order_no": f"P{number}",
            "line_no": str(n),
            "release_no": "1",
            "company": "0010",
            "part_no": "A-1",
            "description": "Bearing",
            "buy_qty_due": Decimal(3),
            "buy_unit_price": Decimal("12.50"),
            "line_amount": Decimal("37.50"),
            "tax_code": "V0",
            "account": "4010",
        }
        for n in range(1, 5)
    ]
    return {
        "order_no": f"P{number}",
        "company": "0010",
        "contract": "A",
        "vendor_no": "S1",
        "order_date": date(2026, 11, 5),
        "currency_code": "SEK",
        "currency_rate": Decimal(1),
        "total_amount": Decimal("150.00"),
        "obj_state": "Released",
        "last_modified": datetime(2026, 11, 5, tzinfo=UTC),
        "lines": lines,
    }


def run() -> dict[str, float]:
    """Records per second, from stored rows and from parsed records."""
    batches = [stored(first) for first in range(0, ORDERS, ROWS_AT_ONCE)]
    reading, judging = 0.0, 0.0
    for batch in batches:
        started = time.process_time()
        records = list(records_of(batch, ifs.PurchaseOrder))
        parsed = time.process_time()
        judged = list(judge_all(FLOW, records, FACTS, "2026-11-05"))
        reading, judging = reading + parsed - started, judging + time.process_time() - parsed
        assert all(isinstance(one, Ready) for one in judged), judged[0]
    return {
        "records_per_second": ORDERS / (reading + judging),
        "of which reading": ORDERS / reading,
        "of which mapping, rules, fingerprint": ORDERS / judging,
    }


def parts() -> dict[str, float]:
    """Microseconds of one core for an order, by what they are spent on: each part alone, over all orders, in order."""
    records = [one for one, _, _ in records_of(stored(0), ifs.PurchaseOrder) if one is not None]
    mapped = [FLOW.mapping(one, FACTS) for one in records]
    pairs = list(zip(records, mapped, strict=True))
    timed = {
        "key and version": _least(
            lambda one: (record_key(one, FLOW.source.keys), version_of(one.last_modified)), records
        ),
        "mapping": _least(lambda one: FLOW.mapping(one, FACTS), records),
        "fingerprint": _least(fingerprint, mapped),
    }
    for rule in FLOW.rules:
        timed[rule.__name__] = _least(lambda pair: rule(pair[0], pair[1], FACTS), pairs)  # noqa: B023 - called before the next rule
    return timed


def _least(work: Callable[[Any], object], things: Sequence[Any], tries: int = 20) -> float:
    """Microseconds for one of them, where nothing else got in between."""
    found = []
    for _ in range(tries):
        started = time.process_time()
        for each in things:
            work(each)
        found.append(time.process_time() - started)
    return min(found) / len(things) * 1e6


def stored(first: int) -> pa.RecordBatch:
    """As many orders as the asset prepares at once."""
    rows = [order(number) for number in range(first, first + ROWS_AT_ONCE)]
    return source_batch(rows, ["e"] * ROWS_AT_ONCE, [None] * ROWS_AT_ONCE, ifs.PurchaseOrder)


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name}: {value:,.0f}")
