"""mlc_dagster: a Dagster code location that keeps IFS Cloud and its SaaS neighbours in agreement."""

from __future__ import annotations

from contextlib import nullcontext
from decimal import Decimal
from typing import TYPE_CHECKING

from mlc_dagster.core.logs import logger

if TYPE_CHECKING:
    import pandas as pd

log = logger("mlc_dagster.storage")


def load_partition(asset: str, partition: str, *, storage: str | None = None) -> pd.DataFrame:
    """The rows of a partition for a notebook: `load_partition("ifs/purchase_order_set", "2026-11-05")`.

    Columns keep their exact types (Arrow's decimals and strings). `storage` is MLC_STORAGE unless given; rows of that
    are compared with what the ledger of this place knows of them. Raises RowsRefused where they are missing, or not as
    they were stored, and Misconfigured where the partition was never written.
    """
    import pandas as pd
    import pyarrow as pa

    from mlc_dagster import settings
    from mlc_dagster.core.errors import Misconfigured
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.orchestration.storage.row_store import RowStore

    here, key = settings.environment(), tuple(asset.split("/"))
    ledger = None
    if storage in (None, here.storage):
        try:
            ledger = Ledger.to_read(here.database_url, here.tenant)
        except Misconfigured as error:
            log.warning("%s %s: the rows are not compared with what was stored: %s", asset, partition, error.message)
    with ledger or nullcontext():
        store = RowStore(storage or here.storage, ledger.stored if ledger else None, here.tenant)
        batches = list(store.read(key, partition))
    if not batches and not store.path(key, partition).exists():
        known = ", ".join(store.partitions(key)[-5:]) or "none"
        raise Misconfigured(f"{asset} has no partition {partition} at {store.root}; the latest are: {known}")
    frame: pd.DataFrame = (
        pa.Table.from_batches(batches).to_pandas(types_mapper=pd.ArrowDtype) if batches else pd.DataFrame()
    )
    return frame


def load_month_end(period: str, company: str) -> pd.DataFrame:
    """Both sides' sums of a month as its end was kept last: `load_month_end("2026-11", "0010")`.

    Columns flow, account (empty: on none), currency, ours, theirs, difference; amounts are Arrow's decimals. Raises
    Misconfigured where the month is none, or was never gathered: `mlc close --period 2026-11` does that.
    """
    import pandas as pd
    import pyarrow as pa

    from mlc_dagster import settings
    from mlc_dagster.core.arrow_columns import AMOUNT
    from mlc_dagster.core.errors import Misconfigured
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.ledger.records.closes import Books
    from mlc_dagster.pipeline.closing.month import Month

    here, books = settings.environment(), Books(company, str(Month.of(period)))
    with Ledger.to_read(here.database_url, here.tenant) as ledger:
        kept = ledger.closes.versions(books)
    if not kept:
        cure = f"Gather it first: mlc close --period {period} --company {company}"
        raise Misconfigured(f"nothing is kept of {period} for company {company}", cure=cure)
    rows = [{"flow": flow["flow"], **row} for flow in kept[0].figures["flows"] for row in flow["sums"]]
    amounts = {name: [Decimal(row[name]) for row in rows] for name in ("ours", "theirs", "difference")}
    texts = {name: [str(row[name]) for row in rows] for name in ("flow", "account", "currency")}
    columns = {
        **{name: pa.array(values, pa.string()) for name, values in texts.items()},
        **{name: pa.array(values, AMOUNT) for name, values in amounts.items()},
    }
    frame: pd.DataFrame = pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)
    return frame
