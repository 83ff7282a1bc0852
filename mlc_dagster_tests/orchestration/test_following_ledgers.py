"""Cin7's chart beside the ERP's, as Dagster shows it, and what is posted into a company that Cin7's ledger follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.core.arrow_columns import source_batch, source_schema
from mlc_dagster.core.facts import Facts
from mlc_dagster.orchestration.assets import following_ledgers
from mlc_dagster.orchestration.assets.following_ledgers import with_following
from mlc_dagster.orchestration.location import build
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.rules import accounts_are_in_the_following_ledger
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.systems.cin7.chart_records import Account
from mlc_dagster.systems.ifs.entry_records import Invoice, PayableLine
from mlc_dagster_tests.orchestration.conftest import World, check
from mlc_dagster_tests.orchestration.test_references import table
from mlc_dagster_tests.promises.journey import content_at, flow_of

PAYMENTS, INVOICES = "ifs/vouchers_from_airbase_payments", "ifs/supplier_invoices_from_procurify"
TODAY = datetime.now(UTC).date()


def settings_with(**company: Any) -> Settings:
    content = content_at("http://127.0.0.1:1")
    content["companies"] = {"0010": {"currency": "SEK", "cin7": company}, "20": {"currency": "JPY"}}
    content["airbase"]["payments_into_ifs"] = "true"
    content["cin7"]["gl_accounts"] = {"4010": "310"}
    return settings_file.parse(content, "mlc.yaml")


def stored(world: World, *accounts: Account) -> RowStore:
    store = RowStore(world.environment.storage, world.ledger.stored, "")
    rows = [{name: getattr(one, name) for name in one.__struct_fields__} for one in accounts]
    nothing = [None] * len(rows)
    batch = source_batch(rows, nothing, nothing, Account)
    store.write(("cin7", "accounts"), "latest", source_schema(Account), [batch])
    return store


def invoice(*accounts: str, company: str = "0010") -> Invoice:
    lines = tuple(PayableLine(account=each, amount=Decimal(1)) for each in accounts)
    amounts: dict[str, Any] = {"net_amount": Decimal(2), "vat_amount": Decimal(0), "gross_amount": Decimal(2)}
    named: dict[str, Any] = {"external_ref": "r", "company": company, "currency": "SEK", "supplier_id": "S1"}
    return Invoice(**named, **amounts, invoice_no="1", invoice_date=TODAY, lines=lines)


def judged(world: World, settings: Settings, record: Invoice, store: RowStore) -> str:
    facts = with_following(Facts(), flow_of(PAYMENTS), settings, store, world.ledger)
    found = accounts_are_in_the_following_ledger(None, record, facts)
    return found.reason if found else ""


CHART = (Account(code="310", name="Goods"), Account(code="2990", is_active=False), Account(code="5000"))


def test_an_account_that_is_blocked_in_cin7_and_open_in_the_erp_is_held_before_it_is_posted(world: World) -> None:
    follows, store = settings_with(ledger="follows"), stored(world, *CHART)
    assert judged(world, follows, invoice("4010", "5000"), store) == "", "4010 is 310 there, by gl_accounts"
    reason = judged(world, follows, invoice("4010", "2990"), store)
    assert "GL account 2990 of company 0010 is not in the active chart of Cin7" in reason and "line 2" in reason
    assert judged(world, follows, invoice("2990", company="20"), store) == "", "no ledger follows that company"
    assert judged(world, settings_with(), invoice("2990"), store) == "", "off where mlc.yaml names no ledger"


def test_without_a_fresh_chart_nothing_is_posted_for_the_company_that_is_followed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    follows = settings_with(ledger="follows")
    empty = RowStore(world.environment.storage, world.ledger.stored, "")
    assert "was never read: materialize cin7/accounts" in judged(world, follows, invoice("5000"), empty)
    assert judged(world, follows, invoice("5000", company="20"), empty) == ""
    store = stored(world, *CHART)
    later = datetime.now(UTC) + timedelta(hours=27)
    monkeypatch.setattr(following_ledgers, "datetime", type("Later", (datetime,), {"now": lambda zone=None: later}))
    assert "older than 26 hours" in judged(world, follows, invoice("5000"), store)


def test_vouchers_and_invoices_of_both_saas_ask_it_and_know_where_the_chart_comes_from(world: World) -> None:
    defs = build(settings_with(ledger="follows"), world.environment)
    graph = defs.resolve_asset_graph()
    for flow in (PAYMENTS, INVOICES):
        prepared = dg.AssetKey(f"{flow}_prepared".split("/"))
        assert dg.AssetKey(["cin7", "accounts"]) in graph.get(prepared).parent_keys, flow
        names = {key.name for key in graph.get_check_keys_for_assets([prepared])}
        assert "accounts_are_in_the_following_ledger" in names, flow


def test_the_whole_chart_of_cin7_stands_beside_each_company_that_it_follows(world: World) -> None:
    world.put_account("4010")
    world.put_account("5020")
    world.put_account("9000", Blocked=True)
    for code in list(world.box.cin7.books.accounts):
        world.box.cin7.remove_account(code)
    world.box.cin7.add_account("4010", "Raw materials")
    world.box.cin7.add_account("5020", "Rent", status="ARCHIVED")
    world.box.cin7.add_account("9000", "Blocked over there")
    world.box.cin7.add_account("7777", "Only here")
    said = settings_with(ledger="follows").companies
    world.settings = world.settings.model_copy(update={"companies": {"0010": said["0010"]}})
    world.chart()
    result = world.references("cin7")
    (absent,) = table(check(result, "cin7/accounts", "ifs_accounts_are_in_cin7"))
    strange = table(check(result, "cin7/accounts", "cin7_accounts_are_in_ifs"))
    assert (absent["missing_in"], absent["company"], absent["code"]) == ("Cin7", "0010", "5020")
    assert "not active" in absent["reason"]
    assert [(each["missing_in"], each["company"], each["code"]) for each in strange] == [
        ("IFS", "0010", "7777"),
        ("IFS", "0010", "9000"),
    ]
    assert "blocked" in strange[1]["reason"]
    assert not list(world.box.journal("cin7")), "it is a check: nothing is written"
