"""One row of an answer, and the ETag that it is changed by."""

from __future__ import annotations

import json
from itertools import islice

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.vocabulary import EntitySet, Row
from mlc_dagster.systems.ifs.odata.json_pages import Page, PageDecoder


def single(wire: PageDecoder, content: bytes) -> Page:
    """One row: bare, or in a collection of one, as some tenants answer a GET by key."""
    found = json.loads(content)
    is_collection = isinstance(found, dict) and isinstance(found.get("value"), list)
    page = wire.decode(content if is_collection else b'{"value":[' + content + b"]}")
    if page.rows != 1:
        raise ValueError(f"expected one row, found {page.rows}")
    return Page(page.batch, is_whole=False)


def row_and_etag(entity: EntitySet, page: Page, header: str | None) -> tuple[Row, str]:
    """The header's ETag comes first: some rows have none in their body. Lookup views have none at all: it is empty."""
    (row,) = islice(rows_of(page.batch), 1)
    etag, problem = row.pop("etag"), row.pop("unreadable")
    if problem is not None:
        raise RecordRejected(f"ifs/{entity.name}: {json.loads(problem)['reason']}")
    return row, header or etag or ""
