"""The company of a supplier or customer, as HubSpot has it now: through merges, or under our key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.mapping import unique
from mlc_dagster.systems.hubspot.objects.associations import Associations
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord, KnownRecords
from mlc_dagster.systems.hubspot.records import InvoiceSummary

COMPANY_IS_THERE = "company_is_in_the_target"


class PartyCompanies:
    """Ties records of one object type to the companies of their suppliers or customers."""

    def __init__(self, api: HubspotApi, kind: str) -> None:
        self._associations = Associations(api, kind, "companies")
        self._companies = KnownRecords(api, "companies")

    def tie(self, records: Mapping[str, tuple[str, InvoiceSummary]], there_already: Sequence[str]) -> dict[str, str]:
        """Trace -> (id in HubSpot, record). Trace -> why, of those that could not be tied.

        On the company of its party and on no other of the ERP's; `there_already`: ids of those that had been there.
        """
        there = self._associations.of(there_already)
        found = self._companies.find(
            {trace: (record.supplier_id, _key(record)) for trace, (_, record) in records.items()}
        )
        now = {record.supplier_id or "": found[trace].remote_id for trace, (_, record) in records.items()}
        others = {each for ids in there.values() for each in ids if each not in now}
        now |= {old: each.remote_id for old, each in self._companies.by_id(others).items()}
        wanted = {
            trace: (remote_id, found[trace].remote_id)
            for trace, (remote_id, _) in records.items()
            if found[trace].remote_id
        }
        failed = self._associations.replace(wanted, _of(there, wanted), now)
        return failed | {trace: _gone(records[trace][1], each) for trace, each in found.items() if not each.remote_id}


def _of(there: Mapping[str, Sequence[str]], wanted: Mapping[str, tuple[str, str]]) -> dict[str, Sequence[str]]:
    """Without those whose company is gone: they lose no association."""
    ids = {one for one, _ in wanted.values()}
    return {one: others for one, others in there.items() if one in ids}


def _key(record: InvoiceSummary) -> str:
    return record.party_key or unique(key_text("SUPPLIER", record.supplier_no or ""))


def _gone(record: InvoiceSummary, known: KnownRecord) -> str:
    where = f"company {record.supplier_id} of {_key(record)}"
    how = "lies in the recycle bin" if known.archived_id else "is not there any more"
    return (
        f"HubSpot's {where} {how}. Restore it there (users can, for 90 days); or change it in IFS, and it is made "
        "anew. This record follows."
    )
