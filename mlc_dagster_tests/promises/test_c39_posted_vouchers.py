"""C39, C40: a voucher that left the hold table was posted, or deleted; where the general ledger is shown, which."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.difference_kinds import GONE_IN_THE_SOURCE
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline.sweeping import Swept
from mlc_dagster.pipeline.verify import Verified
from mlc_dagster.sandbox.ifs.ledger import update
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.ping import ask_ifs
from mlc_dagster.systems.shared.findings import Question
from mlc_dagster_tests.promises.later import swept
from mlc_dagster_tests.promises.later_life import World
from mlc_dagster_tests.promises.saas_life import PAYMENTS, Office, office
from mlc_dagster_tests.promises.tenant_books import voucher

pytestmark = pytest.mark.promise("C39", "a voucher that was deleted is told, one that was posted is not")

ENTRIES = "monday/journal_entries"
POSTED = {"projection": "GenLedVoucherRowsAnalysis", "set": "GenLedVoucherRowSet"}
JULY = 7
KEYS = ("Company", "VoucherType", "AccountingYear", "VoucherNo")


@contextmanager
def tenant(ledger: Ledger, folder: Path, *, shows_ledger: bool = True) -> Iterator[Office]:
    """Whose vouchers leave the hold table for the general ledger."""
    with office(ledger, folder, ["ifs.no-workflow"]) as here:
        if shows_ledger:
            sets = {**here.content["ifs"].get("entity_sets", {}), "posted_voucher_set": POSTED}
            here.content["ifs"] = {**here.content["ifs"], "entity_sets": sets}
        yield here


def approve(here: Office, number: int) -> dict[str, Any]:
    debit, _, credit = voucher(number, JULY)["VoucherRows"]
    rows = [{**debit, "DebitAmount": Decimal(50)}, {**credit, "CreditAmount": Decimal(50)}]
    plain = [{**row, "CodeB": None, "CurrencyAmount": None, "CurrencyRate": Decimal(1)} for row in rows]
    row = {**voucher(number, JULY), "Company": "0010", "ObjState": "Approved", "VoucherRows": plain}
    here.box.ifs.put("VoucherSet", row)
    return row


def delete(here: Office, row: dict[str, Any]) -> str:
    here.box.ifs.delete("VoucherSet", **{name: row[name] for name in KEYS})
    return "/".join(str(row[name]) for name in KEYS)


def sweep(here: Office) -> Swept:
    journey = here.journey(ENTRIES)
    flow = journey.flow
    return swept(flow.source, [flow], journey.settings, here.ledger, lambda name, days: None)


def look(here: Office, flow: str) -> Verified:
    settings = configuration.parse(here.content, "mlc.yaml")
    return World(here.box, here.ledger, here.store, settings).look(flow)


def test_of_two_that_left_the_hold_table_the_deleted_one_is_gone(ledger: Ledger, tmp_path: Path) -> None:
    with tenant(ledger, tmp_path) as here:
        rows = [approve(here, number) for number in (0, 2)]
        assert here.go(ENTRIES).delivered == 2
        deleted = delete(here, rows[1])
        update(here.box.ifs)
        told = sweep(here)
        assert (told.moved_on, told.unsure, told.gone, told.new) == (1, 0, 1, 1)
        assert here.kinds(ENTRIES) == {deleted: GONE_IN_THE_SOURCE}


def test_one_that_is_told_as_gone_and_posted_after_all_is_agreed(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with tenant(sqlite_ledger, tmp_path) as here:
        row = approve(here, 0)
        here.go(ENTRIES)
        delete(here, row)
        assert sweep(here).new == 1
        here.box.ifs.put("VoucherSet", {**row, "ObjState": "Approved"})
        update(here.box.ifs)
        assert sweep(here).back == 1 and here.kinds(ENTRIES) == {}


def test_without_a_set_of_posted_vouchers_nobody_can_tell_and_that_is_said(
    sqlite_ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with tenant(sqlite_ledger, tmp_path, shows_ledger=False) as here:
        row = approve(here, 0)
        here.go(ENTRIES)
        delete(here, row)
        with caplog.at_level(logging.WARNING):
            told = sweep(here)
        assert (told.moved_on, told.unsure, told.gone) == (0, 1, 0) and here.kinds(ENTRIES) == {}
        assert "1 voucher(s) left the hold table" in caplog.text and "posted_voucher_set" in caplog.text
        settings = configuration.parse(here.content, "mlc.yaml")
        lines = [each.answer for each in ask_ifs(Question("ifs", settings, ("sandbox", "sandbox-secret")))]
        assert any("cannot be told from one that was posted" in line for line in lines)


@pytest.mark.promise("C40", "our own voucher that was deleted is told, one that was posted is there")
@pytest.mark.parametrize("is_deleted", [False, True])
def test_our_own_voucher_that_left_is_looked_for_in_the_general_ledger(
    sqlite_ledger: Ledger, tmp_path: Path, *, is_deleted: bool
) -> None:
    with tenant(sqlite_ledger, tmp_path) as here:
        entry = here.pay()
        for _ in range(2):  # the load that enters it is approved at the next read
            here.go(PAYMENTS)
        assert look(here, PAYMENTS).there == 1
        here.approve()
        if is_deleted:
            delete(here, here.vouchers()[0])
        update(here.box.ifs)
        account = look(here, PAYMENTS)
        assert (account.there, account.missing) == ((0, 1) if is_deleted else (1, 0))
        assert here.kinds(PAYMENTS) == ({entry: "deleted_in_the_target"} if is_deleted else {})


def test_a_posted_voucher_of_another_amount_is_told(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with tenant(sqlite_ledger, tmp_path) as here:
        here.pay()
        for _ in range(2):
            here.go(PAYMENTS)
        look(here, PAYMENTS)
        (row,) = here.vouchers()
        lines = [
            {**line, "DebitAmount": line["DebitAmount"] and line["DebitAmount"] + 1} for line in row["VoucherRows"]
        ]
        here.box.ifs.put("VoucherSet", {**row, "VoucherRows": lines, "ObjState": "Approved"})
        update(here.box.ifs)
        assert look(here, PAYMENTS).different == 1
