"""Documents that stand in the ERP twice: by our reference, by an invoice number, by a supplier's name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.duplicates import doubles, sentence
from mlc_dagster.core.errors import Misconfigured, TransientError
from mlc_dagster.core.flows import Target
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs.client import IfsClient, classify
from mlc_dagster.systems.ifs.entry_records import ENTRIES, INVOICES, PROPOSALS
from mlc_dagster.systems.ifs.records import catalogue
from mlc_dagster.systems.ifs.settings import EntitySetSettings
from mlc_dagster.systems.ifs.supplier_records import PARTNERS
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.sign_in import ClientCredentials
from mlc_dagster_tests.systems.ifs.conftest import SURFACE, TOKEN, client_of

NOW = datetime.now(UTC)
SINCE, LONG_AGO = NOW - timedelta(hours=26), NOW - timedelta(days=400)
SETS = {ENTRIES: "VoucherSet", INVOICES: "SupplierInvoiceSet", PROPOSALS: "PostingProposalHeadSet"}
KINDS = pytest.mark.parametrize("target", SETS, ids=lambda target: target.name)


def told(box: Sandbox, target: Target, **client: Any) -> list[str]:
    assert target.twice is not None
    looked = client_of(box, **client).scan_documents(target, SINCE, lambda flow: {})
    return [sentence(target.twice, double) for double in doubles(looked.documents)]


def put(box: Sandbox, target: Target, number: int, reference: str | None, at: datetime = NOW, **fields: Any) -> str:
    """A document that somebody entered; its number as a person reads it."""
    keys = {
        ENTRIES: {"VoucherType": "M", "AccountingYear": 2026, "VoucherNo": number},
        INVOICES: {"InvoiceId": number},
        PROPOSALS: {"ProposalId": number},
    }[target]
    dated = {ENTRIES: "VoucherDate"}.get(target, "InvoiceDate")
    amounts = {} if target is ENTRIES else {"SupplierId": "S1", "GrossAmount": Decimal("125.00"), "CurrencyCode": "SEK"}
    row = {"Company": "0010", **keys, dated: f"{at:%Y-%m-%d}", **amounts, "ExternalRef": reference, "ObjState": "Open"}
    box.ifs.put(SETS[target], {**row, **fields}, modified=at)
    return "/".join(["0010", *(str(value) for value in keys.values())])


def requests(box: Sandbox) -> int:
    return sum(count for (method, path), count in box.calls("ifs").items() if "/projection/" in path)


@KINDS
@pytest.mark.parametrize("age", [NOW, LONG_AGO], ids=["both new", "one of last year"])
def test_two_documents_under_one_reference_are_told_with_both_numbers(
    box: Sandbox, target: Target, age: datetime
) -> None:
    first, second = put(box, target, 17, "airbase-payment-77", age), put(box, target, 18, "airbase-payment-77")
    put(box, target, 19, "airbase-payment-78")
    (words,) = told(box, target)
    each = " (125.00 SEK each)" if target is not ENTRIES else ""
    things = target.name.replace("_", " ")
    assert words == f"IFS has two {things} for airbase-payment-77: {first} and {second}{each}. Cancel one of them."


@KINDS
def test_a_cancelled_twin_is_not_told(box: Sandbox, target: Target) -> None:
    put(box, target, 17, "procurify-bill-1")
    put(box, target, 18, "procurify-bill-1", ObjState="Cancelled")
    assert told(box, target) == []


@KINDS
@pytest.mark.parametrize("other", ["PROCURIFY-BILL-1", "procurify-bill-1 ", "procurify-bill-10"])
def test_another_reference_is_another_document(box: Sandbox, target: Target, other: str) -> None:
    put(box, target, 17, "procurify-bill-1")
    put(box, target, 18, other)
    assert told(box, target) == []


@pytest.mark.parametrize("target", [INVOICES, PROPOSALS], ids=lambda target: target.name)
@pytest.mark.parametrize("other", ["F-77", "f-77", " F-77"])
def test_one_invoice_number_of_one_supplier_is_told_as_probable(box: Sandbox, target: Target, other: str) -> None:
    first = put(box, target, 17, "procurify-bill-1", InvoiceNo="F-77")
    second = put(box, target, 18, None, InvoiceNo=other)
    (words,) = told(box, target)
    assert words.startswith("IFS probably has one of its ") and f"{first} and {second} (125.00 SEK each)" in words


def test_the_number_of_an_old_invoice_that_a_person_entered_in_small_letters_is_found(box: Sandbox) -> None:
    put(box, INVOICES, 17, None, LONG_AGO, InvoiceNo="f-77")
    put(box, INVOICES, 18, "procurify-bill-1", InvoiceNo="F-77")
    assert len(told(box, INVOICES)) == 1


@pytest.mark.parametrize("other", [{"SupplierId": "S2"}, {"Company": "0020"}, {"InvoiceNo": "F-770"}])
def test_a_number_of_another_supplier_or_company_is_another_invoice(box: Sandbox, other: dict[str, str]) -> None:
    put(box, INVOICES, 17, "procurify-bill-1", InvoiceNo="F-77")
    put(box, INVOICES, 18, "procurify-bill-2", **{"InvoiceNo": "F-77", **other})
    assert told(box, INVOICES) == []


def test_two_proposals_of_one_invoice_are_no_doubles(box: Sandbox) -> None:
    for number in (17, 18):
        put(box, PROPOSALS, number, None, InvoiceNo="F-77", InvoiceId=5)
    assert told(box, PROPOSALS) == []


def test_a_supplier_that_was_made_lately_under_a_name_that_is_there_is_told(box: Sandbox) -> None:
    today = f"{NOW:%Y-%m-%d}"
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "Acme Tools", "Country": "SE"}, modified=LONG_AGO)
    box.ifs.put("SupplierSet", {"SupplierId": "S8", "Name": "ACME  Tools ", "Country": "SE", "CreationDate": today})
    box.ifs.put("SupplierSet", {"SupplierId": "S9", "Name": "Acme Tools", "Country": "NO", "CreationDate": today})
    (words,) = told(box, PARTNERS)
    assert "S1 and S8" in words and "S9" not in words


@pytest.mark.parametrize("other", [{"Blocked": True}, {"CreationDate": "2020-01-01"}], ids=["blocked", "made long ago"])
def test_a_supplier_that_is_blocked_or_was_only_changed_is_not_told(box: Sandbox, other: dict[str, Any]) -> None:
    row = {"Name": "Acme Tools", "Country": "SE", "CreationDate": "2020-01-01"}
    box.ifs.put("SupplierSet", {**row, "SupplierId": "S1"})
    box.ifs.put("SupplierSet", {**row, "SupplierId": "S2", "CreationDate": f"{NOW:%Y-%m-%d}", **other})
    assert told(box, PARTNERS) == []


def test_a_quiet_hour_is_one_request_for_each_set(box: Sandbox) -> None:
    for target in SETS:
        put(box, target, 17, "airbase-payment-77", LONG_AGO)
    client = client_of(box)
    for target in (*SETS, PARTNERS):
        assert client.scan_documents(target, SINCE, lambda flow: {}).compared == 0
    assert requests(box) == 4


def test_many_documents_are_looked_up_a_hundred_in_a_request(box: Sandbox) -> None:
    for number in range(300):
        put(box, ENTRIES, number, f"airbase-payment-{number}")
    assert told(box, ENTRIES) == [] and requests(box) <= 7


def test_pages_beyond_the_first_are_read(box: Sandbox) -> None:
    for number in range(7):
        put(box, ENTRIES, number, f"airbase-payment-{number % 6}")
    assert len(told(box, ENTRIES, page_size=2)) == 1


def test_a_set_without_a_stamp_is_asked_by_the_documents_own_date(start: Callable[..., Sandbox]) -> None:
    box = start(modified=False)
    sweep = {"voucher_set": EntitySetSettings(delta="sweep")}
    first, second = put(box, ENTRIES, 17, "airbase-payment-77"), put(box, ENTRIES, 18, "airbase-payment-77")
    (words,) = told(box, ENTRIES, catalogue=catalogue(sweep))
    assert first in words and second in words


def test_a_look_writes_nothing_and_a_system_that_is_down_or_lacks_the_set_is_an_error(box: Sandbox) -> None:
    put(box, ENTRIES, 17, "airbase-payment-77")
    told(box, ENTRIES)
    assert {method for method, path in box.calls("ifs") if "/projection/" in path} == {"GET"}
    with pytest.raises(Misconfigured, match="no entity set"):
        told(box, INVOICES, catalogue=catalogue({"supplier_invoice_set": EntitySetSettings(projection="Nowhere")}))
    box.faults.add(system="ifs", path="/projection/", status=502)
    auth = ClientCredentials(box.url + TOKEN, "sandbox", "sandbox-secret")
    hasty = IfsClient(ApiClient("ifs", box.url + SURFACE, auth=auth, classify=classify, max_attempts=1))
    with pytest.raises(TransientError):
        hasty.scan_documents(ENTRIES, SINCE, lambda flow: {})


@pytest.mark.parametrize(
    "said, words", [({"set": None}, "no such set"), ({"fields": {"external_ref": None}}, "no reference of ours")]
)
def test_where_doubles_cannot_be_looked_for_that_is_told_without_a_request(
    box: Sandbox, said: dict[str, Any], words: str
) -> None:
    known = catalogue({"voucher_set": EntitySetSettings.model_validate(said)})
    client = client_of(box, catalogue=known)
    with pytest.raises(Misconfigured, match=words):
        client.scan_documents(ENTRIES, SINCE, lambda flow: {})
    assert box.calls("ifs") == {}


def test_doubles_of_a_set_of_rows_are_found_by_the_reference_on_them() -> None:
    with Sandbox(profiles=("ifs.load-only", "ifs.gateway_loses=0", "ifs.gateway_grants=0")) as box:
        rows = [{"RowNo": 1, "DebitAmount": 1}, {"RowNo": 2, "CreditAmount": 1}]
        for number in (1, 2, 3):
            keys = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026, "VoucherNo": number}
            ours = {"ExternalRef": "airbase-request-1" if number < 3 else None, "VoucherDate": f"{NOW:%Y-%m-%d}"}
            box.ifs.put("VoucherSet", {**keys, **ours, "VoucherRows": rows})
        client = client_of(box, catalogue=catalogue({}, "cloud"))
        found = client.scan_documents(ENTRIES, SINCE, lambda flow: {})
        client.close()
    assert [(each.id, each.reference) for each in found.documents if each.reference] == [
        ("0010/M/2026/1", "airbase-request-1"),
        ("0010/M/2026/2", "airbase-request-1"),
    ]
