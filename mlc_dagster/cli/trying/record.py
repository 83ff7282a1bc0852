"""The record that is tried, and what it is judged by: both are read from the systems now, and nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from mlc_dagster.cli.shared.lookup import NotFound
from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, EntitySet, Pull, Record, Scope, Window
from mlc_dagster.pipeline.judging import AsRead
from mlc_dagster.settings import Settings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.chart_facts import code_parts, ledger_accounts, why_unusable

DAYS_BACK = 14
"""So many days are looked at for a record, the running one first; then whatever is older."""
MOST = 25
"""So many rows are looked at for one that can be sent."""


@dataclass(frozen=True)
class Sources:
    """Where the record and its facts are read. `source`, `target`, `erp`: clients."""

    flow: Flow
    settings: Settings
    source: Any
    target: Any
    erp: Any

    def rows(self, key: str | None) -> list[AsRead]:
        """The row of a key, or the latest ones that there are. Raises NotFound."""
        return self._of_key(key) if key is not None else self._latest()

    def _of_key(self, key: str) -> list[AsRead]:
        if not hasattr(self.source, "by_keys"):
            words = f"{self.flow.source.system} gives no record by its key"
            raise NotFound(words, cure="Leave --key out: the latest record is tried.")
        batches = self.source.by_keys(self.flow.source, [key], None)
        found = [row for batch in batches for row in records_of(batch, self.flow.source.record)]
        if not found:
            parts = "/".join(self.flow.source.keys)
            words = f"{self.flow.source.system} has no {self.flow.source.path or self.flow.source.name} {key!r}"
            raise NotFound(words, cure=f"A key is written {parts}. Leave --key out: the latest record is tried.")
        return found

    def _latest(self) -> list[AsRead]:
        found: list[AsRead] = []
        for scope in self._scopes():
            found += islice(self.read(scope), MOST - len(found))
            if len(found) >= self._enough:
                return found
        if found:
            return found
        name = "/".join(self.flow.source.key)
        words = f"{name} has no row that this service user is shown"
        raise NotFound(words, cure=f"mlc ping says what the sign-in may see; the set is {self.flow.source.path!r}.")

    def _scopes(self) -> Iterator[Scope]:
        if self.flow.source.partition == "company":
            yield from (Scope(code, company=code) for code in self.settings.companies)
            return
        today = datetime.now(UTC).date()
        for back in range(DAYS_BACK):
            day = today - timedelta(days=back)
            yield Scope(day.isoformat(), Window.day(day))
        yield Scope(today.isoformat(), Window.until(today))

    @property
    def _enough(self) -> int:
        """A SaaS may be slow to ask: the first day that has a row will do."""
        return MOST if self.flow.source.system == ERP else 1

    def read(self, scope: Scope, entity: EntitySet | None = None) -> Iterator[AsRead]:
        """The rows of a scope, of the flow's source or of another set of the ERP."""
        entity = entity or self.flow.source
        client = self.source if entity.system == self.flow.source.system else self.erp
        for batch in client.read(entity, scope, Pull("/".join(entity.key), scope.partition), None):
            yield from records_of(batch, entity.record)

    # --- what it is judged by -----------------------------------------------------------------------------------------

    def facts(self, rows: Sequence[AsRead]) -> Facts:
        """As a run has them, with the charts of the companies that these rows are of, read now."""
        books = self.target.books()
        facts = replace(self.settings.facts_for(self.flow.spoke), books=books, today=datetime.now(UTC).date())
        if not self.flow.checks_accounts:
            return facts
        companies = self._companies(rows)
        accounts = ledger_accounts(self._snapshots(ifs.ACCOUNTS, companies))
        fault = why_unusable(accounts, books, companies, self.flow.target.system)
        parts = code_parts(self._snapshots(ifs.CODE_PART_VALUES, companies))
        return replace(
            facts, accounts=accounts, code_parts=parts, unusable={"gl_accounts_exist": fault} if fault else {}
        )

    def _companies(self, rows: Sequence[AsRead]) -> list[str]:
        """Those of the rows, where they say; else all of mlc.yaml."""
        named = {getattr(record, "company", None) for record, _, _ in rows if record is not None}
        return [code for code in self.settings.companies if code in named] or list(self.settings.companies)

    def _snapshots(self, entity: EntitySet, companies: Sequence[str]) -> Iterator[Any]:
        entity = self.erp.catalogue.get(entity.name, entity)
        for company in companies:
            rows = self.read(Scope(company, company=company), entity)
            yield from (record for record, _, _ in rows if record is not None)

    def place(self, record: Record | None) -> str:
        """The partition that a row belongs to: its company, or the day of its stamp."""
        source = self.flow.source
        if source.partition == "company":
            return str(getattr(record, "company", "") or next(iter(self.settings.companies)))
        stamp = getattr(record, source.modified, None) if source.modified and record is not None else None
        day = stamp.astimezone(UTC).date() if isinstance(stamp, datetime) else datetime.now(UTC).date()
        return _within(day, self.settings.partitions_start).isoformat()


def _within(day: date, first: date) -> date:
    """What is older than all partitions is of the first one; what is stamped ahead, of the running day."""
    return min(max(day, first), datetime.now(UTC).date())
