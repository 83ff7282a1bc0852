"""Signed in as an app, over HTTP and with a real vault: tokens end, refresh tokens are replaced, and none is lost."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from mlc_dagster.core.errors import AccessDenied, Misconfigured
from mlc_dagster.core.outcomes import Saved
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.ledger.replaced_secrets import TRIES, ReplacedSecret, replaced
from mlc_dagster.ledger.vault import Vault
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.monday.oauth import CLIENT_ID, CLIENT_SECRET, PATH, REFRESH_TOKEN
from mlc_dagster.systems.configuration import known_secret, needed_secrets, parse
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.systems.monday.system import SYSTEM
from mlc_dagster.systems.ping import ping_all
from mlc_dagster.systems.shared.findings import budget
from mlc_dagster.transport.refresh_tokens import RefreshTokens
from mlc_dagster_tests.contracts.holding import hold
from mlc_dagster_tests.contracts.published import published
from mlc_dagster_tests.contracts.recorder import recorded
from mlc_dagster_tests.systems.loopback import FakeTime
from mlc_dagster_tests.systems.monday.samples import SETTINGS, drafts, save
from mlc_dagster_tests.systems.monday.samples import settings as settings_of

NAME = "MONDAY_REFRESH_TOKEN"
KEY = Fernet.generate_key().decode()
QUESTION = {"query": "query { me { id } }"}


class Place:
    """An installation whose vault has the app's refresh token."""

    def __init__(self, box: Sandbox, url: str) -> None:
        self.box, self.url = box, url

    @property
    def settings(self) -> MondaySettings:
        return settings_of(oauth=True, base_url=f"{self.box.url}/monday", token_url=f"{self.box.url}{PATH}")

    def client(self, connection: str = "monday") -> Any:
        """A new one, as each process has its own."""
        prefix = connection.upper()
        secrets = {f"{prefix}_CLIENT_ID": CLIENT_ID, f"{prefix}_CLIENT_SECRET": CLIENT_SECRET}
        values = {**secrets, f"{prefix}_REFRESH_TOKEN": self.sealed or "-"}
        return SYSTEM.client(self.settings, values, budget, connection, 2, kept=replaced)

    @property
    def sealed(self) -> str | None:
        with Ledger.open(self.url) as ledger:
            return ledger.vault(KEY).get(NAME)

    def seal(self, value: str, name: str = NAME) -> None:
        with Ledger.open(self.url) as ledger:
            ledger.vault(KEY).set(name, value)

    def is_in_step(self) -> bool:
        """The vault has the one refresh token that monday takes."""
        return self.sealed == self.box.monday.app.refresh_token


