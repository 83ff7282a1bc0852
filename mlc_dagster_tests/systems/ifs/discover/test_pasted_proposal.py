"""A proposal, pasted unchanged into mlc.yaml, passes the ping and reads all that is there, by the real way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlc_dagster.core.vocabulary import EntitySet, Row, Scope, Window
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.ifs.tokens import CLIENT_ID, CLIENT_SECRET
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.connect import ifs_client
from mlc_dagster.systems.ifs.discover.preset_choice import in_use
from mlc_dagster.systems.ifs.ping import ask_ifs
from mlc_dagster.systems.shared.findings import Question, budget
from mlc_dagster_tests.systems.ifs.conftest import Memory, Reader
from mlc_dagster_tests.systems.ifs.discover.conftest import Start, line_of, pasted

ALWAYS = Scope("2026-11-05", Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)))

TODAY = Scope(str(datetime.now(UTC).date()), Window.day(datetime.now(UTC).date()))
"""Where a sweep places what it sees for the first time."""

CLOUD_WORDS: dict[str, Any] = {
    "projections": {"SupplierSet": "SuppliersHandling"},
    "sets": {"SupplierSet": "SupplierInfoGeneralSet", "CustomerSet": "CustomerInfoSet"},
    "navigations": {"PurchaseOrderLines": "LinePartArray", "CustomerOrderLines": "OrderLinesArray"},
    "fields": {
        "SupplierSet": {"PaymentTerms": "PayTermId", "Notes": "NoteText", "ObjState": "Objstate"},
        "CustomerSet": {"Country": "CountryCode", "LastModified": "Rowversion"},
        "PurchaseOrderSet": {"ObjState": "Objstate", "LastModified": "Rowversion"},
        "PurchaseOrderLineSet": {"Account": "CodeA", "LineAmount": "NetAmtCurr", "TaxCode": "FeeCode"},
        "CustomerOrderLineSet": {"Description": "CatalogDesc"},
        "VoucherSet": {"UserGroup": "EnteredByUserGroup", "ExternalRef": "ReferenceNumber"},
        "VoucherRowSet": {"DebitAmount": "DebetAmount"},
        "AccountSet": {"AccountType": "AccntType"},
        "SupplierInvoiceSet": {"SupplierId": "Identity", "NetAmount": "NetCurrAmount", "Text": "VoucherText"},
    },
}
"""The sandbox's records under names that were seen on tenants."""

TENANTS: dict[str, dict[str, Any]] = {
    "the words of the seed": {},
    "names that were seen on tenants": CLOUD_WORDS,
    "no modified column, no $expand, metadata as JSON": {"modified": False, "expand": False, "metadata": "json"},
}


def read(settings: Settings, entity: EntitySet, scope: Scope) -> list[Row]:
    client = ifs_client(configuration.erp_settings(settings), CLIENT_ID, CLIENT_SECRET, budget, tries=2)
    try:
        return Reader(client)(entity, scope, Memory())[0]
    finally:
        client.close()


def everything(settings: Settings, entity: EntitySet) -> list[Row]:
    snapshots = [Scope(code, company=code) for code in settings.companies]
    scopes = snapshots if entity.partition == "company" else [ALWAYS if entity.modified else TODAY]
    return [row for scope in scopes for row in read(settings, entity, scope)]


def sums(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, Decimal]:
    every = list(rows)
    return {name: sum((Decimal(row.get(name) or 0) for row in every), Decimal(0)) for name in names}


def truth(box: Sandbox, entity: EntitySet, companies: Iterable[str]) -> list[dict[str, Any]]:
    """What the sandbox holds, under the names of its catalogue, but for rows that no moment places in a day.

    Those are read on the day that first sees them, which other tests hold.
    """
    rows = box.ifs.rows(ifs.ENTITY_SETS[[each.name for each in ifs.ENTITY_SETS].index(entity.name)].path)
    if entity.partition == "company":
        return [row for row in rows if row["Company"] in companies]
    return [row for row in rows if entity.modified is None or is_a_moment(row["LastModified"])]


