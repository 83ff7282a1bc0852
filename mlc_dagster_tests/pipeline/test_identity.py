"""The account that answers beside the one that the ledger knows: on the real ledger, both databases."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from mlc_dagster.core.accounts import Account, Asked, Delivered
from mlc_dagster.core.errors import AccessDenied, Misconfigured, ThrottledUntil
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import load
from mlc_dagster.pipeline.identity import AccountCheck, before_first_write, look_for
from mlc_dagster_tests.ledger.samples import FLOW, deliver, ready
from mlc_dagster_tests.promises.journey import flow_of

ONE, OTHER = Account("1", "portal 1"), Account("2", "portal 2")
PURCHASES = flow_of(FLOW)


def asked(account: Account | None = ONE, *, there: tuple[str, ...] = (), others: tuple[str, ...] = ()) -> Asked:
    """`there`: the keys of the records that the account has."""
    return Asked("cin7", "Cin7", (PURCHASES,), lambda: account, lambda record: record.key in there, others)


def known(ledger: Ledger) -> tuple[str, str] | None:
    found = ledger.accounts.known("cin7")
    return (found.identity, found.title) if found else None


def test_the_first_account_of_an_empty_ledger_is_noted(ledger: Ledger) -> None:
    before_first_write(asked(), ledger, "run 1")
    assert known(ledger) == ("1", "portal 1")
    before_first_write(asked(), ledger, "run 2")
    assert [each.noted_by for each in ledger.accounts.history("cin7")] == ["run 1"]


def test_another_id_is_refused_with_both_accounts_the_number_of_records_and_both_commands(ledger: Ledger) -> None:
    before_first_write(asked(), ledger, "run 1")
    deliver(ledger, ready("P1"), ready("P2"))
    with pytest.raises(Misconfigured) as refused:
        before_first_write(asked(OTHER, there=("P1", "P2")), ledger, "run 2")
    said = str(refused.value)
    assert "cin7 leads to portal 2 now, and this ledger knows it as portal 1, noted" in said and "by run 1" in said
    assert "2 record(s) are concerned; nothing was written" in said
    assert 'mlc ledger new-account cin7 --reason "..."' in said and "mlc ledger same-account cin7" in said
    assert known(ledger) == ("1", "portal 1")


def test_without_an_id_one_of_three_that_is_there_is_enough_and_none_is_not(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(ledger, *(ready(f"P{number}") for number in range(1, 5)))
    sample = [key for _, key, _ in ledger.accounts.sample([FLOW])]
    with caplog.at_level(logging.WARNING):
        before_first_write(asked(None, there=(sample[2],)), ledger, "run 1")
    assert "Cin7 does not tell which account this is; it has what was delivered last" in caplog.text
    with pytest.raises(Misconfigured, match="nothing was found"):
        before_first_write(asked(None, there=()), ledger, "run 2")


def test_a_single_delivery_that_was_deleted_there_refuses_until_a_person_says_so_and_no_longer(ledger: Ledger) -> None:
    before_first_write(asked(None), ledger, "run 1")
    deliver(ledger, ready("P1"))
    with pytest.raises(Misconfigured, match="If it is the same one, and people deleted these there"):
        before_first_write(asked(None, there=()), ledger, "run 2")
    ledger.accounts.absent(ledger.accounts.sample([FLOW]), "anna", "the trial order was deleted")
    before_first_write(asked(None, there=()), ledger, "run 3")
    deliver(ledger, ready("P2"))
    with pytest.raises(Misconfigured, match="nothing was found"):
        before_first_write(asked(None, there=("P1",)), ledger, "run 4")


def test_of_a_hundred_that_are_not_there_the_search_knows_that_it_did_not_ask_for_all(ledger: Ledger) -> None:
    deliver(ledger, *(ready(f"P{number}") for number in range(101)))
    found = look_for(asked(None), ledger)
    assert (len(found.missing), found.there, found.all_asked) == (100, [], False)
    there = tuple(one.key for one in found.missing[50:])
    found = look_for(asked(None, there=there), ledger)
    assert (len(found.missing), [one.key for one in found.there]) == (50, [*there[:3]])


def test_an_id_that_others_may_share_is_read_back_where_it_answers_under_another_title(ledger: Ledger) -> None:
    shared = Account("realm", "realm at one.test", is_shared=True)
    before_first_write(asked(shared), ledger, "run 1")
    deliver(ledger, ready("P1"))
    before_first_write(asked(shared, there=()), ledger, "run 2")
    moved = replace(shared, title="realm at two.test")
    with pytest.raises(Misconfigured, match=r"leads to realm at two\.test, .*nothing was found"):
        before_first_write(asked(moved, there=()), ledger, "run 3")
    before_first_write(asked(moved, there=("P1",)), ledger, "run 4")
    assert known(ledger) == ("realm", "realm at two.test")


def test_a_ledger_that_has_deliveries_and_no_account_notes_it_where_one_of_them_is_there(ledger: Ledger) -> None:
    deliver(ledger, ready("P1"))
    with pytest.raises(Misconfigured, match="by its deliveries alone"):
        before_first_write(asked(), ledger, "run 1")
    assert known(ledger) is None
    before_first_write(asked(there=("P1",)), ledger, "run 2")
    assert known(ledger) == ("1", "portal 1")


def test_an_account_that_could_not_be_told_at_first_is_noted_when_it_can(ledger: Ledger) -> None:
    before_first_write(asked(None), ledger, "run 1")
    deliver(ledger, ready("P1"))
    before_first_write(asked(there=("P1",)), ledger, "run 2")
    assert known(ledger) == ("1", "portal 1")


def test_runs_that_begin_at_once_note_one_account(ledger_url: str) -> None:
    """On the first day, by schedule and by hand."""
    with Ledger.open(ledger_url):
        pass
    gate = Barrier(8)

    def first(number: int) -> None:
        with Ledger.open(ledger_url) as mine:
            gate.wait(30)
            before_first_write(asked(), mine, f"run {number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(first, range(8)))
    with Ledger.open(ledger_url) as ledger:
        assert [each.identity for each in ledger.accounts.history("cin7")] == ["1"]


def test_of_two_accounts_at_once_one_is_noted_and_the_other_refused(ledger_url: str) -> None:
    with Ledger.open(ledger_url):
        pass
    gate = Barrier(8)

    def first(number: int) -> str:
        account = Account(str(number % 2), f"portal {number % 2}")
        with Ledger.open(ledger_url) as mine:
            gate.wait(30)
            try:
                before_first_write(asked(account), mine, f"run {number}")
            except Misconfigured:
                return ""
            return account.id

    with ThreadPoolExecutor(8) as threads:
        passed = set(threads.map(first, range(8))) - {""}
    with Ledger.open(ledger_url) as ledger:
        assert [each.identity for each in ledger.accounts.history("cin7")] == [*passed] and len(passed) == 1


def test_two_connections_that_lead_to_one_account_are_told(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    ledger.accounts.note("cin7_us", "1", "portal 1", "run 0")
    with caplog.at_level(logging.WARNING):
        before_first_write(asked(others=("cin7_us",)), ledger, "run 1")
    assert "cin7 and cin7_us lead to one account, portal 1" in caplog.text


def test_what_was_agreed_on_goes_with_what_is_read_back(ledger: Ledger) -> None:
    deliver(ledger, ready("P1"))
    seen: list[Delivered] = []
    before_first_write(replace(asked(None), has=lambda record: bool(seen.append(record)) or True), ledger, "run 1")
    assert [(each.flow.name, each.key, dict(each.agreed)) for each in seen] == [(FLOW, "P1", {})]


def test_a_run_asks_once_and_what_was_refused_is_refused_again(sqlite_ledger: Ledger) -> None:
    times: list[int] = []

    def counted() -> Account:
        times.append(1)
        return ONE

    check = AccountCheck(replace(asked(), account=counted), sqlite_ledger, "run")
    check()
    check()
    assert len(times) == 1
    other = AccountCheck(asked(OTHER), sqlite_ledger, "run")
    for _ in range(2):
        with pytest.raises(Misconfigured):
            other()


# --- in a load ------------------------------------------------------------------------------------------------------


class NeverCalled:
    """A client that must not be reached."""

    def save(self, *_: object) -> None:
        raise AssertionError("it was written to")


def loaded(ledger: Ledger, records: list[Ready], account: AccountCheck) -> object:
    return load(PURCHASES, records, NeverCalled(), ledger, Run("run 9", "2026-11-05"), account=account)  # type: ignore[arg-type]


def test_a_load_into_another_account_judges_nothing_and_opens_no_attempt(ledger: Ledger) -> None:
    before_first_write(asked(), ledger, "run 1")
    deliver(ledger, ready("P1"))
    before = ledger.trail(FLOW, "P1")
    with pytest.raises(Misconfigured):
        loaded(ledger, [ready("P1"), ready("P2")], AccountCheck(asked(OTHER), ledger, "run 9"))
    assert ledger.trail(FLOW, "P1") == before and ledger.trail(FLOW, "P2") == []


def test_a_load_of_nothing_asks_nobody(sqlite_ledger: Ledger) -> None:
    def never() -> None:
        raise AssertionError("it was asked")

    assert vars(loaded(sqlite_ledger, [], never))["asked"] == 0  # type: ignore[arg-type]


def test_a_target_that_asks_to_be_left_alone_puts_the_records_off(sqlite_ledger: Ledger) -> None:
    def silent() -> Account:
        raise ThrottledUntil("cin7", 600)

    found = vars(
        loaded(sqlite_ledger, [ready("P1")], AccountCheck(replace(asked(), account=silent), sqlite_ledger, "r"))
    )
    assert (found["asked"], found["paused"], found["throttled"].system) == (1, 1, "cin7")


def test_a_credential_that_is_refused_is_told_as_such(sqlite_ledger: Ledger) -> None:
    def denied() -> Account:
        raise AccessDenied("cin7: 401", status=401)

    with pytest.raises(AccessDenied, match="401"):
        loaded(sqlite_ledger, [ready("P1")], AccountCheck(replace(asked(), account=denied), sqlite_ledger, "r"))
