"""IFS Cloud over OData v4: reads partitions, says what changed, writes rows with their ETag, and documents whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from mlc_dagster.core.duplicates import Crosswalk, TargetScan
from mlc_dagster.core.facts import Books
from mlc_dagster.core.flows import Flow, Target
from mlc_dagster.core.outcomes import EVER, Delivered, Draft, Outcome, Seen, Shown, Traffic, Worth
from mlc_dagster.core.vocabulary import EntitySet, Pull, Row, Scope, Sightings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.duplicates import Duplicates
from mlc_dagster.systems.ifs.external_records import NO_WAYS, Ways
from mlc_dagster.systems.ifs.odata.error_responses import classify as classify
from mlc_dagster.systems.ifs.odata.stamp_proof import StampProof
from mlc_dagster.systems.ifs.odata.tenant_time import TenantTime
from mlc_dagster.systems.ifs.reading.changes import Changes
from mlc_dagster.systems.ifs.reading.key_walk import keys_of
from mlc_dagster.systems.ifs.reading.lookups import Lookups
from mlc_dagster.systems.ifs.reading.partition_read import PartitionRead
from mlc_dagster.systems.ifs.reading.queries import Connection
from mlc_dagster.systems.ifs.reading.sealing import Keep, sealed
from mlc_dagster.systems.ifs.records import catalogue as known_sets
from mlc_dagster.systems.ifs.schema.metadata import SchemaReport
from mlc_dagster.systems.ifs.writing.erp_target import ErpTarget
from mlc_dagster.systems.ifs.writing.row_writes import RowWrites
from mlc_dagster.transport.client import ApiClient


class IfsClient(RowWrites):
    """One tenant. Safe for several threads; at most `in_flight` requests at a time.

    Nothing needs `IEEE754Compatible=true`: numbers are read from their digits, and as text where a tenant sends text.
    """

    def __init__(
        self,
        api: ApiClient,
        *,
        in_flight: int = 8,
        page_size: int = 5000,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        catalogue: Mapping[str, EntitySet] | None = None,
        currencies: Iterable[str] = (),
        external: Ways = NO_WAYS,
        time_zone: str | None = None,
        documents_per_batch: int = 1,
    ) -> None:
        """`api` has the surface in its base URL (".../projection/v1"), and `classify`.

        `catalogue`: what this tenant calls the sets that are written. `currencies`: that may be entered beside the
        companies' own. `external`: what goes into the books by loads. `time_zone`: in which the tenant stamps its rows.
        `documents_per_batch`: new documents that go in one change set, at most.
        """
        self.api, self._clock, self.documents_per_batch = api, clock, documents_per_batch
        self.bank_salt: Callable[[], bytes] = bytes
        self.keep_bank_details: Keep | None = None  # seals them, where they go outwards
        self._connection = Connection(api, in_flight, page_size, TenantTime(time_zone))
        self._says_zone = time_zone is not None
        self.stamps = StampProof(self._connection.time.name)
        self.catalogue = named = catalogue or known_sets({})
        self._lookups = Lookups(self._connection)
        self._target = ErpTarget(self, named, currencies, external)
        self._duplicates = Duplicates(self._connection, named)

    @property
    def says_no_zone(self) -> bool:
        """Whether mlc.yaml leaves it to UTC, by saying nothing."""
        return not self._says_zone

    # --- outcomes.AsksFirst -------------------------------------------------------------------------------------------

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.api.requests, self.api.throttled_seconds)

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        """Raises AccessDenied, Misconfigured, TransientError: for this draft and the rest."""
        return self.stamps.told(self._target.save(target, drafts))

    def books(self) -> Books:
        return self._target.books()

    def known(self, target: Target, records: Sequence[Any]) -> Books:
        """The books, with the suppliers and documents that these records name."""
        return self._target.known(target, records)

    def scan_documents(self, target: Target, since: datetime, known: Crosswalk) -> TargetScan:
        """What may be entered twice: duplicates.AllowsDuplicates. References can be asked for without the crosswalk."""
        return self._duplicates.scan(target, since)

    def read_back(self, target: Target, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """As outcomes.ReadsBack: documents and suppliers by their keys, many with a request."""
        return self._target.read_back(target, delivered)

    def expected(self, target: Target, record: Any) -> Shown:
        """As outcomes.ReadsBack."""
        return self._target.expected(target, record)

    def worth(self, target: Target, values: Shown) -> Worth:
        """As outcomes.ReadsBack."""
        return self._target.worth(target, values)

    def ours_in(self, flow: Flow, since: datetime | None, known: AbstractSet[str]) -> Iterator[Seen]:
        """As outcomes.FindsOurs: documents that carry a reference of the flow."""
        return self._target.ours_in(flow, since or EVER, known, self._duplicates.scan)

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(
        self, entity: EntitySet, scope: Scope, pull: Pull, sightings: Sightings | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a scope, page by page, in the columns of `arrow_columns.source_schema`; memory stays level.

        When the last batch is out, the pull is filled in; the rows at `pull.stale` are then to be dropped, since newer
        versions of them follow (`frames.without`). Raises TransientError, AccessDenied, Misconfigured.
        """
        batches = PartitionRead(self._connection, entity, scope, pull, sightings, self._clock).batches()
        return sealed(batches, entity, self.bank_salt, self.keep_bank_details)

    def changed_since(self, entity: EntitySet, since: datetime) -> dict[date, str]:
        """The days touched since then, each with a mark that differs when other rows, or other versions, are seen.

        Mostly one small request, and one more where lines have a stamp of their own: keys, timestamps, ETags from the
        full hour before `since` on, so that the mark stays the same while `since` moves and nothing changes. A line
        names the day of its header. Empty for a set without a modified column.
        """
        return Changes(self._connection, entity, self._server_now).since(since)

    def _server_now(self) -> datetime:
        return self._clock() + timedelta(seconds=self.api.skew_seconds or 0.0)

    def schema_report(self, entity: EntitySet, *, aloud: bool = True) -> SchemaReport:
        """How the tenant's fields differ from the record's, or why it does not tell them; `aloud`: that is logged."""
        return self._connection.report(entity, aloud=aloud)

    def by_keys(
        self, entity: EntitySet, keys: Sequence[str], since: datetime | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of these keys with their lines, as `read` has them; none of a key that is gone. Raises as `read`."""
        return sealed(self._lookups.whole(entity, keys), entity, self.bank_salt, self.keep_bank_details)

    def moved_on(self, entity: EntitySet, keys: Sequence[str]) -> Iterator[pa.RecordBatch] | None:
        """The rows of these keys where they go when they leave this set; None where this tenant does not show that."""
        posted = self.catalogue.get(ifs.POSTED_VOUCHERS.name)
        if entity.name != ifs.VOUCHERS.name or posted is None or posted.is_off:
            return None
        return self.by_keys(posted, keys)

    def keys_of(self, entity: EntitySet) -> Iterator[str]:
        """The keys of all rows that there are, and nothing else of them. Raises as `read`."""
        return keys_of(self._connection, entity)

    def get(self, entity: EntitySet, key: Mapping[str, object]) -> tuple[Row, str]:
        """(row with its lines, ETag). Raises RecordRejected with status 404 where there is none, or it does not fit."""
        row, etag = self._lookups.get(entity, key)
        return self._connection.time.row(row), etag

    def find(
        self, entity: EntitySet, most: int = 10, *, latest_by: str = "", **conditions: object
    ) -> list[tuple[Row, str]]:
        """The rows, at most so many, that have these values: `find(VOUCHERS, external_ref="PR-77")`; without lines.

        `latest_by`: the field of which the greatest come first; by default the order is that of the keys.
        Their ETags are empty where the tenant gives none: such a row cannot be changed.
        """
        return self._in_utc(self._lookups.find(entity, most, conditions, latest_by=latest_by))

    def find_many(
        self, entity: EntitySet, field: str, values: Iterable[object], **also: object
    ) -> list[tuple[Row, str]]:
        """The rows whose field has any of these values: `find_many(VOUCHERS, "external_ref", keys, company="0010")`.

        Few requests for many values; without lines, each with its ETag. Raises Misconfigured where there is no set.
        """
        return self._in_utc(self._lookups.find_many(entity, field, values, also))

    def find_keys(self, entity: EntitySet, keys: Sequence[Sequence[object]]) -> list[tuple[Row, str]]:
        """The rows that have these keys, without lines, each with its ETag; a key that is not there has none."""
        return self._in_utc(self._lookups.find_keys(entity, keys))

    def every(self, entity: EntitySet) -> list[tuple[Row, str]]:
        """All rows, without lines, each with its ETag. Raises Misconfigured where there is no set."""
        return self._in_utc(self._lookups.every(entity))

    def _in_utc(self, found: list[tuple[Row, str]]) -> list[tuple[Row, str]]:
        return [(self._connection.time.row(row), etag) for row, etag in found]

    def close(self) -> None:
        self.api.close()
