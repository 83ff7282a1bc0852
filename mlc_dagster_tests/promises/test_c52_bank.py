"""C52: bank details are carried nowhere, kept nowhere and shown nowhere; that they changed waits for two people."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.bank_details import details_of, in_words, mark_of, shown, without, without_in_text
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger import HoldEntry, Ledger, Run
from mlc_dagster.ledger.records.decisions import DecisionRefused, NeedsSecondPerson
from mlc_dagster.orchestration.location import flows_of
from mlc_dagster.systems.configuration import erp_settings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.promises.saas_life import VENDORS, Office, office, vendor

pytestmark = pytest.mark.promise(
    "C52", "Bank details are never carried, stored in clear or shown whole; a change waits for two different people."
)

RULE = "bank_details_are_confirmed"
OLD, NEW = "SE4550000000058398257466", "DE89370400440532013000"
RUN = Run("by hand", "2026-11-30")


def bank(number: str) -> dict[str, Any]:
    """As some tenants' vendors show it: below a name of its own."""
    return {"bank_account": {"iban": number, "bic": "ESSESESS"}}


def show(here: Office, number: int, **fields: Any) -> None:
    """What Procurify answers of a vendor, beside what is published."""
    here.box.procurify.touch_vendor(number, **fields)


def only_hold(here: Office, flow: str = VENDORS) -> HoldEntry:
    (hold,) = here.ledger.open_holds(flow)
    return hold


@pytest.fixture
def linked(ledger: Ledger, tmp_path: Path) -> Iterator[Office]:
    """A vendor that carries the number of a supplier that the ERP has."""
    with office(ledger, tmp_path) as here:
        row = {"SupplierId": "S81", "Name": "Vendor 1", "Country": "SE", "CurrencyCode": "SEK"}
        here.box.ifs.put("SupplierSet", row, modified=datetime.now(UTC))
        vendor(here.box)
        show(here, 81, external_id="S81", **bank(OLD))
        here.box.procurify.put_vendor(id=82, name="Vendor 2", country="Sweden", currency="SEK")
        here.go(VENDORS)
        assert here.holds(VENDORS) == {}, "the first that a linked vendor has are taken as they are"
        yield here


def test_a_change_in_the_saas_is_held_and_changes_nothing_in_the_erp(linked: Office) -> None:
    before = linked.box.ifs.rows("SupplierSet")
    show(linked, 81, **bank(NEW), name="Vendor One")

    linked.go(VENDORS)
    linked.go(VENDORS)

    hold = only_hold(linked)
    assert hold.rules == (RULE,) and linked.box.ifs.rows("SupplierSet") == before
    assert "are now bank details ending in …3000, and were bank details ending in …7466" in hold.problems[0].reason


def test_two_different_people_release_it_and_nothing_of_it_is_carried(linked: Office) -> None:
    show(linked, 81, **bank(NEW), name="Vendor One")
    linked.go(VENDORS)
    hold, decisions = only_hold(linked), linked.ledger.decisions
    with pytest.raises(NeedsSecondPerson, match="second person"):
        decisions.release(hold, "Ann", "called them", RUN)
    for again in ("Ann", " ann "):
        with pytest.raises(NeedsSecondPerson):
            decisions.release(hold, again, "once more", RUN)
    assert linked.holds(VENDORS) == {"81": RULE}

    decisions.release(hold, "Bo", "I called them too", RUN)
    linked.go(VENDORS)

    supplier = next(row for row in linked.box.ifs.rows("SupplierSet") if row["SupplierId"] == "S81")
    assert linked.holds(VENDORS) == {} and supplier["Name"] == "Vendor One" and not supplier["BankAccount"]
    assert [event for event in linked.events(VENDORS, "81") if "released" in event] == ["released_once", "released"]
    linked.go(VENDORS)
    assert linked.holds(VENDORS) == {}, "what two people confirmed is known"
    show(linked, 81, **bank(OLD))
    linked.go(VENDORS)
    assert linked.holds(VENDORS) == {"81": RULE}, "a change back is a change"


