"""The keys of an entity set, all of them, and nothing else of its rows."""

from __future__ import annotations

from collections.abc import Iterator

from mlc_dagster.core.vocabulary import EntitySet, key_text
from mlc_dagster.systems.ifs.odata.expressions import Order
from mlc_dagster.systems.ifs.reading.documents import Documents
from mlc_dagster.systems.ifs.reading.key_ranges import Span
from mlc_dagster.systems.ifs.reading.paging import PageWalk
from mlc_dagster.systems.ifs.reading.queries import Connection, Query, refuse_if_off
from mlc_dagster.systems.ifs.schema.parts import parts_of


def keys_of(connection: Connection, entity: EntitySet) -> Iterator[str]:
    """As `vocabulary.key_text` has them; a row whose key cannot be read has none. Raises Misconfigured where there is
    no such set.
    """
    refuse_if_off(entity)
    if entity.header_from_rows:
        yield from (key_text(*key) for key in Documents(connection, entity).versions())
        return
    for part in parts_of(entity):
        own = connection.typed(part.entity)
        query = Query(connection, own, Order(own, by_time=False), lines=False, only_keys=True)
        for page in PageWalk(query.order, query.page).read(Span()):
            batch = part.filled(page.batch)
            keys = zip(*(batch[name].to_pylist() for name in entity.keys), strict=True)
            yield from (key_text(*key) for key in keys if None not in key)
