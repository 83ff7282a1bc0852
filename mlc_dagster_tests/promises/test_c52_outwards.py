"""C52: bank details that go from IFS outwards: sealed at rest, written over nothing, and never back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger import HoldEntry, Ledger, Run
from mlc_dagster.ledger.records.decisions import NeedsSecondPerson
from mlc_dagster.ledger.vault import Vault
from mlc_dagster.orchestration.fixed_resources import resources
from mlc_dagster.rules.waiving import AT_THE_LOAD, BANK_DETAILS_DIFFER, FOUR_EYES
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings import Environment
from mlc_dagster.systems import configuration
from mlc_dagster_tests.promises.kinds import PLENTY
from mlc_dagster_tests.systems.rounds import Rounds

pytestmark = pytest.mark.promise(
    "C52", "Where they go outwards, by mlc.yaml: sealed at rest, held where somebody else entered them, never back."
)

OURS, NEXT, THEIRS = "SE4550000000058398257466", "SE3550000000054910000003", "DE89370400440532013000"
THERE, BACK = "airbase/vendors", "ifs/suppliers_from_airbase"
KEY = Fernet.generate_key().decode()


class Office(Rounds):
    """Clients as a run of Dagster has them: with the ledger's salt, and a vault where details go out."""

    sealed = True

    def client(self, system: str) -> Any:
        made = super().client(system)
        made.bank_salt = self.ledger.bank_marks.salt
        if self.sealed and system == "ifs":
            made.keep_bank_details = self.ledger.vault(KEY).keep_bank_details
        if system == "airbase":
            made.open_bank_details = self.ledger.vault(KEY).bank_details
        return made

    def vendor(self) -> dict[str, Any]:
        (found,) = self.box.airbase.vendors.values()
        return found

    def enters(self, **bank: str | None) -> None:
        """Whoever is signed in to Airbase enters bank details."""
        self.box.airbase.change_vendor(self.vendor()["airbase_id"], bank_account=bank)

    def hold(self) -> HoldEntry:
        (found,) = self.ledger.open_holds(THERE)
        return found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    profiles = ("airbase.vendor_details=bank_account",)
    with (
        Sandbox(seed="empty", limits=PLENTY, profiles=profiles) as box,
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger,
    ):
        made = Office(box, ledger, "airbase", {"bank_details": "bank_account.iban"})
        made.put("S1", ago=60, BankAccount=OURS)
        yield made


def settles(office: Office) -> None:
    before = office.writes()
    office.once()
    office.once()
    assert office.writes() == before and office.holds() == {}


def test_they_arrive_are_kept_up_and_do_not_come_back(office: Office) -> None:
    office.once()
    assert office.vendor()["bank_account"] == {"iban": OURS}
    settles(office)
    office.put("S1", BankAccount=NEXT)
    office.once()
    assert office.vendor()["bank_account"] == {"iban": NEXT}
    settles(office)
    assert office.supplier()["BankAccount"] == NEXT and not office.box.journal("ifs")


def test_who_took_over_a_user_of_the_saas_changes_nothing_and_is_seen_on_both_ways(office: Office) -> None:
    office.once()
    office.enters(iban=THEIRS)
    office.put("S1", BankAccount=NEXT)
    before = office.writes()
    office.once()
    office.once()
    assert office.vendor()["bank_account"] == {"iban": THEIRS} and office.writes() == before, "neither way"
    assert set(office.holds()) == {(THERE, "S1"), (BACK, office.vendor()["airbase_id"])}
    reason = office.hold().problems[0].reason
    assert "has bank details ending in …3000" in reason and "the ERP has bank details ending in …0003" in reason


def test_two_people_are_asked_and_even_they_let_nothing_be_written_over(office: Office) -> None:
    office.once()
    office.enters(iban=THEIRS)
    office.put("S1", BankAccount=NEXT)
    office.once()
    decisions, run = office.ledger.decisions, Run("by hand", "2026-11-30")
    with pytest.raises(NeedsSecondPerson):
        decisions.release(office.hold(), "Ann", "called them", run)
    decisions.release(office.hold(), "Bo", "I called them too", run)
    office.once()
    assert office.vendor()["bank_account"] == {"iban": THEIRS} and office.hold().rules == (BANK_DETAILS_DIFFER,)
    office.enters(iban=NEXT)
    office.once()
    assert (THERE, "S1") not in office.holds(), "corrected by hand, both agree"
    assert BANK_DETAILS_DIFFER in FOUR_EYES and BANK_DETAILS_DIFFER in AT_THE_LOAD, "never in bulk, never healed"


