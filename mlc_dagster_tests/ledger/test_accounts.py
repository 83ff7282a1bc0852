import dataclasses

import pytest
from sqlalchemy import select

from mlc_dagster.core.outcomes import Saved, State
from mlc_dagster.ledger import AccountRefused, KnownAccount, Ledger
from mlc_dagster.ledger.tables import set_aside
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, draft, events, held, ready, refused, saved, version

BILLS = "cin7/bills"


def test_an_account_is_known_once_it_was_noted_and_only_of_its_connection(ledger):
    assert ledger.accounts.known("cin7") is None
    noted = ledger.accounts.note("cin7", "account 4711", "Nordlys AS", "mlc")
    assert ledger.accounts.known("cin7") == noted
    assert noted == KnownAccount("cin7", "account 4711", "Nordlys AS", noted.noted_at, "mlc")
    assert ledger.accounts.known("cin7_us") is None


def test_the_same_account_under_a_new_name_keeps_its_deliveries_and_the_old_name_is_history(ledger):
    first = ledger.accounts.note("cin7", "account 4711", "Nordlys AS", "mlc")
    deliver(ledger, ready())
    assert ledger.accounts.note("cin7", "account 4711", "Nordlys AS", "kari") == first
    second = ledger.accounts.note("cin7", "account 4711", "Nordlys Group AS", "kari")
    assert ledger.accounts.known("cin7") == second
    assert ledger.accounts.history("cin7") == [second, first]
    assert ledger.judge(FLOW, [ready()])["0010/P1"].state is State.UNCHANGED


def test_those_count_as_concerned_whose_remote_id_is_known(ledger):
    deliver(ledger, ready("P1"), ready("P2"))
    ledger.begin(FLOW, [(ready("P3"), None), (ready("P4"), None)], run=RUN)
    ledger.note_id(FLOW, "P3", "half", run=RUN)
    assert ledger.accounts.concerned("cin7", [FLOW, BILLS]) == 2
    assert ledger.accounts.concerned("cin7", []) == 0


def test_a_sample_is_spread_over_the_flows_the_newest_first(ledger):
    for number in range(5):
        deliver(ledger, ready(f"P{number}"), remote_id=f"c-{number}")
    ledger.begin(BILLS, [(ready("B1"), None)], run=RUN)
    ledger.finish(BILLS, [saved(ready("B1"), "b-1")], run=RUN)
    assert ledger.accounts.sample([BILLS, FLOW, "cin7/none"]) == [
        (BILLS, "B1", "b-1"),
        (FLOW, "P4", "c-4"),
        (FLOW, "P3", "c-3"),
    ]
    assert ledger.accounts.sample([FLOW], count=1) == [(FLOW, "P4", "c-4")]


def test_what_is_not_there_by_a_persons_word_stays_delivered_and_is_no_sample_until_it_has_another_id(ledger):
    deliver(ledger, *(ready(f"P{number}") for number in range(5)))
    gone = ledger.accounts.sample([FLOW], 3)
    ledger.accounts.absent(gone, "anna", "deleted by the warehouse")
    assert [one.key for one in ledger.accounts.sample([FLOW], 3)] == ["P3", "P4"]
    assert ledger.accounts.concerned("cin7", [FLOW]) == 5
    assert events(ledger, gone[0].key)[-1] == "absent"
    deliver(ledger, ready(gone[0].key, day=6), remote_id="made anew")
    assert ledger.accounts.sample([FLOW], 1) == [(FLOW, gone[0].key, "made anew")]


@pytest.mark.parametrize(("who", "why"), [("", "deleted"), ("anna", " ")])
def test_nothing_is_said_to_be_gone_without_who_and_why(who, why, ledger):
    deliver(ledger, ready("P1"))
    with pytest.raises(AccountRefused, match="by whom, or why"):
        ledger.accounts.absent(ledger.accounts.sample([FLOW]), who, why)
    assert len(ledger.accounts.sample([FLOW])) == 1


def test_what_another_account_had_is_set_aside_and_each_record_is_new_again(ledger):
    ledger.accounts.note("cin7", "account 4711", "Nordlys AS", "mlc")
    deliver(ledger, ready("P1"), ready("P2"))
    ledger.begin(FLOW, [(ready("P3"), None)], run=RUN)
    ledger.begin(BILLS, [(ready("B1"), None)], run=RUN)
    ledger.finish(BILLS, [saved(ready("B1"))], run=RUN)
    assert ledger.accounts.renew("cin7", "account 9", "Sandkasse", "kari", "a sandbox from now on", [FLOW]) == 2
    standings = ledger.judge(FLOW, [ready("P1"), ready("P2"), ready("P3")])
    assert {each.state for each in standings.values()} == {State.NEW}
    assert {each.remote_id for each in standings.values()} == {None}
    assert ledger.is_first_load(FLOW) and ledger.began_at(FLOW) is None
    assert ledger.judge(BILLS, [ready("B1")])["B1"].state is State.UNCHANGED
    assert ledger.accounts.known("cin7").identity == "account 9"
    assert ledger.accounts.concerned("cin7", [FLOW]) == 0


