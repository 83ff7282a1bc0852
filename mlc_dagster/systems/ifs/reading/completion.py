"""Makes pages whole: the lines that did not come with them, receipts, fields that stand elsewhere, sums, versions."""

from __future__ import annotations

from dataclasses import replace

from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.systems.ifs.odata.json_pages import Page
from mlc_dagster.systems.ifs.reading.children import Children
from mlc_dagster.systems.ifs.reading.columns import with_companies, with_sums, with_versions
from mlc_dagster.systems.ifs.reading.lines import Lines
from mlc_dagster.systems.ifs.reading.queries import Connection


class Completion:
    """Of the pages of one set. `requests` counts what that took."""

    def __init__(self, connection: Connection, entity: EntitySet, *, versions: bool = False) -> None:
        """`versions`: rows get a version of their own, in place of their ETags."""
        self._entity, self._versions = entity, versions
        self._lines = Lines(connection, entity, entity.lines) if entity.lines else None
        self._beside = Lines(connection, entity, entity.beside) if entity.beside else None
        self._children = [Children(connection, entity, child) for child in entity.children]

    @property
    def requests(self) -> int:
        below = sum(each.requests for each in (self._lines, self._beside) if each)
        return below + sum(child.requests for child in self._children)

    def complete(self, page: Page) -> Page:
        if self._lines:
            page = self._lines.complete(page)
        if self._beside:
            page = self._beside.beside(page)
        for child in self._children:
            page = child.complete(page)
        lines, batch = self._entity.lines.field if self._entity.lines else None, page.batch
        if self._entity.sites:
            batch = with_companies(batch, self._entity.sites)
        if lines:
            batch = with_sums(batch, self._entity.sums, lines)
        return replace(page, batch=with_versions(batch, lines) if self._versions else batch)
