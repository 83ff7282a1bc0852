"""A flow whose set or fields a tenant does not have is off, and says so, wherever flows are asked about."""

from __future__ import annotations

from typing import Any

import pytest

from mlc_dagster.cli.shared.known_names import why_off
from mlc_dagster.orchestration.location import flows_of, read_by_day_or_company
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.settings import Settings
from mlc_dagster.systems.configuration import erp_settings, known_flows, lacking_flows, parse
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.ping import ask_ifs
from mlc_dagster.systems.shared.findings import Question


def settings(url: str = "http://127.0.0.1:9", **section: Any) -> Settings:
    content = demo_settings(url)
    own = {} if section.get("catalogue") == "seed" else {"entity_sets": {}}  # the children are the seed's
    content["ifs"] = {**content["ifs"], **own, **section}
    return parse(content, "mlc.yaml")


def off(**section: Any) -> dict[str, str]:
    """Beside what every catalogue has off."""
    found = settings(**section)
    every = {name: why for system in found.targets for name, why in lacking_flows(found, system).items()}
    assert "customer_invoice_set" in every.pop("hubspot/customer_invoices")
    return every


def test_nothing_is_off_where_the_tenant_has_what_the_records_say() -> None:
    assert off(catalogue="seed") == {}


def test_every_field_that_a_flow_reads_is_one_of_its_source() -> None:
    for flow in known_flows().values():
        of_lines = flow.source.lines.record.__struct_fields__ if flow.source.lines else ()
        known = {*flow.source.record.__struct_fields__, *(f"lines.{name}" for name in of_lines)}
        assert set(flow.reads) <= known, flow.name
        assert flow.reads or flow.source.system != "ifs" or flow.name == "monday/accounts"


def test_an_absent_set_switches_its_flows_off_and_says_where_to_name_it() -> None:
    found = off(catalogue="seed", entity_sets={"posting_proposal_head_set": {"set": None}})
    assert {name for name in found if not name.startswith("ifs/")} >= {"hubspot/invoices", "cin7/purchase_invoices"}
    assert "ifs/posting_proposals_from_procurify" in found and "cin7/purchases" not in found
    assert "ifs.entity_sets.posting_proposal_head_set.set" in found["hubspot/invoices"]


@pytest.mark.parametrize(
    "said, flow, words",
    [
        ({"purchase_order_set": {"fields": {"vendor_no": None}}}, "cin7/purchases", "has no vendor_no"),
        ({"purchase_order_set": {"lines": {"fields": {"line_amount": None}}}}, "cin7/purchases", "lines.line_amount"),
        ({"supplier_set": {"fields": {"name": None}}}, "airbase/vendors", "supplier_set.fields"),
    ],
)
def test_a_field_that_a_flow_cannot_do_without_switches_it_off(said: dict[str, Any], flow: str, words: str) -> None:
    assert words in off(catalogue="seed", entity_sets=said)[flow]


def test_a_field_that_no_flow_needs_stops_nothing() -> None:
    said = {"supplier_set": {"fields": {"notes": None, "credit_limit": None}, "stamp": None, "state": None}}
    assert off(catalogue="seed", entity_sets=said) == {}
    entity = ifs.catalogue_for(erp_settings(settings(entity_sets=said)))["supplier_set"]
    assert (entity.delta, entity.modified) == ("sweep", None)
    assert entity.not_selected >= {"notes", "credit_limit", "last_modified", "obj_state"}


def test_a_field_that_stands_below_the_row_is_not_missing() -> None:
    found = off(catalogue="cloud")
    assert "cin7/suppliers" not in found and "cin7/purchases" not in found
    assert "company, total_amount" in found["monday/customer_orders"]


def test_documents_go_to_a_query_service_only_by_another_way() -> None:
    assert "vouchers_by: external" in off(catalogue="cloud")["ifs/vouchers_from_airbase_payments"]
    found = off(catalogue="cloud", vouchers_by="external", invoices_by="external")
    assert not {"ifs/vouchers_from_airbase_payments", "ifs/supplier_invoices_from_procurify"} & found.keys()


def test_what_is_off_is_told_as_the_reason_and_has_no_asset() -> None:
    found = settings(catalogue="cloud")
    catalogue = ifs.catalogue_for(erp_settings(found))
    on = {flow.name for table in flows_of(found, catalogue).values() for flow in table}
    assert "hubspot/invoices" not in on and "hubspot/supplier_companies" in on
    assert "this tenant has no posting_proposal_head_set" in why_off("hubspot/invoices", found)
    read = {entity.name for entity in read_by_day_or_company(catalogue, ())}
    assert "posting_proposal_head_set" not in read and "voucher_set" in read


def test_a_ping_says_what_is_absent_and_finds_no_fault_in_it() -> None:
    limits = Limits(ifs_requests_per_minute=100_000)
    with Sandbox(profiles=("ifs.pages",), limits=limits) as box:
        box.ifs.put("AccountSet", {"Company": "0010", "Account": "4010"})
        found = list(ask_ifs(Question("ifs", settings(box.url, catalogue="cloud"), ("sandbox", "sandbox-secret"))))
    by_what = {finding.what: finding for finding in found}
    suppliers = by_what["SupplierHandling/SupplierInfoGeneralSet"]
    assert suppliers.ok and "vat_no" in suppliers.answer and "found by a sweep" in suppliers.answer
    assert by_what["supplier_invoice_set"].ok and "off" in by_what["supplier_invoice_set"].answer
    assert "notes" not in suppliers.answer