def test_what_was_set_aside_is_kept_as_it_stood_and_told_in_the_trail(ledger):
    ledger.accounts.note("cin7", "account 4711", "Nordlys AS", "mlc")
    deliver(ledger, ready("P1"))
    ledger.begin(FLOW, [(ready("P2"), None)], run=RUN)
    began = ledger.began_at(FLOW)
    ledger.accounts.renew("cin7", "account 9", "Sandkasse", "kari", "a sandbox", [FLOW])
    with ledger._database.reading() as connection:
        kept = connection.execute(select(set_aside).order_by(set_aside.c.what, set_aside.c.key)).all()
    assert [(row.what, row.key, row.remote_id, row.identity) for row in kept] == [
        ("delivery", "P1", "c-1", "account 4711"),
        ("delivery", "P2", None, "account 4711"),
        ("first attempt", "", None, "account 4711"),
    ]
    assert kept[0].fingerprint == ready("P1").fingerprint
    assert kept[2].delivered_at == began < kept[1].open_since
    assert events(ledger, "P1") == ["sent", "created", "set_aside"]
    [line] = ledger.trail(FLOW, "cin7")
    assert (line.event.value, line.detail) == ("set_aside", "cin7 leads to Sandkasse now; by kari: a sandbox")
    assert list(ledger.history.verify()) == []


def test_agreements_of_the_pair_go_with_its_deliveries(ledger):
    record = ready("S1")
    met = dataclasses.replace(Saved(draft(record), "c-1", "created"), agreed=("S1", {"name": "Nordlys"}))
    ledger.begin("cin7/suppliers", [(record, None)], run=RUN)
    ledger.finish("cin7/suppliers", [(record, met)], run=RUN, pair="cin7/suppliers")
    assert ledger.agreements.of("cin7/suppliers", "S1") == {"name": "Nordlys"}
    ledger.accounts.renew("cin7", "account 9", "", "kari", "moved", ["cin7/suppliers"])
    assert ledger.agreements.of("cin7/suppliers", "S1") is None
    with ledger._database.reading() as connection:
        kept = connection.execute(select(set_aside.c.content).where(set_aside.c.what == "agreement")).scalars().all()
    assert kept == ['{"name": "Nordlys"}']


def test_what_another_record_took_the_place_of_is_still_never_delivered(ledger):
    deliver(ledger, ready("P1"))
    ledger.begin(BILLS, [(ready("B1"), None)], run=RUN)
    ledger.finish(BILLS, [saved(ready("B1"))], run=RUN, supersedes={FLOW: {"P1": "B1", "P2": "B1"}})
    ledger.accounts.renew("cin7", "account 9", "", "kari", "moved", [FLOW, BILLS])
    standings = ledger.judge(FLOW, [ready("P1"), ready("P2", day=9)])
    assert [each.state for each in standings.values()] == [State.SUPERSEDED, State.SUPERSEDED]
    assert standings["P1"].remote_id is None


def test_holds_and_decisions_stand_whatever_account_it_is(ledger):
    ledger.begin(FLOW, [(ready("P1"), None)], run=RUN)
    ledger.finish(FLOW, [refused(ready("P1"))], run=RUN)
    ledger.hold(FLOW, [held("P1")], run=RUN)
    ledger.accounts.renew("cin7", "account 9", "", "kari", "moved", [FLOW])
    assert [hold.key for hold in ledger.open_holds(FLOW)] == ["P1"]
    assert ledger.open_holds(FLOW)[0].version == version(5)


def test_an_account_is_not_replaced_while_somebody_writes_nor_without_a_word(ledger):
    deliver(ledger, ready("P1"))
    with (
        ledger.lease(f"load {FLOW}", "run-7"),
        pytest.raises(AccountRefused, match=r"run-7 has load cin7/purchases"),
    ):
        ledger.accounts.renew("cin7", "account 9", "", "kari", "moved", [FLOW])
    for who, reason, said in (("", "moved", "by whom"), ("kari", " ", "why")):
        with pytest.raises(AccountRefused, match=said):
            ledger.accounts.renew("cin7", "account 9", "", who, reason, [FLOW])
    assert ledger.judge(FLOW, [ready("P1")])["P1"].state is State.UNCHANGED
    assert ledger.accounts.known("cin7") is None


def test_of_a_thousand_times_a_page_every_record_is_set_aside_once(sqlite_ledger: Ledger, monkeypatch):
    monkeypatch.setattr("mlc_dagster.ledger.records.setting_aside.AT_ONCE", 7)
    records = [ready(f"P{number:03}") for number in range(50)]
    deliver(sqlite_ledger, *records)
    assert sqlite_ledger.accounts.renew("cin7", "account 9", "", "kari", "moved", [FLOW]) == 50
    assert [events(sqlite_ledger, one.key) for one in records] == [["sent", "created", "set_aside"]] * 50
