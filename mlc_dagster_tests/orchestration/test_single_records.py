"""A webhook that names a record makes a run that reads that record, and not the day's list."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.single_records import RECORDS, told_of, told_tag, without_keys
from mlc_dagster.orchestration.automation.due import asked_by
from mlc_dagster.orchestration.location import build
from mlc_dagster.orchestration.partitions import scope_of
from mlc_dagster.orchestration.resources import LedgerResource
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.systems.airbase.spend.records import PURCHASE_REQUESTS
from mlc_dagster.systems.configuration import parse
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.orchestration.test_airbase_inbound import run as whole_run
from mlc_dagster_tests.orchestration.test_airbase_inbound import spending, today, vouchers
from mlc_dagster_tests.orchestration.test_airbase_inbound import spent as spent
from mlc_dagster_tests.systems.airbase.samples import client_on
from mlc_dagster_tests.web.conftest import content_with

REQUESTS = "ifs/vouchers_from_airbase_requests"
PATH = "/v1/accounting/purchase_requests/"
APPROVED = "purchase_request_approved"


def settings() -> Settings:
    content = content_with(sources=["airbase"])
    content["airbase"] |= {"paths": {"purchase_requests": PATH}, "accrual_account": "2990"}
    return parse(content, "mlc.yaml")


def tick(url: str) -> Any:
    defs = build(settings(), Environment())
    resources, repository = {"ledger": LedgerResource(database_url=url)}, defs.get_repository_def()
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, repository_def=repository, resources=resources) as context,
    ):
        (request,) = defs.resolve_sensor_def("airbase_inbox").evaluate_tick(context).run_requests
    return request


def put(ledger: Ledger, which: str, kind: str = APPROVED, subject: str | None = None) -> None:
    assert ledger.inbox.store("airbase", which, kind, f"pr_{which}" if subject is None else subject, "{}")


def test_events_that_name_their_records_ask_for_these_and_what_is_made_of_them_alone(
    sqlite_ledger: Ledger, sqlite_url: str
) -> None:
    for which in ("a", "b"):
        put(sqlite_ledger, which)
    put(sqlite_ledger, "again", subject="pr_a")
    request = tick(sqlite_url)
    assert request.tags[RECORDS] == "purchase_request_list pr_a pr_b"
    made = {"/".join(key.path) for key in request.asset_selection}
    assert made == {"airbase/purchase_request_list", f"{REQUESTS}_prepared", REQUESTS}
    assert request.asset_check_keys, "its checks are made with it"


@pytest.mark.parametrize(
    "kind, subject", [("bill_paid", "b_1"), (APPROVED, "")], ids=["of another list", "of no record"]
)
def test_an_event_that_says_less_asks_for_the_day(
    sqlite_ledger: Ledger, sqlite_url: str, kind: str, subject: str
) -> None:
    put(sqlite_ledger, "a")
    put(sqlite_ledger, "b", kind, subject)
    request = tick(sqlite_url)
    assert RECORDS not in request.tags and request.asset_selection is None


def test_many_events_are_the_day_and_so_is_one_while_the_day_is_due(sqlite_ledger: Ledger, sqlite_url: str) -> None:
    flows = [flow for flow in _flows() if flow.name == REQUESTS]
    put(sqlite_ledger, "a")
    sqlite_ledger.work.ask_all(asked_by(flows, datetime.now(UTC).date().isoformat()), "its run failed", soon=0)
    assert RECORDS not in tick(sqlite_url).tags
    assert told_tag("list", [f"pr_{number}" for number in range(26)]) == told_tag("list", ["a b"]) == ""
    assert told_tag("list", ["x" * 2000]) == told_tag("list", []) == ""


def _flows() -> Any:
    from mlc_dagster.systems.airbase.flows import FLOWS

    return FLOWS


def test_only_the_list_that_the_tag_names_is_read_so() -> None:
    tags = {RECORDS: "purchase_request_list pr_1 pr_2"}
    assert told_of(tags, PURCHASE_REQUESTS) == ["pr_1", "pr_2"] and told_of({}, PURCHASE_REQUESTS) == []


def test_what_is_stored_of_a_record_is_replaced_and_its_neighbours_are_not() -> None:
    batch = pa.RecordBatch.from_pydict({"id": ["a", "b", None], "status": ["old", "kept", "unreadable"]})
    (left,) = without_keys([batch], PURCHASE_REQUESTS, ["a"])
    kept = left.to_pydict()
    assert kept["status"][0] == "kept" and "old" not in kept["status"]


@pytest.mark.parametrize("single", [True, False], ids=["a tenant that gives one", "one that gives lists alone"])
def test_a_record_is_asked_for_by_itself_whatever_its_status(
    ledger_box: Sandbox, sqlite_ledger: Ledger, single: bool
) -> None:
    box = ledger_box
    which, other = (box.airbase.add_request(total_amount="10.00", status="approved") for _ in range(2))
    client = client_on(box, purchase_requests=PATH)
    if not single:
        box.faults.add(system="airbase", method="GET", path=f"purchase_requests/{which}", status=405)
    day, pull = datetime.now(UTC).date().isoformat(), Pull("airbase/purchase_request_list", "")
    box.forget_calls()
    batches = client.read_records(
        PURCHASE_REQUESTS, [which], scope_of(PURCHASE_REQUESTS, day, ""), pull, sqlite_ledger.sightings
    )
    found = [record.id for batch in batches for record, _, _ in records_of(batch, PURCHASE_REQUESTS.record) if record]
    assert found == [which] and other not in found and pull.rows == 1
    if single:
        assert pull.requests == 1


@pytest.fixture
def ledger_box(tmp_path: Path) -> Any:
    with Sandbox(seed="empty") as box:
        box.airbase.add_subsidiary("0010", "Plant 1", "SEK")
        yield box


@pytest.mark.slow  # whole Dagster runs
def test_a_run_of_one_record_enters_its_voucher_and_leaves_the_days_others_as_they_were(spent: World) -> None:
    first = spent.box.airbase.add_request(total_amount="100.00", account="5420", request_number="PR-1")
    whole_run(spent)
    second = spent.box.airbase.add_request(total_amount="200.00", account="5420", request_number="PR-2")
    third = spent.box.airbase.add_request(total_amount="300.00", account="5420", request_number="PR-3")
    spent.box.forget_calls()

    keyed(spent, second)

    assert {row["ExternalRef"] for row in vouchers(spent)} == {
        f"airbase-request-{first}",
        f"airbase-request-{second}",
    }, "the third one was not told of"
    assert not spent.ledger.open_holds(REQUESTS)
    keyed(spent, second)
    assert len(vouchers(spent)) == 2
    whole_run(spent)
    assert f"airbase-request-{third}" in {row["ExternalRef"] for row in vouchers(spent)} and len(vouchers(spent)) == 3


def keyed(world: World, which: str) -> None:
    """As the sensor asks for it."""
    spending(world)
    keys = [
        dg.AssetKey(name.split("/")) for name in ("airbase/purchase_request_list", f"{REQUESTS}_prepared", REQUESTS)
    ]
    day = today()
    tags = {"dagster/partition": day, RECORDS: f"purchase_request_list {which}"}
    result = world.defs.resolve_job_def("airbase").execute_in_process(
        instance=world.instance, tags=tags, asset_selection=keys, raise_on_error=False
    )
    assert result.success and date.fromisoformat(day)
