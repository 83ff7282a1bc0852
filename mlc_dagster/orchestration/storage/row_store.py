"""Rows between assets: one Parquet file for each asset and partition, wherever universal-pathlib reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import IO, Protocol
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from mlc_dagster.core.arrow_columns import READ_NUMBER, without
from mlc_dagster.core.logs import logger
from mlc_dagster.core.stored_columns import lacking
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.ledger.records.stored import REMOVED, Entry, Write
from mlc_dagster.orchestration.storage import files
from mlc_dagster.orchestration.storage import refused_rows as refusing

ROWS_AT_ONCE = 5000  # a row group: what is in memory while reading
WHOSE = b"mlc_dagster.rows_of"
"""Under which a file says what it holds: `ifs/purchase_order_set 2026-11-05`."""
TENANT = "tenant="
TRIES = 3  # of reading a file that others replace again and again
log = logger("mlc_dagster.storage")

Asset = tuple[str, ...]


class Known(Protocol):
    """`ledger.Stored`: which file may lie in a partition's place."""

    def begin(
        self, asset: str, partition: str, *, digest: str, size: int, rows: int, read_number: int | None = None
    ) -> Write: ...

    def placed(self, write: Write) -> None: ...

    def of(self, asset: str, partition: str) -> list[Entry]: ...