@pytest.fixture
def place(box: Sandbox, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in needed_secrets()["monday"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv(NAME, raising=False)
    monkeypatch.setenv("MLC_MASTER_KEY", KEY)
    monkeypatch.setenv("MLC_DATABASE_URL", sqlite_url)
    made = Place(box, sqlite_url)
    made.seal(REFRESH_TOKEN)
    yield made


def auth_of(place: Place, clock: Callable[[], float]) -> RefreshTokens:
    """The sign-in alone, on a clock of the test."""
    kept = ReplacedSecret(NAME, place.url)
    return RefreshTokens(f"{place.box.url}{PATH}", CLIENT_ID, CLIENT_SECRET, kept, scheme="", clock=clock)


# --- tokens end -----------------------------------------------------------------------------------------------------


def test_an_hour_passes_in_the_middle_of_a_load_and_the_load_goes_on(place: Place) -> None:
    client = place.client()
    assert all(isinstance(each, Saved) for each in save(client, drafts([1, 2])))
    place.box.monday.app.expire_all()
    assert all(isinstance(each, Saved) for each in save(client, drafts([3, 4])))
    assert sorted(row["IFS key"] for row in place.box.monday.rows("22")) == [f"0010/{each}" for each in (1, 2, 3, 4)]
    assert len(place.box.monday.app.spent) == 2 and place.is_in_step()


@pytest.mark.parametrize("tells_lifetime", [False, True])
def test_a_token_is_renewed_before_it_ends_as_the_answer_or_the_token_itself_says(
    place: Place, tells_lifetime: bool
) -> None:
    place.box.monday.app.tells_lifetime, clock = tells_lifetime, FakeTime()
    auth = auth_of(place, clock.clock)
    with httpx.Client(auth=auth) as asks:
        for seconds, sign_ins in ((0, 1), (2999, 1), (2, 2), (2999, 2), (2, 3)):
            clock.now += seconds
            assert asks.post(f"{place.box.url}/monday/v2", json=QUESTION).status_code == 200
            assert len(place.box.monday.app.spent) == sign_ins
    assert place.is_in_step()


def test_a_fresh_token_that_is_refused_is_renewed_once_and_then_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place.box.monday.app, "accepts", lambda token: False)
    with pytest.raises(AccessDenied) as error:
        place.client().who()
    assert "monday.oauth" in (error.value.cure or "")
    assert len(place.box.monday.app.spent) == 2 and place.is_in_step()


# --- refresh tokens are replaced ------------------------------------------------------------------------------------


def test_what_one_client_was_given_the_next_one_signs_in_with(place: Place) -> None:
    for count in (1, 2, 3):
        place.client().who()
        assert len(place.box.monday.app.spent) == count and place.is_in_step()
    assert len(set(place.box.monday.app.spent)) == 3


def test_clients_at_once_do_not_void_each_others_refresh_token(place: Place) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(lambda _: place.client().who(), range(4)))) == 4
    assert len(place.box.monday.app.spent) == 4 and place.is_in_step()


PROCESS = """
import os, httpx
from mlc_dagster.ledger.replaced_secrets import replaced
from mlc_dagster.transport.refresh_tokens import RefreshTokens
url = os.environ["MONDAY_URL"]
auth = RefreshTokens(url + {path!r}, {client!r}, {secret!r}, replaced({name!r}), scheme="")
answer = httpx.post(url + "/monday/v2", json={question!r}, auth=auth)
print(answer.status_code)
"""


