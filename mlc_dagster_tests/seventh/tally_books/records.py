"""What is sent to Tally Books, and what is read there."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from mlc_dagster.core.flows import Target
from mlc_dagster.core.vocabulary import EntitySet, Record


class Supplier(Record, frozen=True, kw_only=True):
    """A supplier, under the ERP's number: Tally Books refuses a second one with the same."""

    external_ref: str
    name: str | None
    currency: str | None

    def required(self) -> Iterator[tuple[str, object]]:
        yield "name", self.name
        yield "currency", self.currency

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "name", self.name, 100


class JournalLine(Record, frozen=True, kw_only=True):
    account: str | None = None
    debit: Decimal | None = None
    credit: Decimal | None = None


class Journal(Record, frozen=True, kw_only=True):
    """Journals that were made or changed in Tally Books on a day, with their lines."""

    id: str
    company: str | None = None  # the ERP's code
    posted_on: date | None = None
    currency: str | None = None
    status: str | None = None  # draft, closed
    updated_at: datetime | None = None
    lines: tuple[JournalLine, ...] = ()


SUPPLIERS = Target("tally", "suppliers", Supplier)
JOURNALS = EntitySet("tally", "journals", "", "/v1/journals", Journal, keys=("id",), modified="updated_at")
