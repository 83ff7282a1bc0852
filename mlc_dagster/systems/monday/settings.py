"""The part of mlc.yaml about monday.com: boards, and which field goes to which column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from mlc_dagster.settings.addresses import Address
from mlc_dagster.settings.orders import OrderState, TakesOrders, WantedDate
from mlc_dagster.settings.section import Placeholder, Section, shape
from mlc_dagster.systems.monday.records import LINKS

Column = Annotated[str | None, Field(None, min_length=1, description="Id or title of the column on the board")]


class InvoiceColumns(Section):
    supplier: Column = None  # a link to the item on the suppliers' board
    supplier_name: Column = None  # the same as text, as that item is called
    supplier_no: Column = None
    site: Column = None
    company: Column = None
    invoice_no: Column = None
    order_no: Column = None
    invoice_date: Column = None
    due_date: Column = None
    currency: Column = None
    net_amount: Column = None
    vat_amount: Column = None
    amount: Column = None
    status: Column = None
    accounts: Column = None
    account_links: Column = None  # links to the items on the accounts' board
    departments: Column = None
    text: Column = None


class OrderColumns(Section):
    supplier: Column = None  # a link to the item on the suppliers' board
    supplier_name: Column = None  # the same as text, as that item is called
    supplier_no: Column = None
    company: Column = None
    site: Column = None
    order_date: Column = None
    delivery_date: Column = None  # when it is wanted
    promised_date: Column = None  # when its last line is due: promised, else planned
    next_delivery: Column = None  # when the first line is due of which something is still to come
    received: Column = None  # line by line: "1/1 3 of 5 pcs received, 2026-12-01"
    receipt_state: Column = None  # Not received, Partly received, Received, More than ordered
    ordered_quantity: Column = None  # of all lines, where they are in one unit
    received_quantity: Column = None
    received_amount: Column = None  # what was received is worth
    received_on: Column = None  # the day of the last receipt
    currency: Column = None
    amount: Column = None
    status: Column = None
    buyer: Column = None
    accounts: Column = None
    account_links: Column = None  # links to the items on the accounts' board
    departments: Column = None
    notes: Column = None


class JournalColumns(Section):
    company: Column = None
    voucher_type: Column = None
    voucher_no: Column = None
    voucher_date: Column = None
    period: Column = None
    debit: Column = None
    credit: Column = None
    status: Column = None
    accounts: Column = None
    account_links: Column = None  # links to the items on the accounts' board
    departments: Column = None
    reference: Column = None
    text: Column = None


class SalesColumns(Section):
    customer_no: Column = None
    company: Column = None
    site: Column = None
    order_date: Column = None
    promised_date: Column = None  # when its last line is due: promised, else planned
    next_delivery: Column = None  # when the first line is due of which something is still to come
    shipped: Column = None  # line by line: "1/1 3 of 5 pcs shipped, 2026-12-01"
    shipment_state: Column = None  # Not shipped, Partly shipped, Shipped, More than ordered
    ordered_quantity: Column = None  # of all lines, where they are in one unit
    shipped_quantity: Column = None
    currency: Column = None
    amount: Column = None
    status: Column = None
    notes: Column = None


class SupplierColumns(Section):
    supplier_no: Column = None
    country: Column = None
    currency: Column = None
    payment_terms: Column = None
    email: Column = None
    vat_no: Column = None
    account: Column = None
    department: Column = None
    status: Column = None
    notes: Column = None


class AccountColumns(Section):
    company: Column = None
    account: Column = None
    description: Column = None
    type: Column = None
    valid_from: Column = None
    valid_until: Column = None
    status: Column = None


class Board(Section):
    board: str = Field(
        pattern=shape(r"^\d+$", "the board's id: digits alone, as its address shows it"),
        description="The board's id, as its address shows it",
    )
    group: str = Field("", description="Id of the group that new items go to; empty: the first")


class InvoiceBoard(Board):
    columns: InvoiceColumns = InvoiceColumns()


class OrderBoard(Board):
    columns: OrderColumns = OrderColumns()


class JournalBoard(Board):
    columns: JournalColumns = JournalColumns()


class SalesBoard(Board):
    columns: SalesColumns = SalesColumns()


class SupplierBoard(Board):
    columns: SupplierColumns = SupplierColumns()


class AccountBoard(Board):
    columns: AccountColumns = AccountColumns()


AnyBoard = InvoiceBoard | OrderBoard | JournalBoard | SalesBoard | SupplierBoard | AccountBoard


class MondayBoards(Section):
    """A flow without a board is off."""

    invoices: InvoiceBoard | None = None
    purchase_orders: OrderBoard | None = None
    journal_entries: JournalBoard | None = None
    customer_orders: SalesBoard | None = None
    suppliers: SupplierBoard | None = None
    accounts: AccountBoard | None = None

    @model_validator(mode="after")
    def _one_flow_for_a_board(self) -> MondayBoards:
        seen: dict[str, str] = {}
        for flow, board in self.used():
            if (other := seen.setdefault(board.board, flow)) != flow:
                raise ValueError(f"{flow} and {other} have one board, {board.board}: give each its own")
            for field, linked in {**LINKS, "supplier_name": "suppliers"}.items():
                if getattr(board.columns, field, None) and getattr(self, linked) is None:
                    how = "links to" if field in LINKS else "is a name on"
                    raise ValueError(f"{flow}.columns.{field} {how} the {linked}' board: name it, or leave this out")
        return self

    def used(self) -> Iterator[tuple[str, AnyBoard]]:
        """(flow, board) of those that are on."""
        for flow in type(self).model_fields:
            if (board := getattr(self, flow)) is not None:
                yield flow, board


class SiteInMonday(Section):
    """Where new items of a site go: a group of each board."""

    groups: dict[Literal["purchase_orders", "customer_orders", "invoices"], str] = Field(
        default_factory=dict, description="flow: id of the group on its board that new items of this site go to"
    )
    cost_center: str | None = Field(None, description="Of the order's and invoice's lines that name none")


class MondaySettings(TakesOrders):
    """monday.com. The token comes from MONDAY_TOKEN: personal, or of an app. With `oauth`, tokens of an app that end
    within an hour are renewed: by MONDAY_CLIENT_ID, MONDAY_CLIENT_SECRET and MONDAY_REFRESH_TOKEN.
    """

    usual_states: ClassVar[Mapping[str, OrderState]] = {}
    """A board shows an order's state beside it: one that is planned or stopped is no purchase there either."""

    placeholders: ClassVar[tuple[Placeholder, ...]] = (
        Placeholder(("board",), r"^123456789\d$", "the id of your own board, as its address shows it"),
    )

    base_url: Address = "https://api.monday.com"
    api_version: str = Field(
        "2026-10", pattern=shape(r"^\d{4}-(01|04|07|10)$", "a version of monday's API, such as 2026-10")
    )
    oauth: bool = Field(False, description="Sign in as an app, by OAuth with a refresh token that lies in the vault")
    token_url: Address = Field("https://auth.monday.com/oauth_ms/oauth/token", description="Where an app signs in")
    points_per_minute: int = Field(
        10_000_000, ge=100_000, description="Complexity: 10,000,000 for a personal token, 5,000,000 for an app's"
    )
    calls_per_minute: int = Field(1000, ge=1, description="Enterprise 5,000, Pro 2,500, other plans 1,000")
    calls_per_day: int = Field(
        1000, ge=1, description="Enterprise 25,000, Pro 10,000, other plans 1,000; from 0:00 UTC"
    )
    timeout_seconds: float = Field(75, gt=0, description="monday itself gives up after 60")
    create_columns: bool = Field(False, description="Make columns that a board does not have")
    create_labels: bool = Field(True, description="Make labels that a status or dropdown column does not have")
    key_column: str = Field("IFS key", min_length=1, description="Id or title of each board's text column for the key")
    order_states: dict[str, OrderState] = Field(
        default_factory=dict, description="What becomes of an order in this state; of others: deliver, with its state"
    )
    line_states: tuple[str, ...] = Field(
        ("Cancelled",), description="States of an order line whose amount is none of the order's (any more)"
    )
    wanted_date: WantedDate = "header"
    department_code_part: str = Field("B", pattern=shape(r"^[B-J]$", "a code part, a letter from B to J"))
    boards: MondayBoards = MondayBoards()
    extra_fields: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="flow: record field: id or title of the column on the flow's board"
    )

    @model_validator(mode="after")
    def _extra_fields_have_a_board(self) -> MondaySettings:
        if unknown := sorted(set(self.extra_fields) - {flow for flow, _ in self.boards.used()}):
            raise ValueError(f"extra_fields: {', '.join(unknown)} has no board under monday.boards")
        for flow, board in self.boards.used():
            if mapped := sorted(set(self.extra_fields.get(flow, {})) & set(type(board.columns).model_fields)):
                raise ValueError(f"extra_fields.{flow}.{mapped[0]} is a field of the flow: use boards.{flow}.columns")
        return self

    @property
    def extras(self) -> Mapping[str, Mapping[str, str]]:
        return dict(self.extra_fields)

    def options(self) -> dict[str, str]:
        """What mappings may know of this section, as text: {"invoices.board": "12", "invoices.columns.amount": ...}."""
        own = {name: getattr(self, name) for name in ("key_column", "department_code_part", "wanted_date")}
        found = {**super().options(), **own}
        for flow, board in self.boards.used():
            columns = board.columns.model_dump(exclude_none=True)
            found |= {f"{flow}.board": board.board, f"{flow}.group": board.group}
            columns |= self.extra_fields.get(flow, {})
            found |= {f"{flow}.columns.{field}": column for field, column in columns.items()}
        return found

    @property
    def switched_off(self) -> Mapping[str, str]:
        """A flow without a board."""
        missing = [name for name in type(self.boards).model_fields if getattr(self.boards, name) is None]
        return {f"monday/{name}": f"monday.boards.{name} is not set" for name in missing}
