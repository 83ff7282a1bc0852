"""C44: a moment in Procurify is a posting date of the company that has it: Sydney, New York, or held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster_tests.promises.kinds import now
from mlc_dagster_tests.promises.ledgered_room import Room, room_on

BILLS, ORDERS, VENDORS = (
    "ifs/supplier_invoices_from_procurify",
    "ifs/posting_proposals_from_procurify",
    "ifs/suppliers_from_procurify",
)
SYDNEY, NEW_YORK = "Australia/Sydney", "America/New_York"
EVENING_IN_LONDON = "2026-12-31T21:30:00Z"
"""The year is over in Sydney, and not in New York."""


@pytest.fixture
def room(sqlite_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(sqlite_url, tmp_path) as made:
        made.box.procurify.put_vendor(id=81, name="Vendor 1", country="Sweden", currency="SEK", dateModified=now())
        made.go(VENDORS)
        yield made


def is_in(room: Room, zone: str | None) -> None:
    """The company, by mlc.yaml."""
    said = {"currency": "SEK", **({"time_zone": zone} if zone else {})}
    room.says("companies", **{"0010": said})


def location(room: Room, zone: str | None) -> None:
    room.box.procurify.books.put_location("Stockholm", "0010", "SEK", time_zone=zone)


def order(room: Room, moment: str) -> None:
    line = Line("100.00", "4010", "Operations")
    room.box.procurify.put_purchase_order(81, [line], procurify_PO=1001, last_modified=now(), date=moment)


def bill(room: Room, moment: str) -> None:
    line = Line("100.00", "4010", "Operations", tax="25.00")
    dates = {"invoice_date": moment, "gl_post_date": moment, "due_date": moment}
    room.box.procurify.put_bill(81, [line], uuid="a" * 32, last_modified_datetime=now(), invoice_number="B-1", **dates)


Case = tuple[str, Callable[[Room, str], None], str, tuple[str, ...]]
KINDS: dict[str, Case] = {
    "order": (ORDERS, order, "PostingProposalHeadSet", ("InvoiceDate",)),
    "bill": (BILLS, bill, "SupplierInvoiceSet", ("InvoiceDate", "DueDate")),
}


@pytest.mark.promise("C44", "Procurify: a moment at the year's end is the day of the company, in Sydney and New York")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("company", "place", "moment", "day"),
    [
        (SYDNEY, SYDNEY, EVENING_IN_LONDON, "2027-01-01"),
        (NEW_YORK, NEW_YORK, EVENING_IN_LONDON, "2026-12-31"),
        (SYDNEY, None, EVENING_IN_LONDON, "2027-01-01"),  # the location tells no zone: mlc.yaml says the company's
        (NEW_YORK, None, "2027-01-01T03:30:00Z", "2026-12-31"),
        (SYDNEY, "-5", EVENING_IN_LONDON, "2027-01-01"),  # a desk in New York buys for the company in Sydney
        (NEW_YORK, SYDNEY, EVENING_IN_LONDON, "2026-12-31"),
        (None, SYDNEY, EVENING_IN_LONDON, "2027-01-01"),  # nobody says where the company is: the location's day
        (SYDNEY, SYDNEY, "2026-12-31T00:00:00Z", "2026-12-31"),  # a date, as dates are mostly sent
        (NEW_YORK, NEW_YORK, "2026-12-31T00:00:00-05:00", "2026-12-31"),
    ],
)
def test_c44_what_procurify_dates_lies_on_the_day_that_the_company_has(
    room: Room, kind: str, company: str | None, place: str | None, moment: str, day: str
) -> None:
    flow, put, table, dates = KINDS[kind]
    is_in(room, company)
    location(room, place)
    put(room, moment)
    assert room.go(flow).get("created") == 1, room.holds(flow)
    (row,) = room.box.ifs.rows(table)
    assert [row[name] for name in dates] == [day] * len(dates)


@pytest.mark.promise("C44", "Procurify: a moment that may be two days is held until mlc.yaml says where the company is")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("zone", "day"), [(SYDNEY, "2027-01-01"), (NEW_YORK, "2026-12-31")])
def test_c44_a_moment_of_two_days_waits_for_the_companys_zone(room: Room, kind: str, zone: str, day: str) -> None:
    flow, put, table, (dated, *_) = KINDS[kind]
    is_in(room, None)
    location(room, None)
    put(room, EVENING_IN_LONDON)
    room.go(flow)
    assert not room.box.ifs.rows(table)
    (found,) = room.holds(flow).values()
    reason = dict(found)["dates_are_certain"]
    assert "companies.0010.time_zone" in reason and "procurify.time_zones" in reason

    is_in(room, zone)
    room.go(flow)
    assert not room.holds(flow) and [row[dated] for row in room.box.ifs.rows(table)] == [day]
