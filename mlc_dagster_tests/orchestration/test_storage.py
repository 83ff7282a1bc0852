"""Partitions as files: whole or not at all, under any key, exact in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

import mlc_dagster
from mlc_dagster.core.arrow_columns import records_of, source_batch, source_schema
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.systems.ifs.records import Account, Supplier

KEY = ("ifs", "account_set")


def batch(*accounts: str) -> pa.RecordBatch:
    rows = [{"company": "0010", "account": account} for account in accounts]
    return source_batch(rows, ["e"] * len(rows), [None] * len(rows), Account)


def accounts(store: RowStore, partition: str) -> list[str]:
    return [
        record.account for each in store.read(KEY, partition) for record, _, _ in records_of(each, Account) if record
    ]


@pytest.mark.parametrize("root", ["local", "memory"])
def test_a_partition_comes_back_as_it_was_written(root: str, tmp_path: Path) -> None:
    store = RowStore(str(tmp_path) if root == "local" else f"memory://{tmp_path.name}")
    assert store.write(KEY, "0010", source_schema(Account), [batch("0001", "1"), batch("'x/y'")]) == 3
    assert accounts(store, "0010") == ["0001", "1", "'x/y'"]
    assert store.partitions(KEY) == ["0010"]


@pytest.mark.parametrize("root", ["local", "memory"])
def test_a_write_that_fails_leaves_the_old_partition(root: str, tmp_path: Path) -> None:
    store = RowStore(str(tmp_path) if root == "local" else f"memory://{tmp_path.name}")
    store.write(KEY, "0010", source_schema(Account), [batch("1")])

    def broken() -> Iterator[pa.RecordBatch]:
        yield batch("2")
        raise RuntimeError("the source died")

    with pytest.raises(RuntimeError):
        store.write(KEY, "0010", source_schema(Account), broken())
    assert accounts(store, "0010") == ["1"]
    if root == "local":
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["0010.parquet"]


def test_hostile_partition_keys_stay_inside_their_folder(tmp_path: Path) -> None:
    store = RowStore(str(tmp_path / "root"))
    for key in ("../../x", "a/b", "50%", "ö"):
        store.write(KEY, key, source_schema(Account), [batch("1")])
    assert store.partitions(KEY) == sorted(["../../x", "a/b", "50%", "ö"])
    assert all((tmp_path / "root") in path.parents for path in tmp_path.rglob("*.parquet"))


def test_a_place_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Misconfigured, match="MLC_STORAGE"):
        RowStore(str(tmp_path / "file")).write(KEY, "0010", source_schema(Account), [batch("1")])


def test_a_notebook_gets_exact_types_and_a_word_where_nothing_is(tmp_path: Path) -> None:
    store = RowStore(str(tmp_path))
    row = {"supplier_id": "0001", "credit_limit": Decimal("12345678901234567890.1234")}
    store.write(
        ("ifs", "supplier_set"), "2026-11-05", source_schema(Supplier), [source_batch([row], ["e"], [None], Supplier)]
    )
    frame = mlc_dagster.load_partition("ifs/supplier_set", "2026-11-05", storage=str(tmp_path))
    assert frame.loc[0, "supplier_id"] == "0001"
    assert frame.loc[0, "credit_limit"] == Decimal("12345678901234567890.1234")
    with pytest.raises(Misconfigured, match="2026-11-05"):
        mlc_dagster.load_partition("ifs/supplier_set", "2020-01-01", storage=str(tmp_path))


def test_rows_of_a_named_tenant_lie_apart_from_those_of_another(tmp_path: Path) -> None:
    stores = {tenant: RowStore(str(tmp_path), tenant=tenant) for tenant in ("", "acme", "ifs")}
    for tenant, store in stores.items():
        store.write(KEY, "0010", source_schema(Account), [batch(f"1{tenant}")])
    assert {tenant: accounts(store, "0010") for tenant, store in stores.items()} == {
        "": ["1"],
        "acme": ["1acme"],
        "ifs": ["1ifs"],
    }
    assert (tmp_path / "tenant=acme" / "ifs" / "account_set" / "0010.parquet").is_file()
    stores["acme"].write(KEY, "0020", source_schema(Account), [batch("2")])
    assert [stores[tenant].partitions(KEY) for tenant in ("", "acme")] == [["0010"], ["0010", "0020"]]
