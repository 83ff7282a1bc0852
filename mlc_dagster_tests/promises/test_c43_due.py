"""C43: whatever failed is loaded by itself once its cause is gone; until then it is said how much is due, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.coordination import work
from mlc_dagster.orchestration.automation import failed_runs, jobs_and_schedules, probing
from mlc_dagster.orchestration.location import build
from mlc_dagster.orchestration.resources import LedgerResource
from mlc_dagster.pipeline.due_causes import by_cause
from mlc_dagster.settings import Environment
from mlc_dagster.settings.guards import GuardSettings
from mlc_dagster_tests.orchestration.conftest import DAY, QUIET, World
from mlc_dagster_tests.orchestration.launched import launchable
from mlc_dagster_tests.promises.days import tick
from mlc_dagster_tests.web.conftest import settings_with

PURCHASES, READ = "cin7/purchases", "read ifs/purchase_order_set"
SUPPLIERS = ["ifs/supplier_set", "cin7/suppliers_prepared", "cin7/suppliers"]
ORDERS = ["ifs/purchase_order_set", "cin7/purchases_prepared", PURCHASES]


class Clock:
    """Of the sensors and of the work list."""

    def __init__(self, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at, clock = at, self

        class Shown(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return clock.at

        monkeypatch.setattr(jobs_and_schedules, "datetime", Shown)
        monkeypatch.setattr(probing, "datetime", Shown)
        monkeypatch.setattr(work, "clock", lambda _: clock.at)

    def __call__(self, **later: float) -> None:
        self.at += timedelta(**later)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(datetime(2026, 11, 5, 23, 58, tzinfo=UTC), monkeypatch)


@pytest.fixture
def placed(world: World, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world, its ledger on SQLite and on PostgreSQL."""
    monkeypatch.setenv("MLC_DATABASE_URL", ledger_url)
    world.environment = Environment(storage=world.environment.storage, database_url=ledger_url)
    world.chart()
    assert world.run("cin7", only=SUPPLIERS).success
    return world


class Sensors:
    """The change sensor and `due`, tick by tick, as the daemon has them: each run key is used once."""

    def __init__(self, world: World) -> None:
        self.world, self.used, self.defs = world, set[str](), world.defs  # made once: it takes a second
        self.cursors: dict[str, str | None] = {"cin7_changes": None, "due": None}

    def requests(self, name: str) -> list[dg.RunRequest]:
        repository = self.defs.get_repository_def()
        resources = repository.get_top_level_resources()
        with dg.build_sensor_context(
            instance=self.world.instance, cursor=self.cursors[name], repository_def=repository, resources=resources
        ) as context:
            result = self.defs.resolve_sensor_def(name).evaluate_tick(context)
        self.cursors[name] = result.cursor
        new = [each for each in result.run_requests or [] if each.run_key not in self.used]
        self.used |= {str(each.run_key) for each in new}
        return new

    def __call__(self) -> list[tuple[str, str, bool]]:
        """(sensor, partition, whether its run ended well) of what they ask for now."""
        asked = [(name, request) for name in self.cursors for request in self.requests(name)]
        return [(name, str(request.partition_key), carried(self.world, request, name)) for name, request in asked]


def carried(world: World, request: dg.RunRequest, sensor: str = "due") -> bool:
    """As the daemon would run it."""
    (job,) = launchable(world.defs, world.defs.resolve_sensor_def(sensor), [request])
    asked = {"dagster/run_key": str(request.run_key), "dagster/sensor_name": sensor}
    asked |= {"dagster/partition": str(request.partition_key)}
    ended = job.execute_in_process(
        instance=world.instance,
        tags={**request.tags, **asked},
        raise_on_error=False,
        run_config=QUIET,
    )
    return ended.success


def listed(world: World) -> dict[tuple[str, str], tuple[str, str]]:
    with world.ledger as ledger:
        return {(task.flow, task.partition): (task.state, task.cause) for task in ledger.work.all()}


