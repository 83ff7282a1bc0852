"""Suppliers between IFS and Cin7 in both directions, over real HTTP and on a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster_tests.systems.rounds import Rounds

BACK = "ifs/suppliers_from_cin7"


@pytest.fixture
def rounds(sqlite_ledger: Ledger) -> Iterator[Rounds]:
    """Supplier S1, which both sides have."""
    with Sandbox(limits=Limits(100_000, 100_000)) as box:
        box.cin7.books.add_payment_term("45 days", 45)
        made = Rounds(box, sqlite_ledger, "cin7")
        made.put("S1")
        made.once()
        yield made


def theirs(rounds: Rounds) -> dict[str, Any]:
    (row,) = rounds.box.cin7.suppliers.values()
    return row


def edit(rounds: Rounds, **fields: Any) -> None:
    rounds.box.cin7.change_supplier(theirs(rounds)["ID"], **fields)


def email(row: dict[str, Any]) -> str:
    return str(row["Contacts"][0]["Email"])


def test_a_change_on_either_side_reaches_the_other(rounds: Rounds) -> None:
    edit(rounds, contact={"Email": "new@example.test"}, PaymentTerm="45 days", TaxNumber="SE77")
    rounds.once()
    row = rounds.supplier()
    assert (row["Email"], row["PaymentTerms"], row["VatNo"]) == ("new@example.test", "45", "SE77")
    rounds.put(Name="Renamed AB", Country="FI")
    rounds.once()
    row = theirs(rounds)
    assert (row["Name"], row["Addresses"][0]["Country"], email(row)) == ("Renamed AB", "Finland", "new@example.test")
    assert rounds.holds() == {}


def test_changes_of_different_fields_on_both_sides_both_survive(rounds: Rounds) -> None:
    rounds.put(Name="Renamed AB")
    edit(rounds, contact={"Email": "new@example.test"})
    rounds.once()
    assert (rounds.supplier()["Name"], rounds.supplier()["Email"]) == ("Renamed AB", "new@example.test")
    assert (theirs(rounds)["Name"], email(theirs(rounds))) == ("Renamed AB", "new@example.test")
