"""`mlc discover monday`: boards and columns, matched by title, and by the types that take what we send. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.monday.boards.layout import Board, Column, column_faults
from mlc_dagster.systems.monday.connect import connect
from mlc_dagster.systems.monday.records import KINDS, Cell
from mlc_dagster.systems.monday.settings import MondayBoards, MondaySettings
from mlc_dagster.systems.shared.discovery import Choice, CodesInUse, Discovery, Setting, discovered
from mlc_dagster.systems.shared.findings import Finding, Question, budget

TITLES = {
    "invoices": ("invoices", "supplier invoices"),
    "purchase_orders": ("purchase orders", "pos"),
    "journal_entries": ("journal entries", "journal", "vouchers"),
    "customer_orders": ("customer orders", "sales orders", "sales"),
    "suppliers": ("suppliers", "vendors"),
    "accounts": ("accounts", "chart of accounts"),
}
"""Flow -> what its board may be called, in any case."""
ALSO = {
    "due_date": ("due",),
    "delivery_date": ("delivery",),
    "invoice_date": ("invoiced",),
    "order_date": ("ordered",),
    "accounts": ("account", "gl account", "gl accounts"),
    "departments": ("department", "cost centre", "cost center"),
    "invoice_no": ("invoice", "invoice number"),
    "voucher_no": ("voucher", "voucher number"),
    "vat_no": ("vat", "vat number"),
    "email": ("e-mail",),
}
"""Field -> what its column may be called beside its own name."""


def discover_monday(question: Question, flows: Sequence[Flow], codes: CodesInUse) -> Discovery:
    """Raises AccessDenied where the token is refused."""
    section = question.section(MondaySettings)
    client = connect(section, *question.secrets, budget, tries=2, **question.kept)
    who, boards = client.who(), client.boards()
    ids = tuple(board.id for board in boards)
    named = {flow: board for flow in TITLES if (board := _board(flow, boards))}
    keys = [f"{board.name} ({board.id})" for board in named.values() if board.column(section.key_column) is None]
    settings = list(_settings(named))
    choices = [
        Choice(f"boards.{flow}.board", f"The id of the board of {flow.replace('_', ' ')}", ids)
        for flow in TITLES
        if flow not in named
    ]
    findings = [
        Finding("monday", "sign-in", True, who),
        Finding("monday", "boards", bool(boards), f"{len(boards)} seen"),
    ]
    if keys:
        words = f"no column {section.key_column!r} on {', '.join(keys)}: make one of type text, or set create_columns"
        findings.append(Finding("monday", "key", False, words))
    return discovered("monday", settings, choices, findings)


def _board(flow: str, boards: Sequence[Board]) -> Board | None:
    """The only one that is called so."""
    found = [board for board in boards if board.name.strip().casefold() in TITLES[flow]]
    return found[0] if len(found) == 1 else None


def _settings(named: Mapping[str, Board]) -> Iterator[Setting]:
    for flow, board in named.items():
        columns = {field: column.id for field, column in _columns(flow, board, named)}
        yield Setting(f"boards.{flow}", {"board": board.id, "columns": columns}, f"board {board.name!r}")


def _columns(flow: str, board: Board, named: Mapping[str, Board]) -> Iterator[tuple[str, Column]]:
    """(field, column) of the only column that is called so, where its type takes the field: as ping would say it."""
    by_title: dict[str, list[Column]] = {}
    for column in board.columns:
        by_title.setdefault(_folded(column.title), []).append(column)
    for field in _fields(flow):
        titles = (_folded(field), *ALSO.get(field, ()))
        found, kind = [column for title in titles for column in by_title.get(title, [])], KINDS.get(field, "text")
        if len(found) != 1 or (kind == "link" and "suppliers" not in named):
            continue
        links_to = named["suppliers"].id if kind == "link" else ""
        cell = Cell(field=field, column=found[0].id, kind=kind, board=links_to)
        if not list(column_faults(board, {found[0].id: cell})):
            yield field, found[0]


def _fields(flow: str) -> list[str]:
    columns = MondayBoards.model_fields[flow].annotation.__args__[0].model_fields["columns"].annotation  # type: ignore[union-attr]
    return list(columns.model_fields)


def _folded(text: str) -> str:
    return " ".join(text.replace("_", " ").casefold().split())
