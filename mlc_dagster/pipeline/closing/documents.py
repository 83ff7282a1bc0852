"""Each delivered document of a flow with what it comes to on both sides: as it was delivered, and as last verified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from mlc_dagster.core import difference_kinds as kinds
from mlc_dagster.core.amounts import currency_decimals
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Shown, Worth
from mlc_dagster.core.stakes import stake_of
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.records.close_rows import DeliveredRow, HeldRow
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.ledger.records.hold_columns import narrow
from mlc_dagster.pipeline.closing import account_split
from mlc_dagster.pipeline.closing.account_split import Parts
from mlc_dagster.pipeline.closing.month import Month
from mlc_dagster.settings import Settings

GONE = (kinds.DELETED_IN_THE_TARGET, kinds.VOIDED_IN_THE_TARGET)
EDITS = (kinds.EDITED_IN_THE_TARGET, kinds.SOMEONE_INSISTS)


@dataclass(frozen=True)
class Side:
    """What a document comes to on one side."""

    currency: str
    parts: Parts

    @property
    def total(self) -> Decimal:
        return sum(self.parts.values(), Decimal(0))


@dataclass(frozen=True)
class Document:
    """One delivered record. A side is None where it is worth nothing by itself, or is not known."""

    key: str
    company: str
    dated: str  # "2026-11-05"; of what has no date the day that it was read from
    number: str
    link: str
    ours: Side | None
    theirs: Side | None
    verified_at: datetime | None
    is_accepted: bool = False
    differences: tuple[Difference, ...] = field(default=())

    @property
    def is_shown(self) -> bool:
        """Whether its target was looked at since it was delivered."""
        return self.verified_at is not None


@dataclass
class FlowDocuments:
    """What one flow delivered. `client` of its target: its pure answers alone are asked for, nothing is called."""

    flow: Flow
    client: Any
    ledger: Ledger
    settings: Settings
    _differences: dict[str, list[Difference]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.ledger.differences.open(self.flow.name, limit=None):
            self._differences.setdefault(one.key, []).append(one)
        mappings = self.settings.company_mappings(self.flow.spoke)
        self._codes = {name: code for code, each in mappings.items() for name in each.names.values()}
        self._mappings = mappings

    def of(self, month: Month) -> Iterator[Document]:
        """Those that are dated in a month."""
        for row in self.ledger.close_rows.delivered(self.flow.name, month.first, month.last):
            told = narrow((), row.content) if isinstance(row.content, dict) else {}
            dated = told.get("dated") or self.read_on(row, told.get("company") or "")
            if month.has(dated):
                yield self._document(row, told.get("company") or "", dated)

    def read_on(self, row: DeliveredRow | HeldRow, company: str) -> str:
        """Of what has no date the company's own day on which its source changed it, else that of its partition."""
        known = self._mappings.get(company)
        try:
            changed = datetime.fromisoformat(row.version)
        except ValueError:
            return row.partition
        return known.calendar.day(changed).isoformat() if known and changed.tzinfo else row.partition

    def of_no_document(self) -> list[Difference]:
        """What differs under keys that nothing is delivered under."""
        there = self.ledger.close_rows.are_delivered(self.flow.name, list(self._differences))
        return [one for key, found in self._differences.items() if key not in there for one in found]

    def _document(self, row: DeliveredRow, company: str, dated: str) -> Document:
        found = tuple(self._differences.get(row.key, ()))
        values, worth = self._as_sent(row)
        if worth is None and row.shown is not None:
            values, worth = row.shown, self._worth(row.shown)
        code = self._code(company or (worth.company if worth else ""))
        ours = self._side(values, worth, row.content, code)
        theirs = None if row.shown is None else self._theirs(row, found, ours, code)
        told = (row.number, row.link, ours, theirs, row.verified_at, row.is_accepted, found)
        return Document(row.key, code, dated, *told)

    def _as_sent(self, row: DeliveredRow) -> tuple[Shown, Worth | None]:
        try:
            record = msgspec.convert(row.content, self.flow.target.record, strict=False)
        except msgspec.ValidationError:  # erased, or of an older release
            return {}, None
        if not hasattr(self.client, "expected"):
            stake = stake_of(record)
            amount = None if stake.amount is None else Decimal(stake.amount)
            return {}, Worth("", amount, stake.currency or "")
        values = self.client.expected(self.flow.target, record)
        return values, self._worth(values)

    def _worth(self, values: Shown) -> Worth | None:
        found: Worth | None = self.client.worth(self.flow.target, values) if hasattr(self.client, "worth") else None
        return found

    def _code(self, company: str) -> str:
        return company if company in self._mappings else self._codes.get(company, company)

    def _side(self, values: Shown, worth: Worth | None, content: Any, company: str) -> Side | None:
        if worth is None or worth.amount is None:
            return None
        known = self._mappings.get(company)
        currency = worth.currency or (known.currency if known else "")
        parts = account_split.by_account(values, worth.amount, currency_decimals(currency, known))
        if not account_split.is_split(parts) and isinstance(content, dict):
            parts = account_split.of_postings(content, worth.amount)
        return Side(currency, parts)

    def _theirs(self, row: DeliveredRow, found: Sequence[Difference], ours: Side | None, company: str) -> Side | None:
        """As it was agreed at the last look, with what that look found otherwise."""
        assert row.shown is not None
        worth = self._worth(with_edits(row.shown, found))
        if worth is None or worth.amount is None:
            return None
        is_gone = any(one.kind in GONE for one in found) or "@state" in row.shown
        if is_gone:
            return Side(worth.currency or (ours.currency if ours else ""), {})
        side = self._side(with_edits(row.shown, found), worth, None, company)
        if side and ours and not account_split.is_split(side.parts):
            return Side(side.currency, account_split.moved_to(ours.parts, worth.amount))
        return side


def with_edits(shown: Shown, found: Sequence[Difference]) -> Mapping[str, Any]:
    """What is agreed, with theirs in the place of what differs."""
    edits = {one.field: one.theirs for one in found if one.kind in EDITS and one.field in shown}
    return {**shown, **{name: _typed(text, shown[name]) for name, text in edits.items()}}


def _typed(text: str | None, alike: Any) -> Any:
    if not isinstance(alike, Decimal) or text is None:
        return text
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
