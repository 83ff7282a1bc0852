"""What becomes of an ERP record on its board."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.facts import Books, Facts
from mlc_dagster.core.vocabulary import fingerprint
from mlc_dagster.rules import gl_accounts_exist, supplier_is_delivered, texts_fit
from mlc_dagster.systems.configuration import parse
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.monday import mapping
from mlc_dagster.systems.monday import settings as section
from mlc_dagster.systems.monday.boards.cell_values import COLUMN_TYPES, shown, written
from mlc_dagster.systems.monday.flows import FLOWS
from mlc_dagster.systems.monday.records import Item
from mlc_dagster_tests.systems.monday.samples import facts, proposal

SAMPLES: dict[str, Any] = {
    "invoices": proposal(),
    "purchase_orders": ifs.PurchaseOrder(order_no="P1"),
    "journal_entries": ifs.Voucher(company="0010", voucher_type="A", accounting_year=2026, voucher_no=17),
    "customer_orders": ifs.CustomerOrder(order_no="C1"),
    "suppliers": ifs.Supplier(supplier_id="S100"),
    "accounts": ifs.Account(company="0010", account="4010"),
}


def every_column(flow: str) -> dict[str, str]:
    """Options that name a column for each field that the settings know."""
    board = section.MondayBoards.model_fields[flow].annotation
    columns = next(part for part in board.__args__ if part is not type(None)).model_fields["columns"].annotation
    return {f"{flow}.columns.{field}": field.title() for field in columns.model_fields}


def cells(item: Item) -> dict[str, tuple[str, ...]]:
    return {cell.field: cell.values for cell in item.cells}


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.target.name)
def test_every_field_that_mlc_yaml_may_name_is_mapped(flow: Any) -> None:
    options = every_column(flow.target.name)
    item = flow.mapping(SAMPLES[flow.target.name], Facts(options=options))
    assert {cell.field for cell in item.cells} == {name.rpartition(".")[2] for name in options}
    assert all(cell.kind in COLUMN_TYPES for cell in item.cells)


def test_a_journal_entry_carries_accounts_departments_and_totals() -> None:
    rows = (
        ifs.VoucherRow(row_no=1, account="6110", code_b="CC200", debit_amount=Decimal("100.10")),
        ifs.VoucherRow(row_no=2, account="4010", code_b="CC100", debit_amount=Decimal("0.20")),
        ifs.VoucherRow(row_no=3, account="2440", code_b="CC100", credit_amount=Decimal("100.30")),
    )
    voucher = ifs.Voucher(
        company="0010",
        voucher_type="A",
        accounting_year=2026,
        voucher_no=17,
        voucher_date=date(2026, 11, 5),
        lines=rows,
    )
    item = mapping.item_from_voucher(
        voucher, Facts(options=every_column("journal_entries"), gl_accounts={"6110": "6100"})
    )
    found = cells(item)
    assert (item.key, item.name) == ("0010/A/2026/17", "0010 A 2026 17")
    assert found["accounts"] == ("2440", "4010", "6100") and found["departments"] == ("CC100", "CC200")
    assert (found["debit"], found["credit"]) == (("100.3",), ("100.3",))
    assert found["voucher_date"] == ("2026-11-05",)


def test_a_proposal_on_an_unknown_account_is_held_by_the_erps_chart_alone() -> None:
    """monday has no chart of its own: an account that the ERP knows is good."""
    known = facts(books=Books(has_chart=False))
    unknown = proposal(lines=(ifs.PostingProposalLine(row_id=1, account="4O10"),))
    problem = gl_accounts_exist(unknown, None, known)
    assert problem and problem.rule == "gl_accounts_exist" and problem.subject == "4O10"
    assert gl_accounts_exist(proposal(), None, known) is None


def test_an_invoice_waits_for_its_supplier_only_where_a_column_links_to_it() -> None:
    linked = mapping.invoice_from_proposal(proposal(), facts())
    there = mapping.invoice_from_proposal(proposal(), facts({"S100": "900"}))
    plain = mapping.invoice_from_proposal(proposal(), Facts(options={"invoices.board": "22"}))
    problem = supplier_is_delivered(None, linked, facts())
    assert problem and problem.subject == "S100"
    assert supplier_is_delivered(None, there, facts()) is None and cells(there)["supplier"] == ("900",)
    assert supplier_is_delivered(None, plain, facts()) is None


@pytest.mark.parametrize(
    "flow", [flow for flow in FLOWS if flow.target.name != "suppliers"], ids=lambda flow: flow.name
)
def test_an_item_has_its_records_company_whether_a_column_shows_it_or_not(flow: Any) -> None:
    """Whose a difference is must not depend on the columns of a board."""
    source = msgspec.structs.replace(SAMPLES[flow.target.name], company="0010")
    assert flow.mapping(source, Facts()).company == "0010"
    with_column = flow.mapping(source, Facts(options={f"{flow.target.name}.columns.company": "Company"}))
    assert with_column.company is None and cells(with_column) == {"company": ("0010",)}, (
        "the item is what it was before"
    )


def test_a_column_that_is_named_later_changes_the_item() -> None:
    options = {name: text for name, text in facts().options.items() if name != "invoices.columns.due_date"}
    before, after = (mapping.invoice_from_proposal(proposal(), known) for known in (facts(options=options), facts()))
    assert fingerprint(before) != fingerprint(after)


def test_a_name_that_is_too_long_is_held_not_cut() -> None:
    item = mapping.invoice_from_proposal(proposal(invoice_no="F" * 256), facts())
    problem = texts_fit(None, item, facts())
    assert problem and "255" in problem.reason


@pytest.mark.parametrize(
    "kind, values, column, wire",
    [
        ("amount", ("1234.5",), "numbers", "1234.5"),
        ("amount", (), "numbers", None),
        ("date", ("2026-12-31",), "date", {"date": "2026-12-31"}),
        ("state", ("Open",), "status", {"label": "Open"}),
        ("state", ("30",), "status", {"label": "IFS 30"}),
        ("codes", ("4010", "2440"), "dropdown", {"labels": ["4010", "2440"]}),
        ("codes", ("4010", "2440"), "text", "4010, 2440"),
        ("link", ("9000000001",), "board_relation", {"item_ids": [9000000001]}),
    ],
)
def test_a_value_is_written_as_its_column_takes_it(kind: Any, values: Any, column: str, wire: Any) -> None:
    from mlc_dagster.systems.monday.records import Cell

    cell = Cell(field="x", column="X", kind=kind, values=values)
    assert written(cell, column) == wire
    assert not values or shown(cell, column) != ""


@pytest.mark.parametrize(
    "boards, said",
    [
        ({"invoices": {"board": "1", "columns": {"amuont": "Amount"}}}, "monday.boards.invoices.columns.amuont"),
        ({"invoices": {"board": "1"}, "accounts": {"board": "1"}}, "have one board, 1"),
        ({"invoices": {"board": "1", "columns": {"supplier": "Supplier"}}}, "links to the suppliers' board"),
        ({"invoices": {"board": "my board"}}, "monday.boards.invoices.board"),
    ],
)
def test_a_mistake_in_the_boards_is_named(boards: Any, said: str) -> None:
    content = {
        "companies": {"0010": {"currency": "SEK"}},
        "ifs": {"base_url": "https://erp.test", "token_url": "https://erp.test/token"},
        "monday": {"boards": boards},
    }
    with pytest.raises(Misconfigured) as caught:
        parse(content, "mlc.yaml")
    assert said in str(caught.value)
