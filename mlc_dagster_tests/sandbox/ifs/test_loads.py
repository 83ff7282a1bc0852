"""External loads: rows under a load id, checked, created as a whole, approved by somebody else, read again later."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.ifs.tokens import PATH
from mlc_dagster_tests.sandbox.ifs.test_views import NEW, PLENTY, SUPPLIERS, VOUCHERS, opened, rows

LOADS = "/ExternalVouchersHandling.svc/ExtLoadInfoSet"
INVOICE_LOADS = "/ExternalSupplierInvoicesHandling.svc/ExtIncInvLoadInfoSet"
ACTION = "IfsApp.ExternalVouchersHandling.ExtLoadInfo"
INVOICE_ACTION = "IfsApp.ExternalSupplierInvoicesHandling.ExtIncInvLoadInfo"
NO_GATEWAY = ("ifs.gateway_loses=0", "ifs.gateway_grants=0")


def tenant(*traits: str) -> Sandbox:
    box = Sandbox(profiles=("ifs.load-only", *NO_GATEWAY, *traits), limits=PLENTY)
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "One"})
    for account in ("4010", "2440"):
        box.ifs.put("AccountSet", {"Company": "0010", "Account": account, "ValidFrom": "2015-01-01"})
    return box


def voucher_rows(account: str = "4010", credit: str = "100") -> list[dict[str, Any]]:
    head = {"TransactionDate": "2026-11-05", "VoucherType": "M", "UserGroup": "AC", "ReferenceNumber": "PR-7"}
    return [
        {**head, "RecordNo": 1, "Account": account, "DebetAmount": 100, "CurrencyCode": "SEK", "CurrencyAmount": 100},
        {**head, "RecordNo": 2, "Account": "2440", "CreditAmount": Decimal(credit).__int__()},
    ]


def loaded(client: httpx.Client, place: str, body: dict[str, Any], arrays: dict[str, list[dict[str, Any]]]) -> str:
    """The path of a new load with these rows."""
    made = client.post(place, json=body)
    assert made.status_code == 201 and made.json()["LoadState"] == "Loaded", made.text
    path = f"{place}(Company='{body['Company']}',LoadId='{made.json()['LoadId']}')"
    for name, each in arrays.items():
        for row in each:
            answer = client.post(f"{path}/{name}", json=row)
            assert answer.status_code == 201, answer.text
    return path


def act(client: httpx.Client, path: str, action: str) -> httpx.Response:
    return client.post(f"{path}/{action}", headers={"If-Match": client.get(path).headers["etag"]})


def voucher_load(client: httpx.Client, given: list[dict[str, Any]]) -> str:
    return loaded(client, LOADS, {"Company": "0010", "LoadType": "STDVOU"}, {"ExtTransactionsArray": given})


def test_a_voucher_is_checked_created_and_there_once_another_user_has_approved_it() -> None:
    with tenant("ifs.loads_approved=by hand") as box:
        client = opened(box)
        path = voucher_load(client, voucher_rows())
        assert act(client, path, f"{ACTION}_Create").status_code == 400  # not checked
        assert act(client, path, f"{ACTION}_Check").json()["LoadState"] == "Checked"
        assert act(client, path, f"{ACTION}_Create").json()["LoadState"] == "AwaitingApproval"
        assert rows(client.get(f"{VOUCHERS}?$select=VoucherNo")) == [] and box.ifs.rows("VoucherSet") == []
        assert box.ifs.approve() == 1
        assert client.get(path).json()["LoadState"] == "Created"
        first, second = rows(client.get(f"{path}/ExtTransactionsArray?$select=RowState,VoucherNo"))
        assert first["RowState"] == "Created" and first["VoucherNo"] == second["VoucherNo"]
        (voucher,) = box.ifs.rows("VoucherSet")
        assert (voucher["VoucherNo"], voucher["ExternalRef"]) == (first["VoucherNo"], "PR-7")
        assert [row["ReferenceNumber"] for row in rows(client.get(f"{VOUCHERS}?$select=ReferenceNumber"))] == [
            "PR-7"
        ] * 2


def test_approved_at_the_next_read_unless_it_is_by_hand() -> None:
    with tenant() as box:
        client = opened(box)
        path = voucher_load(client, voucher_rows())
        act(client, path, f"{ACTION}_Check")
        assert act(client, path, f"{ACTION}_Create").json()["LoadState"] == "AwaitingApproval"
        assert client.get(path).json()["LoadState"] == "Created"


@pytest.mark.parametrize(
    ("given", "code", "rows_with_it"),
    [(voucher_rows("9999"), "Account.NOTEXIST", [1]), (voucher_rows(credit="99"), "Voucher.NOTBALANCED", [1, 2])],
)
def test_an_error_stands_on_its_rows_and_nothing_is_created(
    given: list[dict[str, Any]], code: str, rows_with_it: list[int]
) -> None:
    with tenant() as box:
        client = opened(box)
        path = voucher_load(client, given)
        assert act(client, path, f"{ACTION}_Check").json()["LoadState"] == "CheckedWithErrors"
        found = rows(client.get(f"{path}/ExtTransactionsArray?$select=RecordNo,ErrorCode,ErrorText,RowState"))
        assert [row["RecordNo"] for row in found if row["ErrorCode"] == code] == rows_with_it
        assert act(client, path, f"{ACTION}_Create").status_code == 400
        assert box.ifs.rows("VoucherSet") == []


def invoice(number: str = "F-1", supplier: str = "S1") -> dict[str, list[dict[str, Any]]]:
    head = {"RecordNo": 1, "Identity": supplier, "InvoiceNo": number, "InvoiceDate": "2026-11-05", "Currency": "SEK"}
    amounts = {"NetCurrAmount": 100, "VatCurrAmount": 25, "GrossCurrAmount": 125}
    item = {"RecordNo": 2, "InvoiceNo": number, "NetCurrAmount": 100, "CodeA": "4010"}
    return {"ExtIncInvArray": [{**head, **amounts, "NcfReference": "bill-1"}], "ExtIncInvItemArray": [item]}


def test_an_invoice_is_created_with_its_number_on_the_external_row() -> None:
    with tenant() as box:
        client = opened(box)
        path = loaded(client, INVOICE_LOADS, {"Company": "0010", "LoadType": "INV"}, invoice())
        assert act(client, path, f"{INVOICE_ACTION}_Check").json()["LoadState"] == "Checked"
        assert act(client, path, f"{INVOICE_ACTION}_Create").status_code == 200
        (row,) = rows(client.get(f"{path}/ExtIncInvArray?$select=RowState,InvoiceId"))
        (made,) = box.ifs.rows("SupplierInvoiceSet")
        assert (row["RowState"], row["InvoiceId"]) == ("Created", made["InvoiceId"])
        assert (made["ExternalRef"], made["GrossAmount"], made["SupplierInvoiceLines"][0]["Account"]) == (
            "bill-1",
            125,
            "4010",
        )
        again = loaded(client, INVOICE_LOADS, {"Company": "0010", "LoadType": "INV"}, invoice())
        assert act(client, again, f"{INVOICE_ACTION}_Check").json()["LoadState"] == "CheckedWithErrors"
        (row,) = rows(client.get(f"{again}/ExtIncInvArray?$select=ErrorCode"))
        assert row["ErrorCode"] == "ManSuppInvoice.DUPLICATE"


def test_the_invoice_of_a_new_supplier_waits_for_the_suppliers_approval() -> None:
    with tenant() as box:
        client = opened(box)
        number = client.post(SUPPLIERS, json=NEW).json()["SupplierId"]
        path = loaded(client, INVOICE_LOADS, {"Company": "0010", "LoadType": "INV"}, invoice(supplier=number))
        assert act(client, path, f"{INVOICE_ACTION}_Check").json()["LoadState"] == "CheckedWithErrors"
        (row,) = rows(client.get(f"{path}/ExtIncInvArray?$select=ErrorCode"))
        assert row["ErrorCode"] == "SupplierInfo.NOTAPPROVED"
        box.ifs.approve()
        assert act(client, path, f"{INVOICE_ACTION}_Check").json()["LoadState"] == "Checked"


def test_documents_and_the_list_of_projections_are_not_granted() -> None:
    with tenant() as box:
        client = opened(box)
        body = {"Company": "0010", "Identity": "S1"}
        refused = client.post("/ManSuppInvoiceHandling.svc/ManSuppInvoiceSet", json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "SE_UNAUTHORIZED")
        assert client.get("/ManSuppInvoiceHandling.svc/ManSuppInvoiceSet").status_code == 200
        assert client.post(VOUCHERS, json=body).status_code == 405
        assert client.get("/AllProjections.svc/Projections").status_code == 403


def test_a_gateway_loses_an_answer_whose_work_is_done_and_errs_on_tokens_with_an_object() -> None:
    traits = ("ifs.gateway_loses=2", "ifs.gateway_grants=2", "ifs.gateway_refuses=CustomerHandling")
    with Sandbox(profiles=("ifs.load-only", *traits), limits=PLENTY) as box:
        client = opened(box)
        form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox-secret"}
        answer = httpx.post(box.url + PATH, data=form)
        assert answer.status_code == 502 and isinstance(answer.json()["error"], dict)
        assert [client.post(SUPPLIERS, json=NEW).status_code for _ in range(4)] == [201, 503, 201, 503]
        assert len(box.ifs.rows("SupplierSet")) == 4
        own = client.get("/CustomerHandling.svc/CustomerInfoSet")
        assert own.status_code == 401 and "sandbox" not in own.headers["www-authenticate"]
        assert client.get(f"{SUPPLIERS}?$top=1").status_code == 200
