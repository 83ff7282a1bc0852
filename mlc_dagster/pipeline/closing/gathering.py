"""The figures of a month, company by company, from the ledger alone: no system is called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from mlc_dagster.core.amounts import in_text, parsed
from mlc_dagster.core.difference_kinds import EXTRA_IN_THE_TARGET
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import EXACT
from mlc_dagster.ledger import Attempt, Ledger
from mlc_dagster.ledger.records.close_rows import DECIDED, HeldRow
from mlc_dagster.ledger.records.closes import Books
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.pipeline.closing.documents import Document, FlowDocuments
from mlc_dagster.pipeline.closing.figures import CompanyFigures, FlowFigures, NamedDifference, PostedAfter
from mlc_dagster.pipeline.closing.month import Month
from mlc_dagster.settings import Settings


@dataclass
class Gathering:
    """`clients`: target -> what answers `expected` and `worth` of it; without one only totals are known."""

    month: Month
    settings: Settings
    ledger: Ledger
    clients: Mapping[str, Any]
    _companies: dict[str, CompanyFigures] = field(default_factory=dict)
    _keys: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def of(self, flows: Iterable[Flow], company: str | None = None) -> list[CompanyFigures]:
        """By company, those of mlc.yaml first; what tells no company comes last, where there is any."""
        for code in self.settings.companies:
            self._company(code)
        for flow in flows:
            self._flow(flow)
        found = [each for each in self._companies.values() if company in (None, each.books.company)]
        for each in found:
            each.decisions = list(self._decisions(each))
        return found

    def keys(self, books: Books, flow: str) -> list[str]:
        """Of the documents of a company's month: those that were delivered, and those that were ever held."""
        held = self.ledger.close_rows.held_in(flow, books.company, self.month.first, self.month.last)
        return sorted({*self._keys[books.company, flow], *held})

    def zone(self, company: str) -> tzinfo:
        """Where a company's months begin and end; UTC where mlc.yaml does not say."""
        known = self.settings.companies.get(company)
        return ZoneInfo(known.time_zone) if known and known.time_zone else UTC

    def _company(self, code: str) -> CompanyFigures:
        return self._companies.setdefault(code, CompanyFigures(Books(code, str(self.month))))

    def _flow(self, flow: Flow) -> None:
        found: dict[str, FlowFigures] = {}

        def of(company: str) -> FlowFigures:
            if company not in found:
                found[company] = FlowFigures(flow.name, flow.spoke)
                self._company(company).flows.append(found[company])
            return found[company]

        documents = FlowDocuments(flow, self.clients.get(flow.target.system), self.ledger, self.settings)
        self._count(flow, documents, of)
        for one in documents.of_no_document():  # no month has it: it is told in each until it is closed
            self._differs(of(one.company), one.company, one, None)
        for row in self.ledger.close_rows.held(flow.name, self.month.edges):
            if self._is_of_month(row, documents):
                amount = parsed(row.amount)
                worth = None if amount is None else EXACT.multiply(amount, Decimal(row.holds))
                of(row.company).held.add(row.holds, worth, row.currency)
        due = sorted({task.partition for task in self.ledger.work.all([flow.name]) if self.month.has(task.partition)})
        for code in self.settings.companies if due else ():
            of(code).due = due

    def _count(self, flow: Flow, documents: FlowDocuments, of: Any) -> None:
        own = {code: each.currency for code, each in self.settings.companies.items()}
        of_month = {one.key: one for one in documents.of(self.month)}
        for one in of_month.values():
            of(one.company).count(one, own.get(one.company, ""))
            self._keys[one.company, flow.name].append(one.key)
            for difference in one.differences:
                self._differs(of(one.company), one.company, difference, one)
        for one, at in self._posted_late(flow, of_month):
            self._company(one.company).posted_after.append(self._posted(flow, one, at))

    def _differs(self, figures: FlowFigures, company: str, one: Difference, document: Document | None) -> None:
        amount = parsed(one.amount or "")
        figures.differing.add(1, amount, one.currency or "")
        if one.kind == EXTRA_IN_THE_TARGET and amount is not None:
            figures.add_extra(str(one.amount), one.currency or "")
        told = (one.flow, one.key, one.kind, one.field, one.ours or "", one.theirs or "", one.amount or "")
        where = (document.number, document.link) if document else ("", "")
        named = NamedDifference(*told, one.currency or "", *where, f"{one.first_seen:%Y-%m-%d}")
        self._company(company).differences.append(named)

    def _is_of_month(self, row: HeldRow, documents: FlowDocuments) -> bool:
        """What has no date is of the company's own day on which its source changed it, else of the day that it was read
        from; of no day at all: of each month until it is solved.
        """
        if row.dated is not None:
            return self.month.has(row.dated)
        return (
            self.month.has(documents.read_on(row, row.company))
            or not row.partition[:4].isdigit()
            or row.partition[4:5] != "-"
        )

    def _posted_late(self, flow: Flow, of_month: Mapping[str, Document]) -> Iterator[tuple[Document, datetime]]:
        posted = self.ledger.close_rows.first_delivered(flow.name, list(of_month))
        for key, at in sorted(posted.items()):
            company = of_month[key].company
            closed = self._signed_at(company)
            if at >= min(filter(None, (self.month.ends_at(self.zone(company)), closed))):
                yield of_month[key], at

    def _signed_at(self, company: str) -> datetime | None:
        """When the month was signed for the first time: it was closed then, whatever became of the signature."""
        found = self.ledger.closes.signatures(Books(company, str(self.month)))
        return found[-1].signed_at if found else None

    def _posted(self, flow: Flow, one: Document, at: datetime) -> PostedAfter:
        signed = self._signed_at(one.company)
        amount = in_text(one.ours.total, one.ours.currency) if one.ours else ""
        told = (amount, one.ours.currency if one.ours else "", one.number)
        return PostedAfter(flow.name, one.key, one.dated, at.isoformat(), *told, bool(signed and at > signed))

    def _decisions(self, each: CompanyFigures) -> Iterator[dict[str, str]]:
        for flow in each.flows:
            keys = self.keys(each.books, flow.flow)
            yield from (in_words(line) for line in self.ledger.close_rows.lines(flow.flow, keys, DECIDED))


def in_words(line: Attempt) -> dict[str, str]:
    """A line of the trail as a page shows it."""
    return {
        "at": line.at.isoformat(),
        "flow": line.flow,
        "key": line.key,
        "what": str(line.event),
        "detail": line.detail,
        "run_id": line.run_id,
    }


def clients_of(flows: Sequence[Flow]) -> list[str]:
    """The targets, each once."""
    return list(dict.fromkeys(flow.target.system for flow in flows))
