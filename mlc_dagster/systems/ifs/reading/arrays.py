"""What stands in an array below each row: a reading for each row and array, since IFS does not expand collections.

Sources: facts/ifs-tenants.md, sections 1 and 2: `PurchaseOrderSet(OrderNo='1')/LinePartArray`, always with $select.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import pyarrow as pa

from mlc_dagster.core.errors import Misconfigured, RecordRejected
from mlc_dagster.core.vocabulary import EntitySet, LineSet
from mlc_dagster.systems.ifs.odata.expressions import Order, key_path, one, service
from mlc_dagster.systems.ifs.reading.key_ranges import Span
from mlc_dagster.systems.ifs.reading.paging import PageWalk
from mlc_dagster.systems.ifs.reading.queries import Connection, Get, NoSuchSet, Query
from mlc_dagster.systems.ifs.reading.together import Together
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster.systems.ifs.schema.parts import lines_alone

Key = tuple[object, ...]


class LineArrays:
    """The lines below rows of an entity set, in one array or in several. `requests` counts what that took."""

    def __init__(self, connection: Connection, entity: EntitySet, lines: LineSet) -> None:
        self._connection, self._entity, self._lines = connection, entity, lines
        self._together = Together[list[pa.RecordBatch]](connection, service(entity))

    @property
    def requests(self) -> int:
        return self._together.requests

    def below(self, keys: Sequence[Key]) -> Iterator[tuple[Key, pa.RecordBatch]]:
        """The batches found below rows of these keys, in their order; empty ones are left out.

        Raises Misconfigured where a row is there and its array is not.
        """
        asked = [(key, array) for key in keys for array in self._lines.navigations]
        found = self._together.read([partial(self._of, key, array) for key, array in asked])
        for (key, _), batches in zip(asked, found, strict=True):
            yield from ((key, batch) for batch in batches if batch.num_rows)

    def _of(self, key: Key, array: str, get: Get) -> list[pa.RecordBatch]:
        path = f"{path_of(self._entity, key)}/{array}"
        own = self._connection.typed(lines_alone(self._entity, self._lines, array, path))
        query = Query(self._connection, own, Order(own, by_time=False), lines=False, get=get)
        walk = PageWalk(query.order, query.page)
        try:
            return [page.batch for page in walk.read(Span())]
        except NoSuchSet as error:
            if is_there(self._connection, self._entity, key):
                raise no_array(self._entity, array, "lines.navigations", error) from error
            return []


def path_of(entity: EntitySet, key: Key) -> str:
    """Of a row, below its service."""
    return key_path(entity, dict(zip(entity.keys, key, strict=True)))


def is_there(connection: Connection, entity: EntitySet, key: Key) -> bool:
    """Whether a row has not been deleted meanwhile."""
    select = {"$select": ",".join(wire_name(name, entity.wire) for name in entity.keys)}
    try:
        connection.get(one(entity, dict(zip(entity.keys, key, strict=True))), select, bytes)
    except RecordRejected as error:
        if error.status == 404:
            return False
        raise
    return True


def no_array(entity: EntitySet, array: str, where: str, error: Misconfigured | RecordRejected) -> Misconfigured:
    """What a 404 on an array of a row means that is there."""
    return Misconfigured(
        f"{error.message.splitlines()[0]}\n  The row is there, and has no {array}.",
        cure=f"Correct ifs.entity_sets.{entity.name}.{where} in mlc.yaml, or take {array} out.",
    )
