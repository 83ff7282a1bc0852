"""What the list of open items is asked, and what it answers. Pure: no SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Self

from mlc_dagster.core.amounts import parsed
from mlc_dagster.core.vocabulary import ERP, EXACT


class MonthWanted(NamedTuple):
    """`begins`, `ends`: the month's first moment where the company is, and the first one after it, as versions are."""

    first: date
    last: date
    begins: str
    ends: str


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class OpenCause(NamedTuple):
    """Why items are open: the unit of the first screen, of alerts and of healing."""

    what: str  # of a hold its rules, as they are stored: ",gl_accounts_exist,"; of a difference its kind
    differs: bool  # a difference: it was delivered, and both sides do not agree any more
    connection: str  # the SaaS: "cin7"
    company: str  # empty: not told
    value: str  # what is missing, or the field that differs; empty: not told

    @property
    def rules(self) -> tuple[str, ...]:
        """Of a hold the rules that it does not meet; of a difference its kind alone."""
        return tuple(each for each in self.what.split(",") if each)

    @property
    def mark(self) -> str:
        """A short name for an address: the same for as long as the cause is the same."""
        text = "\x00".join((self.what, str(int(self.differs)), self.connection, self.company, self.value))
        return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


@dataclass
class CauseStock:
    """What is open by one cause."""

    cause: OpenCause
    items: int = 0
    flows: set[str] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)  # empty text: nobody is named
    oldest: datetime | None = None
    came: int = 0  # since `Wanted.came_since`
    amounts: dict[str, Decimal] = field(default_factory=dict)  # currency -> their sum, exact; empty: not told


@dataclass
class Totals:
    """Over all that is wanted."""

    items: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)  # currency -> their sum, exact; empty: not told

    @classmethod
    def of(cls, items: Sequence[OpenItem]) -> Self:
        """Where all of them are at hand."""
        found = cls(len(items))
        for one in items:
            found.add(one.currency, parsed(one.amount))
        return found

    def add(self, currency: str | None, amount: Decimal | None) -> None:
        if amount is not None:
            self.amounts[currency or ""] = EXACT.add(self.amounts.get(currency or "", Decimal(0)), amount)


class Place(NamedTuple):
    """Where an item stands in the list."""

    worth: int  # its scaled amount
    since: datetime
    differs: bool
    id: int

    @property
    def rank(self) -> tuple[int, datetime, bool, int]:
        return (-self.worth, self.since, self.differs, self.id)

    def __str__(self) -> str:
        """As an address has it."""
        return f"{self.worth}.{(self.since - _EPOCH) // _MICROSECOND}.{int(self.differs)}.{self.id}"

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises ValueError where it is none."""
        worth, since, differs, number = map(int, text.split("."))
        limits = (abs(worth) <= 2**63, abs(since) < 2**53, differs in (0, 1), 0 <= number < 2**63)
        if not all(limits):
            raise ValueError(f"no place in the list: {text[:80]!r}")
        return cls(worth, _EPOCH + since * _MICROSECOND, bool(differs), number)


@dataclass(frozen=True)
class OpenItem:
    """A hold or a difference, without its contents."""

    id: int
    flow: str
    key: str
    cause: OpenCause
    place: Place
    since: datetime
    seen: datetime
    party: str = ""
    amount: str = ""  # exact, in `currency`
    currency: str = ""
    owner: str = ""  # to whom it was given, else who is asked about its flow
    assigned: str = ""
    content: str = ""  # of a hold: a decision is about this content alone
    dated: date | None = None
    ours: str | None = None  # of a difference
    theirs: str | None = None
    tags: tuple[str, ...] = ()
    explained_until: date | None = None  # of a difference: up to and with this day a person has said why


def most_money(items: Iterable[OpenItem]) -> tuple[Decimal | None, str]:
    """(amount, currency) of the largest of what is open of a record: they are never added; None: no amount is told."""
    told = [(parsed(one.amount), one.currency) for one in items]
    known = [(amount, currency) for amount, currency in told if amount is not None]
    return max(known, key=lambda one: abs(one[0]), default=(None, ""))


@dataclass(frozen=True)
class Wanted:
    """Which of the open items; all of it is asked together. None and empty: not asked."""

    companies: frozenset[str] | None = None  # that a person may see; None: all, and what is of none
    company: str | None = None
    connection: str = ""
    flow: str = ""
    cause: OpenCause | None = None
    differs: bool | None = None  # holds alone, differences alone
    rule: str = ""  # or a kind of difference
    owner: str | None = None  # empty: nobody's
    tag: str = ""
    explained: bool | None = None  # differences that a person has explained, still, on `today`
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    before: datetime | None = None  # open since before then
    amount_from: int | None = None  # scaled
    amount_to: int | None = None
    currency: str | None = None
    dated_from: date | None = None  # of holds: differences keep no date
    dated_to: date | None = None
    month: MonthWanted | None = None  # as the close of a month counts them
    text: str = ""
    came_since: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=1))  # counted beside all
    connections: Mapping[str, str] = field(default_factory=dict)  # flow -> its SaaS, where its name does not tell it


def connection_of(flow: str) -> str:
    """The SaaS of a flow by its name: of cin7/purchases, of ifs/vouchers_from_airbase_requests. A connection under
    another name is told by `Wanted.connections`.
    """
    system, _, name = flow.partition("/")
    if system != ERP or "_from_" not in name:
        return system
    return name.rpartition("_from_")[2].partition("_")[0]
