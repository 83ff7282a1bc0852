"""What a proposal says: exact names stand in it, what is near is a question, what is absent says what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.shared.discovery import Discovery
from mlc_dagster_tests.systems.ifs.discover.conftest import line_of
from mlc_dagster_tests.systems.ifs.discover.fake_tenant import FakeTenant, Kind, cloud, refusal
from mlc_dagster_tests.systems.ifs.discover.test_services import told
from mlc_dagster_tests.systems.loopback import answers


def proposed(tenant: FakeTenant) -> tuple[Discovery, dict[str, Any]]:
    with told(tenant) as (found, _):
        return found, yaml.safe_load(found.proposal)["entity_sets"]


def lines_with(found: Discovery, *words: str) -> list[str]:
    return [line.strip() for line in found.proposal.splitlines() if all(word in line for word in words)]


def test_all_that_is_known_of_tenants_is_found() -> None:
    found, sets = proposed(FakeTenant(cloud()))
    supplier = sets["supplier_set"]
    assert (supplier["projection"], supplier["set"]) == ("SupplierHandling", "SupplierInfoGeneralSet")
    assert supplier["keys"] == {"supplier_id": "SupplierId"}
    assert (supplier["stamp"], supplier["state"], supplier["delta"]) == (None, None, "sweep")
    assert supplier["constants"]["PartyType"] == "Supplier" and supplier["constants"]["DefaultDomain"] is True
    purchases, payments = supplier["children"]
    assert purchases["fields"] == {"currency_code": "CurrencyCode", "payment_terms": "PayTermId", "notes": "NoteText"}
    assert payments == {
        "navigation": "SupplierPayments", "company": "10", "fields": {"blocked": "BlockedForPayment"}
    }  # fmt: skip
    order = sets["purchase_order_set"]
    assert order["lines"]["navigations"] == ["LinePartArray", "LineNopartArray", "LineRentalPartArray"]
    assert order["lines"]["fields_of"] == {"LineNopartArray": {"part_no": None, "base_amount": "NetAmtBase"}}
    assert order["sums"] == {"total_amount": "line_amount"} and "total_amount" not in order["fields"]
    assert order["lines"]["fields"]["line_amount"] == "NetAmtCurr" and order["lines"]["fields"]["account"] == "CodeA"
    assert order["actions"] == {"Released": "PurchaseOrder_Release", "Cancelled": "PurchaseOrder_Cancel"}
    assert lines_with(found, "# ? Other bound actions: PurchaseOrder_PrintOrder")
    voucher = sets["voucher_set"]
    assert voucher["header_from_rows"] is True and voucher["lines"]["fields"]["debit_amount"] == "DebetAmount"
    assert sets["customer_order_set"]["lines"]["keys"]["line_item_no"] == "LineItemNo"
    sources = sets["code_part_value_set"]["sources"]
    assert [each["constants"]["code_part"] for each in sources] == list("BCDEFGHIJ")
    assert sources[3] == {
        "set": "Reference_CodeE", "constants": {"code_part": "E"}, "keys": {"code_part_value": "CodeE"}
    }  # fmt: skip
    assert sets["account_set"]["fields"]["req_code_b"] == "ReqCodeB"


def test_an_absent_set_is_off_and_names_the_flows_that_it_switches_off() -> None:
    found, sets = proposed(FakeTenant(cloud()))
    assert sets["posting_proposal_head_set"] == {"set": None} == sets["supplier_invoice_set"]
    told = line_of(found, "posting_proposal_head_set").answer
    assert "switches off: " in told and "cin7/purchase_invoices" in told
    assert "ifs/supplier_invoices_from_procurify" in line_of(found, "supplier_invoice_set").answer
    assert lines_with(found, "? Ask the tenant's administrator: which service and set hold supplier invoices")


def test_a_field_without_which_a_flow_is_void_names_the_flow() -> None:
    tenant = cloud()
    orders = tenant["PurchaseOrderHandling"]["PurchaseOrderSet"]
    orders.fields = orders.fields.replace("VendorNo ", "")
    for array in orders.arrays.values():
        array.fields = array.fields.replace("NetAmtCurr:n ", "")
    found, sets = proposed(FakeTenant(tenant))
    assert sets["purchase_order_set"]["fields"]["vendor_no"] is None
    words = "switches off: airbase/purchase_orders, cin7/purchases, monday/purchase_orders"
    assert lines_with(found, "vendor_no: null", words)
    assert lines_with(found, "line_amount: null", "switches off: airbase/purchase_orders, cin7/purchases")
    assert lines_with(found, "# - cin7/purchases: this tenant's purchase_order_set has no vendor_no")
    assert "cin7/purchases" in line_of(found, "flows").answer


def test_without_a_chart_every_flow_that_checks_accounts_is_named() -> None:
    tenant = cloud()
    del tenant["VoucherRowsAnalysis"]["Reference_Account"]
    found, sets = proposed(FakeTenant(tenant))
    assert sets["account_set"] == {"set": None}
    checking = {flow.name for flow in configuration.known_flows().values() if flow.checks_accounts}
    answer = line_of(found, "account_set").answer
    assert checking and all(name in answer for name in checking)
    assert "VoucherRowsAnalysis has no set Reference_Account" in found.proposal


def test_a_field_of_another_type_is_a_question_and_absent_until_it_is_answered() -> None:
    tenant = cloud()
    tenant["PurchaseOrderHandling"]["PurchaseOrderSet"].fields += " TotalAmount"  # text
    found, sets = proposed(FakeTenant(tenant))
    assert sets["purchase_order_set"]["sums"] == {"total_amount": "line_amount"}
    tenant["VoucherRowsAnalysis"]["VoucherRowSet"].fields = tenant["VoucherRowsAnalysis"][
        "VoucherRowSet"
    ].fields.replace("CreditAmount:n", "CreditAmount")
    found, sets = proposed(FakeTenant(tenant))
    assert sets["voucher_set"]["lines"]["fields"]["credit_amount"] is None
    assert lines_with(found, "# credit_amount: CreditAmount", "its type is Edm.String, expected Edm.Decimal")


@pytest.mark.parametrize("name", ["VATNO", "VatNo1", "SupplierVatNo"])
def test_a_name_that_is_only_like_a_known_one_is_a_question(name: str) -> None:
    tenant = cloud()
    tenant["SupplierHandling"]["SupplierInfoGeneralSet"].fields += f" {name}"
    found, sets = proposed(FakeTenant(tenant))
    assert sets["supplier_set"]["fields"]["vat_no"] is None
    assert lines_with(found, f"# vat_no: {name}", "is vat_no: its name is like VatNo, and is not known")


@pytest.mark.parametrize(
    "keys, words",
    [
        ("SupplierNo", "its key lacks supplier_id (sought: SupplierId); its key has SupplierNo besides"),
        ("SupplierId Company", "its key has Company besides"),
        ("SupplierId:n", "its key lacks supplier_id"),
    ],
)
def test_a_set_whose_key_differs_is_off_with_the_question_and_its_lines_as_comments(keys: str, words: str) -> None:
    tenant = cloud()
    tenant["SupplierHandling"]["SupplierInfoGeneralSet"].keys = keys
    found, sets = proposed(FakeTenant(tenant))
    assert sets["supplier_set"] == {"set": None}
    assert lines_with(found, "? Ask", "is SupplierHandling/SupplierInfoGeneralSet suppliers?", words)
    assert lines_with(found, "# name: Name") and not line_of(found, "supplier_set").ok


def test_a_header_whose_lines_are_not_found_is_a_question_as_a_whole() -> None:
    """Read without its lines it would be an order of nothing."""
    tenant = cloud()
    orders = tenant["PurchaseOrderHandling"]["PurchaseOrderSet"]
    orders.arrays = {"PartsArray": orders.arrays["LinePartArray"], "Texts": Kind("OrderNo TextNo", "Text")}
    found, sets = proposed(FakeTenant(tenant))
    assert sets["purchase_order_set"] == {"set": None}
    assert lines_with(found, "its lines were not found") and lines_with(found, "# navigation: PartsArray")


def test_a_set_with_a_site_and_no_company_is_off_until_mlc_yaml_says_whose_the_sites_are() -> None:
    with told(FakeTenant(cloud()), sites={}) as (found, _):
        assert yaml.safe_load(found.proposal)["entity_sets"]["customer_order_set"] == {"set": None}
        assert lines_with(found, "? Ask", "it has a site and no company", "ifs.sites")
        assert lines_with(found, "# contract: Contract")


def test_whose_the_sites_are_is_proposed_where_the_tenant_lists_them() -> None:
    listed = {"CompanySiteHandling": {"CompanySiteSet": Kind("Contract", "Company Description")}}
    rows = answers(body={"value": [{"Contract": "007", "Company": "10"}, {"Contract": "S-2", "Company": "0020"}]})
    tenant = FakeTenant({**cloud(), **listed}, instead={"/CompanySiteSet": rows})
    with told(tenant, sites={}) as (found, _):
        proposal = yaml.safe_load(found.proposal)
        assert proposal["sites"] == {"007": "10", "S-2": "0020"}
        assert proposal["entity_sets"]["customer_order_set"]["set"] == "CustomerOrderSet"
    with told(tenant) as (found, _):
        assert "sites" not in yaml.safe_load(found.proposal), "mlc.yaml has them already"


def test_a_set_that_no_source_names_is_looked_for_by_its_key_and_fields_and_asked_about() -> None:
    fields = "InvoiceNo Identity InvoiceDate:d DueDate:d Currency NetAmount:n"
    invoices = {"AcmeCustomerInvoices": {"InvoiceHeads": Kind("Company InvoiceId:n", fields)}}
    found, sets = proposed(FakeTenant({**cloud(), **invoices}, listed=(*cloud(), *invoices)))
    assert sets["customer_invoice_set"] == {"set": None}
    assert lines_with(found, "? Ask", "AcmeCustomerInvoices/InvoiceHeads is not a known name")
    assert "switches off: hubspot/customer_invoices" in line_of(found, "customer_invoice_set").answer
    assert "hubspot/customer_invoices" not in line_of(found, "supplier_invoice_set").answer


def test_lines_in_another_service_on_another_surface_are_found() -> None:
    tenant = cloud()
    lines = tenant["PurchaseOrderHandling"]["PurchaseOrderSet"].arrays["LinePartArray"]
    tenant["PurchaseOrderHandling"]["PurchaseOrderSet"].arrays = {}
    _, sets = proposed(FakeTenant(tenant, {"PurchaseOrderLineEntity": {"PurchaseOrderLineSet": lines}}))
    order = sets["purchase_order_set"]
    assert order["expand"] == "never" and order["surface"] == "main"
    there = {name: order["lines"][name] for name in ("set", "projection", "surface")}
    assert there == {"set": "PurchaseOrderLineSet", "projection": "PurchaseOrderLineEntity", "surface": "int"}


def test_an_entity_service_is_found_where_no_page_is_granted() -> None:
    supplier = cloud()["SupplierHandling"]["SupplierInfoGeneralSet"]
    supplier.arrays = {}
    tenant = {name: sets for name, sets in cloud().items() if name != "SupplierHandling"}
    _, sets = proposed(FakeTenant(tenant, {"SupplierInfoGeneralEntity": {"SupplierInfoGeneralSet": supplier}}))
    assert (sets["supplier_set"]["projection"], sets["supplier_set"]["surface"]) == ("SupplierInfoGeneralEntity", "int")
    assert sets["supplier_set"]["children"] == []


def test_a_known_set_in_an_unknown_service_is_found_by_the_catalogue() -> None:
    tenant = cloud()
    tenant["AcmeSupplierPage"] = tenant.pop("SupplierHandling")
    found, sets = proposed(FakeTenant(tenant, listed=(*tenant, "SupplierCardAnalysis", "Unrelated")))
    assert sets["supplier_set"]["projection"] == "AcmeSupplierPage"
    assert lines_with(found, "projection: AcmeSupplierPage", "found in the service catalogue")


def test_an_unknown_set_with_the_key_and_fields_is_a_question() -> None:
    tenant = cloud()
    tenant["AcmeSupplierPage"] = {"VendorMasterSet": tenant.pop("SupplierHandling")["SupplierInfoGeneralSet"]}
    found, sets = proposed(FakeTenant(tenant, listed=tuple(tenant)))
    assert sets["supplier_set"] == {"set": None}
    words = "AcmeSupplierPage/VendorMasterSet is not a known name; key and fields match by name and type"
    assert lines_with(found, "? Ask", words) and lines_with(found, "# supplier_id: SupplierId")


def test_a_set_without_rows_is_proposed_and_says_that_its_companies_may_not_be_visible() -> None:
    tenant = cloud()
    tenant["VoucherRowsAnalysis"]["VoucherRowSet"].rows = 0
    found, sets = proposed(FakeTenant(tenant))
    assert sets["voucher_set"]["set"] == "VoucherRowSet"
    assert lines_with(found, "voucher_set:", "0 rows", "may not see the companies (10)")
    assert "0 rows: empty, or no company of it is visible" in line_of(found, "voucher_set").answer


def test_a_set_that_describes_itself_and_refuses_its_rows_is_a_question() -> None:
    refused = {"/VoucherRowSet": refusal(403, "no right to the rows")}
    found, sets = proposed(FakeTenant(cloud(), instead=refused))
    assert sets["voucher_set"] == {"set": None}
    assert lines_with(found, "? Ask", "VoucherRowsAnalysis/VoucherRowSet refuses a row", "no right to the rows")


def test_which_company_is_asked_where_mlc_yaml_has_several() -> None:
    with told(FakeTenant(cloud()), companies=("10", "20")) as (found, _):
        children = yaml.safe_load(found.proposal)["entity_sets"]["supplier_set"]["children"]
        assert [each["navigation"] for each in children] == ["SupplierPurchases"]
        assert lines_with(found, "? Ask", "SupplierPayments has a row for each company; of which one (10, 20)")


def test_words_of_the_tenant_act_nowhere(tmp_path: Path) -> None:
    """A refusal may hold line ends and escape sequences: they stay in their comment."""
    nasty = refusal(500, "\x1b[2Jgone\n  entity_sets: {supplier_set: {set: Evil}}\u2028# x")
    found, sets = proposed(FakeTenant(cloud(), instead={"/SupplierHandling.svc/": nasty}))
    assert sets["supplier_set"] == {"set": None}
    assert "\x1b" not in found.proposal and "\u2028" not in found.proposal
    assert set(sets) == {each.name for each in (*ifs.ENTITY_SETS, *ifs.OPTIONAL, *ifs.WRITTEN)}