def test_another_field_of_them_that_somebody_added_holds_it_too(office: Office) -> None:
    office.once()
    office.enters(iban=OURS, bic="DEUTDEFF")
    office.put("S1", BankAccount=NEXT)
    office.once()
    assert office.vendor()["bank_account"]["iban"] == OURS and office.hold().rules == (BANK_DETAILS_DIFFER,)


def test_a_vendor_that_has_others_at_the_first_meeting_is_held(office: Office) -> None:
    office.box.airbase.add_vendor(name="Supplier S1", bank_account={"iban": THEIRS})
    office.once()
    assert office.vendor()["bank_account"] == {"iban": THEIRS} and office.hold().rules == (BANK_DETAILS_DIFFER,)


def test_the_same_ones_in_other_groups_are_the_same(office: Office) -> None:
    office.box.airbase.add_vendor(name="Supplier S1", bank_account={"iban": "SE45 5000 0000 0583 9825 7466"})
    office.once()
    assert (THERE, "S1") not in office.holds()
    assert office.vendor()["bank_account"]["iban"].startswith("SE45 "), "nothing was to be written"


def test_a_refusal_that_quotes_them_is_kept_without_them(office: Office) -> None:
    said = json.dumps({"validation_errors": [{"index": 0, "bank_account": [f"{OURS} is no IBAN of a member."]}]})
    office.box.faults.add(system="airbase", method="POST", path="vendors", status=400, body=said, times=9)
    office.once()
    reason = office.hold().problems[0].reason
    assert "…7466 is no IBAN" in reason and OURS not in reason


def test_at_rest_they_are_sealed_with_the_vaults_key(office: Office, tmp_path: Path) -> None:
    office.once()
    office.enters(iban=THEIRS)
    office.put("S1", BankAccount=NEXT)
    office.once()
    ready = repr(office.prepared(office.there))
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database:
        told = "\n".join(database.iterdump()) + ready
    assert not [number for number in (OURS, NEXT, THEIRS) if number in told] and "…0003" in ready
    vault = office.ledger.vault(KEY)
    assert vault.sealed() == [], "they are nobody's credential"
    other = Fernet.generate_key().decode()
    assert Vault(office.ledger._database, f"{other},{KEY}").rotate() == 2, "a new key seals them, too"
    mark = office.prepared(office.there)[0].record.bank_mark
    assert Vault(office.ledger._database, other).bank_details(mark) == NEXT
    with pytest.raises(Misconfigured):
        vault.bank_details(mark)


def test_what_is_not_in_the_vault_is_held_and_not_left_out_in_silence(office: Office) -> None:
    office.sealed = False
    office.once()
    assert "are not in the vault" in office.hold().problems[0].reason and not office.box.airbase.vendors


def test_off_by_default_nothing_of_them_goes_anywhere(office: Office) -> None:
    office.section.clear()
    office.once()
    assert office.vendor()["bank_account"] is None and office.holds() == {}
    with pytest.raises(Misconfigured, match="begins with bank"):
        configuration.parse({"airbase": {"bank_details": "notes"}}, "mlc.yaml")


def test_without_a_master_key_nothing_is_read_at_all(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLC_MASTER_KEY", raising=False)
    url = f"sqlite:///{office.ledger._database.url.database}"
    for name, value in {"MLC_DATABASE_URL": url, "IFS_CLIENT_ID": "a", "IFS_CLIENT_SECRET": "b"}.items():
        monkeypatch.setenv(name, value)
    made = resources(office.settings, Environment(database_url=url))
    from dagster import build_resources

    with build_resources(made) as opened, pytest.raises(Misconfigured, match="MLC_MASTER_KEY is not set"):
        _ = opened.ifs.client
