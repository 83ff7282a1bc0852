"""Several tenants keep one ledger, and none sees or touches what another one has."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.outcomes import Saved, State
from mlc_dagster.core.stakes import Stake
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger import Failure, Ledger
from mlc_dagster.ledger.records.causes import Cause, Judged
from mlc_dagster.ledger.records.closes import Books
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.looks import Remembered
from mlc_dagster.ledger.records.open_item_entries import Wanted
from mlc_dagster.ledger.records.shadow import Told
from mlc_dagster.ledger.tables import TABLES, deliveries, secrets
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, draft, held, ready, saved, unanswered

KEYS = Fernet.generate_key().decode()
CAUSE = Cause(",gl_accounts_exist,", "", "4711")
BOOKS = Books("0010", "2026-11")
PAIRS = [("", "nordlys"), ("nordlys", ""), ("nordlys", "nordlys-2"), ("a_b", "axb"), ("Nordlys", "nordlys")]


def fill(ledger: Ledger, word: str) -> None:
    """A row in each table, under the same names whoever it is."""
    deliver(ledger, ready("P1", content=word), remote_id=word)
    ledger.begin(FLOW, [(ready("P2"), None)], run=RUN)
    ledger.finish(FLOW, [unanswered(ready("P2"))], run=RUN)
    ledger.hold(FLOW, [held("P3"), held("P4")], run=RUN)
    [hold] = [each for each in ledger.open_holds(FLOW) if each.key == "P4"]
    ledger.hold(FLOW, [dataclasses.replace(held("P4"), content=f"content {word}")], run=RUN)
    [hold] = [each for each in ledger.open_holds(FLOW) if each.key == "P4"]
    ledger.decisions.discard(hold, word, "never", RUN)
    met = dataclasses.replace(Saved(draft(ready("S1")), word, "created"), agreed=("S1", {"name": word}))
    ledger.begin("cin7/suppliers", [(ready("S1"), None)], run=RUN)
    ledger.finish("cin7/suppliers", [(ready("S1"), met)], run=RUN, pair="cin7/suppliers")
    at = datetime(2026, 11, 5, tzinfo=UTC)
    ledger.record_pull(Pull("ifs/orders", "2026-11-05", filter=word, started_at=at, ended_at=at), run=RUN)
    ledger.sightings.place("ifs/orders", [("P1", word)], date(2026, 11, 5))
    ledger.inbox.store("airbase", "event-1", word, "S1", word)
    ledger.pauses.pause("cin7", word, "stop")
    ledger.loads.ended(FLOW, "2026-11-05", word)
    ledger.alerts.due("failed", 3600)
    ledger.shadow.tell(FLOW, [Told("P1", word, "create", (("name", None, word),))], RUN)
    ledger.stored.placed(ledger.stored.begin("ifs/orders", "2026-11-05", digest=word, size=1, rows=1))
    ledger.causes.remember(FLOW, {CAUSE: Judged(word, at)})
    ledger.accounts.note("cin7", f"account of {word}", word, word)
    ledger.differences.see(FLOW, [Found("P1", "edited_in_the_target", "name", word, "x")])
    ledger.looks.saw(FLOW, {"P1": Remembered({"name": word, "total": Decimal("1.50")})}, ledger.looks.now())
    ledger.work.ask(FLOW, ["2026-11-05"], word)
    ledger.masters.keep(FLOW, {"P1": ["VAT 1"], "P2": ["VAT 1", word]})
    ledger.stakes.note(FLOW, {"P1": Stake("100", "SEK", "0010/S1/F-1")})
    ledger.sweeps.ended("ifs/orders", "keys", {"rows": word})
    ledger.bank_marks.know(FLOW, {"P1": word})
    ledger.bank_marks.salt()
    ledger.sweeps.asked(FLOW, {"P1": word})
    ledger.work.put_off([(FLOW, "2026-11-06")], "cin7", "throttled", word, word, seconds=3600.0)
    ledger.reads.begin("ifs/orders", "2026-11-05", word)
    ledger.vault(KEYS).set("CIN7_KEY", f"secret of {word}")
    ledger.closes.sign(BOOKS, ledger.closes.keep(BOOKS, word, {"due": word}, {FLOW: (1, word)}, RUN), word, word, RUN)
    ledger.settings_history.see(word, {"companies.0010": word}, RUN)
    if not ledger.users.of("kari"):
        token = ledger.users.add("kari", [("decide", "0010")], 30)
        assert ledger.users.sign_in("kari", token)
    ledger.proposals.propose(FLOW, "P4", "release", word, "0010", (word, "as agreed with them"))
    assert ledger.notes.begin("form-1", word)
    ledger.saved_filters.keep("kari", word, "company=20")
    if not ledger.action_requests.last(FLOW, "P5"):
        ledger.action_requests.ask(FLOW, "P5", "restore", "", word, (word, "as agreed with them"))
    ledger.budget("cin7", 10, 1.0).take()
    with ledger.lease(f"load {FLOW}", word):
        pass


def told(ledger: Ledger) -> dict[str, Any]:
    """All that can be asked of a ledger, by the name of the question."""
    asked: dict[str, Callable[[], Any]] = {
        "judge": lambda: ledger.judge(FLOW, [ready(key) for key in ("P1", "P2", "P3")]),
        "first load": lambda: (ledger.is_first_load(FLOW), ledger.began_at(FLOW)),
        "remote ids": lambda: ledger.remote_ids(FLOW),
        "trail": lambda: [ledger.trail(FLOW, key) for key in ("P1", "P2", "P4")],
        "holds": lambda: (ledger.open_holds(), ledger.count_holds(), ledger.held_partitions()),
        "held": lambda: ledger.held(FLOW, ["P3"]),
        "pulls": lambda: (ledger.pulls(), ledger.last_pull("ifs/orders", "2026-11-05"), ledger.freshness()),
        "history": lambda: (
            ledger.history.trail("P1"),
            ledger.history.holds("P4"),
            ledger.history.decisions("P4"),
            ledger.history.open_holds(system="cin7"),
            ledger.history.count_open(rule="gl_accounts_exist"),
            ledger.history.held_partitions(),
            ledger.history.stock(),
            ledger.history.open_keys(),
            ledger.history.flows(),
            ledger.history.rules(),
            ledger.history.keys_like("P1"),
            ledger.history.runs_like("run"),
            ledger.history.of_run("run-1"),
            ledger.history.partition_of(FLOW, "P1"),
            ledger.history.delivered_from(FLOW, ["P1"]),
            ledger.history.agreed("S1"),
        ),
        "decisions": lambda: ledger.decisions.of(FLOW, ["P4"]),
        "agreements": lambda: ledger.agreements.of("cin7/suppliers", "S1"),
        "sightings": lambda: ledger.sightings.placed_on("ifs/orders", date(2026, 11, 5)),
        "inbox": lambda: (ledger.inbox.read("airbase", "event-1"), ledger.inbox.count(), ledger.inbox.batch("airbase")),
        "pauses": lambda: (ledger.pauses.standing(), ledger.pauses.history()),
        "latest": lambda: (ledger.pauses.latest("cin7"), ledger.loads.latest()),
        "shadow": lambda: (ledger.shadow.read(), ledger.shadow.count()),
        "stored": lambda: (ledger.stored.of("ifs/orders", "2026-11-05"), list(ledger.stored.all())),
        "causes": lambda: (ledger.causes.open(FLOW), ledger.causes.judged(FLOW)),
        "accounts": lambda: (ledger.accounts.known("cin7"), ledger.accounts.concerned("cin7", [FLOW])),
        "sample": lambda: ledger.accounts.sample([FLOW]),
        "places": lambda: (
            ledger.stakes.places(FLOW, ["P1"]),
            ledger.sightings.places("ifs/orders", ["P1"]),
        ),
        "differences": lambda: (ledger.differences.open(), ledger.differences.count()),
        "looks": lambda: (ledger.looks.keys(FLOW), ledger.looks.of(FLOW, ["P1"]), ledger.people.owners(FLOW, "c-1")),
        "stakes": lambda: (ledger.stakes.of(FLOW, ["P1"]), ledger.stakes.delivered_as(FLOW, ["0010/S1/F-1"])),
        "sweeps": lambda: (ledger.sweeps.parts("ifs/orders"), ledger.sweeps.delivered(FLOW), ledger.sweeps.held(FLOW)),
        "bank_marks": lambda: ledger.bank_marks.of(FLOW, ["P1"]),
        "swept": lambda: (ledger.sweeps.sources(FLOW, ["P1"]), ledger.sweeps.loaded(FLOW, ["2026-11-05"])),
        "asked again": lambda: ledger.sweeps.not_asked(FLOW, {"P1": "theirs"}),
        "masters": lambda: (ledger.masters.delivered(FLOW, ["VAT 1"]), ledger.masters.doubles(FLOW)),
        "work": lambda: (ledger.work.all(), ledger.work.due(), ledger.work.count(), ledger.work.silent()),
        "of_run": lambda: (ledger.work.of_run("mine"), ledger.work.prepared_at(FLOW, "2026-11-05")),
        "reads": lambda: ledger.reads.latest("ifs/orders", "2026-11-05"),
        "closes": lambda: (ledger.closes.versions(BOOKS), ledger.closes.signatures(BOOKS)),
        "settings": lambda: ledger.settings_history.changes(datetime(2026, 1, 1, tzinfo=UTC)),
        "saved_filters": lambda: (ledger.saved_filters.of("kari"), ledger.taking_back.reasons("mine")),
        "action_requests": lambda: (ledger.action_requests.standing([FLOW]), ledger.action_requests.last(FLOW, "P5")),
        "trend": lambda: ledger.trend.of(ledger.open_items.causes(), Wanted()),
        "tags": lambda: ledger.tags.all(),
        "users": lambda: (ledger.users.all(), ledger.proposals.standing(FLOW), ledger.notes.outcome("form-1")),
        "vault": lambda: (ledger.vault(KEYS).get("CIN7_KEY"), ledger.vault(KEYS).sealed()),
        "chains": lambda: (list(verification := ledger.history.verify()), verification.lines, verification.heads),
    }
    return {name: question() for name, question in asked.items()}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_tenant_that_has_nothing_sees_nothing_of_another_one(ledger_url, one, other):
    with Ledger.open(ledger_url, one) as mine, Ledger.open(ledger_url, other) as theirs:
        before = told(theirs)
        fill(mine, "mine")
        assert told(theirs) == before
        with mine._database.whole().reading() as connection:
            filled = {name for name, table in TABLES.tables.items() if connection.execute(select(table)).first()}
    assert set(TABLES.tables) - filled == {"set_aside", "paused_loads"}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_what_a_tenant_writes_under_the_same_names_leaves_another_one_as_it_was(ledger_url, one, other):
    with Ledger.open(ledger_url, one) as mine, Ledger.open(ledger_url, other) as theirs:
        fill(mine, "mine")
        before = told(mine)
        fill(theirs, "theirs")
        assert told(mine) == before
        assert theirs.remote_ids(FLOW) == {"P1": "theirs"}
        assert theirs.alerts.due("failed", 3600) is None
        theirs.settle(FLOW, [(ready("P1", day=9), State.UNCHANGED)], run=RUN)
        theirs.close_holds(FLOW, ["P3"], "delivered", run=RUN)
        theirs.pauses.lift("cin7", "kari")
        theirs.work.prepared(FLOW, "2026-11-05", theirs.work.now())
        theirs.work.fail([(FLOW, "2026-11-06")], Failure("cin7:refused", "cin7", "theirs", "theirs"))
        theirs.work.answered("cin7", FLOW)
        theirs.inbox.take("airbase", 99, "run")
        theirs.vault(KEYS).rotate()
        theirs.vault(KEYS).remove("CIN7_KEY")
        theirs.causes.remember(FLOW, {}, [CAUSE])
        theirs.differences.close([one.id for one in mine.differences.open()], "kari")
        theirs.work.done(FLOW, "2026-11-05", theirs.work.now())
        theirs.work.release("")
        theirs.causes.note([hold.id for hold in mine.open_holds()], [])
        theirs.accounts.renew("cin7", "account 9", "", "kari", "moved", [FLOW, "cin7/suppliers"])
        assert told(mine) == before
        assert theirs.causes.entries([hold.id for hold in mine.open_holds()]) == []


def test_two_tenants_load_the_same_flow_at_the_same_time(ledger_url):
    with Ledger.open(ledger_url, "nordlys") as one, Ledger.open(ledger_url, "fjord") as other:
        with one.lease(f"load {FLOW}", "run-1") as first, other.lease(f"load {FLOW}", "run-2") as second:
            for ledger, lease in ((one, first), (other, second)):
                ledger.begin(FLOW, [(ready(), None)], run=RUN, lease=lease)
                ledger.finish(FLOW, [saved(ready(), lease.owner)], run=RUN, lease=lease)
                assert ledger.ask_lease(lease, "POST", "cin7") is None
        one.pauses.pause("cin7", "kari", "stop")
        with other.lease(f"load {FLOW}", "run-3") as third:
            assert other.ask_lease(third, "POST", "cin7") is None
        assert (one.remote_ids(FLOW), other.remote_ids(FLOW)) == ({"0010/P1": "run-1"}, {"0010/P1": "run-2"})


def test_the_empty_tenant_is_whom_a_ledger_of_before_belongs_to_and_its_names_are_unchanged(ledger_url):
    with Ledger.open(ledger_url) as ledger:
        deliver(ledger, ready())
        with ledger._database.whole().reading() as connection:
            assert connection.execute(select(deliveries.c.flow)).scalars().all() == [FLOW]
    with Ledger.open(ledger_url, "nordlys") as ledger:
        deliver(ledger, ready())
        with ledger._database.whole().reading() as connection:
            found = connection.execute(select(deliveries.c.flow).order_by(deliveries.c.flow)).scalars().all()
        assert found == [f"!nordlys/{FLOW}", FLOW]


def test_a_sealed_secret_that_was_copied_to_another_tenant_stays_closed(sqlite_url):
    with Ledger.open(sqlite_url, "nordlys") as one, Ledger.open(sqlite_url, "fjord") as other:
        one.vault(KEYS).set("CIN7_KEY", "secret")
        with other._database.writing() as connection:
            connection.exec_driver_sql("UPDATE secrets SET name = '!fjord/CIN7_KEY'")
        with pytest.raises(Misconfigured, match="cannot be opened"):
            other.vault(KEYS).get("CIN7_KEY")
        with other._database.reading() as connection:
            assert connection.execute(select(secrets.c.name)).scalars().all() == ["CIN7_KEY"]


def test_a_row_of_another_tenant_that_is_read_all_the_same_is_an_error_not_an_answer(ledger_url):
    with Ledger.open(ledger_url, "nordlys") as one, Ledger.open(ledger_url) as other:
        deliver(one, ready())
        with other._database.reading() as connection, pytest.raises(LookupError, match="a row of another one"):
            connection.execute(select(deliveries.c.flow)).all()
        with pytest.raises(StatementError, match="no name in the ledger begins with !"):
            other.remote_ids(f"!nordlys/{FLOW}")


@pytest.mark.parametrize("name", ["nord lys", "-nordlys", "nordlys/x", "!x", "ø", "x" * 33, "a\n"])
def test_what_cannot_be_a_tenant_is_said_in_one_sentence(sqlite_url, name):
    for opened in (Ledger.open, Ledger.existing, Ledger.to_read):
        with pytest.raises(Misconfigured, match="cannot be a tenant: 1 to 32 letters, digits, - and _"):
            opened(sqlite_url, name)


def test_the_whole_trail_is_looked_at_and_each_flow_told_with_its_tenant(sqlite_url):
    with Ledger.open(sqlite_url, "nordlys") as one, Ledger.open(sqlite_url) as other:
        deliver(one, ready())
        deliver(other, ready())
        [trail] = [look for look in other.keeping.looks() if look.what == "trail"]
        assert (trail.told, trail.faults) == ("4 lines of 2 flows", ())
        with one._database.writing() as connection:
            connection.exec_driver_sql("UPDATE chains SET seq = 3 WHERE flow LIKE '!nordlys%'")
        [trail] = [look for look in other.keeping.looks() if look.what == "trail"]
        assert trail.faults == ("cin7/purchases of nordlys: line 3 missing",)
        assert list(other.history.verify()) == []
