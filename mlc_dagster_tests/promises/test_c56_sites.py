"""C56: a plant's site decides location, group and cost centre; one that the table does not have holds its record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.facts import Facts
from mlc_dagster.rules import site_is_mapped
from mlc_dagster.systems import configuration
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal, purchase_from_order
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster.systems.monday import mapping
from mlc_dagster_tests.promises.journey import content_at
from mlc_dagster_tests.promises.receiving import ORDERS, Stores, content, stores_at

SITES = {
    "A": {
        "cin7": {"location": "Plant A"},
        "monday": {"groups": {"purchase_orders": "plant_a"}, "cost_center": "CC100"},
    },
    "B": {"cin7": {"location": "Plant B"}, "monday": {"groups": {"purchase_orders": "plant_b"}}},
}
COMPANIES = {"0010": {"currency": "SEK", "cin7": {"location": "Main Warehouse"}, "sites": SITES}}


def said(connection: str, **company: Any) -> Facts:
    companies = {"0010": {**COMPANIES["0010"], **company}}
    return configuration.parse({**content_at("http://127.0.0.1:9"), "companies": companies}, "mlc.yaml").facts_for(
        connection
    )


def order(site: str | None) -> ifs.PurchaseOrder:
    line = ifs.PurchaseOrderLine(line_no="1", release_no="1", account="4010")
    return ifs.PurchaseOrder(order_no="P1", company="0010", contract=site, lines=(line,))


def invoice(site: str | None) -> ifs.PostingProposal:
    return ifs.PostingProposal(company="0010", proposal_id=1, contract=site)


def held(source: Any, facts: Facts) -> str:
    found = site_is_mapped(source, None, facts)
    return found.reason if found else ""


def test_the_site_decides_the_location_and_the_company_that_of_an_invoice_without_one() -> None:
    facts = said("cin7")
    assert [purchase_from_order(order(site), facts).location for site in ("A", "B")] == ["Plant A", "Plant B"]
    assert [invoice_from_proposal(invoice(site), facts).location for site in ("B", None)] == [
        "Plant B",
        "Main Warehouse",
    ]


def test_the_site_decides_the_group_and_the_department_of_lines_that_name_none() -> None:
    facts = said("monday")
    found = {site: mapping.item_from_order(order(site), facts) for site in ("A", "B")}
    assert {site: item.group for site, item in found.items()} == {"A": "plant_a", "B": "plant_b"}
    departments = {
        site: [cell.values for cell in item.cells if cell.field == "departments"] for site, item in found.items()
    }
    assert departments == {"A": [("CC100",)], "B": [()]}


@pytest.mark.parametrize(
    "site, words", [("Z", "Site Z is not among"), (None, "Site (none) is not among"), ("a", "Site a")]
)
def test_an_order_of_a_site_that_is_none_is_held_with_the_value_and_the_table(site: str | None, words: str) -> None:
    for connection in ("cin7", "monday"):
        reason = held(order(site), said(connection))
        assert reason.startswith(words) and "(A, B)" in reason and "companies.0010.sites" in reason
    assert held(invoice("Z"), said("cin7")).startswith("Site Z") and not held(invoice(None), said("cin7"))


def test_a_connection_that_no_site_names_is_asked_for_none() -> None:
    only_cin7 = {"A": {"cin7": {"location": "Plant A"}}}
    assert held(order("Z"), said("cin7", sites=only_cin7)) and not held(order("Z"), said("monday", sites=only_cin7))
    assert not held(order("Z"), said("cin7", sites={}))


def test_a_setting_of_a_site_that_there_is_not_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"companies\.0010\.sites\.A\.cin7\.warehouse"):
        said("cin7", sites={"A": {"cin7": {"warehouse": "Plant A"}}})


def test_the_site_of_an_invoice_is_read_where_the_tenant_has_one() -> None:
    found = configuration.parse(content_at("http://127.0.0.1:9"), "mlc.yaml")
    assert "contract" in catalogue_for(configuration.erp_settings(found))["posting_proposal_head_set"].absent
    named = content_at("http://127.0.0.1:9")
    named["ifs"]["entity_sets"] = {"posting_proposal_head_set": {"fields": {"contract": "Contract"}}}
    entity = catalogue_for(configuration.erp_settings(configuration.parse(named, "mlc.yaml")))[
        "posting_proposal_head_set"
    ]
    assert "contract" not in entity.not_selected


@pytest.fixture
def stores(sqlite_url: str, tmp_path: Path) -> Iterator[Stores]:
    with stores_at(sqlite_url, tmp_path) as made:
        yield made


def test_orders_of_two_plants_go_to_two_groups_and_one_of_a_third_waits_for_the_table(stores: Stores) -> None:
    board = stores.box.monday.boards.boards["1800000003"]
    board["groups"] = ["plant_a", "plant_b"]
    stores.settings = configuration.parse({**content(stores.box.url), "companies": COMPANIES}, "mlc.yaml")
    for number, site in enumerate("ABAZ"):
        stores.buys(f"P{number}", Contract=site)
    stores.go(ORDERS)
    items = stores.box.monday.boards.items
    groups = {f"P{number}": items[stores.item(f"P{number}")["id"]]["group"] for number in range(3)}
    assert groups == {"P0": "plant_a", "P1": "plant_b", "P2": "plant_a"}
    assert "Site Z is not among" in stores.why(key="P3")["site_is_mapped"]
    more = {"0010": {**COMPANIES["0010"], "sites": {**SITES, "Z": {}}}}
    stores.settings = configuration.parse({**content(stores.box.url), "companies": more}, "mlc.yaml")
    board["groups"].append("topics")
    assert stores.go(ORDERS).created == 1 and not stores.why(key="P3")


def test_a_group_that_the_board_does_not_have_holds_its_items_with_mondays_words(stores: Stores) -> None:
    stores.box.monday.boards.boards["1800000003"]["groups"] = ["plant_b"]
    stores.settings = configuration.parse({**content(stores.box.url), "companies": COMPANIES}, "mlc.yaml")
    stores.buys("P1", Contract="A")
    stores.buys("P2", Contract="B")
    assert stores.go(ORDERS).created == 1
    assert any("group plant_a does not exist" in reason for reason in stores.why(key="P1").values())
