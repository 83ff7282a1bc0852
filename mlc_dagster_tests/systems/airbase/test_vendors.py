"""Vendors over real HTTP against the sandbox: in bulk, adopted, and never doubled."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from mlc_dagster.core.errors import AccessDenied, Misconfigured
from mlc_dagster.core.outcomes import Refused, Saved, Unanswered
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.systems.airbase.api import AirbaseApi, Document, id_of, reference_of
from mlc_dagster.systems.airbase.records import VENDORS
from mlc_dagster.systems.airbase.writing.kept_fields import lost_fields
from mlc_dagster_tests.systems.airbase.samples import client_on, save, vendor_draft

BULK = "/airbase/v1/accounting/vendors/bulk_upsert/"


def posted(box: Sandbox) -> list[int]:
    """How many entities each bulk held."""
    return [len(entry["body"]["entities"]) for entry in box.journal("airbase")]


def test_a_hundred_new_vendors_are_one_bulk_and_the_rest_another(box: Sandbox) -> None:
    outcomes = save(client_on(box), VENDORS, *(vendor_draft(f"S{number}") for number in range(130)))
    assert {outcome.action for outcome in outcomes.values()} == {"created"}  # type: ignore[union-attr]
    assert posted(box) == [100, 30]
    there = {row["erp_reference_id"]: row for row in box.airbase.vendors.values()}
    assert len(there) == 130
    row = there["S7"]
    assert (row["name"], row["email"], row["is_active"]) == ("Nordic Bolts S7", "ap@nordic.example", True)
    assert [each["erp_reference_id"] for each in row["subsidiary_reference_ids"]] == ["0010"]
    assert outcomes["S7"].remote_id == row["airbase_id"]  # type: ignore[union-attr]


def test_a_vendor_that_is_there_and_equal_is_adopted_without_a_write(box: Sandbox) -> None:
    first = save(client_on(box), VENDORS, vendor_draft())["S100"]
    box.forget_calls()
    again = save(client_on(box), VENDORS, vendor_draft())["S100"]
    assert isinstance(first, Saved) and isinstance(again, Saved)
    assert (again.action, again.remote_id) == ("adopted", first.remote_id)
    assert box.journal("airbase") == []


def test_a_vendor_entered_by_hand_gets_the_key_instead_of_a_twin(box: Sandbox) -> None:
    there = box.airbase.add_vendor(name="  nordic  BOLTS s100 ", email="x@example.test")
    outcome = save(client_on(box), VENDORS, vendor_draft())["S100"]
    assert isinstance(outcome, Saved) and (outcome.remote_id, outcome.action) == (there, "updated")
    assert len(box.airbase.vendors) == 1 and box.airbase.vendors[there]["erp_reference_id"] == "S100"


def test_a_vendor_of_the_same_name_under_another_key_is_another_vendor(box: Sandbox) -> None:
    box.airbase.add_vendor(name="Nordic Bolts S100", erp_reference_id="S999")
    assert save(client_on(box), VENDORS, vendor_draft())["S100"].action == "created"  # type: ignore[union-attr]
    assert len(box.airbase.vendors) == 2


def test_two_vendors_that_answer_to_a_name_hold_the_record(box: Sandbox) -> None:
    box.airbase.add_vendor(name="Nordic Bolts S100")
    box.airbase.add_vendor(name="NORDIC BOLTS S100")
    outcome = save(client_on(box), VENDORS, vendor_draft())["S100"]
    assert isinstance(outcome, Refused) and "two vendors for S100" in outcome.reason
    assert box.journal("airbase") == []


def test_two_suppliers_of_one_name_never_share_a_vendor(box: Sandbox) -> None:
    box.airbase.add_vendor(name="Twin")
    for _ in range(2):  # nothing heals by itself: which of the two it is, a person says
        outcomes = save(client_on(box), VENDORS, vendor_draft("S1", name="Twin"), vendor_draft("S2", name="TWIN"))
        for outcome in outcomes.values():
            assert isinstance(outcome, Refused) and "S1 and S2" in outcome.reason
    assert box.journal("airbase") == []


@pytest.mark.parametrize("partial", [False, True], ids=["all or nothing", "the good ones are kept"])
def test_a_refused_entity_is_refused_alone(box: Sandbox, partial: bool) -> None:
    box.airbase.partial_bulks = partial
    drafts = [vendor_draft(f"S{number}") for number in range(5)] + [vendor_draft("BAD", name="x" * 300)]
    outcomes = save(client_on(box), VENDORS, *drafts)
    refused = outcomes.pop("BAD")
    assert isinstance(refused, Refused) and "name: Ensure this field" in refused.reason
    assert all(isinstance(outcome, Saved) for outcome in outcomes.values())
    assert len(box.airbase.vendors) == 5


def test_a_refused_batch_that_names_nobody_is_halved_until_the_culprit_stands_alone(box: Sandbox) -> None:
    box.faults.add(system="airbase", path=BULK, status=400, body='{"detail": "Something is wrong."}', times=4)
    outcomes = save(client_on(box), VENDORS, *(vendor_draft(f"S{number}") for number in range(8)))
    refused = [outcome for outcome in outcomes.values() if isinstance(outcome, Refused)]
    assert len(refused) == 1 and "Something is wrong" in refused[0].reason
    assert len(box.airbase.vendors) == 7


def test_a_lost_answer_is_looked_up_and_never_doubled(box: Sandbox) -> None:
    client = client_on(box)
    box.faults.add(system="airbase", method="POST", path=BULK, drop="after")
    assert isinstance(save(client, VENDORS, vendor_draft())["S100"], Unanswered)
    again = save(client, VENDORS, vendor_draft())["S100"]
    assert isinstance(again, Saved) and again.action == "adopted"
    assert len(box.airbase.vendors) == 1 and len(box.journal("airbase")) == 1


def test_a_changed_vendor_keeps_the_subsidiaries_that_people_added(box: Sandbox) -> None:
    box.airbase.add_subsidiary("77", "Other", "SEK")
    there = box.airbase.add_vendor(
        name="Old", erp_reference_id="S100", subsidiary_reference_ids=[{"erp_reference_id": "77"}]
    )
    outcome = save(client_on(box), VENDORS, vendor_draft(remote_id=there, blocked=True))["S100"]
    assert isinstance(outcome, Saved) and outcome.action == "updated"
    row = box.airbase.vendors[there]
    assert (row["name"], row["is_active"]) == ("Nordic Bolts S100", False)
    assert [each["erp_reference_id"] for each in row["subsidiary_reference_ids"]] == ["77", "0010"]


def test_without_a_bulk_path_vendors_go_one_by_one(box: Sandbox) -> None:
    there = box.airbase.add_vendor(name="Old", erp_reference_id="S1")
    client = client_on(box, vendors_bulk="")
    outcomes = save(client, VENDORS, vendor_draft("S1"), vendor_draft("S2"), vendor_draft("S3", name="x" * 300))
    assert [type(outcome) for outcome in outcomes.values()] == [Saved, Saved, Refused]
    assert [entry["method"] for entry in box.journal("airbase")] == ["PATCH", "POST"]
    assert "erp_reference_id" not in box.journal("airbase")[0]["body"], "Airbase takes no change of a key"
    assert box.airbase.vendors[there]["name"] == "Nordic Bolts S1" and len(box.airbase.vendors) == 2


def test_a_tenant_that_heeds_no_filter_is_read_as_a_list(box: Sandbox) -> None:
    box.airbase.heeds_filters = False
    there = box.airbase.add_vendor(name="Nordic Bolts S100", erp_reference_id="S100")
    box.airbase.add_vendor(name="Other", erp_reference_id="S2")
    outcome = save(client_on(box, page_size=1), VENDORS, vendor_draft())["S100"]
    assert isinstance(outcome, Saved) and outcome.remote_id == there


def test_every_page_of_a_list_is_read(box: Sandbox) -> None:
    for number in range(23):
        box.airbase.add_vendor(name=f"V{number}", erp_reference_id=f"S{number}")
    outcomes = save(client_on(box, page_size=5), VENDORS, *(vendor_draft(f"S{number}") for number in range(23)))
    assert {outcome.action for outcome in outcomes.values()} == {"updated"}  # type: ignore[union-attr]
    assert len(box.airbase.vendors) == 23


def test_the_other_scheme_is_suggested_and_the_token_never_shown(box: Sandbox) -> None:
    with pytest.raises(AccessDenied) as said:
        client_on(box, scheme="Bearer").books()
    assert "auth_scheme" in str(said.value) and "Token" in str(said.value)
    assert "sandbox-airbase-token" not in str(said.value)


def test_a_wrong_path_stops_the_run_with_its_setting(box: Sandbox) -> None:
    with pytest.raises(Misconfigured, match=r"airbase\.paths"):
        save(client_on(box, vendors_bulk="/v1/accounting/nowhere/"), VENDORS, vendor_draft())


def test_a_busy_airbase_is_waited_for_and_every_vendor_arrives() -> None:
    limits = Limits(airbase_requests_per_minute=4, window_seconds=0.5)
    with Sandbox(seed="empty", limits=limits) as box:
        box.airbase.add_subsidiary("0010", "Plant 1", "SEK")
        client = client_on(box, vendors_bulk="", sleep=time.sleep)
        outcomes = save(client, VENDORS, *(vendor_draft(f"S{number}") for number in range(12)))
        assert all(isinstance(outcome, Saved) for outcome in outcomes.values())
        assert len(box.airbase.vendors) == 12


# --- what was kept ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bulk", [BULK.removeprefix("/airbase"), ""], ids=["in bulk", "one by one"])
@pytest.mark.parametrize("name, changes", [("is_active", {"blocked": True}), ("email", {})])
def test_a_field_that_is_taken_and_not_kept_is_not_delivered(
    box: Sandbox, bulk: str, name: str, changes: dict[str, bool]
) -> None:
    box.airbase.read_only = (name,)
    outcome = save(client_on(box, vendors_bulk=bulk), VENDORS, vendor_draft(**changes))["S100"]
    assert isinstance(outcome, Refused) and f"did not keep it: {name} is" in outcome.reason
    assert "vendor_fields_left_out" in outcome.reason


def test_a_change_that_is_not_kept_is_found_though_the_answer_is_short(box: Sandbox) -> None:
    there = box.airbase.add_vendor(name="Old", erp_reference_id="S100", email="ap@nordic.example")
    box.airbase.read_only = ("is_active",)
    row = {"airbase_id": there, "erp_reference_id": "S100"}
    box.faults.add(system="airbase", path=BULK, status=200, body=json.dumps({"created": [], "updated": [row]}), times=1)
    outcome = save(client_on(box), VENDORS, vendor_draft(remote_id=there, blocked=True))["S100"]
    assert isinstance(outcome, Refused) and "name is 'Old'" in outcome.reason and "is_active is True" in outcome.reason


def test_a_short_answer_to_a_write_that_was_kept_is_delivered(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = AirbaseApi.post

    def short(api: AirbaseApi, path: str, body: Document) -> Any:
        rows = whole(api, path, body)
        return {
            what: [{"airbase_id": id_of(row), "erp_reference_id": reference_of(row)} for row in found]
            for what, found in rows.items()
        }

    monkeypatch.setattr(AirbaseApi, "post", short)
    outcomes = save(client_on(box), VENDORS, *(vendor_draft(f"S{number}") for number in range(30)))
    assert all(isinstance(outcome, Saved) and outcome.action == "created" for outcome in outcomes.values())


def test_a_field_that_no_vendor_of_the_tenant_has_is_no_loss() -> None:
    assert lost_fields({"name": "x", "payment_terms": "30"}, {"name": "x"}) == []
    assert lost_fields({"name": "x", "payment_terms": "30"}, {"name": "x", "payment_terms": "45"}) == ["payment_terms"]
    assert lost_fields({"name": "x", "email": "a"}, {"name": "x"}) == ["email"]


def test_a_field_that_mlc_yaml_leaves_out_is_not_sent_and_holds_nothing(box: Sandbox) -> None:
    box.airbase.read_only = ("is_active",)
    client = client_on(box, vendor_fields_left_out=("is_active",))
    outcome = save(client, VENDORS, vendor_draft(blocked=True))["S100"]
    assert isinstance(outcome, Saved) and "is_active" not in box.journal("airbase")[0]["body"]["entities"][0]


def test_subsidiaries_in_another_order_are_kept() -> None:
    sent = [{"erp_reference_id": "0010"}, {"erp_reference_id": "77"}]
    there = {"subsidiary_reference_ids": [{"erp_reference_id": code} for code in ("77", "20", "0010")]}
    assert lost_fields({"subsidiary_reference_ids": sent}, there) == []
    assert lost_fields({"subsidiary_reference_ids": [{"erp_reference_id": "1"}]}, there) == ["subsidiary_reference_ids"]