def put_orders(world: World, *days: int) -> None:
    for day in days:
        world.put_order(f"P{day}", at=datetime(2026, 11, day, 9, tzinfo=UTC))


@pytest.mark.slow
@pytest.mark.promise("C43", "a late day's run meets 401, the key is mended in the morning: told, then loaded by itself")
def test_c43_a_day_whose_run_failed_over_midnight_is_loaded_by_itself_in_the_morning(
    placed: World, clock: Clock
) -> None:
    sensors = Sensors(placed)
    sensors()
    placed.put_order("P1", at=datetime(2026, 11, 5, 23, 57, tzinfo=UTC))
    clock(minutes=3)
    placed.box.faults.add(system="cin7", status=401, times=None)
    assert ("cin7_changes", DAY, False) in sensors()
    assert listed(placed)[PURCHASES, DAY] == ("waiting", "cin7:refused")
    ran = []
    for _ in range(4):
        clock(minutes=12)
        ran += sensors()
    assert [each for each in ran if each[0] == "due"] == [("due", DAY, False)], "twice refused, it is not tried again"
    assert listed(placed)[PURCHASES, DAY] == ("needs_person", "cin7:refused")
    with placed.ledger as ledger:
        [cause] = [each for each in by_cause(ledger.work.all()) if each.cause == "cin7:refused"]
    assert cause.needs_person and "mlc retry cin7:refused" in cause.says()

    clock(hours=7)
    placed.box.faults.clear()
    assert ("due", DAY, True) in sensors(), "the next tick"
    assert placed.order_markers() == ["0010/P1"] and listed(placed) == {}
    clock(minutes=5)
    assert sensors() == []


@pytest.mark.slow
@pytest.mark.promise("C43", "the ERP is away while three days are read: one is tried, and all come when it is back")
def test_c43_of_many_days_one_is_tried_while_a_system_is_away_and_all_follow_when_it_is_back(
    placed: World, clock: Clock
) -> None:
    clock(hours=48)
    put_orders(placed, 3, 4, 5)
    placed.box.faults.add(system="ifs", status=503, times=None)
    assert not placed.run("cin7", "2026-11-03", DAY, only=ORDERS).success
    waiting = listed(placed)
    assert set(waiting.values()) == {("waiting", "ifs:unreachable")} and len(waiting) == 6
    sensors, ran = Sensors(placed), []
    for _ in range(3):
        clock(minutes=3)
        ran += sensors()
    assert {each for each in ran if each[0] == "due"} == {("due", DAY, False)}, "the newest alone"
    placed.box.faults.clear()
    clock(minutes=3)
    done = [day for name, day, well in sensors() if name == "due" and well]
    assert done == ["2026-11-05", "2026-11-04", "2026-11-03"]
    assert placed.order_markers() == ["0010/P3", "0010/P4", "0010/P5"] and listed(placed) == {}


@pytest.mark.promise("C43", "what was asked for is over by a load of rows that were read after it, and by no other")
def test_c43_a_load_by_hand_ends_what_is_due_if_it_was_read_and_prepared_since(placed: World) -> None:
    assert placed.run("cin7", only=ORDERS).success
    placed.put_order("P1")
    with placed.ledger as ledger:
        ledger.work.ask_all([(PURCHASES, DAY), (READ, DAY)], "changed in the ERP")
    assert placed.run("cin7", only=[PURCHASES]).success and placed.run("cin7", only=ORDERS[1:]).success
    assert set(listed(placed)) == {(PURCHASES, DAY), (READ, DAY)} and placed.order_markers() == []
    assert placed.run("cin7", only=ORDERS[:1]).success
    assert set(listed(placed)) == {(PURCHASES, DAY)}
    assert placed.run("cin7", only=[PURCHASES]).success, "what was prepared before"
    assert set(listed(placed)) == {(PURCHASES, DAY)} and placed.order_markers() == []
    assert placed.run("cin7", only=ORDERS[1:]).success
    assert listed(placed) == {} and placed.order_markers() == ["0010/P1"]


