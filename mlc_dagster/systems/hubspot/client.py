"""HubSpot: what the pipeline knows of it. Drafts go in batches of 100, several at a time; outcomes come in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from mlc_dagster.core.facts import Books
from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Budget, Draft, Outcome, Traffic
from mlc_dagster.systems.hubspot.api import HubspotApi, classify
from mlc_dagster.systems.hubspot.objects.companies import CompanyWriter
from mlc_dagster.systems.hubspot.objects.deals import DealWriter
from mlc_dagster.systems.hubspot.objects.deleted_records import stays_deleted
from mlc_dagster.systems.hubspot.objects.invoices import InvoiceWriter
from mlc_dagster.systems.hubspot.objects.read_back import ReadBack
from mlc_dagster.systems.hubspot.portal import Portal
from mlc_dagster.systems.hubspot.records import BATCH, COMPANIES, DEALS, INVOICES
from mlc_dagster.transport.client import ApiClient, in_order

__all__ = ["HubspotClient", "classify"]


class HubspotClient:
    """One HubSpot account; implements outcomes.ReadsBack. `calls` is what mlc.yaml allows in ten seconds."""

    def __init__(
        self,
        api: ApiClient,
        options: Mapping[str, str] | None = None,
        *,
        in_flight: int = 10,
        budget: Budget | None = None,
        calls: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.api, self._in_flight = api, in_flight
        hubspot = HubspotApi(api, budget, calls)
        self.makes_again = not stays_deleted(options or {})
        self.portal = Portal(hubspot, options or {}, clock)
        there = ReadBack(hubspot, options or {}, in_flight)
        self.read_back, self.expected, self.worth = there.read_back, there.expected, there.worth
        self.keeping, self.ours_in = there.keeping, there.ours_in
        self._writers: Mapping[str, CompanyWriter | InvoiceWriter | DealWriter] = {
            COMPANIES.name: CompanyWriter(hubspot, self.portal, options or {}),
            INVOICES.name: InvoiceWriter(hubspot, self.portal, options or {}),
            DEALS.name: DealWriter(hubspot, self.portal, options or {}),
        }

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.api.requests, self.api.throttled_seconds)

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        """Send the drafts by their unique keys: what is there is updated, also after a lost answer.

        Raises AccessDenied, Misconfigured, TransientError (retries are exhausted): for the drafts not yet answered.
        """
        writer = self._writers[target.name]
        self.portal.account()
        self.portal.prepare(*writer.kinds)
        for outcomes in in_order(writer.save, _hundreds(drafts), self._in_flight):
            yield from outcomes

    def books(self) -> Books:
        """The portal's currencies; read anew, at most once a minute."""
        return self.portal.books()


def _hundreds(drafts: Iterable[Draft]) -> Iterator[Sequence[Draft]]:
    source = iter(drafts)
    while batch := list(islice(source, BATCH)):
        yield batch
