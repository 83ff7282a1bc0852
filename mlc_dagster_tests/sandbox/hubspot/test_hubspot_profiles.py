"""Each kind of portal: every flow of HubSpot is exact, and a second pass writes nothing; over HTTP."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.storage import RowStore
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.hubspot.traits import PROFILES
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster_tests.promises.journey import Journey, flow_of, settings_at
from mlc_dagster_tests.promises.kinds import PLENTY, books, now

FLOWS = ("hubspot/supplier_companies", "hubspot/customer_companies", "hubspot/invoices", "hubspot/deals")
MANY = 7


def settings_of(box: Sandbox, profile: str) -> Settings:
    content: dict[str, Any] = settings_at(box.url).model_dump(mode="json")
    content["hubspot"] |= dict(PROFILES[profile].settings) if profile else {}
    return configuration.parse(content, "mlc.yaml")


def filled(box: Sandbox) -> None:
    """Suppliers, customers and invoices of two lines each, with VAT."""
    for n in range(MANY):
        named = {"Name": f"Party {n}", "Country": "SE", "CurrencyCode": "SEK", "PaymentTerms": "30"}
        box.ifs.put("SupplierSet", {"SupplierId": f"S{n}", **named}, modified=now())
        box.ifs.put("CustomerSet", {"CustomerId": f"C{n}", **named}, modified=now())
        box.ifs.put("PostingProposalHeadSet", proposal(n), modified=now())


def proposal(n: int) -> dict[str, Any]:
    keys = {"Company": "0010", "ProposalId": n}
    amounts = [Decimal("100.10"), Decimal("0.20") + n]
    lines = [
        {**keys, "RowId": row, "Amount": each, "CurrencyAmount": each, "Quantity": Decimal(1), "Account": "4010"}
        for row, each in enumerate(amounts, 1)
    ]
    net = sum(amounts, Decimal(0))
    dates = {"InvoiceDate": "2026-11-04", "DueDate": "2026-11-20"}
    head = {
        "InvoiceNo": "F-1",
        "SupplierId": f"S{n}",
        "ObjState": "Balanced",
        "CurrencyCode": "SEK",
        "InvoiceId": 900 + n,
    }
    sums = {"NetAmount": net, "VatAmount": Decimal("25.00"), "GrossAmount": net + 25, "CurrencyRate": Decimal(1)}
    return {**keys, **head, **dates, **sums, "PostingProposalLines": lines}


@pytest.mark.parametrize("profile", ["", *PROFILES])
def test_every_flow_is_exact_under_every_profile_and_a_second_pass_writes_nothing(profile: str, tmp_path: Path) -> None:
    profiles = [f"hubspot.{profile}"] if profile else []
    with (
        Sandbox(seed="empty", limits=PLENTY, profiles=profiles) as box,
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger,
    ):
        books(box)
        filled(box)
        settings, store = settings_of(box, profile), RowStore(f"{tmp_path}/rows")
        for flow in FLOWS:
            Journey(flow_of(flow), settings, ledger, store, f"first {flow}").make()
            assert not ledger.open_holds(flow), {each.key: each.problems for each in ledger.open_holds(flow)}
        hubspot = box.hubspot
        counts = {kind: len(hubspot.live(kind)) for kind in ("companies", "invoices", "line_items", "deals")}
        assert counts == {"companies": 2 * MANY, "invoices": MANY, "line_items": 3 * MANY, "deals": MANY}
        for each, row in hubspot.live("invoices").items():
            values = row["properties"]
            assert Decimal(values["hs_amount_billed"]) == Decimal(values["ifs_gross_amount"])
            assert values["hs_invoice_status"] == "open" and len(hubspot.of("invoices", "companies", each)) == 1
        writes = len(box.journal("hubspot"))
        for flow in FLOWS:
            Journey(flow_of(flow), settings, ledger, store, f"second {flow}").make()
        assert len(box.journal("hubspot")) == writes
