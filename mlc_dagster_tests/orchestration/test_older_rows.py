"""Rows that a release stored which knew less of a record: never taken for empty values; read or prepared again."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from mlc_dagster.core.arrow_columns import schema_of
from mlc_dagster.core.stored_columns import lacking
from mlc_dagster.orchestration.storage.refused_rows import RowsRefused
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.systems.cin7.records import Purchase
from mlc_dagster.systems.ifs.records import PurchaseOrder
from mlc_dagster_tests.orchestration.conftest import DAY, World
from mlc_dagster_tests.orchestration.test_healing import carry_out, tick

ORDERS, PREPARED = ("ifs", "purchase_order_set"), ("cin7", "purchases_prepared")


def store(world: World) -> RowStore:
    return RowStore(world.environment.storage, world.ledger.stored)


def age(world: World, asset: tuple[str, ...], column: str) -> None:
    """As a release wrote it that had no such column."""
    (table,) = [pa.Table.from_batches(list(store(world).read(asset, DAY)))]
    older = table.drop_columns([column])
    store(world).write(asset, DAY, older.schema, older.to_batches())


def test_what_a_file_lacks_is_named_within_lists_too() -> None:
    schema = schema_of(PurchaseOrder)
    assert lacking(schema, PurchaseOrder) == []
    lines = schema.field("lines").type.value_type
    fewer = pa.list_(pa.struct([each for each in lines if each.name != "account"]))
    names = [each for each in schema if each.name not in ("lines", "currency_rate")]
    assert sorted(lacking(pa.schema([*names, ("lines", fewer)]), PurchaseOrder)) == ["currency_rate", "lines.account"]


def test_a_read_that_knew_less_is_refused_and_says_what_to_do(world: World) -> None:
    world.chart()
    world.put_order()
    assert world.run("cin7").success
    age(world, ORDERS, "currency_rate")
    calls = len(world.box.journal("cin7"))
    again = world.run("cin7", only=["cin7/purchases_prepared", "cin7/purchases"])
    assert not again.success and len(world.box.journal("cin7")) == calls
    told = " ".join(str(event.step_failure_data.error) for event in again.all_events if event.is_step_failure)
    assert "had no currency_rate" in told and f"Materialize ifs/purchase_order_set for {DAY} again" in told
    assert world.run("cin7", only=["ifs/purchase_order_set", "cin7/purchases_prepared", "cin7/purchases"]).success


def test_records_that_were_prepared_with_less_are_not_loaded(world: World) -> None:
    world.chart()
    world.put_order()
    assert world.run("cin7").success
    column = next(name for name in Purchase.__struct_fields__ if name not in ("external_key", "lines"))
    age(world, PREPARED, column)
    assert not world.run("cin7", only=["cin7/purchases"]).success
    with pytest.raises(RowsRefused, match=f"had no {column}"):
        list(store(world).read(PREPARED, DAY, of=Purchase))


def test_the_source_of_a_file_without_fingerprints_is_not_known_and_not_empty(world: World) -> None:
    """`mlc_source` is what the house adds, no column of the record: such a file is loaded as ever."""
    world.chart()
    world.put_order()
    assert world.run("cin7").success
    age(world, PREPARED, "mlc_source")
    calls = len(world.box.journal("cin7"))
    assert world.run("cin7", only=["cin7/purchases"]).success and len(world.box.journal("cin7")) == calls


def test_what_heals_is_read_again_where_its_rows_are_of_an_older_release(world: World) -> None:
    world.chart()
    world.put_order("P1", account="9999")
    assert world.run("cin7").success and world.order_markers() == []
    age(world, ORDERS, "currency_rate")
    world.put_account("9999")
    world.box.cin7.add_account("9999", "Other costs")
    world.chart()
    (request,) = tick(world).run_requests
    asked: Any = [key.to_user_string() for key in request.asset_selection or ()]
    assert asked[0] == "ifs/purchase_order_set" and asked[1:] == ["cin7/purchases_prepared", "cin7/purchases"]
    carry_out(world, request)
    assert not store(world).lacks(ORDERS, DAY, PurchaseOrder) and world.order_markers() == ["0010/P1"]
