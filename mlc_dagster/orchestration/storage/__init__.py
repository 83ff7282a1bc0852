"""Rows between assets: files, their digests, and why some are refused."""

from mlc_dagster.orchestration.storage.row_store import RowStore

__all__ = ["RowStore"]
