"""C21: odd texts, keys and amounts arrive exactly, or are held with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster import pipeline
from mlc_dagster.core.arrow_columns import read_ready, ready_batch, ready_schema, records_of, source_schema
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Draft, Saved
from mlc_dagster.core.vocabulary import Pull, key_text
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Verdict
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.promises.quick import COMPANIES, PLENTY, PURCHASES, TEN, a_supplier, ifs_client, ready, scope
from mlc_dagster_tests.systems.cin7 import samples as cin7
from mlc_dagster_tests.systems.hubspot import samples as hubspot

TEXTS = {
    "emoji": "Bolts \U0001f529\U0001f1f8\U0001f1ea",
    "right to left": "\u202eשלום\u202c עולם",
    "formula": '=HYPERLINK("http://x.example";"y")',
    "formula with @": "@SUM(1+1)*cmd|' /C calc'!A0",
    "plus": "+4670000000",
    "quotes": 'O\'Brien "& Sons" <b>AB</b>',
    "percent": "100% a/b %2F {{x}} ${y}",
    "combining": "a\u030a is not å",
    "line ends": "first\nsecond\r\nthird\ttab",
    "NUL": "a\x00b",
    "control": "a\x07\x1bb",
    "spaces": "\u00a0 in \u2003 between",
    "long": "x" * 1_000_000,
}
KEYS = [
    "O'Brien",
    "a/b",
    "100%",
    "%2F",
    "a%2Fb",
    '"',
    "\\",
    "a b+c",
    "å",
    "日本",
    "0001",
    "1",
    "(x=1)",
    "a#b?c&d",
    "\U0001f600",
    "''",
]
AMOUNTS = {
    "0.01": True, "-0.01": True, "0": True, "-0": True, "1E+3": True, "123456789.12": True, "9999999999999999.99": True,
    "0.0000000001": True, "1" * 28: True, "1" * 38: True, "1" * 47: False, "0." + "1" * 38: False,
    "1234567890123456789012345678.1234567891": True,
}  # fmt: skip


def delivered(ledger: Ledger, supplier: str) -> Ledger:
    """The supplier of all orders is in Cin7 already."""
    one, run = ready("S100", cin7.supplier()), Run("before", "2026-11-05")
    ledger.begin("cin7/suppliers", [(one, None)], run=run)
    ledger.finish("cin7/suppliers", [(one, Saved(Draft("S100", one.record), supplier, "created"))], run=run)
    return ledger


def moved(box: Sandbox, flow: Flow, facts: Any, client: Any, ledger: Ledger, store: RowStore) -> set[str]:
    """Read into Parquet, prepare into Parquet, load: as the assets do. The keys that are held."""
    entity, pull, run = flow.source, Pull("/".join(flow.source.key), "2026-11-05"), Run("run", "2026-11-05")
    store.write(
        entity.key, run.partition, source_schema(entity.record), ifs_client(box, 5000).read(entity, scope(), pull)
    )
    rows = (records_of(batch, entity.record) for batch in store.read(entity.key, run.partition))
    verdict = Verdict(run.partition)
    judged = pipeline.prepare(flow, rows, facts, ledger, run, verdict)
    schema, prepared = ready_schema(flow.target.record), (*flow.key, "prepared")
    store.write(prepared, run.partition, schema, (ready_batch(chunk, flow.target.record) for chunk in judged))
    stored = (one for batch in store.read(prepared, run.partition) for one in read_ready(batch, flow.target.record))
    loaded = pipeline.load(flow, stored, client, ledger, run)
    held = {hold.key for hold in ledger.open_holds(flow.name)}
    assert verdict.read == pull.rows == loaded.asked + verdict.held
    assert len(held) == verdict.held + loaded.held
    assert all(hold.problems[0].reason for hold in ledger.open_holds(flow.name))
    return held


@pytest.mark.promise("C21", "thirteen odd texts, of 1 MB and with NUL too, as names of suppliers: IFS to HubSpot")
def test_c21_odd_names_reach_hubspot_exactly_or_are_held(ledger: Ledger, tmp_path: Path) -> None:
    with Sandbox(limits=PLENTY) as box:
        rows = [{"SupplierId": kind.upper(), "Name": text, "LastModified": TEN} for kind, text in TEXTS.items()]
        box.ifs.put_many("SupplierSet", rows)
        held = moved(box, COMPANIES, hubspot.facts(), hubspot.client_on(box), ledger, RowStore(str(tmp_path)))
        there = {
            row["properties"]["ifs_external_key"]: row["properties"]["name"]
            for row in box.hubspot.live("companies").values()
        }
    found = {key.removeprefix("SUPPLIER/"): name for key, name in there.items()}
    texts = {kind.upper(): text for kind, text in TEXTS.items()}
    assert set(found) ^ held == set(texts), "each in exactly one state"
    assert {kind: name for kind, name in found.items() if name != texts[kind].strip()} == {}, (
        "white space around it aside"
    )
    assert {"EMOJI", "RIGHT TO LEFT", "FORMULA", "QUOTES", "PERCENT", "COMBINING"} <= set(found)


@pytest.mark.promise("C21", "sixteen keys with quotes, slashes and percent signs, as order numbers: IFS to Cin7")
def test_c21_odd_keys_stay_apart_from_the_erp_to_the_marker_in_cin7(ledger: Ledger, tmp_path: Path) -> None:
    with Sandbox(limits=PLENTY) as box:
        supplier = a_supplier(box)
        box.ifs.put_many("PurchaseOrderSet", [order(key, Decimal(n + 1)) for n, key in enumerate(KEYS)], TEN)
        box.cin7.add_account("4010", "Raw materials")
        facts = replace(cin7.facts(), books=cin7.client_on(box).books())
        delivered(ledger, supplier)
        held = moved(box, PURCHASES, facts, cin7.client_on(box), ledger, RowStore(str(tmp_path)))
        there = {
            each["AdditionalAttributes"]["AdditionalAttribute1"]: each["Order"]["TotalBeforeTax"]
            for each in box.cin7.purchases.values()
        }
        again = moved(box, PURCHASES, facts, cin7.client_on(box), ledger, RowStore(str(tmp_path)))
    assert held == again == set()
    assert there == {f"0010/{key_text(key)}": n + 1 for n, key in enumerate(KEYS)}
    assert set(ledger.remote_ids(PURCHASES.name)) == {key_text(key) for key in KEYS}


@pytest.mark.promise(
    "C21", "thirteen amounts, up to 47 digits and -0, on orders: exact in Parquet, or held; never a float"
)
def test_c21_amounts_are_exact_to_the_last_digit_or_held(ledger: Ledger, tmp_path: Path) -> None:
    with Sandbox(limits=PLENTY) as box:
        supplier, store = a_supplier(box), RowStore(str(tmp_path))
        box.ifs.put_many("PurchaseOrderSet", [order(text, Decimal(text)) for text in AMOUNTS], TEN)
        box.cin7.add_account("4010", "Raw materials")
        facts = replace(cin7.facts(), books=cin7.client_on(box).books())
        delivered(ledger, supplier)
        held = moved(box, PURCHASES, facts, cin7.client_on(box), ledger, store)
        there = {
            each["AdditionalAttributes"]["AdditionalAttribute1"]: each["Order"]["TotalBeforeTax"]
            for each in box.cin7.purchases.values()
            if each["Status"] != "VOIDED"
        }
    for batch in store.read(ifs.PURCHASE_ORDERS.key, "2026-11-05"):
        for row in batch.to_pylist():
            if row["unreadable"] is None:
                assert row["total_amount"] == Decimal(row["order_no"]) and isinstance(row["total_amount"], Decimal)
            else:
                assert not AMOUNTS[row["order_no"]], "it would have fitted"
                assert str(json.loads(row["unreadable"])["row"]["TotalAmount"]) == str(Decimal(row["order_no"]))
    arrived = {key.removeprefix("0010/"): total for key, total in there.items()}
    assert set(arrived) | held == set(AMOUNTS)
    for text, total in arrived.items():
        assert text in held or (isinstance(total, Decimal | int) and total == Decimal(text))
    assert {text for text, fits in AMOUNTS.items() if not fits} <= held
    assert {"0.01", "1E+3", "123456789.12"} <= set(arrived)


def order(number: str, amount: Decimal) -> dict[str, Any]:
    line = {"LineNo": "1", "ReleaseNo": "1", "Description": "Service", "LineAmount": amount, "Account": "4010"}
    return {
        "OrderNo": number,
        "Company": "0010",
        "VendorNo": "S100",
        "OrderDate": "2026-11-04",
        "CurrencyCode": "SEK",
        "CurrencyRate": Decimal(1),
        "TotalAmount": amount,
        "ObjState": "Released",
        "PurchaseOrderLines": [line],
    }
