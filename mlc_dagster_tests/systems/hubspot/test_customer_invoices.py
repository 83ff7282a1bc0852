"""Customer invoices of IFS: off until their set is named, then invoices of the customer's company; over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.location import flows_of
from mlc_dagster.orchestration.storage import RowStore
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster_tests.promises.journey import Journey, settings_at
from mlc_dagster_tests.promises.kinds import PLENTY, books, now

CUSTOMERS, INVOICES = "hubspot/customer_companies", "hubspot/customer_invoices"
NAMED = {"customer_invoice_set": {"set": "CustomerInvoiceSet"}}


def settings_of(box: Sandbox, **entity_sets: Any) -> Settings:
    content: dict[str, Any] = settings_at(box.url).model_dump(mode="json")
    content["ifs"]["entity_sets"] = entity_sets
    return configuration.parse(content, "mlc.yaml")


def invoice(**more: Any) -> dict[str, Any]:
    keys = {"Company": "0010", "InvoiceId": 7}
    lines = [
        {
            **keys,
            "RowId": 1,
            "Amount": Decimal(200),
            "CurrencyAmount": Decimal(200),
            "Quantity": Decimal(4),
            "Text": "Valve",
        },
        {**keys, "RowId": 2, "Amount": Decimal("10.50"), "CurrencyAmount": Decimal("10.50"), "Quantity": Decimal(1)},
    ]
    sums = {"NetAmount": Decimal("210.50"), "VatAmount": Decimal("52.63"), "GrossAmount": Decimal("263.13")}
    dates = {"InvoiceDate": "2026-11-04", "DueDate": "2026-12-04"}
    head = {"InvoiceNo": "CD1001", "CustomerId": "C1", "CurrencyCode": "SEK", "ObjState": "Posted", "OrderNo": "K-5"}
    return {**keys, **head, **dates, **sums, "CustomerInvoiceLines": lines, **more}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=PLENTY) as made:
        books(made)
        made.ifs.put("CustomerSet", {"CustomerId": "C1", "Name": "Malmö Pumps"}, modified=now())
        made.ifs.put("CustomerInvoiceSet", invoice(), modified=now())
        yield made


def on(settings: Settings) -> tuple[Flow, ...]:
    """The flows of HubSpot that are on, on what this tenant calls its sets."""
    return flows_of(settings, catalogue_for(configuration.erp_settings(settings)))["hubspot"]


class Office:
    """A company that loads these flows, one run after the other."""

    def __init__(self, box: Sandbox, ledger: Ledger, folder: Path) -> None:
        self.settings, self.ledger, self._store = settings_of(box, **NAMED), ledger, RowStore(f"{folder}/rows")
        self._runs = 0

    def load(self, *flows: str) -> None:
        known = {flow.name: flow for flow in on(self.settings)}
        for name in flows:
            self._runs += 1
            Journey(known[name], self.settings, self.ledger, self._store, f"run {self._runs}").make()

    def held(self) -> dict[str, str]:
        return {each.key: "; ".join(one.reason for one in each.problems) for each in self.ledger.open_holds(INVOICES)}


@pytest.fixture
def office(box: Sandbox, sqlite_ledger: Ledger, tmp_path: Path) -> Office:
    return Office(box, sqlite_ledger, tmp_path)


def test_they_are_off_until_mlc_yaml_names_their_set(box: Sandbox) -> None:
    def names(**entity_sets: Any) -> set[str]:
        return {flow.name for flow in on(settings_of(box, **entity_sets))}

    assert INVOICES not in names() and INVOICES in names(**NAMED)
    why = configuration.switched_off(settings_of(box), "hubspot")[INVOICES]
    assert "ifs.entity_sets.customer_invoice_set.set" in why
    assert catalogue_for(configuration.erp_settings(settings_of(box)))["customer_invoice_set"].is_off
    assert INVOICES not in names(customer_invoice_set={"set": None})


def test_a_customer_invoice_becomes_an_invoice_of_the_customers_company(box: Sandbox, office: Office) -> None:
    office.load(CUSTOMERS, INVOICES)
    ((remote_id, row),) = box.hubspot.live("invoices").items()
    values = row["properties"]
    wanted = {
        "ifs_external_key": "CUSTOMER_INVOICE/0010/7",
        "ifs_customer_no": "C1",
        "hs_number": "CD1001",
        "hs_amount_billed": "263.13",
        "hs_invoice_billable": "false",
        "hs_invoice_status": "open",
        "hs_purchase_order_number": "K-5",
    }
    assert {name: values[name] for name in wanted} == wanted and not values["ifs_supplier_no"]
    (company,) = box.hubspot.of("invoices", "companies", remote_id)
    assert box.hubspot.live("companies")[company]["properties"]["name"] == "Malmö Pumps"
    lines = {
        row["properties"]["ifs_external_key"]: row["properties"] for row in box.hubspot.live("line_items").values()
    }
    assert {key: (line["quantity"], Decimal(line["price"])) for key, line in lines.items()} == {
        "LINE/CUSTOMER/0010/7/1": ("4", Decimal(50)),
        "LINE/CUSTOMER/0010/7/2": ("1", Decimal("10.5")),
        "LINE/CUSTOMER/0010/7/VAT": ("1", Decimal("52.63")),
    }


def test_a_second_load_writes_nothing_and_a_cancelled_one_is_voided(box: Sandbox, office: Office) -> None:
    office.load(CUSTOMERS, INVOICES)
    writes = len(box.journal("hubspot"))
    office.load(CUSTOMERS, INVOICES)
    assert len(box.journal("hubspot")) == writes
    box.ifs.put("CustomerInvoiceSet", invoice(ObjState="Cancelled"), modified=now())
    office.load(INVOICES)
    (row,) = box.hubspot.live("invoices").values()
    assert row["properties"]["hs_invoice_status"] == "voided"


def test_it_does_not_touch_a_supplier_invoice_of_the_same_number(box: Sandbox, office: Office) -> None:
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "Bolts"}, modified=now())
    lines = [{**each, "ProposalId": 7, "Account": "4010"} for each in invoice()["CustomerInvoiceLines"]]
    proposal = {**invoice(), "ProposalId": 7, "SupplierId": "S1", "CurrencyRate": Decimal(1), "ObjState": "Balanced"}
    for name in ("CustomerInvoiceLines", "CustomerId", "OrderNo"):
        del proposal[name]
    rows = [{name: value for name, value in each.items() if name != "InvoiceId"} for each in lines]
    box.ifs.put("PostingProposalHeadSet", {**proposal, "PostingProposalLines": rows}, modified=now())
    office.load("hubspot/supplier_companies", CUSTOMERS, "hubspot/invoices", INVOICES)
    assert {row["properties"]["ifs_external_key"] for row in box.hubspot.live("invoices").values()} == {
        "INVOICE/0010/7",
        "CUSTOMER_INVOICE/0010/7",
    }
    assert len(box.hubspot.live("line_items")) == 6


def test_an_invoice_of_a_customer_that_is_not_there_is_held_by_name(box: Sandbox, office: Office) -> None:
    box.ifs.put("CustomerInvoiceSet", invoice(CustomerId="C9"), modified=now())
    office.load(CUSTOMERS, INVOICES)
    assert "Customer C9 is not delivered yet" in office.held()["0010/7"] and not box.hubspot.live("invoices")


def test_a_total_that_the_lines_do_not_make_is_held(box: Sandbox, office: Office) -> None:
    box.ifs.put("CustomerInvoiceSet", invoice(GrossAmount=Decimal("300.00")), modified=now())
    office.load(CUSTOMERS, INVOICES)
    assert "300" in office.held()["0010/7"] and not box.hubspot.live("invoices")
