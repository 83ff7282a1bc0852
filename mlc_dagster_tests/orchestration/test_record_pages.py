"""Delivered and held records lead to both sides, where mlc.yaml says how; what a system told acts nowhere else."""

from __future__ import annotations

import dagster as dg
import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.flows import Problem
from mlc_dagster.core.outcomes import Draft, Saved
from mlc_dagster.core.record_pages import filled, page_of_source, with_page
from mlc_dagster.orchestration.assets import reports, shown_records
from mlc_dagster.orchestration.location import flows_of
from mlc_dagster.orchestration.settings_check import of_the_house
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.orchestration.conftest import World, check, metadata, settings_for

ORDERS = "https://acme.ifs.cloud/main/web/page/PurchaseOrder/Form;$filter=OrderNo%20eq%20'{order_no}'"
PURCHASES = "https://inventory.dearsystems.com/Purchase#{id}"


def with_pages(settings: Settings) -> Settings:
    said = settings.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    said["ifs"]["record_pages"] = {"purchase_order_set": ORDERS}
    said["cin7"]["record_pages"] = {"purchases": PURCHASES}
    said["alerts"] = {"page_url": "https://mlc.acme.se/review", "webhook": "MLC_ALERTS_WEBHOOK"}
    return configuration.parse(said, "mlc.yaml")


def test_a_run_shows_where_both_sides_have_what_it_delivered_and_held(world: World) -> None:
    world.settings = with_pages(world.settings)
    world.chart()
    world.put_order("P1")
    world.put_order("P (2)", account="4711")
    ran = world.run("cin7")
    (purchase,) = world.box.cin7.purchases
    told = metadata(ran, "cin7/purchases")["delivered_records"]
    assert f"[P1](<{ORDERS.replace('{order_no}', 'P1')}>)" in told and told.endswith("created")
    assert f"(<{PURCHASES.replace('{id}', purchase)}>)" in told
    assert world.ledger.stakes.places("cin7/purchases", ["P1"])["P1"].link == PURCHASES.replace("{id}", purchase)

    held = check(ran, "cin7/purchases_prepared", "gl_accounts_exist").metadata["where_to_look"].value
    assert f"(<{ORDERS.replace('{order_no}', 'P%20%282%29')}>)" in held
    assert "[decide](<https://mlc.acme.se/review/record/cin7/purchases?key=P+%282%29>)" in held

    specs = {spec.key.to_user_string(): spec.metadata for spec in world.defs.resolve_all_asset_specs()}
    assert specs["cin7/purchases"]["records_in_the_target"] == dg.MetadataValue.url(PURCHASES.removesuffix("{id}"))
    assert specs["ifs/purchase_order_set"]["records_in_the_source"].value.startswith("https://acme.ifs.cloud/main/")


def test_without_pages_nothing_is_said_of_them() -> None:
    settings = settings_for("http://127.0.0.1:9")
    catalogue = ifs.catalogue_for(configuration.erp_settings(settings))
    (flow,) = (each for each in flows_of(settings, catalogue)["cin7"] if each.name == "cin7/purchases")
    assert shown_records.held(flow, [("P1", Problem("rule", "why"))], settings) == {}
    assert shown_records.of_target(flow) == shown_records.of_source(flow.source.page) == {}


def test_no_value_and_no_address_of_others_acts() -> None:
    assert filled("https://x.se/{key}?a={id}", {"key": "../é&b", "id": "#"}) == "https://x.se/..%2F%C3%A9%26b?a=%23"
    for told in ("javascript:alert(1)", "https://x.se/>)[x](https://evil.se", "https://x.se/\nb", "https://x.se/ b"):
        assert reports.linked([[("P1](https://evil.se)", told)]]).value == r"- P1\]\(https\://evil\.se\)"


def test_a_key_of_several_parts_and_what_a_target_told_itself() -> None:
    proposals = ifs.replace(ifs.POSTING_PROPOSALS, page="https://x.se/{company}/{proposal_id}?{key}")
    assert page_of_source(proposals, "0010/a%2Fb") == "https://x.se/0010/a%2Fb?0010%2Fa%252Fb"
    own = Saved(Draft("P1", ifs.PurchaseOrder(order_no="P1")), "7", "created", link="https://own.se")
    assert with_page("https://x.se/{id}", own).link == "https://own.se"


@pytest.mark.parametrize(
    ("section", "said", "words"),
    [
        ("cin7", {"purchase": PURCHASES}, "cin7.record_pages.purchase: there is nothing of that name"),
        ("cin7", {"purchases": "https://x.se/{order_no}"}, "found {order_no} in it; expected {id}, {number}, {key}"),
        ("ifs", {"purchase_order_set": "https://x.se/{id}"}, "found {id} in it; expected {order_no}, {key}"),
    ],
)
def test_a_page_of_nothing_is_a_mistake(section: str, said: dict[str, str], words: str) -> None:
    content = {"cin7": {}, "ifs": {}, section: {"record_pages": said}}
    told = [f"{'.'.join(each.path)}: {each.sentence}" for each in of_the_house(content)]
    assert len(told) == 1 and words in told[0], told


@pytest.mark.parametrize("page", ["https://x.se/", "x.se/{id}", "https://user:pw@x.se/{id}", "https://x.se/{i d}"])
def test_an_address_without_a_place_or_with_a_secret_is_refused(page: str) -> None:
    said = settings_for("http://127.0.0.1:9").model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    with pytest.raises(Misconfigured, match="record_pages"):
        configuration.parse({**said, "cin7": {**said["cin7"], "record_pages": {"purchases": page}}}, "mlc.yaml")
