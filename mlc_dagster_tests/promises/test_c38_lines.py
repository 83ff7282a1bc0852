"""C38: a line that changes beside its header's stamp is in the target by the next cycle, or by the next sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.location import tenants_flows
from mlc_dagster.pipeline.sweeping import Swept
from mlc_dagster.sandbox import Sandbox, Tenant
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster_tests.promises.journey import client_of, flow_of
from mlc_dagster_tests.promises.kinds import PLENTY, books
from mlc_dagster_tests.promises.later import Room, room_at, swept
from mlc_dagster_tests.promises.tenant_flows import EVERY, box_of, settings_of, tenant

ORDERS = "cin7/purchases"


@pytest.fixture
def room(sqlite_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_at(sqlite_url, tmp_path) as made:
        yield made


@dataclass(frozen=True)
class Kind:
    """A flow, the set that it reads, how a record is entered, and what of its first line is edited."""

    flow: str
    set_name: str
    lines: str
    put: Callable[[Room, datetime], None]
    edit: dict[str, Any]
    first: tuple[str, ...] = ()


_ORDER = {"BuyQtyDue": Decimal(20), "LineAmount": Decimal(210)}
_INVOICE = {"Account": "2440"}
KINDS = (
    Kind(
        ORDERS,
        "PurchaseOrderSet",
        "PurchaseOrderLines",
        lambda room, at: room.order(at=at),
        _ORDER,
        ("cin7/suppliers",),
    ),
    Kind(
        *("airbase/purchase_orders", "PurchaseOrderSet", "PurchaseOrderLines", lambda room, at: room.order(at=at)),
        *(_ORDER, ("airbase/vendors",)),
    ),
    Kind(
        *("hubspot/invoices", "PostingProposalHeadSet", "PostingProposalLines"),
        *(lambda room, at: room.proposal(at=at), _INVOICE, ("hubspot/supplier_companies",)),
    ),
    Kind(
        *("monday/invoices", "PostingProposalHeadSet", "PostingProposalLines"),
        *(lambda room, at: room.proposal(at=at), _INVOICE, ("monday/suppliers",)),
    ),
    Kind(
        *("monday/journal_entries", "VoucherSet", "VoucherRows", lambda room, at: room.voucher(at=at)),
        {"Account": "2440"},
    ),
)


def edited(room: Room, kind: Kind, at: datetime, *, stamped: datetime | None, drop: bool = False) -> None:
    """A line changes, and is stamped or not; the header's stamp stays, and its total follows."""
    (row,) = room.box.ifs.rows(kind.set_name)
    lines = [dict(line) for line in row[kind.lines]]
    lines[0] |= {**kind.edit, "LastModified": stamped or at}
    row = {name: value for name, value in row.items() if not name.startswith("@")}
    if "LineAmount" in kind.edit:
        row["TotalAmount"] = kind.edit["LineAmount"]
    room.box.ifs.put(kind.set_name, {**row, kind.lines: lines[1:] if drop else lines}, modified=at)


def asked(room: Room, kind: Kind, since: datetime) -> dict[Any, str]:
    """What the change sensor asks the ERP."""
    client = client_of("ifs", room.settings, room.ledger.budget)
    return client.changed_since(flow_of(kind.flow).source, since)


@pytest.mark.promise("C38", "a line edited beside its header: the sensor names the header's day, the target follows")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.flow)
def test_c38_a_stamped_line_names_the_day_of_its_header(room: Room, kind: Kind) -> None:
    today = datetime.now(UTC).replace(microsecond=0)
    yesterday = today - timedelta(days=1)
    room.supplier()
    kind.put(room, yesterday)
    room.go(*kind.first, kind.flow)
    quiet = asked(room, kind, today)
    edited(room, kind, yesterday, stamped=today)
    found = asked(room, kind, today)
    assert yesterday.date() in found and found != quiet
    assert asked(room, kind, today) == found  # nothing changed: the same mark, no second run
    loaded = room.go(kind.flow)
    assert (loaded.updated, loaded.held) == (1, 0)
    assert room.sweep(kind.flow).changed == 0


@pytest.mark.promise("C38", "a line edited whose set has no stamp: asked for by the next sweep, each content once")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.flow)
def test_c38_a_line_without_a_stamp_is_found_by_the_sweep(room: Room, kind: Kind) -> None:
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    room.supplier()
    kind.put(room, yesterday)
    room.go(*kind.first, kind.flow)
    assert room.sweep(kind.flow).changed == 0
    edited(room, kind, yesterday, stamped=None)
    told = room.sweep(kind.flow)
    assert (told.changed, told.beside) == (1, 1)
    assert room.asked == {kind.flow: {yesterday.date().isoformat()}}
    assert room.sweep(kind.flow).changed == 0  # it stands on the work list
    assert room.go(kind.flow).updated == 1
    assert room.sweep(kind.flow).changed == 0


@pytest.mark.promise("C38", "a line removed beside its header: no stamp is left to tell, the sweep asks for it")
def test_c38_a_line_that_is_removed_is_found_by_the_sweep(room: Room) -> None:
    kind = next(each for each in KINDS if each.flow == "monday/journal_entries")
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    room.voucher(at=yesterday)
    room.go(kind.flow)
    edited(room, kind, yesterday, stamped=None, drop=True)
    assert room.sweep(kind.flow).changed == 1


@pytest.mark.promise("C38", "a held order whose line is completed beside its header is asked for again")
def test_c38_what_is_on_hold_is_compared_too(room: Room) -> None:
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    room.supplier()
    room.order(at=yesterday, TotalAmount=Decimal(999))
    room.go("cin7/suppliers", ORDERS)
    assert set(room.holds(ORDERS)) == {"P1"}
    assert room.sweep(ORDERS).changed == 0
    room.order(at=yesterday)
    assert room.sweep(ORDERS).changed == 1
    room.go(ORDERS)
    assert room.holds(ORDERS) == {}


