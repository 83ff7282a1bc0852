"""Companies over real HTTP against the sandbox: batches, 207 answers, refusals, lost answers, limits."""

from __future__ import annotations

import time
from math import ceil

import pytest

from mlc_dagster.core.errors import AccessDenied, Misconfigured, QuotaUsedUp, TransientError
from mlc_dagster.core.outcomes import Draft, Ready, Refused, Saved
from mlc_dagster.core.vocabulary import fingerprint
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import load
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.systems.hubspot.client import HubspotClient, classify
from mlc_dagster.systems.hubspot.flows import FLOWS
from mlc_dagster.systems.hubspot.records import COMPANIES
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.sign_in import Bearer
from mlc_dagster_tests.systems.hubspot.samples import EVER, UPSERT, calls, client_on, companies, company, save

BAD = (3, 17, 18, 44, 60, 98, 99)
SUPPLIERS = next(flow for flow in FLOWS if flow.name == "hubspot/supplier_companies")


def spoiled(drafts: list[Draft]) -> list[Draft]:
    """Some of them without a name, which HubSpot refuses."""
    import msgspec

    return [
        Draft(each.key, msgspec.structs.replace(each.record, name=None), look_since=EVER) if n in BAD else each
        for n, each in enumerate(drafts)
    ]


def test_new_companies_take_one_upsert_for_each_hundred(box: Sandbox) -> None:
    outcomes = save(client_on(box), COMPANIES, *companies(250))
    assert [outcome.draft.key for outcome in outcomes] == [f"S{n}" for n in range(250)]
    assert all(isinstance(outcome, Saved) and outcome.action == "created" for outcome in outcomes)
    assert box.calls("hubspot")[UPSERT] == ceil(250 / 100)
    assert len(box.hubspot.live("companies")) == 250


def test_a_company_is_tagged_with_account_cost_centre_and_dimensions(box: Sandbox) -> None:
    (outcome,) = save(client_on(box), COMPANIES, Draft("S100", company(), look_since=EVER))
    assert isinstance(outcome, Saved)
    there = box.hubspot.live("companies")[outcome.remote_id]["properties"]
    wanted = {
        "name": "Nordic Bolts AB",
        "ifs_external_key": "SUPPLIER/S100",
        "ifs_company_code": "0010",
        "ifs_gl_account": "4010",
        "ifs_gl_account_name": "Raw materials",
        "ifs_cost_center": "CC100",
        "ifs_dimensions": "B=CC100",
    }
    assert {name: there[name] for name in wanted} == wanted
    assert outcome.link.endswith(f"/record/0-2/{outcome.remote_id}")


def test_of_a_hundred_with_seven_bad_ones_the_others_are_delivered(box: Sandbox) -> None:
    outcomes = save(client_on(box), COMPANIES, *spoiled(companies(100)))
    refused = {outcome.draft.key: outcome.reason for outcome in outcomes if isinstance(outcome, Refused)}
    assert set(refused) == {f"S{n}" for n in BAD}
    assert set(refused.values()) == {"A company needs a name or a domain"}
    assert sum(isinstance(outcome, Saved) for outcome in outcomes) == 93
    assert box.calls("hubspot")[UPSERT] == 1, "207 tells all in one answer"


@pytest.mark.parametrize("bad", [BAD, (0,), (99,), (50, 51), (0, 1, 2, 3, 4, 5, 6)])
def test_where_the_batch_is_refused_whole_at_most_eight_more_calls_find_each_bad_one(
    box: Sandbox, bad: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    box.hubspot.whole_refusals = 400
    monkeypatch.setattr("mlc_dagster_tests.systems.hubspot.objects.test_companies.BAD", bad)
    outcomes = save(client_on(box), COMPANIES, *spoiled(companies(100)))
    refused = {outcome.draft.key: outcome.reason for outcome in outcomes if isinstance(outcome, Refused)}
    assert set(refused) == {f"S{n}" for n in bad}
    assert all("A company needs a name or a domain" in reason for reason in refused.values())
    assert len(box.hubspot.live("companies")) == 100 - len(bad)
    assert box.calls("hubspot")[UPSERT] - 1 <= 8 * len(bad)


def test_what_the_portals_admin_requires_is_held_with_hubspots_words(box: Sandbox) -> None:
    box.hubspot.objects.required["companies"] = ["domain"]
    (outcome,) = save(client_on(box), COMPANIES, *companies(1))
    assert isinstance(outcome, Refused) and outcome.reason == "A value for domain must be provided"


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"truncate": True}, {"status": 502}, {"drop": "before"}])
def test_a_lost_answer_never_doubles(box: Sandbox, fault: dict[str, object]) -> None:
    box.faults.add(system="hubspot", path="companies/batch/upsert", times=2, **fault)
    outcomes = save(client_on(box), COMPANIES, *companies(120))
    assert all(isinstance(outcome, Saved) for outcome in outcomes)
    assert len(box.hubspot.live("companies")) == 120


