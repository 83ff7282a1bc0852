"""C45: a changed mapping, table or tax rate changes nobody's document unasked; what is stale is counted and named."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.tables import deliveries
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings import Settings
from mlc_dagster_tests.promises.journey import Journey, flow_of, settings_at
from mlc_dagster_tests.promises.kinds import KINDS, ON_POSTGRES, PLENTY, RECORDS, Kind, books, now


@dataclass
class Place:
    """A sandbox, a ledger, and mlc.yaml as it is now; each run has clients of its own."""

    box: Sandbox
    ledger: Ledger
    store: RowStore
    settings: Settings
    runs: int = field(default=0)

    def go(self, flow: str, **how: Any) -> Loaded:
        self.runs += 1
        return Journey(flow_of(flow), self.settings, self.ledger, self.store, f"run-{self.runs}", **how).make()

    def say(self, section: str, **settings: Any) -> None:
        """mlc.yaml says something else from now on."""
        changed = getattr(self.settings, section).model_copy(update=settings)
        self.settings = self.settings.model_copy(update={section: changed})


@pytest.fixture
def place(tmp_path: Path, sqlite_ledger: Ledger) -> Iterator[Place]:
    with Sandbox(seed="empty", limits=PLENTY) as box:
        books(box)
        yield Place(box, sqlite_ledger, RowStore(str(tmp_path / "rows")), settings_at(box.url))


Changed = Callable[[Place], None]


def _account_map(section: str) -> Changed:
    def changed(place: Place) -> None:
        row = {"Company": "0010", "Account": "5010", "Description": "5010", "ValidFrom": "2015-01-01", "Blocked": False}
        place.box.ifs.put("AccountSet", row, modified=now())
        place.box.cin7.add_account("5010", "Account 5010")
        place.box.airbase.add_account("5010", "Account 5010")
        place.say(section, gl_accounts={"4010": "5010"})

    return changed


def _terms(section: str, said: str) -> Changed:
    return lambda place: place.say(section, payment_terms={"30": said})


MAPPINGS: dict[str, Changed] = {
    "cin7/suppliers": lambda place: place.say("cin7", supplier_owners={"email": "cin7"}),
    "cin7/purchases": _account_map("cin7"),
    "cin7/purchase_invoices": _account_map("cin7"),
    "hubspot/supplier_companies": _terms("hubspot", "Thirty days"),
    "hubspot/invoices": _account_map("hubspot"),
    "airbase/purchase_orders": _account_map("airbase"),
    "ifs/vouchers_from_airbase_payments": lambda place: place.say("airbase", voucher_type="N"),
    "ifs/supplier_invoices_from_procurify": lambda place: place.say("procurify", posting_date="invoice_date"),
}
"""Flow -> another mapping of its records, by mlc.yaml alone."""


def kinds(*names: str) -> list[Any]:
    return [pytest.param(kind, id=str(kind)) for kind in KINDS if kind.flow in (names or MAPPINGS)]


def delivered(place: Place, kind: Kind) -> None:
    kind.fill(place.box)
    for flow in (*kind.first, kind.flow):
        assert place.go(flow).delivered or flow in kind.first
    assert len(place.ledger.remote_ids(kind.flow)) == RECORDS


@pytest.mark.promise("C45", "mlc.yaml maps otherwise after delivery: eight kinds of flows, read again and replayed")
@pytest.mark.parametrize("kind", kinds())
def test_c45_another_mapping_sends_nothing_and_is_counted(place: Place, kind: Kind) -> None:
    delivered(place, kind)
    before, journal = kind.held(place.box), len(place.box.journal(kind.system))
    MAPPINGS[kind.flow](place)

    for _ in range(2):
        loaded = place.go(kind.flow)
        assert (loaded.stale, loaded.delivered, loaded.held) == (RECORDS, 0, 0), loaded
        assert len(loaded.stale_keys) == RECORDS

    assert kind.held(place.box) == before and len(place.box.journal(kind.system)) == journal
    assert place.ledger.stale.count() == {kind.flow: RECORDS}
    assert place.ledger.open_holds(kind.flow) == []


@pytest.mark.promise("C45", "what is stale is sent where somebody asks for it, and counts no more")
@pytest.mark.parametrize("kind", kinds("cin7/purchases", "hubspot/invoices", "airbase/purchase_orders"))
def test_c45_what_is_stale_goes_when_somebody_asks_for_it(place: Place, kind: Kind) -> None:
    delivered(place, kind)
    MAPPINGS[kind.flow](place)
    assert place.go(kind.flow).stale == RECORDS

    loaded = place.go(kind.flow, also_unchanged=True)

    assert (loaded.updated, loaded.stale) == (RECORDS, 0)
    assert place.ledger.stale.count() == {}
    assert place.go(kind.flow).unchanged == RECORDS


@pytest.mark.promise("C45", "mlc.yaml is put back: nothing is stale any more")
@pytest.mark.parametrize("kind", kinds("cin7/purchases", "ifs/vouchers_from_airbase_payments"))
def test_c45_what_is_mapped_as_before_again_is_unchanged(place: Place, kind: Kind) -> None:
    good = copy.deepcopy(place.settings)
    delivered(place, kind)
    MAPPINGS[kind.flow](place)
    assert place.go(kind.flow).stale == RECORDS
    place.settings = good
    assert place.go(kind.flow).unchanged == RECORDS
    assert place.ledger.stale.count() == {}


@pytest.mark.promise("C45", "a source that changed goes, whatever else changed; its neighbours stay")
def test_c45_what_changed_at_its_source_is_sent_and_its_neighbours_are_stale(place: Place) -> None:
    (kind,) = (each for each in KINDS if each.flow == "cin7/purchases")
    delivered(place, kind)
    MAPPINGS[kind.flow](place)
    keys = {"OrderNo": "P3", "LineNo": "1", "ReleaseNo": "1", "Company": "0010"}
    amount = {"BuyQtyDue": Decimal(2), "BuyUnitPrice": Decimal(4), "LineAmount": Decimal(8)}
    line = {**keys, "Description": "Another service", **amount, "TaxCode": "V0", "Account": "4010"}
    row = {"OrderNo": "P3", "Company": "0010", "Contract": "A", "VendorNo": "S3", "CurrencyCode": "SEK"}
    row |= {"OrderDate": "2026-11-04", "CurrencyRate": Decimal(1), "TotalAmount": Decimal(8), "ObjState": "Released"}
    place.box.ifs.put("PurchaseOrderSet", {**row, "PurchaseOrderLines": [line]}, modified=now())
    loaded = place.go(kind.flow)
    assert (loaded.updated, loaded.stale) == (1, RECORDS - 1)


@pytest.mark.promise("C45", "a touch of the source alone, its stamp, is no change of it")
def test_c45_a_new_stamp_alone_makes_nothing_of_a_stale_record_go(place: Place) -> None:
    (kind,) = (each for each in KINDS if each.flow == "cin7/purchases")
    delivered(place, kind)
    MAPPINGS[kind.flow](place)
    kind.fill(place.box)
    assert place.go(kind.flow).stale == RECORDS


@pytest.mark.promise("C45", "a ledger of a release that kept no source: by the stamp, both databases")
@pytest.mark.parametrize("kind", kinds(*ON_POSTGRES))
def test_c45_after_an_upgrade_the_stamp_decides_and_the_first_look_keeps_the_source(
    kind: Kind, tmp_path: Path, ledger: Ledger
) -> None:
    with Sandbox(seed="empty", limits=PLENTY) as box:
        books(box)
        place = Place(box, ledger, RowStore(str(tmp_path / "rows")), settings_at(box.url))
        delivered(place, kind)
        with ledger._database.writing() as connection:
            older = update(deliveries).where(deliveries.c.flow == kind.flow)
            connection.execute(older.values(source_fingerprint=None, read_number=None))
        journal = len(box.journal(kind.system))
        loaded = place.go(kind.flow)
        assert (loaded.unchanged, loaded.delivered) == (RECORDS, 0), "the first look"
        MAPPINGS[kind.flow](place)
        loaded = place.go(kind.flow)
        assert (loaded.stale, loaded.delivered) == (RECORDS, 0) and len(box.journal(kind.system)) == journal
        with ledger._database.writing() as connection:
            connection.execute(older.values(source_fingerprint=None))
        assert place.go(kind.flow).stale == RECORDS, "of which nothing is known but the stamp"
        assert ledger.stale.count() == {kind.flow: RECORDS}
