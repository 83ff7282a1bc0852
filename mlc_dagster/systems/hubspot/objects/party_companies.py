"""The company of a supplier or customer, as HubSpot has it now: through merges, or under our key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.mapping import unique
from mlc_dagster.systems.hubspot.objects.associations import Associations
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord, KnownRecords
from mlc_dagster.systems.hubspot.records import InvoiceSummary

COMPANY_IS_THERE = "company_is_in_the_target"


class Parties(NamedTuple):
    """The companies of some records."""

    ids: Mapping[str, str]  # trace -> id of the company
    gone: Mapping[str, str]  # trace -> why there is none any more
    now: Mapping[str, str]  # the id that the ledger knows -> the id that it leads to


class PartyCompanies:
    """Ties records of one object type to the companies of their suppliers or customers."""

    def __init__(self, api: HubspotApi, kind: str) -> None:
        self._associations = Associations(api, kind, "companies")
        self._companies = KnownRecords(api, "companies")

    def find(self, records: Mapping[str, InvoiceSummary]) -> Parties:
        """What HubSpot has of the company of each record, before anything of the record is written."""
        found = self._companies.find({trace: (record.supplier_id, _key(record)) for trace, record in records.items()})
        gone = {trace: _gone(records[trace], each) for trace, each in found.items() if not each.remote_id}
        ids = {trace: each.remote_id for trace, each in found.items() if each.remote_id}
        now = {records[trace].supplier_id or "": remote_id for trace, remote_id in ids.items()}
        return Parties(ids, gone, now)

    def tie(self, ids: Mapping[str, str], parties: Parties, there_already: Sequence[str]) -> dict[str, str]:
        """Trace -> id in HubSpot. Trace -> why, of those that could not be tied.

        On the company of its party and on no other of the ERP's; `there_already`: ids of those that had been there.
        """
        there = self._associations.of(there_already)
        others = {each for found in there.values() for each in found if each not in parties.now}
        now = {**parties.now, **{old: each.remote_id for old, each in self._companies.by_id(others).items()}}
        wanted = {trace: (remote_id, parties.ids[trace]) for trace, remote_id in ids.items()}
        return self._associations.replace(wanted, there, now)


def _key(record: InvoiceSummary) -> str:
    return record.party_key or unique(key_text("SUPPLIER", record.supplier_no or ""))


def _gone(record: InvoiceSummary, known: KnownRecord) -> str:
    where = f"company {record.supplier_id} of {_key(record)}"
    how = "lies in the recycle bin" if known.archived_id else "is not there any more"
    return (
        f"HubSpot's {where} {how}. Restore it there (users can, for 90 days), or have it made again with mlc recreate. "
        "This record follows."
    )