@pytest.mark.promise("C43", "a load that failed and is run again alone is due no more")
def test_c43_a_load_that_failed_is_over_by_the_load_alone(placed: World) -> None:
    placed.put_order("P1")
    placed.box.faults.add(system="cin7", method="POST", path="purchase", status=401, times=None)
    assert not placed.run("cin7", only=ORDERS).success
    assert listed(placed) == {(PURCHASES, DAY): ("waiting", "cin7:refused")}
    placed.box.faults.clear()
    assert placed.run("cin7", only=[PURCHASES]).success
    assert listed(placed) == {} and placed.order_markers() == ["0010/P1"]


@pytest.mark.promise("C43", "a guard stops a day: it needs a person, the other days go on, and one word lets it go")
def test_c43_a_guard_needs_a_person_and_stands_in_no_other_days_way(placed: World) -> None:
    placed.settings = placed.settings.model_copy(update={"guards": {PURCHASES: GuardSettings(max_creates=1)}})
    put_orders(placed, 4)
    placed.put_order("P1")
    placed.put_order("P2")
    assert not placed.run("cin7", only=ORDERS).success
    assert listed(placed) == {(PURCHASES, DAY): ("needs_person", f"{PURCHASES}:guard")}
    assert placed.run("cin7", "2026-11-04", only=ORDERS).success and placed.order_markers() == ["0010/P4"]
    assert placed.run("cin7", only=[PURCHASES]).success, "nothing is ready in it"
    assert list(listed(placed).values()) == [("needs_person", f"{PURCHASES}:guard")]
    said = tick(placed, sensor="due")
    assert said.run_requests == [] and "needs a person" in said.skip_message

    placed.settings = placed.settings.model_copy(update={"guards": {PURCHASES: GuardSettings(max_creates=5)}})
    with placed.ledger as ledger:
        assert ledger.work.release(f"{PURCHASES}:guard") == 1
    [request] = tick(placed, sensor="due").run_requests
    assert carried(placed, request) and listed(placed) == {}
    assert placed.order_markers() == ["0010/P1", "0010/P2", "0010/P4"]


