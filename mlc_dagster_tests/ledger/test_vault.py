"""Secrets in the ledger's database: sealed, bound to their names, rotated, and never told."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger import Ledger

MARKED = "s3cr3t-marked-värde"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_a_secret_comes_back_as_it_was_set_and_the_last_one_wins(ledger: Ledger) -> None:
    vault = ledger.vault(OLD)
    vault.set("AIRBASE_TOKEN", "first")
    vault.set("AIRBASE_TOKEN", MARKED)
    assert vault.get("AIRBASE_TOKEN") == MARKED and vault.get("IFS_CLIENT_ID") is None
    assert [(each.name, each.opens, each.newest_key) for each in vault.sealed()] == [("AIRBASE_TOKEN", True, True)]


def test_no_value_stands_in_the_database(sqlite_url: str, tmp_path: Path) -> None:
    with Ledger.open(sqlite_url) as ledger:
        ledger.vault(OLD).set("AIRBASE_TOKEN", MARKED)
        files = [path for path in Path(sqlite_url.removeprefix("sqlite:///")).parent.iterdir() if path.is_file()]
        content = b"".join(path.read_bytes() for path in files)
    assert b"AIRBASE_TOKEN" in content, "the name is there, so the search would have found the value"
    assert b"s3cr3t-marked" not in content and OLD.encode() not in content


def test_keys_are_rotated_without_a_moment_in_which_nothing_opens(ledger: Ledger) -> None:
    ledger.vault(OLD).set("AIRBASE_TOKEN", MARKED)
    both = ledger.vault(f"{NEW}, {OLD}")
    assert both.get("AIRBASE_TOKEN") == MARKED and not both.sealed()[0].newest_key
    assert both.rotate() == 1
    assert ledger.vault(NEW).get("AIRBASE_TOKEN") == MARKED and both.sealed()[0].newest_key
    with pytest.raises(Misconfigured):
        ledger.vault(OLD).get("AIRBASE_TOKEN")


def test_a_rotation_that_cannot_open_one_secret_changes_none(ledger: Ledger) -> None:
    ledger.vault(OLD).set("A", "one")
    ledger.vault(NEW).set("B", "two")
    third = Fernet.generate_key().decode()
    with pytest.raises(Misconfigured, match="secret B"):
        ledger.vault(f"{third},{OLD}").rotate()
    assert ledger.vault(OLD).get("A") == "one" and ledger.vault(NEW).get("B") == "two"


def test_a_row_cannot_be_passed_off_as_another(ledger: Ledger) -> None:
    vault = ledger.vault(OLD)
    vault.set("A", "one")
    vault.set("B", "two")
    with ledger._database.writing() as connection:
        connection.exec_driver_sql("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'A')")
    with pytest.raises(Misconfigured, match="secret B"):
        vault.get("B")


@pytest.mark.parametrize(
    "keys", ["", " , ", "not-a-key-marked", f"{OLD},broken-marked"], ids=["none", "blanks", "no key", "one is no key"]
)
def test_what_is_no_master_key_is_told_without_showing_it(sqlite_ledger: Ledger, keys: str) -> None:
    with pytest.raises(Misconfigured) as said:
        sqlite_ledger.vault(keys)
    text = "".join(traceback.format_exception(said.value))
    assert "MLC_MASTER_KEY" in text and "marked" not in text.replace(__file__, "") and OLD not in text


def test_a_secret_that_is_removed_is_gone(ledger: Ledger) -> None:
    vault = ledger.vault(OLD)
    vault.set("A", "one")
    assert vault.remove("A") and not vault.remove("A") and vault.get("A") is None
    assert "one" not in repr(vault) and OLD not in repr(vault)


def test_a_value_is_replaced_only_where_the_old_one_is_there_still(ledger: Ledger) -> None:
    vault = ledger.vault(OLD)
    assert not vault.replace("A", "one", "two") and vault.get("A") is None
    vault.set("A", "one")
    assert vault.replace("A", "one", "two") and vault.get("A") == "two"
    assert not vault.replace("A", "one", "three") and vault.get("A") == "two"
