"""Situations that teams have met, in flows beside the one that each was met in: docs/cases.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster_tests.promises.kinds import now
from mlc_dagster_tests.world import erp, saas
from mlc_dagster_tests.world.scene import Scene, scene
from mlc_dagster_tests.world.views import VIEWS

TABLE = Path(__file__).parents[2] / "docs/cases.md"
TESTS = Path(__file__).parents[1]
BILLS = "ifs/supplier_invoices_from_procurify"
FIRST = {"cin7/purchase_invoices": "cin7/suppliers", "hubspot/invoices": "hubspot/supplier_companies"}
"""Flow of documents -> that of their suppliers."""


@pytest.fixture
def made() -> Iterator[Scene]:
    with scene() as here:
        yield here


def invoice(made: Scene, lines: tuple[tuple[str, str], ...], total: str) -> None:
    """A proposal of (quantity, amount) lines, and its supplier."""
    for number in (1, 2, 3):
        erp.a_supplier_is_entered_or_renamed(made.box, number, 0)
    row = erp.proposed(1, 1, "S1", "4010", None)
    first = row["PostingProposalLines"][0]
    rows = [
        {**first, "RowId": n, "Quantity": Decimal(many), "Amount": Decimal(each), "CurrencyAmount": Decimal(each)}
        for n, (many, each) in enumerate(lines, 1)
    ]
    amounts = {"NetAmount": Decimal(total), "GrossAmount": Decimal(total)}
    made.box.ifs.put(erp.PROPOSALS, {**row, **amounts, "PostingProposalLines": rows}, modified=now())


def arrived(made: Scene, flow: str, key: str = "0010/1") -> Any:
    """What the target has of it; what is held is told instead."""
    there = dict(VIEWS[flow].target(made.box)).get(key)
    held = {hold.key for hold in made.ledger.open_holds(flow)}
    assert (there is None) == (key in held), (there, held)
    return there


# --- 20: lines that are worth nothing, and less ---------------------------------------------------------------------

ODD_LINES = {
    "free goods": ((("2", "21.00"), ("1", "0")), "21.00"),
    "a quantity of 0": ((("2", "21.00"), ("0", "0")), "21.00"),
    "a discount as a line": ((("2", "200.00"), ("1", "-50.00")), "150.00"),
    "a return": ((("2", "200.00"), ("-1", "-50.00")), "150.00"),
}


@pytest.mark.promise("C11", "a line worth nothing or less: the invoice arrives at its total, or is held")
@pytest.mark.parametrize("odd", ODD_LINES)
@pytest.mark.parametrize("flow", FIRST)
def test_an_invoice_with_a_line_of_nothing_or_less_arrives_at_its_total_or_is_held(
    made: Scene, flow: str, odd: str
) -> None:
    lines, total = ODD_LINES[odd]
    invoice(made, lines, total)
    made.go(FIRST[flow], flow)
    assert arrived(made, flow) in (None, Decimal(total))


@pytest.mark.promise("C11", "a line worth nothing or less: the bill arrives at its total, or is held")
@pytest.mark.parametrize("second", ["0", "-50.00"])
def test_a_bill_with_a_line_of_nothing_or_less_arrives_at_its_total_or_is_held(made: Scene, second: str) -> None:
    bill(made, Line("200.00", "4010", "Operations"), Line(second, "4010", "Operations"))
    made.go("ifs/suppliers_from_procurify", BILLS)
    assert arrived(made, BILLS, saas.uuid_of(1)) in (None, Decimal("200.00") + Decimal(second))


# --- 38: several mail addresses in one field --------------------------------------------------------------------------

ADDRESSES = (
    "a@north.test; b@north.test",
    "a@north.test;",
    "North <a@north.test>",
    "a@north.test, b@north.test",
    "none",
)


@pytest.mark.promise("C11", "several mail addresses in one field: nobody waits for them")
@pytest.mark.parametrize("email", ADDRESSES)
@pytest.mark.parametrize(
    ("flow", "table"), [("procurify/vendors", "SupplierSet"), ("hubspot/customer_companies", "CustomerSet")]
)
def test_who_has_several_mail_addresses_in_one_field_arrives(made: Scene, flow: str, table: str, email: str) -> None:
    number = {"SupplierSet": "SupplierId", "CustomerSet": "CustomerId"}[table]
    row = {number: "N1", "Name": "North", "Country": "SE", "CurrencyCode": "SEK", "PaymentTerms": "30", "Email": email}
    made.box.ifs.put(table, row, modified=now())
    loaded = made.go(flow)[flow]
    assert (loaded.created, list(made.ledger.open_holds(flow))) == (1, [])


# --- 40: a header before its lines ------------------------------------------------------------------------------------


@pytest.mark.promise("C38", "a header without its lines: held, and delivered whole once they are there")
@pytest.mark.parametrize("flow", FIRST)
def test_an_invoice_that_is_read_before_its_lines_is_held_and_follows_whole(made: Scene, flow: str) -> None:
    invoice(made, (), "21.00")
    made.go(FIRST[flow], flow)
    assert arrived(made, flow) is None
    invoice(made, (("2", "21.00"),), "21.00")
    made.go(flow)
    assert arrived(made, flow) == Decimal("21.00")


@pytest.mark.promise("C38", "a bill without its lines: held, and delivered whole once they are there")
def test_a_bill_that_is_read_before_its_lines_is_held_and_follows_whole(made: Scene) -> None:
    bill(made)
    made.go("ifs/suppliers_from_procurify", BILLS)
    assert arrived(made, BILLS, saas.uuid_of(1)) is None
    bill(made, Line("200.00", "4010", "Operations"))
    made.go(BILLS)
    assert arrived(made, BILLS, saas.uuid_of(1)) == Decimal("200.00")


def bill(made: Scene, *lines: Line) -> None:
    fields = {"uuid": saas.uuid_of(1), "last_modified_datetime": datetime.now(UTC), **saas.DATED}
    made.box.procurify.put_bill(saas._vendor(made.box, 1), list(lines), invoice_number="B-1", **fields)


# --- the table --------------------------------------------------------------------------------------------------------


def test_each_situation_has_two_tests_of_its_kind_and_they_are_there() -> None:
    rows = [line for line in TABLE.read_text().splitlines() if re.match(r"\| \d\d ", line)]
    named = {row[2:4]: re.findall(r"`([\w/]+\.py)::(\w+)`", row) for row in rows}
    assert len(named) == 31
    assert {number: some for number, some in named.items() if len(set(some)) < 2} == {}
    texts = {path: (TESTS / path).read_text() for some in named.values() for path, _ in some}
    gone = [f"{path}::{name}" for some in named.values() for path, name in some if f"def {name}(" not in texts[path]]
    assert gone == []