@pytest.mark.promise("C43", "what mlc.yaml says is wrong: a person at once, other flows and systems go on")
def test_c43_a_missing_secret_needs_a_person_and_goes_on_when_a_load_of_the_flow_ends_well(
    placed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_orders(placed, 4, 5)
    with monkeypatch.context() as patch:
        patch.setenv("CIN7_APPLICATION_KEYS", "")
        assert not placed.run("cin7", "2026-11-04", DAY, only=ORDERS).success
    assert {state for state, _ in listed(placed).values()} == {"needs_person"} and len(listed(placed)) == 2
    assert tick(placed, sensor="due").run_requests == []
    assert placed.run("cin7", DAY, only=ORDERS).success
    assert listed(placed) == {(PURCHASES, "2026-11-04"): ("due", listed(placed)[PURCHASES, "2026-11-04"][1])}
    [request] = tick(placed, sensor="due").run_requests
    assert carried(placed, request) and listed(placed) == {}
    assert placed.order_markers() == ["0010/P4", "0010/P5"]


@pytest.mark.promise("C43", "a run whose worker is lost three times needs a person; what it has made is not asked for")
def test_c43_what_a_lost_worker_leaves_is_due_and_needs_a_person_the_third_time(placed: World) -> None:
    keys = frozenset(dg.AssetKey(name.split("/")) for name in ORDERS)
    states = []
    for _ in range(3):
        run = placed.instance.create_run_for_job(
            placed.defs.resolve_implicit_global_asset_job_def(), asset_selection=keys, tags={"dagster/partition": DAY}
        )
        placed.instance.report_run_failed(run, "Nobody executes this run: process 7 has ended without a word")
        note_failure(placed, run.run_id)
        note_failure(placed, run.run_id)
        states.append(listed(placed)[PURCHASES, DAY])
    assert states == [("waiting", "cin7:lost"), ("waiting", "cin7:lost"), ("needs_person", "cin7:lost")]
    assert listed(placed)[READ, DAY] == ("needs_person", "ifs:lost")


def note_failure(world: World, run_id: str) -> None:
    """The sensor on failed runs meets this one."""
    run = world.instance.get_run_by_id(run_id)
    assert run is not None
    [record] = world.instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
    event = record.event_log_entry.dagster_event
    assert event is not None
    context = dg.build_run_status_sensor_context(failed_runs.SENSOR, event, world.instance, run)
    world.defs.resolve_sensor_def(failed_runs.SENSOR)(context.for_run_failure())  # type: ignore[operator]


@pytest.mark.promise("C43", "a day that is no partition any more leaves the list, told; the other days are asked for")
def test_c43_days_and_companies_that_are_gone_leave_the_list(placed: World, caplog: pytest.LogCaptureFixture) -> None:
    with placed.ledger as ledger:
        ledger.work.ask_all([(PURCHASES, "2026-11-02"), (PURCHASES, DAY), ("read ifs/account_set", "0099")], "asked")
        ledger.work.ask("monday/invoices", [DAY], "asked")
    assert placed.run("cin7", only=ORDERS[:1]).success
    placed.settings = placed.settings.model_copy(update={"partitions_start": date(2026, 11, 4)})
    assert [request.partition_key for request in tick(placed, sensor="due").run_requests] == [DAY]
    assert tick(placed, sensor="due_by_company").run_requests == []
    assert set(listed(placed)) == {(PURCHASES, DAY)}
    assert "cin7/purchases of 2026-11-02 was due, and is not asked for any more: 2026-11-02 lies before" in caplog.text
    assert "read ifs/account_set of 0099 was due" in caplog.text
    assert "monday/invoices of 2026-11-05 was due, and is not asked for any more: mlc.yaml has it off" in caplog.text


@pytest.mark.promise("C43", "what a run that has not ended makes is not asked for a second time")
def test_c43_there_is_one_open_run_for_a_flow_and_day(placed: World) -> None:
    keys = frozenset(dg.AssetKey(name.split("/")) for name in ORDERS)
    job = placed.defs.resolve_implicit_global_asset_job_def()
    span = {"dagster/asset_partition_range_start": "2026-11-04", "dagster/asset_partition_range_end": DAY}
    run = placed.instance.create_run_for_job(job, asset_selection=keys, tags=span)
    with placed.ledger as ledger:
        ledger.work.ask_all([(PURCHASES, DAY), (READ, DAY), (PURCHASES, "2026-11-03"), (READ, "2026-11-03")], "asked")
    assert [request.partition_key for request in tick(placed, sensor="due").run_requests] == ["2026-11-03"]
    placed.instance.report_run_canceled(run)
    assert [each.partition_key for each in tick(placed, sensor="due").run_requests] == [DAY, "2026-11-03"]


@pytest.mark.promise(
    "C43", "a webhook's run fails, or is never made: what it told of is due until a load has ended well"
)
def test_c43_what_a_webhook_tells_is_due_whatever_becomes_of_its_run(ledger_url: str) -> None:
    settings = settings_with(sources=["airbase"])
    today = datetime.now(UTC).date().isoformat()
    with Ledger.open(ledger_url) as ledger:
        assert ledger.inbox.store("airbase", "a", "purchase_request_approved", "pr_1", "{}")
        defs = build(settings, Environment())
        resources = {"ledger": LedgerResource(database_url=ledger_url)}
        with dg.build_sensor_context(repository_def=defs.get_repository_def(), resources=resources) as context:
            asked = defs.resolve_sensor_def("airbase_inbox").evaluate_tick(context)
        assert [request.partition_key for request in asked.run_requests or []] == [today]
        listed = {(task.flow, task.partition, task.why) for task in ledger.work.all()}
        told = "webhooks of airbase came in"
        assert {("ifs/suppliers_from_airbase", today, told), ("airbase/vendors", today, told)} <= listed
        assert {flow for flow, _, _ in listed if flow.startswith("read airbase/")}
        assert ledger.work.due() == [], "its own run is waited for"
