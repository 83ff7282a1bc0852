"""C33: the writer ends before its answer comes, and the record is corrected before the next run: it is found again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises.kinds import KINDS, RECORDS, Kind, now
from mlc_dagster_tests.promises.rooms import Room, Rooms
from mlc_dagster_tests.promises.test_c12_lost_answers import PLACE

RENAMED = {"country": "Norway", "currency": "SEK"}
NUMBERS = range(1, RECORDS + 1)
LATE = 0.5  # seconds from an effect to its answer


def _change(box: Sandbox, name: str, change: Callable[[dict[str, object], int], None]) -> None:
    """Each row of an entity set, as a person corrects it."""
    for number, row in enumerate(sorted(box.ifs.rows(name), key=lambda row: str(list(row.values())[:2])), 1):
        kept = {field: value for field, value in row.items() if not field.startswith("@")}
        change(kept, number)
        box.ifs.put(name, kept, modified=datetime.now(UTC) - timedelta(seconds=1))


def suppliers(box: Sandbox) -> None:
    """Name, mail address and currency are not what they were."""

    def corrected(row: dict[str, object], number: int) -> None:
        row.update(Name=f"Corrected {row['SupplierId']}", Email=f"new.{number}@example.test")

    _change(box, "SupplierSet", corrected)


def orders(box: Sandbox) -> None:
    """Another supplier, another date, twice the amount."""

    def corrected(row: dict[str, object], number: int) -> None:
        other = int(str(row["VendorNo"])[1:]) % RECORDS + 1
        lines = [{**line, "BuyUnitPrice": line["BuyUnitPrice"] * 2, "LineAmount": line["LineAmount"] * 2}
                 for line in row["PurchaseOrderLines"]]  # type: ignore[attr-defined]  # fmt: skip
        total = sum((line["LineAmount"] for line in lines), Decimal(0))
        row.update(VendorNo=f"S{other}", OrderDate="2027-02-01", PurchaseOrderLines=lines, TotalAmount=total)

    _change(box, "PurchaseOrderSet", corrected)


def proposals(box: Sandbox) -> None:
    """Another number and date; where there is no order, another supplier."""

    def corrected(row: dict[str, object], number: int) -> None:
        row.update(InvoiceNo=f"G-{row['ProposalId']}", InvoiceDate="2027-02-01", DueDate="2027-03-01")
        if not row["PoReference"]:
            row["SupplierId"] = f"S{int(str(row['SupplierId'])[1:]) % RECORDS + 1}"

    _change(box, "PostingProposalHeadSet", corrected)


def vendors(box: Sandbox) -> None:
    """Of Procurify: another name and country."""
    for n in NUMBERS:
        box.procurify.put_vendor(id=80 + n, name=f"Renamed {n}", **RENAMED, dateModified=now())


CORRECTIONS: dict[str, Callable[[Sandbox], None]] = {
    "cin7/suppliers": suppliers,
    "cin7/purchases": orders,
    "cin7/purchase_invoices": proposals,
    "hubspot/supplier_companies": suppliers,
    "hubspot/invoices": proposals,
    "airbase/vendors": suppliers,
    "airbase/purchase_orders": orders,
    "monday/invoices": proposals,
    "procurify/vendors": suppliers,
}
TRIED = [kind for kind in KINDS if kind.flow in CORRECTIONS]


@pytest.mark.promise("C33", "the answer is lost, then supplier, date, name and amount are corrected")
@pytest.mark.parametrize("kind", TRIED, ids=str)
def test_c33_what_is_in_doubt_and_was_corrected_is_found_again(kind: Kind, rooms_of: Callable[[Kind], Rooms]) -> None:
    rooms, correct = rooms_of(kind), CORRECTIONS[kind.flow]
    with rooms.room() as room:
        made = killed_in_mid_request(room)
        with room.box.lock:
            correct(room.box)

        account = room.run("after")

        assert once(room) and room.holds() == {} and account["held"] == 0
        assert made and room.held().total() == rooms.good.total(), "0 doubled, 0 orphans, 0 lost"


@pytest.mark.promise("C33", "the answer is lost, then the name is corrected that alone would find it in the ERP")
def test_c33_where_the_target_keeps_no_key_of_ours_a_person_is_asked(rooms_of: Callable[[Kind], Rooms]) -> None:
    """The first batch is in doubt, and one of its three was made. Once that one is told apart the others are made."""
    rooms = rooms_of(next(kind for kind in KINDS if kind.flow == "ifs/suppliers_from_procurify"))
    with rooms.room() as room:
        assert killed_in_mid_request(room) == 1
        (number,) = [row["SupplierId"] for row in room.box.ifs.rows("SupplierSet")]
        vendors(room.box)
        for run in ("after", "once more"):
            assert room.run(run)["held"] == 3, "not sent, however often it is tried"
            words = f"already, as {number}, from an attempt that was not answered"
            assert all(words in said for said in room.holds().values()) and len(room.holds()) == 3
        room.box.procurify.put_vendor(id=81, external_id=number, **RENAMED, name="Renamed 1", dateModified=now())

        assert room.run("told")["held"] == 0

        names = [row["Name"] for row in room.box.ifs.rows("SupplierSet")]
        assert sorted(names) == [*(f"Renamed {n}" for n in NUMBERS[1:]), "Vendor 1"], "the ERP keeps its own name"


def once(room: Room) -> bool:
    keys = Counter(words[0] for words in room.held().elements())
    return max(keys.values()) == 1


def killed_in_mid_request(room: Room) -> int:
    """The first write acts, and its answer is under way when the writer is killed; how many documents it made."""
    before, system = room.held(), room.kind.system
    for verb in ("POST", "PUT", "PATCH"):
        place = PLACE.get(system, f"/{system}/")
        room.box.faults.add(system=system, method=verb, path=place, times=None, acts=True, delay=LATE)
    child, deadline = room.start("killed"), time.monotonic() + 60
    while room.held() == before:
        assert child.is_running and time.monotonic() < deadline, child.said
        time.sleep(0.002)
    child.kill()
    assert child.wait().was_killed
    room.box.faults.clear()
    return room.held().total() - before.total()
