"""Tenants of entity services, and tenants without a workflow: what is not activated, what leaves, how years begin."""

from __future__ import annotations

import base64
from datetime import date
from decimal import Decimal

import pytest

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.ifs import ledger
from mlc_dagster.sandbox.ifs.fiscal import year_and_period
from mlc_dagster.sandbox.ifs.views.view import INT
from mlc_dagster_tests.sandbox.ifs.test_loads import (
    ACTION,
    INVOICE_LOADS,
    act,
    invoice,
    loaded,
    voucher_load,
    voucher_rows,
)
from mlc_dagster_tests.sandbox.ifs.test_views import ORDERS, PLENTY, SUPPLIERS, VOUCHERS, filled, opened, rows


def test_entity_services_stand_on_their_own_surface_and_half_of_them_are_not_activated() -> None:
    with filled("ifs.entity") as box:
        client, pages = opened(box, INT), opened(box)
        (line, *_) = rows(client.get("/PurchaseOrderLineEntity.svc/PurchaseOrderLineSet?$select=NetAmtCurr,PartNo"))
        assert (line["OrderNo"], line["LineNo"], line["NetAmtCurr"]) == ("P1", "1", 10)
        assert rows(pages.get(f"{ORDERS}?$select=OrderNo"))[0]["OrderNo"] == "P1"
        assert pages.get(f"{ORDERS}('P1')/LinePartArray").status_code == 404
        assert rows(client.get("/SupplierEntity.svc/SupplierSet?$select=PayTermId"))[0]["PayTermId"] == "30"
        for service in (
            "CustomerOrderEntity",
            "ManSuppInvoiceEntity",
            "PostingProposalHeadEntity",
            "GenLedVoucherEntity",
        ):
            answer = client.get(f"/{service}.svc/$metadata")
            assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Metadata not found.")
        assert pages.get("/AccountEntity.svc/AccountSet").status_code == 404


def test_an_entity_services_etag_counts_and_two_sets_have_none() -> None:
    with filled("ifs.entity") as box:
        client = opened(box, INT)
        etag = rows(client.get("/VoucherEntity.svc/VoucherSet"))[0]["@odata.etag"]
        assert base64.b64decode(etag[3:-1]).decode().rpartition(":")[2].strip('"').isdecimal()
        for place in ("/AccountEntity.svc/AccountSet", "/VoucherRowEntity.svc/VoucherRowSet"):
            (row, *_) = rows(client.get(place))
            assert "@odata.etag" not in row


def test_without_top_an_entity_service_gives_a_hundred_rows() -> None:
    with Sandbox(profiles=("ifs.entity",), limits=PLENTY) as box:
        box.ifs.put_many("AccountSet", [{"Company": "0010", "Account": f"{n:04}"} for n in range(150)])
        client = opened(box, INT)
        assert len(rows(client.get("/AccountEntity.svc/AccountSet"))) == 100
        assert len(rows(client.get("/AccountEntity.svc/AccountSet?$top=1000"))) == 150


@pytest.mark.parametrize(
    ("day", "first_month", "expected"),
    [
        ("2026-06-30", 7, (2026, 12)),
        ("2026-07-01", 7, (2027, 1)),
        ("2026-12-31", 7, (2027, 6)),
        ("2026-12-31", 1, (2026, 12)),
    ],
)
def test_a_year_is_called_by_the_one_that_it_ends_in(day: str, first_month: int, expected: tuple[int, int]) -> None:
    assert year_and_period(day, first_month) == expected


def no_workflow(*traits: str) -> Sandbox:
    box = Sandbox(profiles=("ifs.no-workflow", *traits), limits=PLENTY)
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "One", "Country": "SE"})
    for company in ("0010", "20"):
        for account in ("4010", "2440"):
            box.ifs.put("AccountSet", {"Company": company, "Account": account, "ValidFrom": "2015-01-01"})
    return box


def test_a_voucher_gets_the_year_that_its_date_is_in_and_no_other() -> None:
    with no_workflow() as box:
        client = opened(box)
        path = voucher_load(client, voucher_rows())
        assert act(client, path, f"{ACTION}_Check").json()["LoadState"] == "Checked"
        assert act(client, path, f"{ACTION}_Create").status_code == 200
        (row, *_) = rows(client.get(f"{VOUCHERS}?$select=AccountingYear,AccountingPeriod,YearPeriodKey"))
        assert (row["AccountingYear"], row["AccountingPeriod"], row["YearPeriodKey"]) == (2027, 5, 202705)
        wrong = voucher_load(client, [{**row, "AccountingYear": 2026} for row in voucher_rows()])
        assert act(client, wrong, f"{ACTION}_Check").json()["LoadState"] == "CheckedWithErrors"


def test_a_period_can_be_closed_for_a_user_group_alone() -> None:
    with no_workflow() as box:
        object.__setattr__(box.tenant, "closed_until", {"0010/AC": "2026-11-30"})
        client = opened(box)
        path = voucher_load(client, voucher_rows())
        assert act(client, path, f"{ACTION}_Check").json()["LoadState"] == "CheckedWithErrors"
        path = voucher_load(client, [{**row, "UserGroup": "XX"} for row in voucher_rows()])
        assert act(client, path, f"{ACTION}_Check").json()["LoadState"] == "Checked"


