"""Writing to the sandboxed IFS, signing in, and its limits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Limits, Sandbox, Tenant
from mlc_dagster_tests.sandbox.conftest import ORDERS, SECRET, SURFACE, TOKEN, ifs_client

VOUCHERS = "/VoucherHandling.svc/VoucherSet"
SUPPLIERS = "/SupplierHandling.svc/SupplierSet"


def test_a_change_needs_the_present_etag_and_makes_a_new_one(box: Sandbox, ifs: httpx.Client) -> None:
    etag = box.ifs.put("SupplierSet", {"SupplierId": "S/1", "Name": "Old", "Notes": "stay"})
    url = f"{SUPPLIERS}(SupplierId='S%2F1')"
    missing = ifs.patch(url, json={"Name": "New"})
    assert missing.status_code == 428 and missing.json()["error"]["code"] == "ODP_MISSING_PRECONDITION"
    changed = ifs.patch(url, json={"Name": "New"}, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["Name"], changed.json()["Notes"]) == (200, "New", "stay")
    assert changed.headers["etag"] == ifs.get(url).json()["@odata.etag"] != etag
    assert ifs.patch(url, json={"Name": "Late"}, headers={"If-Match": etag}).status_code == 412
    assert ifs.patch(url, json={"Name": "Any"}, headers={"If-Match": "*"}).status_code == 200
    assert [entry["body"] for entry in box.journal("ifs")] == [{"Name": "New"}, {"Name": "Any"}]
    assert ifs.delete(url, headers={"If-Match": "*"}).status_code == 204
    assert ifs.get(url).status_code == 404


def test_putting_a_row_again_gives_a_new_etag(box: Sandbox) -> None:
    before = box.ifs.put("SupplierSet", {"SupplierId": "S1"})
    (row,) = box.ifs.rows("SupplierSet")
    assert row["@odata.etag"] == before != box.ifs.put("SupplierSet", row)


def voucher(*amounts: tuple[str | None, str | None]) -> dict[str, Any]:
    rows = [
        {"Account": "4010", "DebitAmount": debit and Decimal(debit), "CreditAmount": credit and Decimal(credit)}
        for debit, credit in amounts
    ]
    rows = [
        {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()} for row in rows
    ]
    return {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026, "VoucherRows": rows}


def test_a_voucher_gets_a_number_only_when_it_balances_on_known_accounts(box: Sandbox, ifs: httpx.Client) -> None:
    box.ifs.put("AccountSet", {"Company": "0010", "Account": "4010"})
    made = ifs.post(VOUCHERS, json=voucher(("0.1", None), ("0.2", None), (None, "0.3")))
    assert made.status_code == 201 and isinstance(made.json()["VoucherNo"], int)
    assert len(box.ifs.rows("VoucherSet")[0]["VoucherRows"]) == 3
    unbalanced = ifs.post(VOUCHERS, json=voucher(("0.1", None), (None, "0.2")))
    assert unbalanced.status_code == 400 and "NOTBALANCED" in unbalanced.json()["error"]["details"][0]["message"]
    unknown = voucher(("1", None), (None, "1"))
    unknown["VoucherRows"][0]["Account"] = "9999"
    assert "9999" in ifs.post(VOUCHERS, json=unknown).json()["error"]["details"][0]["message"]
    assert ifs.post(VOUCHERS, json=made.json()).status_code in (400, 409), "the number is taken"
    assert len(box.ifs.rows("VoucherSet")) == 1


def test_one_invoice_number_of_a_supplier_is_registered_once(ifs: httpx.Client) -> None:
    invoice = {"Company": "0010", "SupplierId": "S1", "InvoiceNo": "F-1"}
    invoices = "/SupplierInvoiceHandling.svc/SupplierInvoiceSet"
    assert ifs.post(invoices, json=invoice).status_code == 201
    assert ifs.post(invoices, json=invoice).status_code == 400
    assert ifs.post(invoices, json={**invoice, "Company": "20"}).status_code == 201


def test_lines_are_added_changed_and_removed_below_their_header(box: Sandbox, ifs: httpx.Client) -> None:
    box.ifs.put("PurchaseOrderSet", {"OrderNo": "P1", "PurchaseOrderLines": [{"PartNo": "A"}]})
    before = ifs.get(f"{ORDERS}('P1')").json()["@odata.etag"]
    lines = f"{ORDERS}('P1')/PurchaseOrderLines"
    added = ifs.post(lines, json={"PartNo": "B"})
    assert (added.status_code, added.json()["LineNo"]) == (201, "2")
    one = f"{lines}(OrderNo='P1',LineNo='1',ReleaseNo='1')"
    assert ifs.patch(one, json={"PartNo": "C"}, headers={"If-Match": "*"}).json()["PartNo"] == "C"
    assert [line["PartNo"] for line in ifs.get(lines).json()["value"]] == ["C", "B"]
    assert ifs.delete(one, headers={"If-Match": "*"}).status_code == 204
    assert [line["PartNo"] for line in box.ifs.rows("PurchaseOrderSet")[0]["PurchaseOrderLines"]] == ["B"]
    assert ifs.get(f"{ORDERS}('P1')").json()["@odata.etag"] != before


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"Nope": 1}', b'{"Name": 5}', b'{"CreditLimit": "much"}', b'{"CreditLimit": NaN}']
)
def test_a_body_of_the_wrong_kind_changes_nothing(box: Sandbox, ifs: httpx.Client, body: bytes) -> None:
    answer = ifs.post(SUPPLIERS, content=body)
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "ODP_DESERIALIZATION_ERROR"
    assert box.ifs.rows("SupplierSet") == [] and box.journal("ifs") == []


def test_tokens_are_refused_once_they_expire(start: Callable[..., Sandbox]) -> None:
    box = start(Tenant(token_seconds=0.05))
    granted = httpx.post(box.url + TOKEN, json=SECRET).json()
    assert granted["expires_in"] == 0.05
    import time

    time.sleep(0.1)
    headers = {"Authorization": f"Bearer {granted['access_token']}"}
    answer = httpx.get(box.url + SURFACE + ORDERS, headers=headers)
    assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer realm=")
    wrong = httpx.post(box.url + TOKEN, data={**SECRET, "client_secret": "guess"})
    assert wrong.status_code == 401 and wrong.json()["error"] == "unauthorized_client"
    assert httpx.post(box.url + TOKEN.replace("realms/sandbox", "realms/other"), data=SECRET).status_code == 404


def test_the_request_limit_answers_429_and_remembers_the_peak(start: Callable[..., Sandbox]) -> None:
    box = start(limits=Limits(ifs_requests_per_minute=3))
    with ifs_client(box) as ifs:
        answers = [ifs.get(ORDERS) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert box.peaks("ifs") == {"sandbox": 5}
