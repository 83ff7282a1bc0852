"""Writing to tenants that keep less, or keep it elsewhere: constants, absent fields, references on rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.outcomes import Refused, Saved, Unanswered
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.entry_records import ENTRIES, INVOICES, PROPOSALS
from mlc_dagster.systems.ifs.schema.presets import preset
from mlc_dagster.systems.ifs.settings import EntitySetSettings
from mlc_dagster.systems.ifs.supplier_records import PARTNERS, Partner
from mlc_dagster_tests.systems.ifs.conftest import TEN
from mlc_dagster_tests.systems.ifs.writing.samples import draft, entry, invoice, proposal, put_books, save


@pytest.fixture
def box(box: Sandbox) -> Sandbox:
    put_books(box)
    return box


def named(name: str, said: Mapping[str, Any]) -> dict[str, EntitySet]:
    return ifs.catalogue({name: EntitySetSettings.model_validate(said)})


def partner(**changes: Any) -> Partner:
    good = {"external_ref": "cin7-supplier-1", "name": "Lofoten Ropes", "country": "NO", "payment_terms": "30"}
    return Partner(**{**good, **changes})


def test_constants_go_with_each_create_and_today_is_the_day_of_it(box: Sandbox) -> None:
    constants = {"DefaultLanguage": "en", "Notes": "from a SaaS", "CreationDate": "today", "Blocked": False}
    (saved,) = save(box, PARTNERS, draft(partner()), catalogue=named("supplier_set", {"constants": constants}))
    assert isinstance(saved, Saved) and saved.action == "created"
    row = box.ifs.rows("SupplierSet")[-1]
    assert (row["DefaultLanguage"], row["Notes"], row["Blocked"]) == ("en", "from a SaaS", False)
    assert row["CreationDate"] == datetime.now(UTC).date().isoformat() and row["Name"] == "Lofoten Ropes"


def test_the_cloud_preset_sends_what_ifs_cloud_demands_of_a_supplier() -> None:
    constants = ifs.catalogue(preset("cloud"))["supplier_set"].constants
    demanded = {"PartyType", "DefaultDomain", "SupplierCategory", "OneTime", "B2bSupplier", "IdentifierRefValidation"}
    assert demanded | {"CreationDate", "ValidDataProcessingPurpose"} == set(constants)


def test_a_field_that_the_tenant_does_not_have_is_never_sent_and_that_is_told(box: Sandbox) -> None:
    without = named("supplier_set", {"fields": {"payment_terms": None, "email": None}})
    (saved,) = save(box, PARTNERS, draft(partner(email="a@b.example")), catalogue=without)
    assert (
        isinstance(saved, Saved)
        and "not written, SupplierSet has no field for it: payment_terms, email" in saved.detail
    )
    assert saved.agreed is not None and "payment_terms" not in saved.agreed[1]
    (row,) = [row for row in box.ifs.rows("SupplierSet") if row["Name"] == "Lofoten Ropes"]
    assert row["PaymentTerms"] is None and row["Email"] is None
    (again,) = save(box, PARTNERS, draft(partner(email="c@d.example"), saved.remote_id), catalogue=without)
    assert isinstance(again, Saved) and box.journal("ifs")[-1]["method"] == "POST", "nothing was patched"


ON_ROWS: Mapping[str, Any] = {
    "fields": {"external_ref": None, "text": None},
    "lines": {"fields": {"external_ref": "ReferenceNumber"}},
}


def with_row_references(start: Callable[..., Sandbox]) -> Sandbox:
    box = start()
    put_books(box)
    rows = [{"RowNo": 1, "Account": "4010", "DebitAmount": 1, "ReferenceNumber": "x"}, {"RowNo": 2, "Account": "1930"}]
    head = {"Company": "20", "VoucherType": "M", "AccountingYear": 2026, "VoucherNo": 1, "VoucherRows": rows}
    box.ifs.put("VoucherSet", head, TEN)  # so that rows have the column
    return box


def test_a_reference_that_stands_on_the_rows_finds_its_voucher(start: Callable[..., Sandbox]) -> None:
    box, known = with_row_references(start), named("voucher_set", ON_ROWS)
    box.faults.add(system="ifs", method="POST", path="$batch", drop="after")
    (lost,) = save(box, ENTRIES, draft(entry()), catalogue=known)
    assert isinstance(lost, Unanswered)
    (found,) = save(box, ENTRIES, draft(entry()), catalogue=known)
    assert isinstance(found, Saved) and found.action == "adopted"
    (voucher,) = [row for row in box.ifs.rows("VoucherSet") if row["Company"] == "0010"]
    assert (voucher["ExternalRef"], voucher["Text"]) == (None, None), "what the header does not have was not sent"
    assert {row["ReferenceNumber"] for row in voucher["VoucherRows"]} == {"airbase-request-1"}


@pytest.mark.parametrize(
    "said, words",
    [
        ({"fields": {"external_ref": None}}, "voucher_set.fields.external_ref"),
        ({"header_from_rows": True}, "ifs.vouchers_by: external"),
        ({"set": None}, "ifs.vouchers_by: external"),
    ],
    ids=["no place for a reference", "rows alone", "no set"],
)
def test_what_could_not_be_found_again_is_not_entered_and_names_its_setting(
    box: Sandbox, said: Mapping[str, Any], words: str
) -> None:
    (refused,) = save(box, ENTRIES, draft(entry()), catalogue=named("voucher_set", said))
    assert isinstance(refused, Refused) and words in refused.reason
    assert box.ifs.rows("VoucherSet") == [] and box.calls("ifs") == {}


def test_a_tenant_without_proposals_and_invoices_says_so_for_each(box: Sandbox) -> None:
    known = ifs.catalogue(preset("cloud"))
    (no_invoice,) = save(box, INVOICES, draft(invoice()), catalogue=known)
    (no_proposal,) = save(box, PROPOSALS, draft(proposal()), catalogue=known)
    assert isinstance(no_invoice, Refused) and "ifs.invoices_by: external" in no_invoice.reason
    assert isinstance(no_proposal, Refused) and "posting_proposal_head_set" in no_proposal.reason


def test_the_invoice_that_another_integration_entered_is_adopted_and_ours_of_another_bill_is_not(box: Sandbox) -> None:
    there = {"Company": "0010", "InvoiceId": 7, "InvoiceNo": "INV-1", "SupplierId": "S1", "CurrencyCode": "SEK"}
    theirs = {**there, "GrossAmount": Decimal("125"), "ObjState": "Preliminary", "ExternalRef": "medius-4711"}
    box.ifs.put("SupplierInvoiceSet", theirs, TEN)
    (adopted,) = save(box, INVOICES, draft(invoice()))
    assert isinstance(adopted, Saved) and (adopted.action, adopted.remote_id) == ("adopted", "0010/7")
    box.ifs.put("SupplierInvoiceSet", {**theirs, "ExternalRef": "procurify-bill-999"}, TEN)
    (refused,) = save(box, INVOICES, draft(invoice()))
    assert isinstance(refused, Refused) and "INV-1" in refused.reason
    assert len(box.ifs.rows("SupplierInvoiceSet")) == 1


def test_a_supplier_of_a_cloud_tenant_is_made_with_its_constants_and_without_a_request_for_each_of_the_others() -> None:
    with Sandbox(profiles=("ifs.pages",), limits=Limits(ifs_requests_per_minute=100_000)) as box:
        for number in range(40):
            box.ifs.put("SupplierSet", {"SupplierId": f"S{number}", "Name": f"Supplier {number}", "Country": "SE"})
        names = {"constants": {"DefaultLanguage": "en"}}
        known = ifs.catalogue({"supplier_set": EntitySetSettings.model_validate(names)}, "cloud")
        (saved,) = save(box, PARTNERS, draft(partner()), catalogue=known)
        assert isinstance(saved, Saved) and saved.action == "created", saved
        assert "no field for it: payment_terms" in saved.detail
        assert sum(count for (_, path), count in box.calls("ifs").items() if "SupplierInfoGeneralSet" in path) <= 4
        (made,) = [row for row in box.ifs.rows("SupplierSet") if row["Name"] == "Lofoten Ropes"]
        assert made["CreationDate"] == datetime.now(UTC).date().isoformat()
        (again,) = save(box, PARTNERS, draft(partner(), saved.remote_id), catalogue=known)
        assert isinstance(again, Saved) and again.action == "adopted"
