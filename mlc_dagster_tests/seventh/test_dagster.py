"""Tally Books in both directions: real Dagster runs, real HTTP, the real ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.configuration import secrets
from mlc_dagster.systems.registry import systems
from mlc_dagster_tests.orchestration.conftest import check, metadata
from mlc_dagster_tests.seventh.conftest import PLENTY, World, connect, journal

SUPPLIERS, VOUCHERS = "tally/suppliers", "ifs/vouchers_from_tally"


def vouchers(world: World) -> dict[str, list[tuple[str, Decimal | None, Decimal | None]]]:
    """External reference -> what is posted."""
    return {
        row["ExternalRef"]: [
            (line["Account"], line["DebitAmount"], line["CreditAmount"]) for line in row["VoucherRows"]
        ]
        for row in world.box.ifs.rows("VoucherSet")
    }


def writes(world: World) -> tuple[int, int]:
    return len(world.box.journal("ifs")), len(world.box.journal("tally"))


def held(world: World, flow: str) -> dict[str, tuple[str, ...]]:
    with world.ledger as ledger:
        return {hold.key: hold.rules for hold in ledger.open_holds(flow)}


def test_suppliers_of_the_erp_go_to_the_seventh_system_under_their_numbers(books: World) -> None:
    books.put_supplier("S2", CurrencyCode="EUR")
    result = books.run("tally")
    assert result.success and metadata(result, SUPPLIERS)["created"] == 2
    kept = {row["external_ref"]: (row["name"], row["currency"]) for row in books.box.tally.suppliers}
    assert kept == {"S1": ("Supplier S1", "SEK"), "S2": ("Supplier S2", "EUR")}
    with books.ledger as ledger:
        assert ledger.remote_ids(SUPPLIERS) == {row["external_ref"]: row["id"] for row in books.box.tally.suppliers}


def test_closed_journals_become_vouchers_to_the_cent_and_drafts_stay_out(books: World) -> None:
    for row in (journal("J1", "250.00"), journal("J2", "0.10"), journal("J3", "9.99"), journal("J4", status="draft")):
        books.box.tally.put_journal(row)
    assert books.run("tally").success
    found = vouchers(books)
    assert set(found) == {"tally-journal-J1", "tally-journal-J2", "tally-journal-J3"}, "three pages of two, once each"
    assert found["tally-journal-J2"] == [("4010", Decimal("0.10"), None), ("1930", None, Decimal("0.10"))]


def test_the_same_again_and_a_replay_of_stored_rows_write_nothing(books: World) -> None:
    books.box.tally.put_journal(journal("J1"))
    assert books.run("tally").success
    before = writes(books)
    again = books.run("tally")
    assert again.success and metadata(again, SUPPLIERS)["unchanged"] == metadata(again, VOUCHERS)["unchanged"] == 1
    replayed = books.run(
        "tally", only=[f"{name}{part}" for name in (SUPPLIERS, VOUCHERS) for part in ("_prepared", "")]
    )
    assert replayed.success and writes(books) == before


def test_what_changed_in_the_erp_is_sent_once(books: World) -> None:
    assert books.run("tally").success
    books.put_supplier("S1", Name="Another name AB")
    assert metadata(books.run("tally"), SUPPLIERS)["updated"] == 1
    assert [(row["id"], row["name"]) for row in books.box.tally.suppliers] == [("S1", "Another name AB")]
    assert [entry["method"] for entry in books.box.journal("tally")] == ["POST", "PATCH"]


def test_a_post_whose_answer_is_lost_is_looked_for_and_not_sent_twice(books: World) -> None:
    books.box.faults.add(system="tally", method="POST", drop="after")
    books.run("tally")
    assert books.run("tally").success
    assert len(books.box.tally.suppliers) == 1
    assert [entry["method"] for entry in books.box.journal("tally")] == ["POST"]
    with books.ledger as ledger:
        assert ledger.remote_ids(SUPPLIERS) == {"S1": books.box.tally.suppliers[0]["id"]}


def test_a_record_that_breaks_a_rule_is_held_and_the_others_go(books: World) -> None:
    books.put_supplier("S2", CurrencyCode=None)
    crooked = [{"account": "4010", "debit": "5.00"}, {"account": "1930", "credit": "4.00"}]
    for row in (
        journal("J1"),
        journal("J2", currency="EUR"),
        journal("J3", lines=crooked),
        journal("J4", company="77"),
    ):
        books.box.tally.put_journal(row)
    result = books.run("tally")
    assert result.success
    assert held(books, SUPPLIERS) == {"S2": ("required_fields_are_given",)}
    rules = held(books, VOUCHERS)
    assert rules.keys() == {"J2", "J3", "J4"} and rules["J2"] == ("currency_is_the_companys",)
    assert rules["J3"] == ("voucher_balances",) and "company_is_mapped" in rules["J4"]
    assert set(vouchers(books)) == {"tally-journal-J1"} and len(books.box.tally.suppliers) == 1
    found = check(result, f"{VOUCHERS}_prepared", "currency_is_the_companys")
    assert not found.passed, "the package's own rule is a check in the UI"


def test_the_assets_are_what_any_other_systems_are(books: World) -> None:
    graph = books.defs.resolve_asset_graph()
    ours = {key.to_user_string() for key in graph.get_all_asset_keys() if "tally" in key.to_user_string()}
    assert ours == {
        "tally/journals",
        *(f"{name}{part}" for name in (SUPPLIERS, VOUCHERS) for part in ("_prepared", "")),
        f"{VOUCHERS}_verified",  # the ERP shows what it has of them
    }
    assert "tally" in books.defs.get_repository_def().job_names


def test_a_second_connection_has_its_own_name_secret_budget_and_records(books: World, monkeypatch: Any) -> None:
    with Sandbox(seed="empty", today=date(2026, 11, 20), limits=PLENTY) as other:
        monkeypatch.setenv("TALLY_US_TOKEN", "sandbox-tally-token")
        connect(books, tally={}, tally_us={"system": "tally", "base_url": f"{other.url}/tally"})
        for box in (books.box, other):
            box.tally.put_journal(journal("J1"))
        assert secrets("tally_us", systems()["tally"]) == ("TALLY_US_TOKEN",)
        assert books.run("tally").success and not other.tally.suppliers
        assert books.run("tally_us").success and len(other.tally.suppliers) == 1
        assert set(vouchers(books)) == {"tally-journal-J1", "tally-journal-tally_us-J1"}, "two documents, and not one"
        graph = books.defs.resolve_asset_graph()
        node = graph.get(next(key for key in graph.get_all_asset_keys() if key.path == ["tally_us", "journals"]))
        assert node.kinds == {"tally", "parquet"}, "a kind is what it is, not what mlc.yaml calls it"


def test_the_sandbox_keeps_the_seventh_system_across_a_restart(books: World, tmp_path: Path) -> None:
    state = tmp_path / "sandbox.state"
    first = Sandbox(state=state)
    first.tally.put_journal(journal("J1"))
    first.save()
    assert [row["id"] for row in Sandbox(state=state).tally.journals] == ["J1"]
