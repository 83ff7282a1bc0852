"""C40: what stands beside what was delivered: on another company of HubSpot, under our marker in Cin7."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_dagster.sandbox.cin7.fields import now_text
from mlc_dagster_tests.promises.kinds import orders, proposals
from mlc_dagster_tests.promises.later_life import World, world

COMPANIES, INVOICES, DEALS = "hubspot/supplier_companies", "hubspot/invoices", "hubspot/deals"
SUPPLIERS, PURCHASES, PURCHASE_INVOICES = "cin7/suppliers", "cin7/purchases", "cin7/purchase_invoices"


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world(sqlite_url, tmp_path) as made:
        proposals(made.box)
        yield made


def moved(here: World, kind: str) -> tuple[str, str, str]:
    """One record stands on another company than it was put on: its id, the company before and the one now."""
    objects = here.box.hubspot.objects
    record = sorted(here.box.hubspot.live(kind))[0]
    (before,) = objects.of(kind, "companies", record)
    now = next(each for each in sorted(here.box.hubspot.live("companies")) if each != before)
    with here.box.lock:
        objects.separate(kind, record, "companies", before)
        objects.associate(kind, record, "companies", now)
    return record, before, now


@pytest.mark.promise("C40", "an invoice or a deal that was moved to another company is told, and restore moves it back")
@pytest.mark.parametrize("flow, kind", [(INVOICES, "invoices"), (DEALS, "deals")])
@pytest.mark.parametrize("is_looked_at_before", [True, False])
def test_c40_a_record_on_another_company_is_told(here: World, flow: str, kind: str, is_looked_at_before: bool) -> None:
    here.go(COMPANIES, INVOICES, flow)
    if is_looked_at_before:
        assert here.look(flow).agrees
    record, before, now = moved(here, kind)
    told = here.look(flow)
    assert (told.different, told.there) == (1, 7)
    ((key, edited, field, ours, theirs),) = here.said(flow)
    assert (edited, field, ours, theirs) == ("edited_in_the_target", "company", before, now)
    assert here.way(flow).restore(key).still_open == 0
    assert before in here.box.hubspot.objects.of(kind, "companies", record) and here.look(flow).agrees


@pytest.mark.promise("C40", "a company that people added beside ours is no difference")
def test_c40_a_company_beside_ours_and_a_merged_one_are_no_difference(here: World) -> None:
    here.go(COMPANIES, INVOICES)
    objects = here.box.hubspot.objects
    record = sorted(here.box.hubspot.live("invoices"))[0]
    (ours,) = objects.of("invoices", "companies", record)
    other = next(each for each in sorted(here.box.hubspot.live("companies")) if each != ours)
    with here.box.lock:
        objects.associate("invoices", record, "companies", other)
    assert here.look(INVOICES).agrees
    with here.box.lock:
        here.box.hubspot.merge("companies", ours, other)
    assert here.look(INVOICES).agrees, here.said(INVOICES)


@pytest.mark.promise("C40", "a company that a person accepted stays through a load of another field")
def test_c40_an_accepted_company_stays(here: World) -> None:
    here.go(COMPANIES, INVOICES)
    here.look(INVOICES)
    record, _, now = moved(here, "invoices")
    here.look(INVOICES)
    ((key, *_),) = here.said(INVOICES)
    assert here.way(INVOICES).accept(key).still_open == 0
    row = next(each for each in here.box.ifs.rows("PostingProposalHeadSet") if str(each["ProposalId"]) == key[5:])
    here.box.ifs.put("PostingProposalHeadSet", {**row, "Text": "another text"})
    assert here.go(INVOICES)[INVOICES].updated == 1
    assert here.box.hubspot.objects.of("invoices", "companies", record) == [now] and here.look(INVOICES).agrees


@pytest.mark.promise("C40", "a purchase under our marker that the ledger does not know is told until it is gone")
def test_c40_a_second_purchase_under_our_marker_is_extra(here: World) -> None:
    orders(here.box)
    here.go(SUPPLIERS, PURCHASES)
    assert here.look(PURCHASES).agrees
    kept = here.box.cin7._purchases.by_id
    twin = copy.deepcopy(next(each for each in kept.values() if each["Note"].startswith("IFS 0010/P3")))
    twin |= {"ID": str(uuid.uuid4()), "OrderNumber": "PO-77777", "LastUpdatedDate": now_text()}
    with here.box.lock:
        kept[twin["ID"]] = twin
    told = here.look(PURCHASES)
    assert (told.extra, told.there, told.missing) == (1, 8, 0)
    ((key, kind, field, _, theirs),) = here.said(PURCHASES)
    assert (key, kind, field, theirs) == ("P3", "extra_in_the_target", twin["ID"], "PO-77777")
    assert [(one.amount, one.currency) for one in here.open(PURCHASES)] == [("6.00", "SEK")]
    with here.box.lock:
        here.box.cin7._purchases.void(twin["ID"], void=True)
    assert here.look(PURCHASES).agrees and here.open(PURCHASES) == []


@pytest.mark.promise("C40", "an invoice's own purchase that the ledger does not know is told with its invoice")
def test_c40_a_second_purchase_of_an_invoice_is_extra(here: World) -> None:
    here.go(SUPPLIERS, PURCHASES, PURCHASE_INVOICES)
    assert here.look(PURCHASE_INVOICES).agrees
    kept = here.box.cin7._purchases.by_id
    own = next(each for each in kept.values() if each["Note"].startswith("IFS proposal/"))
    twin = copy.deepcopy(own) | {"ID": str(uuid.uuid4()), "OrderNumber": "PO-77777", "LastUpdatedDate": now_text()}
    with here.box.lock:
        kept[twin["ID"]] = twin
    assert here.look(PURCHASE_INVOICES).extra == 1
    assert [kind for _, kind, *_ in here.said(PURCHASE_INVOICES)] == ["extra_in_the_target"]
    assert here.look(PURCHASES).extra == 0