def is_a_moment(text: object) -> bool:
    return isinstance(text, str) and "2000" < text < "2100"


AMOUNTS = {
    "purchase_order_set": (("total_amount", "TotalAmount"), "PurchaseOrderLines", ("line_amount", "LineAmount")),
    "posting_proposal_head_set": (("gross_amount", "GrossAmount"), "PostingProposalLines", ("amount", "Amount")),
    "voucher_set": (None, "VoucherRows", ("debit_amount", "DebitAmount")),
    "customer_order_set": (("total_amount", "TotalAmount"), "CustomerOrderLines", ("line_amount", "LineAmount")),
}


def compared(box: Sandbox, settings: Settings, entity: EntitySet) -> int:
    """The rows that were compared, by count and by sum, headers and lines."""
    rows, expected = everything(settings, entity), truth(box, entity, settings.companies)
    assert len(rows) == len(expected), entity.name
    header, navigation, line = AMOUNTS.get(entity.name, (None, "", None))
    if header:
        assert sums(rows, header[:1])[header[0]] == sums(expected, header[1:])[header[1]] != 0
    if line:
        lines = [below for row in rows for below in row["lines"]]
        there = [below for row in expected for below in row[navigation]]
        assert len(lines) == len(there) > 0
        assert sums(lines, line[:1])[line[0]] == sums(there, line[1:])[line[1]] != 0
        assert sorted(below["account"] or "" for below in lines if "account" in below) == sorted(
            below["Account"] or "" for below in there if "Account" in below
        )
    return len(rows)


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_pasted_proposal_reads_all_that_is_there(start: Start, tmp_path: Path, tenant: str) -> None:
    box = start(**TENANTS[tenant])
    found, settings = pasted(box, tmp_path)
    sets = ifs.catalogue_for(configuration.erp_settings(settings))
    rows = {name: compared(box, settings, sets[name]) for name in (each.name for each in ifs.ENTITY_SETS)}
    assert all(rows.values()), rows
    assert all(line_of(found, name).ok is not entity.is_off for name, entity in sets.items())
    assert [name for name, entity in sets.items() if entity.is_off] == [
        *(each.name for each in ifs.OPTIONAL),
        ifs.POSTED_VOUCHERS.name,
    ]


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_pasted_proposal_passes_the_ping(start: Start, tmp_path: Path, tenant: str) -> None:
    _, settings = pasted(start(**TENANTS[tenant]), tmp_path)
    told = list(ask_ifs(Question("ifs", settings, (CLIENT_ID, CLIENT_SECRET))))
    assert [each for each in told if not each.ok and each.what != "companies"] == []


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_proposal_is_yaml_and_settings_and_holds_no_secret(start: Start, tmp_path: Path, tenant: str) -> None:
    box = start(**TENANTS[tenant])
    found, settings = pasted(box, tmp_path)
    alone = yaml.safe_load(found.proposal)
    assert list(alone) == ["catalogue", "entity_sets"]
    assert set(alone["entity_sets"]) == {each.name for each in (*ifs.ENTITY_SETS, *ifs.OPTIONAL, *ifs.WRITTEN)}
    assert set(configuration.erp_settings(settings).entity_sets) == set(alone["entity_sets"])
    for secret in (CLIENT_SECRET, CLIENT_ID, "Bearer", box.url):
        assert secret not in found.proposal


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_proposal_says_every_name_itself(start: Start, tmp_path: Path, tenant: str) -> None:
    """Whatever a later release takes for its presets, what was pasted stays what it is."""
    found, settings = pasted(start(**TENANTS[tenant]), tmp_path)
    section = configuration.erp_settings(settings)
    assert f"  catalogue: {section.preset} " in found.proposal
    presets = (ifs.catalogue(section.entity_sets, name) for name in (section.preset, "seed"))
    one, other = ({name: in_use(each) for name, each in sets.items()} for sets in presets)
    assert one == other and any(one.values())