def test_approved_vouchers_leave_the_hold_table_for_the_ledger_and_others_stay() -> None:
    with no_workflow() as box:
        for number, state in ((1, "Approved"), (2, "AwaitingApproval")):
            head = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2027, "VoucherNo": number}
            lines = [{"Account": "4010", "DebitAmount": Decimal(1)}, {"Account": "2440", "CreditAmount": Decimal(1)}]
            box.ifs.put("VoucherSet", {**head, "VoucherDate": "2026-11-05", "ObjState": state, "VoucherRows": lines})
        client = opened(box)
        assert ledger.update(box.ifs) == 1
        assert {row["VoucherNo"] for row in rows(client.get(f"{VOUCHERS}?$select=VoucherNo"))} == {2}
        posted = rows(client.get("/GenLedVoucherRowsAnalysis.svc/GenLedVoucherRowSet?$select=VoucherNo,Rowversion"))
        assert {row["VoucherNo"] for row in posted} == {1} and posted[0]["Rowversion"].endswith("Z")
        assert ledger.update(box.ifs) == 0


def test_an_invoice_number_is_taken_twice_in_the_company_that_allows_it() -> None:
    with no_workflow() as box:
        client = opened(box)
        for company, states in (("20", ["Checked", "Checked"]), ("0010", ["Checked", "CheckedWithErrors"])):
            found = []
            for _ in range(2):
                path = loaded(client, INVOICE_LOADS, {"Company": company, "LoadType": "INV"}, invoice())
                action = "IfsApp.ExternalSupplierInvoicesHandling.ExtIncInvLoadInfo"
                found.append(act(client, path, f"{action}_Check").json()["LoadState"])
                if found[-1] == "Checked":
                    act(client, path, f"{action}_Create")
                    client.get(path)
            assert found == states


def test_proposals_show_a_service_user_nothing_or_are_not_there() -> None:
    place = "/PostingProposalHandling.svc/PostingProposalHeadSet"
    with no_workflow() as box:
        box.ifs.put("PostingProposalHeadSet", {"Company": "0010", "ProposalId": 1, "InvoiceId": 1})
        assert rows(opened(box).get(place)) == []
    with no_workflow("ifs.proposals=none") as box:
        assert opened(box).get(place).status_code == 404


def test_a_country_stands_by_its_name_beside_its_code() -> None:
    with no_workflow() as box:
        (row,) = rows(opened(box).get(f"{SUPPLIERS}?$select=Country,CountryCode"))
        assert (row["Country"], row["CountryCode"]) == ("SWEDEN", "SE")


def test_lines_and_postings_of_an_invoice_are_two_arrays() -> None:
    with no_workflow() as box:
        line = {"Amount": Decimal(100), "TaxCode": "V25", "Account": "4010", "CodeB": "CC"}
        head = {"Company": "0010", "InvoiceId": 7, "SupplierId": "S1", "InvoiceNo": "F", "GrossAmount": Decimal(125)}
        box.ifs.put("SupplierInvoiceSet", {**head, "ObjState": "PaidPrelPosted", "SupplierInvoiceLines": [line]})
        client = opened(box)
        path = "/ManSuppInvoiceHandling.svc/ManSuppInvoiceSet(Company='0010',InvoiceId=7)"
        assert client.get(path).json()["Objstate"] == "PaidPrelPosted"
        (item,) = rows(client.get(f"{path}/ManSuppInvoiceItemArray?$select=NetCurrAmount,VatCode"))
        (posting,) = rows(client.get(f"{path}/ManSuppInvPostingArray?$select=CodeA,CodeB,CurrAmount"))
        assert (item["NetCurrAmount"], item["VatCode"]) == (100, "V25")
        assert (posting["CodeA"], posting["CodeB"], posting["CurrAmount"]) == ("4010", "CC", 100)


@pytest.mark.parametrize("profile", ["recorded", "pages", "entity", "no-workflow", "load-only"])
def test_the_demo_is_sown_and_shown_under_every_profile(profile: str) -> None:
    with Sandbox("demo", date(2026, 11, 21), profiles=(f"ifs.{profile}",), limits=PLENTY) as box:
        stored = box.ifs.rows("VoucherSet")
        expected = {
            (row["Company"], row["AccountingYear"], row["VoucherNo"], line["RowNo"], line["DebitAmount"])
            for row in stored
            for line in row["VoucherRows"]
        }
        surface, service = (INT, "VoucherRowEntity") if profile == "entity" else (None, "VoucherRowsAnalysis")
        client = opened(box, surface) if surface else opened(box)
        answer = client.get(f"/{service}.svc/VoucherRowSet?$select=DebetAmount&$top=5000")
        shown = {
            (row["Company"], row["AccountingYear"], row["VoucherNo"], row["RowNo"], _amount(row["DebetAmount"]))
            for row in rows(answer)
        }
        assert {(*key, _amount(amount)) for *key, amount in expected} == shown


def _amount(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value)).normalize()
