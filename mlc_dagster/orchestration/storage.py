"""Rows between assets: one Parquet file for each asset and partition, wherever universal-pathlib reaches."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from mlc_dagster import private
from mlc_dagster.errors import Misconfigured

LOCAL = frozenset({"", "file", "local"})
ROWS_AT_ONCE = 5000  # a row group: what is in memory while reading


class RowStore:
    """Partitions as files: `<root>/ifs/purchase_order_set/2026-11-05.parquet`.

    A file appears whole or not at all: on a local disk by rename, on an object store because a put is atomic.
    """

    def __init__(self, root: str) -> None:
        self.root = UPath(root)

    def path(self, asset: tuple[str, ...], partition: str) -> UPath:
        """Where a partition lies, or would lie. Partition keys hold anything, so they are percent-encoded."""
        return self.root.joinpath(*asset, f"{quote(partition, safe=' ')}.parquet")

    def write(
        self, asset: tuple[str, ...], partition: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
    ) -> int:
        """Replace a partition by these batches, page by page; the number of rows. Nothing changes if it fails."""
        rows = 0
        with (
            self._replacing(self.path(asset, partition)) as file,
            pq.ParquetWriter(file, schema, compression="zstd") as out,
        ):
            for batch in batches:
                if batch.num_rows:
                    out.write_batch(batch)
                    rows += batch.num_rows
        return rows

    def read(self, asset: tuple[str, ...], partition: str) -> Iterator[pa.RecordBatch]:
        """The batches of a partition; none where it was never written."""
        path = self.path(asset, partition)
        if not path.exists():
            return
        with path.open("rb") as file:
            yield from pq.ParquetFile(file).iter_batches(batch_size=ROWS_AT_ONCE)

    def partitions(self, asset: tuple[str, ...]) -> list[str]:
        """The partitions that were written, sorted."""
        folder = self.root.joinpath(*asset)
        if not folder.exists():
            return []
        return sorted(unquote(path.stem) for path in folder.iterdir() if path.suffix == ".parquet")

    @contextmanager
    def _replacing(self, path: UPath) -> Iterator[IO[bytes]]:
        try:
            if path.protocol in LOCAL:
                private.make_folder(Path(path.path).parent)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
            with _beside(path) if path.protocol in LOCAL else _put(path) as file:
                yield file
        except OSError as error:
            raise Misconfigured(
                f"cannot write {path}: {error.strerror or error}",
                cure="Check MLC_STORAGE: is it there, writable, full? The old partition is as it was.",
            ) from error


@contextmanager
def _beside(path: UPath) -> Iterator[IO[bytes]]:
    """A local file that takes the place of `path` when it is complete and on the disk."""
    draft = Path(path.path).with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with private.opened(draft) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path.path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _put(path: UPath) -> Iterator[IO[bytes]]:
    """A file that is uploaded when it is complete: an object store would keep the half of one that failed."""
    with tempfile.TemporaryFile() as file:
        yield file
        file.seek(0)
        with path.open("wb") as target:
            shutil.copyfileobj(file, target)
