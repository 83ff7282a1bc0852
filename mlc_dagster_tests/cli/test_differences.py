"""`mlc differences`: what differs, with where the target has it."""

from __future__ import annotations

import json

from mlc_dagster.ledger.records.differences import Found
from mlc_dagster_tests.cli.test_holds import mlc, refusal, told
from mlc_dagster_tests.cli.test_holds import place as place
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.orchestration.conftest import world as world

PURCHASES = "cin7/purchases"


def test_what_differs_is_listed_with_amount_number_and_link_of_the_target(world: World) -> None:
    world.chart()
    world.put_order("P1")
    assert world.run("cin7").success
    assert mlc("differences", "list").stdout.strip() == "Nothing differs, as far as was looked."
    number = world.ledger.stakes.places(PURCHASES, ["P1"])["P1"].number
    gone = Found("P1", "gone_in_the_source", "", number, None, "21", "SEK")
    world.ledger.differences.see(PURCHASES, [gone])
    world.ledger.differences.see("cin7/suppliers", [Found("S1", "edited_in_the_target", "name", "ours", "[red]theirs")])

    listed = told("differences", "list", "--flow", PURCHASES)
    (row,) = listed["differences"]
    assert (row["key"], row["kind"], row["amount"], row["currency"]) == ("P1", "gone_in_the_source", "21", "SEK")
    assert row["target_number"] == number and row["target_id"] and listed["open"] == 1
    assert listed["summary"] == [{"flow": PURCHASES, "kind": "gone_in_the_source", "open": 1}]

    shown = mlc("differences")  # the list is what is meant
    assert shown.exit_code == 0 and number in shown.output and "21 SEK" in shown.output
    assert "[red]theirs" in shown.output  # what a record says is text, and no markup
    assert json.loads(mlc("differences", "--kind", "edited_in_the_target", "--json").stdout)["open"] == 1
    assert "there is no flow cin7/purchase" in refusal("differences", "list", "--flow", "cin7/purchase")
    assert "2 delivered record(s) differ: mlc differences list" in mlc("holds", "list").output
    assert told("holds", "list")["differ"] == 2