def test_the_first_word_counts_for_that_content_alone(linked: Office) -> None:
    show(linked, 81, **bank(NEW))
    linked.go(VENDORS)
    with pytest.raises(NeedsSecondPerson):
        linked.ledger.decisions.release(only_hold(linked), "Ann", "called them", RUN)
    show(linked, 81, **bank("GB29NWBK60161331926819"))
    linked.go(VENDORS)
    with pytest.raises(NeedsSecondPerson):
        linked.ledger.decisions.release(only_hold(linked), "Bo", "I called them too", RUN)
    assert linked.holds(VENDORS) == {"81": RULE}


def test_a_word_without_a_reason_is_none(linked: Office) -> None:
    show(linked, 81, **bank(NEW))
    linked.go(VENDORS)
    hold = only_hold(linked)
    for who, why in (("", "x"), ("Ann", " ")):
        with pytest.raises(DecisionRefused):
            linked.ledger.decisions.release(hold, who, why, RUN)
    assert "released_once" not in linked.events(VENDORS, "81")


def test_what_is_taken_away_is_a_change_and_another_field_is_none(linked: Office) -> None:
    show(linked, 81, name="Vendor One", **bank(OLD))
    linked.go(VENDORS)
    assert linked.holds(VENDORS) == {}
    show(linked, 81, bank_account=None)
    linked.go(VENDORS)
    assert "are gone" in only_hold(linked).problems[0].reason


def test_a_vendor_that_invites_itself_makes_no_supplier(ledger: Ledger, tmp_path: Path) -> None:
    with office(ledger, tmp_path) as here:
        here.box.procurify.put_vendor(id=82, name="Nice Ltd", country="Sweden", currency="SEK")
        show(here, 82, **bank(NEW))
        here.go(VENDORS)
        assert "A new vendor of Procurify brings" in only_hold(here).problems[0].reason or here.holds(VENDORS)
        assert here.holds(VENDORS) == {"82": RULE} and here.box.ifs.rows("SupplierSet") == []


@pytest.mark.parametrize("flow", ["ifs/suppliers_from_airbase", "ifs/suppliers_from_cin7"])
def test_vendors_of_airbase_and_cin7_are_held_the_same_way(sqlite_ledger: Ledger, tmp_path: Path, flow: str) -> None:
    with office(sqlite_ledger, tmp_path, cin7={"create_suppliers_in_ifs": "true"}) as here:
        system = flow.rpartition("_")[2]
        key = _vendor_of(here, system)
        _shows(here, system, key, {"iban": NEW})
        here.go(flow)
        assert set(here.holds(flow).values()) == {RULE} and here.box.ifs.rows("SupplierSet") == []


NICE = {
    "Name": "Nice Ltd",
    "Currency": "SEK",
    "PaymentTerm": "30 days",
    "TaxRule": "Tax Exempt",
    "AccountPayable": "800",
}


def _vendor_of(here: Office, system: str) -> str:
    if system == "airbase":
        return here.box.airbase.add_vendor(name="Nice Ltd")
    return str(here.box.cin7.add_supplier(**NICE))


def _shows(here: Office, system: str, key: str, more: dict[str, Any]) -> None:
    """A tenant whose vendors show more than was ever published."""
    part = getattr(here.box, system)
    kept = part.remembered()
    shelf = kept["vendors" if system == "airbase" else "suppliers"]
    rows = shelf.values() if isinstance(shelf, dict) else shelf
    for row in rows:
        row.update(more)
    part.recall(kept)
    assert key