class RowStore:
    """Partitions as files: `<root>/ifs/purchase_order_set/2026-11-05.parquet`.

    A file appears whole or not at all: on a local disk by rename, on an object store because a put is atomic. With
    what the ledger has `known` of each, one that is missing, short, altered or another's raises RowsRefused; what a
    release wrote that kept no digests is read as it is. Without it nothing is compared. The rows of a tenant that has
    a name lie in a folder of its own: `<root>/tenant=acme/ifs/...`, a column `tenant` to who queries them all.
    """

    def __init__(self, root: str, known: Known | None = None, tenant: str = "") -> None:
        self.root = UPath(root, f"{TENANT}{tenant}") if tenant else UPath(root)
        self._known = known

    def path(self, asset: Asset, partition: str) -> UPath:
        """Where a partition lies, or would lie. Partition keys hold anything, so they are percent-encoded."""
        return self.root.joinpath(*asset, f"{quote(partition, safe=' ')}.parquet")

    def write(
        self,
        asset: Asset,
        partition: str,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        stale: Callable[[], AbstractSet[int]] = frozenset,
        read_number: int | None = None,
    ) -> int:
        """Replace a partition by these batches, page by page; the number of rows. Nothing changes if it fails.

        `stale`, asked when they have come to their end: the places of rows that are left out, as `frames.without`.
        `read_number`: of the walk that they are of, as the ledger gave it; the batches that `read` gives say it.
        """
        path = self.path(asset, partition)
        with files.write_errors_as_misconfigured(path), files.draft_of(path) as draft:
            rows = _written(draft, asset, partition, schema, batches, read_number)
            if places := stale():
                with files.draft_of(path) as second:
                    kept = without(_batches(draft), places)
                    rows = _written(second, asset, partition, schema, kept, read_number)
                    self._place(second, asset, partition, rows, read_number)
            else:
                self._place(draft, asset, partition, rows, read_number)
        return rows

    def read(
        self, asset: Asset, partition: str, *, needed: bool = False, of: type[Record] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The batches of a partition; none where it was never written, which RowsRefused says where it is `needed`.

        `of`: the record that is made of its rows; a file without all of its columns is refused.
        """
        path = self.path(asset, partition)
        with self._checked(asset, partition, path) as file:
            if file is None:
                if needed:
                    raise refusing.never_stored(asset, partition, self.root)
                return
            try:
                if of and (columns := lacking(pq.read_schema(file), of)):
                    raise refusing.of_an_older_release(asset, partition, columns)
                yield from _of_file(file, asset, partition, path)
            except (pa.ArrowException, OSError) as error:
                raise refusing.unreadable(asset, partition, path, error) from error

    def lacks(self, asset: Asset, partition: str, record: type[Record]) -> bool:
        """Whether its file is of a release that stored less of the record; False where there is none."""
        with files.opened(self.path(asset, partition)) as file:
            try:
                return file is not None and bool(lacking(pq.read_schema(file), record))
            except (pa.ArrowException, OSError):
                return False  # who reads it says what is wrong with it

    def check(self, asset: Asset, partition: str) -> None:
        """Raises RowsRefused where its file is not what the ledger knows."""
        with self._checked(asset, partition, self.path(asset, partition)):
            pass

    def remove(self, asset: Asset, partition: str) -> None:
        """Its rows had their time: who reads them is told so."""
        path = self.path(asset, partition)
        write = self._known.begin("/".join(asset), partition, digest=REMOVED, size=0, rows=0) if self._known else None
        with files.write_errors_as_misconfigured(path):
            path.unlink(missing_ok=True)
        if write and self._known:
            self._known.placed(write)

    def partitions(self, asset: Asset) -> list[str]:
        """The partitions that were written, sorted."""
        folder = self.root.joinpath(*asset)
        if not folder.exists():
            return []
        return sorted(unquote(path.stem) for path in folder.iterdir() if path.suffix == ".parquet")

    @contextmanager
    def _checked(self, asset: Asset, partition: str, path: UPath) -> Iterator[IO[bytes] | None]:
        """The file, open, as it was stored; None where none ever was.

        Another run may put a new one in its place meanwhile: what is open stays as it was, and is looked at once more.
        """
        for tries_left in reversed(range(TRIES)):
            with files.opened(path) as file:
                digest, size = files.digest(file) if file else ("", 0)
                entries = self._known.of("/".join(asset), partition) if self._known else []
                fault = _fault(asset, partition, path, entries, file, digest, size)
                if fault is None:
                    if file and self._known and not entries:
                        log.info("%s is of a release that kept no digests, or of another ledger: read as it is", path)
                    yield file
                    return
                if not tries_left:
                    raise fault

    def _place(self, draft: IO[bytes], asset: Asset, partition: str, rows: int, read_number: int | None) -> None:
        """The ledger knows the file before it can be found: a kill at any moment leaves what is there known."""
        path = self.path(asset, partition)
        draft.flush()
        digest, size = files.digest(draft)
        if self._known is None:
            files.put(draft, path)
            return
        name = "/".join(asset)
        write = self._known.begin(name, partition, digest=digest, size=size, rows=rows, read_number=read_number)
        files.put(draft, path)
        self._known.placed(write)


def _fault(
    asset: Asset,
    partition: str,
    path: UPath,
    entries: list[Entry],
    file: IO[bytes] | None,
    digest: str,
    size: int,
) -> refusing.RowsRefused | None:
    """Why a file is not taken for the rows of its partition."""
    there, removals = [each for each in entries if not each.is_removal], [each for each in entries if each.is_removal]
    if file is None:
        if removals:
            return refusing.removed(asset, partition, removals[-1])
        placed = [each for each in there if each.placed_at]
        return refusing.missing(asset, partition, path, placed[-1]) if placed else None
    if not entries or digest in {each.digest for each in there}:
        return None
    if not there:
        return refusing.removed(asset, partition, removals[-1])
    return refusing.altered(asset, partition, path, there[-1], digest, size, _whose(file))


def _written(
    file: IO[bytes],
    asset: Asset,
    partition: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    read_number: int | None,
) -> int:
    rows = 0
    said = {WHOSE.decode(): f"{'/'.join(asset)} {partition}"}
    if read_number is not None:
        said[READ_NUMBER.decode()] = str(read_number)
    with pq.ParquetWriter(file, schema, compression="zstd") as out:
        out.add_key_value_metadata(said)
        for batch in batches:
            if batch.num_rows:
                out.write_batch(batch)
                rows += batch.num_rows
    return rows


def _of_file(file: IO[bytes], asset: Asset, partition: str, path: UPath) -> Iterator[pa.RecordBatch]:
    whose = _whose(file)
    if whose and whose != f"{'/'.join(asset)} {partition}":
        raise refusing.of_another(asset, partition, path, whose)
    yield from _batches(file)


def _batches(file: IO[bytes]) -> Iterator[pa.RecordBatch]:
    """Each says of which walk its rows are, where the file does."""
    file.seek(0)
    parquet = pq.ParquetFile(file)
    number = (parquet.metadata.metadata or {}).get(READ_NUMBER)
    for batch in parquet.iter_batches(batch_size=ROWS_AT_ONCE):
        yield batch if number is None else batch.replace_schema_metadata({READ_NUMBER: number})


def _whose(file: IO[bytes]) -> str:
    """What it says that it holds; empty where it does not say, or is no Parquet file."""
    try:
        file.seek(0)
        return str((pq.read_metadata(file).metadata or {}).get(WHOSE, b""), errors="replace")
    except (pa.ArrowException, OSError):
        return ""
