"""Who may sign in, and who is signed in; what waits for a second person; forms."""

import pytest
import sqlalchemy as sa

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster.ledger.records.proposals import REFUSED
from mlc_dagster.ledger.tables import sessions, users
from mlc_dagster_tests.ledger.samples import FLOW, events


def test_a_token_is_told_once_and_opens_a_session_that_ends(ledger):
    token = ledger.users.add("kari", [("decide", "20"), ("look", "10")], 30)
    assert ledger.users.sign_in("kari", "wrong") is None and ledger.users.sign_in("ola", token) is None
    value = ledger.users.sign_in("kari", token)
    user = ledger.users.signed_in(value)
    assert user.companies == {"10", "20"} and user.may("work", "20") and not user.may("work", "10")
    assert not user.may("confirm", "20") and not user.may("look", "")
    with ledger._database.reading() as connection:
        kept = str(connection.execute(sa.select(users)).all()) + str(connection.execute(sa.select(sessions)).all())
    assert token not in kept and value not in kept and "$argon2id$" in kept
    ledger.users.sign_out(value)
    assert ledger.users.signed_in(value) is None


def test_a_new_token_ends_the_old_one_and_its_sessions(ledger):
    old = ledger.users.add("kari", [("look", "*")], 30)
    value = ledger.users.sign_in("kari", old)
    ledger.users.add("kari", [("look", "*")], 30)
    assert ledger.users.signed_in(value) is None and ledger.users.sign_in("kari", old) is None
    assert ledger.users.remove("kari") and not ledger.users.remove("kari") and not ledger.users.any()


@pytest.mark.parametrize("name, grants, days", [("", [("look", "*")], 9), ("a", [], 9), ("a", [("boss", "*")], 9)])
def test_what_is_no_person_is_refused(sqlite_ledger, name, grants, days):
    with pytest.raises(Misconfigured):
        sqlite_ledger.users.add(name, grants, days)
    assert sqlite_ledger.users.all() == []


def test_tokens_are_of_one_tenant(ledger, ledger_url):
    token = ledger.users.add("kari", [("look", "*")], 30)
    value = ledger.users.sign_in("kari", token)
    with Ledger.open(ledger_url, "nordlys") as other:
        assert other.users.all() == [] and other.users.sign_in("kari", token) is None
        assert other.users.signed_in(value) is None and not other.users.any()


def test_a_later_proposal_takes_the_place_of_the_first_and_is_ended_once(ledger):
    ledger.proposals.propose(FLOW, "P1", "release", "c1", "20", ("kari", "why"))
    ledger.proposals.propose(FLOW, "P1", "release", "c2", "20", ("kari", "why"))
    [one] = ledger.proposals.standing()
    assert one.content == "c2" and ledger.proposals.of(one.id) == one
    assert ledger.proposals.end(one, REFUSED, "ola", "not right") and not ledger.proposals.end(one, REFUSED, "ola")
    assert ledger.proposals.standing(FLOW, "P1") == []
    assert events(ledger, "P1") == ["proposed", "proposed", "refused_by_person"]


def test_a_form_is_answered_once_and_given_back_where_it_came_to_nothing(ledger):
    assert ledger.notes.begin("f1", "kari") and not ledger.notes.begin("f1", "kari")
    ledger.notes.give_back("f1")
    assert ledger.notes.begin("f1", "kari")
    ledger.notes.end("f1", "Noted.")
    ledger.notes.give_back("f1")
    assert ledger.notes.outcome("f1") == "Noted." and ledger.notes.outcome("f2") is None