@pytest.mark.promise("C38", "a row that was committed after its day was read is asked for; what is out of scope is not")
def test_c38_a_row_that_came_late_into_a_day_that_was_loaded_is_asked_for(room: Room) -> None:
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    room.supplier()
    room.order("P1", at=yesterday)
    room.go("cin7/suppliers", ORDERS)
    room.order("P2", at=yesterday)
    room.order("P3", at=yesterday, ObjState="Planned")
    assert room.sweep(ORDERS).changed == 0  # nobody loaded that day, as far as is known: it is not begun by a sweep
    room.ledger.loads.ended(ORDERS, yesterday.date().isoformat(), "run")
    assert room.sweep(ORDERS).changed == 1
    assert room.go(ORDERS).created == 1


@pytest.mark.promise("C38", "lines whose set proves to have no stamp: said once, headers are asked all the same")
def test_c38_a_tenant_whose_lines_have_no_stamp_is_asked_for_headers(
    sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    lines_refused = Tenant(fields={"PurchaseOrderLineSet": {"LastModified": "Rowversion"}})
    with Sandbox(seed="empty", limits=PLENTY, tenant=lines_refused) as box:
        books(box)
        room = Room(box, sqlite_ledger, None, settings_of(box.url, (), "seed"))  # type: ignore[arg-type]
        room.order(at=datetime.now(UTC))
        client = client_of("ifs", room.settings, sqlite_ledger.budget)
        for _ in range(2):
            assert list(client.changed_since(flow_of(ORDERS).source, datetime.now(UTC))) == [datetime.now(UTC).date()]
    assert sum("found by the nightly sweep only" in record.message for record in caplog.records) == 1


@pytest.mark.promise("C38", "tenants without stamps, lines in arrays, children in sets of their own: read with the day")
@pytest.mark.parametrize("profile", ["pages", "entity"])
@pytest.mark.parametrize("flow", ["airbase/purchase_orders", "cin7/purchases", "cin7/suppliers", "monday/suppliers"])
def test_c38_a_tenant_without_stamps_shows_what_changed_below_its_rows(profile: str, flow: str, tmp_path: Path) -> None:
    kind = next(each for each in EVERY if each.flow == flow)
    with box_of([f"ifs.{profile}"], kind) as box:
        here = tenant(tmp_path, box, profile)
        for name in (*kind.first, flow):
            here.run(name)
        entity = catalogue_for(configuration.erp_settings(here.settings))[flow_of(flow).source.name]
        assert entity.delta == "sweep"  # each read of the running day compares the whole set, lines and children too
        _edit_below(box, flow)
        assert here.run(flow).updated == 1
        _delete(box, flow)
        (own,) = tenants_flows((flow_of(flow),), {entity.name: entity})
        told = swept(own.source, [own], here.settings, here.ledger, lambda name, days: None)
        assert (told.gone, told.new, told.fault) == (1, 1, "")


@pytest.mark.promise(
    "C38", "a tenant without stamps: what another flow's run has read is asked for, for all the others"
)
@pytest.mark.parametrize("profile", ["pages", "own-services"])
def test_c38_what_changed_in_a_set_without_stamps_reaches_a_flow_that_did_not_read_it_itself(
    profile: str, tmp_path: Path
) -> None:
    orders = tuple(each for each in EVERY if each.flow in ("airbase/purchase_orders", "cin7/purchases"))
    with box_of([f"ifs.{profile}"], orders[0]) as box:
        here = tenant(tmp_path, box, profile)
        for name in dict.fromkeys(name for each in orders for name in (*each.first, each.flow)):
            here.run(name)
        entity = catalogue_for(configuration.erp_settings(here.settings))[flow_of(ORDERS).source.name]
        flows = tenants_flows(tuple(flow_of(each.flow) for each in orders), {entity.name: entity})
        asked: dict[str, list[str]] = {}

        def sweep() -> Swept:
            asked.clear()
            return swept(flows[0].source, flows, here.settings, here.ledger, lambda f, days: asked.update({f: [*days]}))

        assert (sweep().changed, asked) == (0, {})
        _edit_below(box, ORDERS)
        assert here.run(ORDERS).updated == 1  # this run has read it; nobody tells the other flow
        assert (sweep().changed, asked) == (1, {"airbase/purchase_orders": [datetime.now(UTC).date().isoformat()]})
        assert here.run("airbase/purchase_orders").updated == 1
        assert (sweep().changed, asked) == (0, {})


def _edit_below(box: Sandbox, flow: str) -> None:
    """Of a line, or of a child: the row itself is not touched, and has no stamp."""
    name = flow_of(flow).source.path
    row = box.ifs.rows(name)[1]
    if name == "SupplierSet":
        row = {**row, "PaymentTerms": "60"} if flow.startswith("monday") else {**row, "CurrencyCode": "EUR"}
    else:
        (line,) = row["PurchaseOrderLines"]
        line = {**line, "BuyQtyDue": Decimal(3), "LineAmount": 3 * line["BuyUnitPrice"]}
        row = {**row, "PurchaseOrderLines": [line], "TotalAmount": line["LineAmount"]}
    box.ifs.put(name, row)


def _delete(box: Sandbox, flow: str) -> None:
    name = flow_of(flow).source.path
    key = {"SupplierSet": "SupplierId", "PurchaseOrderSet": "OrderNo"}[name]
    box.ifs.delete(name, **{key: box.ifs.rows(name)[2][key]})
