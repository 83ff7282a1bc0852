"""Receipts of an order that the ERP does not show: nobody reads them with an order, so they are told here, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import EntitySet, LineSet, Row
from mlc_dagster.systems.ifs.odata.expressions import Order, any_of_keys
from mlc_dagster.systems.ifs.reading.key_ranges import Span
from mlc_dagster.systems.ifs.reading.paging import PageWalk
from mlc_dagster.systems.ifs.reading.queries import Connection, Query
from mlc_dagster.systems.ifs.receipt_records import is_of_an_order
from mlc_dagster.systems.ifs.schema.parts import lines_alone

Key = tuple[object, ...]

log = logger("mlc_dagster.ifs")

WORDS = (
    "%s: receipt %s is of order %s, which the ERP does not show: it reaches nobody. Is the order deleted, or may the "
    "service user not see its site?"
)


def without_header(connection: Connection, entity: EntitySet, lines: LineSet, keys: Iterable[Key]) -> None:
    """Warn of receipts whose order is not there. What a shop order or a return received has the number of none."""
    new = [key for key in keys if key not in connection.headless and None not in key]
    connection.headless.update(new)
    for row in _rows(connection, entity, lines, new):
        if is_of_an_order(row.get("source_ref_type")):
            log.warning(WORDS, "/".join(entity.key), row["receipt_sequence"], row[lines.keys[0]])


def _rows(connection: Connection, entity: EntitySet, lines: LineSet, keys: list[Key]) -> Iterator[Row]:
    own = connection.typed(lines_alone(entity, lines))
    query = Query(connection, own, order := Order(own, by_time=False), lines=False)
    names = order.names[: len(entity.keys)]
    for condition, asked in any_of_keys(names, keys, own.types):
        for page in PageWalk(order, lambda span, text=condition: query.page(span, text)).read(Span()):  # type: ignore[misc]
            yield from (row for row in rows_of(page.batch) if (row[lines.keys[0]],) in asked)