def test_it_is_stored_nowhere_in_clear(tmp_path: Path) -> None:
    """The whole database file, every stored row, every log line: the numbers of both sides are in none of them."""
    erps = "9876543210987"
    with (
        Ledger.open(f"sqlite:///{tmp_path}/state/ledger.db") as opened,
        office(opened, tmp_path) as here,
    ):
        row = {"SupplierId": "S9", "Name": "Old One", "Country": "SE", "BankAccount": erps}
        here.box.ifs.put("SupplierSet", row, modified=datetime.now(UTC))
        here.go("hubspot/supplier_companies")
        vendor(here.box)
        show(here, 81, **bank(OLD))
        here.go(VENDORS)
        show(here, 81, **bank(NEW), dateModified="no time")
        here.go(VENDORS)
        stored = list((tmp_path / "rows").rglob("*.parquet"))
        told = json.dumps([pq.read_table(path).to_pylist() for path in stored], default=str, ensure_ascii=False)
    with closing(sqlite3.connect(tmp_path / "state" / "ledger.db")) as database:
        told += "\n".join(database.iterdump())
    told = told.replace("\\u2026", "…")
    assert stored and "…3000" in told and "…0987" in told
    assert not [number for number in (OLD, NEW, erps, "ESSESESS") if number in told]


def test_an_unreadable_row_keeps_no_bank_details_either(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        vendor(here.box)
        show(here, 81, type="no number", **bank(OLD))
        here.go(VENDORS)
        hold = only_hold(here)
        told = json.dumps(hold.row, ensure_ascii=False)
        assert hold.rules == ("record_is_readable",) and OLD not in told and "…7466" in told


def test_a_webhook_is_kept_without_them() -> None:
    body = json.dumps({"SupplierDetailsList": [{"Supplier": {"ID": "1", "Name": "A", "BankDetails": {"No": OLD}}}]})
    kept = without_in_text(body)
    assert OLD not in kept and json.loads(kept)["SupplierDetailsList"][0]["Supplier"]["ID"] == "1"
    plain = '{"type":  "a", "data": {"id": 7}}'
    assert without_in_text(plain) == plain, "letter by letter: what is signed and compared stays as it came"


def test_a_field_of_mlc_yaml_carries_none(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    extra = {"extra_fields": {"supplier_companies": {"bank_account": "bank"}}}
    with office(sqlite_ledger, tmp_path, hubspot=extra) as here:
        settings = here.journey(VENDORS).settings
        with pytest.raises(Misconfigured, match="never carried"):
            flows_of(settings, ifs.catalogue_for(erp_settings(settings)))


def test_many_are_not_released_at_once(linked: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    show(linked, 81, **bank(NEW))
    linked.go(VENDORS)
    monkeypatch.setenv("MLC_DATABASE_URL", linked.ledger._database.url.render_as_string(hide_password=False))
    (tmp_path / "mlc.yaml").write_text(json.dumps(linked.content), encoding="utf-8")
    monkeypatch.setenv("MLC_CONFIG", str(tmp_path / "mlc.yaml"))
    words = ["holds", "release", "--flow", VENDORS, "--rule", RULE, "--reason", "all fine", "--who", "Ann", "--yes"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code != 0 and linked.holds(VENDORS) == {"81": RULE}
    assert "never in bulk" in (str(result.exception) + result.output), result.output
    assert "released_once" not in linked.events(VENDORS, "81")


@pytest.mark.parametrize(
    "document",
    [{"iban": OLD}, {"payee": {"bankAccountNumber": OLD}}, {"banks": [{"x": OLD}]}, {"Routing_Number": OLD}],
)
def test_they_are_found_by_their_names_in_any_style(document: dict[str, Any]) -> None:
    assert [text for _, text in details_of(document)] == [OLD] and OLD not in json.dumps(without(document))
    mark = mark_of(document, b"salt", "81")
    assert mark and OLD not in mark and in_words(mark) == "bank details ending in …7466"
    assert mark != mark_of(document, b"other", "81") and mark != mark_of(document, b"salt", "82")


def test_a_short_number_is_not_shown_at_all() -> None:
    assert shown("1234567") == "" and mark_of({"iban": "1234"}, b"s", "1")
    assert mark_of({"name": "Bank AB"}, b"", "1") is None
    assert without({"sort_code": "123456", "name": "A"}) == {"sort_code": "…", "name": "A"}


def test_the_salt_is_made_once(ledger: Ledger) -> None:
    assert ledger.bank_marks.salt() == ledger.bank_marks.salt() and len(ledger.bank_marks.salt()) == 32
