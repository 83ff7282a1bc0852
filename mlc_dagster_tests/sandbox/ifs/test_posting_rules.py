"""What the sandboxed ERP's own rules refuse: unknown accounts and code parts, closed periods, sums, doubles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Sandbox, Tenant
from mlc_dagster_tests.sandbox.conftest import ifs_client

VOUCHERS = "/VoucherHandling.svc/VoucherSet"
INVOICES = "/SupplierInvoiceHandling.svc/SupplierInvoiceSet"
PROPOSALS = "/PostingProposalHandling.svc/PostingProposalHeadSet"


@pytest.fixture
def books(box: Sandbox) -> Sandbox:
    """4010 open; 5999 blocked; 4999 valid until June; cost centre CC100 until June, CC200 for ever."""
    for account, more in (("4010", {}), ("5999", {"Blocked": True}), ("4999", {"ValidUntil": "2026-06-30"})):
        box.ifs.put("AccountSet", {"Company": "0010", "Account": account, **more})
    for value, until in (("CC100", "2026-06-30"), ("CC200", None)):
        row = {"Company": "0010", "CodePart": "B", "CodePartValue": value, "ValidUntil": until}
        box.ifs.put("CodePartValueSet", row)
    return box


def voucher(**line: Any) -> dict[str, Any]:
    rows = [{"Account": "4010", "DebitAmount": 1, **line}, {"Account": "4010", "CreditAmount": 1}]
    return {"Company": "0010", "VoucherType": "M", "VoucherDate": "2026-11-05", "VoucherRows": rows}


def invoice(**header: Any) -> dict[str, Any]:
    lines = [{"Account": "4010", "Amount": 80}, {"Account": "4010", "Amount": 20}]
    return {
        "Company": "0010", "SupplierId": "S1", "InvoiceNo": "F-1", "InvoiceDate": "2026-11-05", "VatAmount": 25,
        "GrossAmount": 125, "SupplierInvoiceLines": lines, **header,
    }  # fmt: skip


def proposal(**line: Any) -> dict[str, Any]:
    return {"Company": "0010", "InvoiceDate": "2026-11-05", "PostingProposalLines": [{"Amount": 1, **line}]}


def detail(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["details"][0]["message"])


REFUSED = [
    ({"Account": "9999"}, "Account.NOTEXIST"),
    ({"Account": "5999"}, "Account.BLOCKED"),
    ({"Account": "4999"}, "Account.NOTVALID"),
    ({"CodeB": "CC300"}, "AccountingCodePartValue.NOTEXIST"),
    ({"CodeB": "CC100"}, "AccountingCodePartValue.NOTVALID"),
]


@pytest.mark.parametrize("line, word", REFUSED)
def test_a_line_is_posted_on_what_is_valid_on_its_date(
    books: Sandbox, ifs: httpx.Client, line: dict[str, Any], word: str
) -> None:
    lines = [{"Account": "4010", "Amount": 100, **line}]
    for url, body in (
        (VOUCHERS, voucher(**line)),
        (INVOICES, invoice(SupplierInvoiceLines=lines)),
        (PROPOSALS, proposal(**line)),
    ):
        answer = ifs.post(url, json=body)
        assert answer.status_code == 400 and word in detail(answer)
    assert [rows for rows in books.ifs.state()["rows"].items() if rows[1]] == [
        ("AccountSet", 3),
        ("CodePartValueSet", 2),
    ]


def test_what_is_valid_or_not_in_use_passes(books: Sandbox, ifs: httpx.Client) -> None:
    """The company has no values of code part C: it does not use it."""
    assert ifs.post(VOUCHERS, json=voucher(CodeB="CC200", CodeC="anything")).status_code == 201
    assert ifs.post(VOUCHERS, json={**voucher(Account="4999"), "VoucherDate": "2026-06-30"}).status_code == 201
    assert ifs.post(PROPOSALS, json=proposal()).status_code == 201, "a proposal may still lack its account"
    assert "ACCOUNTNULL" in detail(ifs.post(VOUCHERS, json=voucher(Account=None)))


def test_a_voucher_gets_the_year_and_the_period_of_its_date(books: Sandbox, ifs: httpx.Client) -> None:
    made = ifs.post(VOUCHERS, json=voucher()).json()
    assert (made["AccountingYear"], made["AccountingPeriod"]) == (2026, 11)
    told = ifs.post(VOUCHERS, json={**voucher(), "AccountingYear": 2025, "AccountingPeriod": 13}).json()
    assert (told["AccountingYear"], told["AccountingPeriod"]) == (2025, 13)


def test_a_closed_period_takes_nothing_more(start: Callable[..., Sandbox]) -> None:
    box = start(Tenant(closed_until={"0010": "2026-11-05"}))
    for company in ("0010", "20"):
        box.ifs.put("AccountSet", {"Company": company, "Account": "4010"})
    with ifs_client(box) as ifs:
        for url, body in ((VOUCHERS, voucher()), (INVOICES, invoice())):
            answer = ifs.post(url, json=body)
            assert answer.status_code == 500 and "closed until 2026-11-05" in detail(answer)
        assert ifs.post(VOUCHERS, json={**voucher(), "Company": "20"}).status_code == 201
        assert ifs.post(VOUCHERS, json={**voucher(), "VoucherDate": "2026-11-06"}).status_code == 201


def test_an_invoice_adds_up(books: Sandbox, ifs: httpx.Client) -> None:
    assert "NOTBALANCED" in detail(ifs.post(INVOICES, json=invoice(GrossAmount=126)))
    assert ifs.post(INVOICES, json=invoice(SupplierInvoiceLines=[], GrossAmount=126)).status_code == 201
    assert ifs.post(INVOICES, json=invoice(InvoiceNo="F-2")).status_code == 201


def test_an_invoice_has_a_supplier_of_the_erp_where_it_has_any(books: Sandbox, ifs: httpx.Client) -> None:
    assert ifs.post(INVOICES, json=invoice()).status_code == 201
    books.ifs.put("SupplierSet", {"SupplierId": "S2"})
    assert "SupplierInfo.NOTEXIST" in detail(ifs.post(INVOICES, json=invoice(InvoiceNo="F-2")))
    assert ifs.post(INVOICES, json=invoice(SupplierId="S2")).status_code == 201


def test_an_invoice_number_is_free_again_once_its_invoice_is_cancelled(books: Sandbox, ifs: httpx.Client) -> None:
    made = ifs.post(INVOICES, json=invoice()).json()
    assert "DUPLICATE" in detail(ifs.post(INVOICES, json=invoice()))
    url = f"{INVOICES}(Company='0010',InvoiceId={made['InvoiceId']})"
    action = f"{url}/IfsApp.SupplierInvoiceHandling.SupplierInvoice_Cancel"
    assert ifs.post(action, json={}, headers={"If-Match": "*"}).status_code == 204
    assert ifs.post(INVOICES, json=invoice()).status_code == 201


def test_a_document_of_the_seed_can_be_cancelled_whatever_is_on_it(books: Sandbox, ifs: httpx.Client) -> None:
    """What was not touched is not judged again."""
    lines = [{"RowId": 1, "Account": "5999", "Amount": 1}]
    row = {"Company": "0010", "ProposalId": 7, "InvoiceDate": "2026-11-05", "PostingProposalLines": lines}
    books.ifs.put("PostingProposalHeadSet", row)
    url = f"{PROPOSALS}(Company='0010',ProposalId=7)"
    assert ifs.patch(url, json={"Text": "a"}, headers={"If-Match": "*"}).status_code == 200
    line = f"{url}/PostingProposalLines(Company='0010',ProposalId=7,RowId=1)"
    assert "BLOCKED" in detail(ifs.patch(line, json={"Text": "a"}, headers={"If-Match": "*"}))
    action = f"{url}/IfsApp.PostingProposalHandling.PostingProposalHead_Cancel"
    assert ifs.post(action, json={}, headers={"If-Match": "*"}).status_code == 204


def test_a_line_that_is_added_alone_leaves_the_versions_of_the_others(books: Sandbox, ifs: httpx.Client) -> None:
    made = ifs.post(PROPOSALS, json=proposal()).json()
    url = f"{PROPOSALS}(Company='0010',ProposalId={made['ProposalId']})"
    (before,) = books.ifs.rows("PostingProposalHeadSet")
    assert ifs.post(f"{url}/PostingProposalLines", json={"Amount": 2}).status_code == 201
    assert ifs.post(f"{url}/PostingProposalLines", json={"Amount": 2, "RowId": 1}).status_code == 409
    (after,) = books.ifs.rows("PostingProposalHeadSet")
    first = [row["PostingProposalLines"][0]["@odata.etag"] for row in (before, after)]
    assert first[0] == first[1] and before["@odata.etag"] != after["@odata.etag"]
    assert len(after["PostingProposalLines"]) == 2
