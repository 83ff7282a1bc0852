"""Three kinds of tenants that differ in names, services, keys and absent fields: discovered, pasted, and read whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from mlc_dagster.core.vocabulary import EntitySet, Row
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.ifs.tokens import CLIENT_ID, CLIENT_SECRET
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.lacking import lacking
from mlc_dagster.systems.ifs.ping import ask_ifs
from mlc_dagster.systems.shared.discovery import Discovery
from mlc_dagster.systems.shared.findings import Question
from mlc_dagster_tests.systems.ifs.discover.conftest import discovered, line_of, pasted, section, settings_of
from mlc_dagster_tests.systems.ifs.discover.test_pasted_proposal import everything

pytestmark = pytest.mark.slow

HOLDS = {
    "recorded": {"voucher_set", "account_set", "code_part_value_set"},
    "pages": {
        *("supplier_set", "customer_set", "purchase_order_set", "customer_order_set"),
        *("voucher_set", "account_set", "code_part_value_set"),
    },
    "entity": {
        *("supplier_set", "customer_set", "purchase_order_set"),
        *("voucher_set", "account_set", "code_part_value_set"),
    },
}
"""Profile -> the sets that such a tenant has (facts/ifs-tenants.md, section 7)."""

ON_INT = {
    "entity": {"supplier_set", "customer_set", "voucher_set", "account_set", "code_part_value_set"},
}
"""Profile -> the sets that are served as entity services; the lines of purchase orders are, too."""


class Tried(NamedTuple):
    profile: str
    box: Sandbox
    found: Discovery
    settings: Settings
    sets: dict[str, EntitySet]


@pytest.fixture(scope="module", params=list(HOLDS))
def tried(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    limits = Limits(ifs_requests_per_minute=1_000_000)
    with Sandbox(seed="demo", days=1, profiles=[f"ifs.{request.param}"], limits=limits) as box:
        whose = {row["Contract"]: row["Company"] for row in box.ifs.rows("CustomerOrderSet")}
        sites = ", ".join(f'{site}: "{company}"' for site, company in whose.items() if site)
        found, settings = pasted(box, tmp_path_factory.mktemp("pasted"), sites=f"{{{sites}}}")
        sets = ifs.catalogue_for(configuration.erp_settings(settings))
        yield Tried(request.param, box, found, settings, sets)


def truth(tried: Tried, name: str) -> list[dict[str, Any]]:
    """What the sandbox keeps, as far as its service user may see the company."""
    path = next(each.path for each in ifs.ENTITY_SETS if each.name == name)
    allowed = tried.settings.companies if name in ("account_set", "code_part_value_set") else ("0010", "20", "0030")
    return [row for row in tried.box.ifs.rows(path) if row.get("Company") is None or row["Company"] in allowed]


def rows_of(tried: Tried, name: str) -> list[Row]:
    return everything(tried.settings, tried.sets[name])


def added(rows: Sequence[Any], name: str) -> Decimal:
    return sum((Decimal(row[name] or 0) for row in rows), Decimal(0))


def pairs(rows: Sequence[Any], *names: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(str(row[name] or "") for name in names) for row in rows)


def test_what_such_a_tenant_has_is_proposed_and_the_rest_is_off(tried: Tried) -> None:
    assert {name for name, entity in tried.sets.items() if not entity.is_off} == HOLDS[tried.profile]
    for name, entity in tried.sets.items():
        line = line_of(tried.found, name)
        assert line.ok is not entity.is_off
        assert entity.is_off is ("switches off: " in line.answer or "no flow reads it" in line.answer)
    on_int = {name for name, entity in tried.sets.items() if "/int/" in entity.surface}
    assert on_int == ON_INT.get(tried.profile, set())
    assert "  catalogue: cloud " in tried.found.proposal
    assert line_of(tried.found, "service catalogue").ok


def test_the_flows_that_are_said_to_be_off_are_those_that_are(tried: Tried) -> None:
    section, flows = configuration.erp_settings(tried.settings), configuration.known_flows().values()
    lack = {flow.name: lacking(flow, tried.sets, section) for flow in flows}
    off = {name for name, why in lack.items() if why}
    told = line_of(tried.found, "flows").answer
    assert off and set(told.partition("lacks: ")[2].split(", ")) == off
    if tried.profile == "pages":
        assert "customer_order_set has no total_amount;" in lack["monday/customer_orders"], "its company is by its site"
    for name in off:
        assert f"# - {name}: {lack[name]}" in tried.found.proposal


def test_the_proposal_passes_the_ping(tried: Tried) -> None:
    told = list(ask_ifs(Question("ifs", tried.settings, (CLIENT_ID, CLIENT_SECRET))))
    assert [each for each in told if not each.ok] == []
    assert any(each.what == "sign-in" and each.ok for each in told)


def test_vouchers_and_their_rows_are_all_read(tried: Tried) -> None:
    rows, there = rows_of(tried, "voucher_set"), truth(tried, "voucher_set")
    assert pairs(rows, "company", "voucher_type", "voucher_no") == pairs(there, "Company", "VoucherType", "VoucherNo")
    lines, below = [one for row in rows for one in row["lines"]], [one for row in there for one in row["VoucherRows"]]
    assert len(lines) == len(below) > 0
    assert added(lines, "debit_amount") == added(below, "DebitAmount") > 0
    assert added(lines, "credit_amount") == added(below, "CreditAmount") > 0
    assert pairs(lines, "account", "code_b") == pairs(below, "Account", "CodeB")


def test_the_chart_and_the_code_parts_are_all_read(tried: Tried) -> None:
    accounts, there = rows_of(tried, "account_set"), truth(tried, "account_set")
    assert pairs(accounts, "company", "account", "description") == pairs(there, "Company", "Account", "Description")
    values, below = rows_of(tried, "code_part_value_set"), truth(tried, "code_part_value_set")
    names = ("company", "code_part", "code_part_value", "description")
    assert pairs(values, *names) == pairs(below, "Company", "CodePart", "CodePartValue", "Description") != []


def is_told_as_off(tried: Tried, name: str) -> None:
    """What a tenant does not show is off by the proposal, and not left out of it."""
    assert tried.sets[name].is_off
    assert yaml.safe_load(tried.found.proposal)["entity_sets"][name]["set"] is None


def test_suppliers_and_what_their_children_hold_are_all_read(tried: Tried) -> None:
    if "supplier_set" not in HOLDS[tried.profile]:
        is_told_as_off(tried, "supplier_set")
        return
    rows, there = rows_of(tried, "supplier_set"), truth(tried, "supplier_set")
    names, wire = ("supplier_id", "name", "country"), ("SupplierId", "Name", "Country")
    assert pairs(rows, *names) == pairs(there, *wire)
    below = ("supplier_id", "currency_code", "payment_terms", "notes")
    assert pairs(rows, *below) == pairs(there, "SupplierId", "CurrencyCode", "PaymentTerms", "Notes")
    assert any(row["payment_terms"] for row in rows)


def test_customers_are_all_read(tried: Tried) -> None:
    if "customer_set" not in HOLDS[tried.profile]:
        is_told_as_off(tried, "customer_set")
        return
    rows, there = rows_of(tried, "customer_set"), truth(tried, "customer_set")
    assert pairs(rows, "customer_id", "name", "country") == pairs(there, "CustomerId", "Name", "Country") != []


@pytest.mark.parametrize(
    "name, number", [("purchase_order_set", "PurchaseOrderLines"), ("customer_order_set", "CustomerOrderLines")]
)
def test_orders_and_their_lines_are_all_read(tried: Tried, name: str, number: str) -> None:
    if name not in HOLDS[tried.profile]:
        is_told_as_off(tried, name)
        return
    rows, there = rows_of(tried, name), truth(tried, name)
    assert pairs(rows, "order_no", "obj_state") == pairs(there, "OrderNo", "ObjState") != []
    lines, below = [one for row in rows for one in row["lines"]], [one for row in there for one in row[number]]
    assert pairs(lines, "order_no", "line_no") == pairs(below, "OrderNo", "LineNo") != []
    assert added(lines, "buy_qty_due") == added(below, "BuyQtyDue") > 0
    if name == "purchase_order_set":
        assert added(lines, "line_amount") == added(below, "LineAmount") > 0
        assert added(rows, "total_amount") == added(below, "LineAmount")
        assert pairs(lines, "account", "code_b") == pairs(below, "Account", "CodeB")


def test_what_a_row_and_the_catalogue_tell_is_taken_in(tmp_path: Path) -> None:
    """Country holds names there; invoices have a service that no source names, which is asked about."""
    limits = Limits(ifs_requests_per_minute=1_000_000)
    with Sandbox(seed="demo", days=1, profiles=["ifs.no-workflow"], limits=limits) as box:
        found = discovered(settings_of(section(box.url), tmp_path))
    sets = yaml.safe_load(found.proposal)["entity_sets"]
    assert sets["supplier_set"]["fields"]["country"] == "CountryCode"
    assert "Country holds names here" in found.proposal
    assert sets["supplier_invoice_set"] == {"set": None}
    assert "is ManSuppInvoiceHandling/ManSuppInvoiceSet supplier invoices?" in found.proposal
