"""What is offered where a name is none."""

from mlc_dagster.core.near_names import nearest, offered

FLOWS = ("cin7/purchases", "cin7/purchase_invoices", "hubspot/deals", "monday/accounts")


def test_what_is_written_alike_comes_first_and_what_it_is_a_part_of_after_it() -> None:
    assert nearest("cin7/purchase", FLOWS) == ["cin7/purchases", "cin7/purchase_invoices"]
    assert nearest("DEALS", FLOWS) == ["hubspot/deals"]
    assert nearest("cin7", FLOWS) == ["cin7/purchases", "cin7/purchase_invoices"]


def test_of_two_that_are_as_near_the_earlier_one_comes_first() -> None:
    assert nearest("2026-11-55", [f"2026-11-{day:02}" for day in range(1, 29)])[0] == "2026-11-05"


def test_nothing_is_offered_where_nothing_is_near() -> None:
    assert offered("xyzzy", FLOWS) == "" and offered("", FLOWS) == ""
    assert offered("hubspot/deal", FLOWS) == "; nearest: hubspot/deals"
