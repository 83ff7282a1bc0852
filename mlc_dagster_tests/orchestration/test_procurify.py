"""Procurify's bills and orders through Dagster into the ERP's books: once, whole, and never twice for one expense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.ledger import Run
from mlc_dagster.outcomes import Draft, Ready, Saved
from mlc_dagster.sandbox.procurify_lines import Cost, Line
from mlc_dagster.settings.procurify import ProcurifySettings
from mlc_dagster.systems.procurify.mapping import BILLS_FLOW, PROPOSALS_FLOW, SUPPLIERS_FLOW
from mlc_dagster_tests.orchestration.conftest import DAY, World, check, metadata

AT = datetime(2026, 11, 5, 9, tzinfo=UTC)
LATER = datetime(2026, 11, 5, 15, tzinfo=UTC)


@pytest.fixture
def procurify(world: World) -> World:
    """A world whose Procurify is on, with a vendor that is supplier S1, a department and a location of company 0010."""
    section = ProcurifySettings(
        base_url=f"{world.box.url}/procurify", requests_per_second=100_000, payment_terms={"30": "Net 30"}
    )
    world.box.procurify.books.put_location("Stockholm", "0010", "SEK")
    world.box.procurify.books.put_department("Operations", "CC100", "Stockholm")
    world.box.procurify.put_vendor(
        id=81, name="Supplier S1", external_id="S1", country="Sweden", currency="SEK", dateModified=AT
    )
    for value in ("CC100", "CC200"):
        keys = {"Company": "0010", "CodePart": "B", "CodePartValue": value}
        world.box.ifs.put("CodePartValueSet", {**keys, "Description": value}, modified=AT)
    found = replace(world, settings=world.settings.model_copy(update={"procurify": section, "cin7": None}))
    found.chart()
    link(found)
    return found


def link(world: World, vendor: str = "81", supplier: str = "S1") -> None:
    record = Ready(vendor, "2026-11-05", "known", None)  # type: ignore[arg-type]
    with world.ledger as ledger:
        run = Run("linked", DAY)
        ledger.begin(SUPPLIERS_FLOW, [(record, None)], run=run)
        ledger.finish(SUPPLIERS_FLOW, [(record, Saved(Draft(vendor, None), supplier, "adopted"))], run=run)


def load(world: World, *names: str, day: str = DAY) -> dg.ExecuteInProcessResult:
    names = names or ("purchase_order_list", "bill_list")
    flows = {"purchase_order_list": PROPOSALS_FLOW, "bill_list": BILLS_FLOW}
    only = [each for name in names for each in (f"procurify/{name}", f"{flows[name]}_prepared", flows[name])]
    result = world.run("procurify", day, only=only)
    assert result.success
    return result


def put_bill(world: World, *lines: Line, at: datetime = AT, **fields: Any) -> str:
    dated = {"invoice_date": "2026-11-04T00:00:00Z", "due_date": "2026-12-04T00:00:00Z"}
    lines = lines or (Line("500.00", "4010", tax="125.00"),)
    return world.box.procurify.put_bill(81, lines, last_modified_datetime=at, **{**dated, **fields})


def put_order(world: World, *lines: Line, at: datetime = AT, **fields: Any) -> int:
    lines = lines or (Line("500.00", "4010", tax="125.00"),)
    return world.box.procurify.put_purchase_order(81, lines, last_modified=at, date=at, **fields)


def invoices(world: World) -> list[Mapping[str, Any]]:
    return [row for row in world.box.ifs.rows("SupplierInvoiceSet") if row["ObjState"] != "Cancelled"]


def proposals(world: World) -> list[Mapping[str, Any]]:
    return [row for row in world.box.ifs.rows("PostingProposalHeadSet") if row["ObjState"] != "Cancelled"]


def held(world: World, flow: str = BILLS_FLOW) -> dict[str, set[str]]:
    """Key -> the rules that it does not meet."""
    with world.ledger as ledger:
        return {hold.key: {problem.rule for problem in hold.problems} for hold in ledger.open_holds(flow)}


def test_an_approved_bill_is_posted_once(procurify: World) -> None:
    uuid = put_bill(procurify)
    load(procurify)
    print(held(procurify))
    (invoice,) = invoices(procurify)
    assert (invoice["ExternalRef"], invoice["SupplierId"]) == (f"procurify-bill-{uuid}", "S1")