def test_after_a_load_that_broke_off_the_next_one_finds_what_is_there(box: Sandbox, sqlite_ledger: Ledger) -> None:
    ready = [Ready(d.key, "2026-11-05T09:00:00.000000Z", fingerprint(d.record), d.record) for d in companies(150)]
    box.faults.add(system="hubspot", path="companies/batch/upsert", times=None, drop="after")
    with pytest.raises(TransientError):
        load(SUPPLIERS, ready, client_on(box, max_attempts=2), sqlite_ledger, Run("first", "2026-11-05"))
    box.faults.clear()
    loaded = load(SUPPLIERS, ready, client_on(box), sqlite_ledger, Run("second", "2026-11-05"))
    assert (loaded.delivered, loaded.held, len(box.hubspot.live("companies"))) == (150, 0, 150)
    box.forget_calls()
    again = load(SUPPLIERS, ready, client_on(box), sqlite_ledger, Run("third", "2026-11-05"))
    assert again.unchanged == 150 and not box.calls("hubspot"), "nothing changed: no request"


def test_keys_that_differ_in_case_only_stay_two_companies(box: Sandbox) -> None:
    drafts = [Draft(number, company(number=number), look_since=EVER) for number in ("ab", "AB", " AB")]
    assert all(isinstance(outcome, Saved) for outcome in save(client_on(box), COMPANIES, *drafts))
    assert len(box.hubspot.live("companies")) == 3


def test_a_company_that_is_there_under_our_key_is_adopted_and_keeps_what_people_added(box: Sandbox) -> None:
    client = client_on(box)
    (first,) = save(client, COMPANIES, *companies(1))
    assert isinstance(first, Saved)
    box.hubspot.objects.rows["companies"][first.remote_id]["properties"]["phone"] = "08-1"
    (again,) = save(client_on(box), COMPANIES, *companies(1))
    assert isinstance(again, Saved) and (again.remote_id, again.action) == (first.remote_id, "adopted")
    assert box.hubspot.live("companies")[first.remote_id]["properties"]["phone"] == "08-1"


# --- properties -----------------------------------------------------------------------------------------------------


def test_group_and_properties_are_made_once_and_then_only_read(box: Sandbox) -> None:
    save(client_on(box), COMPANIES, *companies(1))
    key = box.hubspot.objects.properties["companies"]["ifs_external_key"]
    assert (key["hasUniqueValue"], key["groupName"]) == (True, "ifs_finance")
    box.forget_calls()
    save(client_on(box), COMPANIES, *companies(1))
    assert {method for (method, path) in calls(box) if "/properties/" in path} == {"GET"}


@pytest.mark.parametrize(
    "theirs, word",
    [
        ({"name": "ifs_gl_account", "type": "number", "fieldType": "number"}, "ifs_gl_account is of type number"),
        ({"name": "ifs_external_key", "type": "string", "fieldType": "text"}, "does not have unique values"),
    ],
)
def test_a_property_of_another_type_is_refused_before_anything_is_sent(
    box: Sandbox, theirs: dict[str, str], word: str
) -> None:
    box.hubspot.objects.properties["companies"][theirs["name"]] = dict(theirs)
    with pytest.raises(Misconfigured, match=word):
        save(client_on(box), COMPANIES, *companies(1))
    assert not box.journal("hubspot")


# --- limits and rights ----------------------------------------------------------------------------------------------


def test_a_daily_limit_stops_the_run_and_says_so() -> None:
    with Sandbox(seed="empty", limits=Limits(hubspot_calls_per_day=6)) as box:
        with pytest.raises(QuotaUsedUp, match="daily limit of 6 calls is used up") as caught:
            save(client_on(box), COMPANIES, *companies(300))
        assert "midnight" in str(caught.value)
        assert sum(calls(box).values()) <= 6 + 3, "it does not insist"


def test_the_burst_limit_is_waited_for_as_the_headers_say() -> None:
    with Sandbox(seed="empty", limits=Limits(hubspot_calls_per_10_seconds=6, window_seconds=3)) as box:
        started = time.monotonic()
        client = client_on(box, sleep=time.sleep)
        outcomes = save(client, COMPANIES, *companies(400))
        assert all(isinstance(outcome, Saved) for outcome in outcomes)
        assert 0.4 < time.monotonic() - started < 8


def test_a_lock_is_waited_for(box: Sandbox) -> None:
    box.faults.add(system="hubspot", path="batch/upsert", times=1, status=423, body='{"message": "locked"}')
    (outcome,) = save(client_on(box, sleep=time.sleep), COMPANIES, *companies(1))
    assert isinstance(outcome, Saved)


def test_a_wrong_token_is_named_and_not_shown(box: Sandbox) -> None:
    cure = "Check HUBSPOT_TOKEN."
    api = ApiClient("hubspot", f"{box.url}/hubspot", auth=Bearer("pat-na1-wrong", cure=cure), classify=classify)
    with pytest.raises(AccessDenied, match="HUBSPOT_TOKEN") as caught:
        HubspotClient(api).books()
    assert "pat-na1" not in str(caught.value)


def test_missing_scopes_are_named(box: Sandbox) -> None:
    body = (
        '{"status":"error","category":"MISSING_SCOPES","message":"no","context":'
        '{"requiredGranularScopes":["crm.schemas.companies.write"]}}'
    )
    box.faults.add(system="hubspot", method="POST", path="properties", status=403, body=body)
    with pytest.raises(AccessDenied, match=r"crm\.schemas\.companies\.write"):
        save(client_on(box), COMPANIES, *companies(1))


def test_a_token_of_another_portal_is_refused(box: Sandbox) -> None:
    with pytest.raises(Misconfigured, match=r"portal 147000001, and mlc\.yaml names 5"):
        save(client_on(box, {"portal_id": "5"}), COMPANIES, *companies(1))