def test_processes_at_once_do_not_void_each_others_refresh_token(place: Place, tmp_path: Path) -> None:
    code = PROCESS.format(path=PATH, client=CLIENT_ID, secret=CLIENT_SECRET, name=NAME, question=QUESTION)
    here = {**os.environ, "MONDAY_URL": place.box.url}
    command = [sys.executable, "-c", code]
    both = [subprocess.Popen(command, env=here, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [each.communicate(timeout=60)[0].strip() for each in both] == ["200", "200"]
    assert len(place.box.monday.app.spent) == 2 and place.is_in_step()


def test_a_refresh_token_that_is_not_replaced_stays(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    app = place.box.monday.app
    given = app._answer
    monkeypatch.setattr(app, "_answer", lambda: {k: v for k, v in given().items() if k != "refresh_token"})
    place.client().who()
    assert place.sealed == REFRESH_TOKEN


def test_one_that_a_person_sets_meanwhile_is_not_overwritten(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = place.box.monday.app.grant

    def grants(call: Any) -> Any:
        place.seal("set-by-a-person")
        return grant(call)

    monkeypatch.setattr(place.box.monday.app, "grant", grants)
    place.client().who()
    assert place.sealed == "set-by-a-person"


# --- what goes wrong is told ----------------------------------------------------------------------------------------


def test_a_refresh_token_that_is_refused_is_one_sentence_with_its_cure(place: Place) -> None:
    place.seal("of-yesterday")
    with pytest.raises(AccessDenied) as error:
        place.client().who()
    assert error.value.message.endswith(f"{PATH}: 400 invalid_grant")
    assert error.value.cure and error.value.cure.endswith(f"mlc credentials set {NAME}")
    assert place.sealed == "of-yesterday"


def test_a_process_that_ends_between_answer_and_vault_is_told_at_the_next_refusal(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "replace", _ends)
        with pytest.raises(SystemExit):
            place.client().who()
    for _ in range(2):  # as long as nothing better is there
        with pytest.raises(AccessDenied, match="did not keep the answer: it may be void by that"):
            place.client().who()
    place.seal(place.box.monday.app.refresh_token)
    place.client().who()
    place.seal("of-yesterday")
    with pytest.raises(AccessDenied) as error:
        place.client().who()
    assert "did not keep" not in error.value.message, "the doubt ended with the sign-in that was kept"


KILLED = "import os; from mlc_dagster.ledger.vault import Vault; Vault.replace = lambda *words: os._exit(9)"


@pytest.mark.slow
def test_a_process_that_is_killed_between_answer_and_vault_is_told_as_well(place: Place) -> None:
    """It says nothing itself: the lease that it left is waited for, and names it."""
    process = PROCESS.format(path=PATH, client=CLIENT_ID, secret=CLIENT_SECRET, name=NAME, question=QUESTION)
    command = [sys.executable, "-c", f"{KILLED}{process}"]
    assert subprocess.run(command, env={**os.environ, "MONDAY_URL": place.box.url}, timeout=60).returncode == 9
    assert place.box.monday.app.spent == [REFRESH_TOKEN] and place.sealed == REFRESH_TOKEN
    with pytest.raises(AccessDenied, match=r"400 invalid_grant; process \d+ on .* did not keep the answer"):
        place.client().who()


def test_the_sandbox_remembers_its_refresh_token(place: Place) -> None:
    place.client().who()
    kept, app = place.box.monday.remembered(), place.box.monday.app
    current, app.refresh_token = app.refresh_token, "another"
    place.box.monday.recall(kept)
    assert app.refresh_token == current


def _ends(*words: Any) -> bool:
    raise SystemExit


def test_an_answer_that_is_lost_on_the_way_is_told_too(place: Place) -> None:
    place.box.faults.add(system="monday", path="/oauth_ms/", drop="after")
    with pytest.raises(AccessDenied, match=r"400 invalid_grant; process .* did not keep the answer"):
        place.client().who()  # the second of its two tries


def test_a_busy_sign_in_is_tried_again_and_leaves_no_doubt(place: Place) -> None:
    place.box.faults.add(system="monday", path="/oauth_ms/", status=503, headers={"retry-after": "0"})
    assert place.client().who() and place.is_in_step()


@pytest.mark.parametrize("failures", [TRIES - 1, TRIES])
def test_a_vault_that_fails_is_asked_again_before_the_new_token_is_given_up(
    place: Place, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    replace, left = Vault.replace, [failures]

    def fails(*words: Any) -> bool:
        left[0] -= 1
        if left[0] >= 0:
            raise LedgerUnavailable("disk full")
        return replace(*words)

    monkeypatch.setattr(Vault, "replace", fails)
    if failures < TRIES:
        assert place.client().who() and place.is_in_step()
        return
    with pytest.raises(LedgerUnavailable, match="could not be sealed: disk full; the one there may be void"):
        place.client().who()


def test_a_refresh_token_in_the_environment_is_refused_before_it_is_used(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, REFRESH_TOKEN)
    with pytest.raises(Misconfigured) as error:
        place.client().who()
    assert f"mlc credentials set {NAME}" in (error.value.cure or "") and "cannot be kept" in error.value.message
    assert place.box.monday.app.spent == [], "the token is good still"


@pytest.mark.parametrize("key", ["", Fernet.generate_key().decode()], ids=["none", "another"])
def test_a_vault_that_does_not_open_is_told_before_the_token_is_used(
    place: Place, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    client = place.client()
    monkeypatch.setenv("MLC_MASTER_KEY", key)
    with pytest.raises(Misconfigured, match="MLC_MASTER_KEY"):
        client.who()
    assert place.box.monday.app.spent == []


# --- what people see ------------------------------------------------------------------------------------------------


def mlc_yaml(place: Place, connection: str = "monday") -> dict[str, Any]:
    section = {
        **SETTINGS,
        "oauth": "true",
        "base_url": f"{place.box.url}/monday",
        "token_url": f"{place.box.url}{PATH}",
    }
    ifs = {"base_url": f"{place.box.url}/ifs", "token_url": f"{place.box.url}/ifs/token"}
    own = section if connection == "monday" else {**section, "system": "monday"}
    return {"companies": {"0010": {"currency": "SEK"}}, "partitions_start": "2026-11-01", "ifs": ifs, connection: own}


def test_ping_signs_in_as_the_app_and_keeps_what_it_was_given(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONDAY_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("MONDAY_CLIENT_SECRET", CLIENT_SECRET)
    found = ping_all(parse(mlc_yaml(place), "mlc.yaml"), sealed, 60, kept=replaced)
    (told,) = (each for each in found if (each.system, each.what) == ("monday", "sign-in"))
    assert told.ok and place.is_in_step() and place.box.monday.app.spent


def test_the_secrets_are_those_of_the_sign_in_that_mlc_yaml_chooses(place: Place) -> None:
    assert needed_secrets()["monday"] == ("MONDAY_TOKEN",)
    app = ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")
    for connection in ("monday", "monday_us"):
        names = needed_secrets(parse(mlc_yaml(place, connection), "mlc.yaml"))[connection]
        assert names == tuple(f"{connection.upper()}_{each}" for each in app)
    assert known_secret(NAME) == NAME, "it may be sealed before mlc.yaml says monday.oauth"


def test_a_connection_of_another_name_tells_its_own_secret(place: Place) -> None:
    with pytest.raises(Misconfigured, match="MONDAY_US_REFRESH_TOKEN is not set"):
        place.client("monday_us").who()
    place.seal("of-yesterday", "MONDAY_US_REFRESH_TOKEN")
    with pytest.raises(AccessDenied) as error:
        place.client("monday_us").who()
    assert "mlc credentials set MONDAY_US_REFRESH_TOKEN" in (error.value.cure or "")


def test_no_token_is_in_logs_errors_or_the_ledgers_file(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG, logger="mlc_dagster")
    client, said = place.client(), []
    client.who()
    for fault in ({"status": 400}, {"status": 500}, {"drop": "after"}):
        place.box.monday.app.expire_all()
        sent = f"{CLIENT_SECRET} {place.sealed}"
        place.box.faults.add(system="monday", path="/oauth_ms/", times=2, body=f'{{"error": "{sent}"}}', **fault)
        with pytest.raises(Exception) as error:
            place.client().who()
        said += traceback.format_exception(error.value)
        place.box.faults.clear()
        place.seal(place.box.monday.app.refresh_token)
    said += [repr(vars(ReplacedSecret(NAME, "-"))), repr(auth_of(place, FakeTime().clock)), caplog.text]
    with ReplacedSecret(NAME, place.url).alone() as held:
        said.append(repr(held))
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    app = place.box.monday.app
    for token in (CLIENT_SECRET, app.refresh_token, *app.spent, *app._until):
        assert not any(token in text for text in said) and token.encode() not in kept
    assert NAME.encode() in kept, "the name is kept, so the search would have found the value"


def test_the_sign_in_is_as_published(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_MASTER_KEY", KEY)
    monkeypatch.setenv("MLC_DATABASE_URL", sqlite_url)
    unstarted = Sandbox(seed="empty")
    recorder = recorded(unstarted)
    with unstarted as box:
        place = Place(box, sqlite_url)
        place.seal(REFRESH_TOKEN)
        place.client().who()
        place.seal("of-yesterday")
        with pytest.raises(AccessDenied):
            place.client().who()
    account = hold(recorder.exchanges, {"monday": published("monday")})
    assert account.misfits == {} and account.seen["monday", "sign in as an app"] == 2
