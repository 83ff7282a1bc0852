"""IFS records become items of monday.com's boards, with the cells that mlc.yaml names a column for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import Record, key_text, plain, record_key
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.line_records import CodeString
from mlc_dagster.systems.monday.records import KINDS, LINKS, PROGRESS, Cell, Item
from mlc_dagster.systems.shared.order_lines import ordered, stated_total, wanted_on
from mlc_dagster.systems.shared.order_progress import Progress, received, received_amount, shipped

SUPPLIERS_FLOW, ACCOUNTS_FLOW = "monday/suppliers", "monday/accounts"

Field = tuple[str, object]
"""Name in mlc.yaml, and value: text, Decimal, date, int, None, or a list of codes."""


def invoice_from_proposal(proposal: ifs.PostingProposal, facts: Facts) -> Item:
    """A supplier invoice (posting proposal) becomes an item, linked to its supplier."""
    fields: list[Field] = [
        *_supplier(proposal.supplier_id, facts),
        ("company", proposal.company),
        ("site", proposal.contract),
        ("invoice_no", proposal.invoice_no),
        ("order_no", proposal.po_reference),
        ("invoice_date", proposal.invoice_date),
        ("due_date", proposal.due_date),
        ("currency", proposal.currency_code),
        ("net_amount", proposal.net_amount),
        ("vat_amount", proposal.vat_amount),
        ("amount", proposal.gross_amount),
        ("status", proposal.obj_state),
        ("text", proposal.text),
        *_coding(proposal.company, proposal.lines, facts, proposal.contract),
    ]
    key = record_key(proposal, ifs.POSTING_PROPOSALS.keys)
    name = proposal.invoice_no or key
    return _item("invoices", proposal, name, key, fields, facts, proposal.supplier_id, proposal.contract)


def item_from_order(order: ifs.PurchaseOrder, facts: Facts) -> Item:
    """A purchase order becomes an item, linked to its supplier; its state, receipts and dates follow the ERP."""
    fields: list[Field] = [
        *_supplier(order.vendor_no, facts),
        ("company", order.company),
        ("site", order.contract),
        ("order_date", order.order_date),
        ("delivery_date", wanted_on(order, facts)),
        *(_received(order, facts) if _tells_progress("purchase_orders", facts) else ()),
        ("currency", order.currency_code),
        ("amount", stated_total(order, facts)),
        ("status", order.obj_state),
        ("buyer", order.buyer_code),
        ("notes", order.notes),
        *_coding(order.company, ordered(order, facts), facts, order.contract),
    ]
    return _item(
        "purchase_orders",
        order,
        order.order_no,
        record_key(order, ifs.PURCHASE_ORDERS.keys),
        fields,
        facts,
        order.vendor_no,
        order.contract,
    )


def item_from_voucher(voucher: ifs.Voucher, facts: Facts) -> Item:
    """A journal entry becomes an item with the accounts and departments that its rows are posted on."""
    fields: list[Field] = [
        ("company", voucher.company),
        ("voucher_type", voucher.voucher_type),
        ("voucher_no", voucher.voucher_no),
        ("voucher_date", voucher.voucher_date),
        ("period", _period(voucher)),
        ("debit", _sum(row.debit_amount for row in voucher.lines)),
        ("credit", _sum(row.credit_amount for row in voucher.lines)),
        ("status", voucher.obj_state),
        ("reference", voucher.external_ref),
        ("text", voucher.text),
        *_coding(voucher.company, voucher.lines, facts),
    ]
    name = f"{voucher.company} {voucher.voucher_type} {voucher.accounting_year} {voucher.voucher_no}"
    return _item("journal_entries", voucher, name, record_key(voucher, ifs.VOUCHERS.keys), fields, facts)


def item_from_customer_order(order: ifs.CustomerOrder, facts: Facts) -> Item:
    """A customer order becomes an item; what was shipped of it follows the ERP."""
    fields: list[Field] = [
        ("customer_no", order.customer_no),
        ("company", order.company),
        ("site", order.contract),
        ("order_date", order.order_date),
        *(_shipped(order, facts) if _tells_progress("customer_orders", facts) else ()),
        ("currency", order.currency_code),
        ("amount", stated_total(order, facts)),
        ("status", order.obj_state),
        ("notes", order.notes),
    ]
    key = record_key(order, ifs.CUSTOMER_ORDERS.keys)
    return _item("customer_orders", order, order.order_no, key, fields, facts, site=order.contract)


def item_from_supplier(supplier: ifs.Supplier, facts: Facts) -> Item:
    """A supplier becomes an item that invoices and orders link to."""
    fields: list[Field] = [
        ("supplier_no", supplier.supplier_id),
        ("country", supplier.country),
        ("currency", supplier.currency_code),
        ("payment_terms", facts.payment_terms.get(supplier.payment_terms or "", supplier.payment_terms)),
        ("email", supplier.email),
        ("vat_no", supplier.vat_no),
        ("account", supplier.default_account and facts.account_in_target(supplier.default_account)),
        ("department", supplier.cost_center),
        ("status", "Blocked" if supplier.blocked else "Active"),
        ("notes", supplier.notes),
    ]
    name = supplier.name or supplier.supplier_id
    return _item("suppliers", supplier, name, record_key(supplier, ifs.SUPPLIERS.keys), fields, facts)


def item_from_account(account: ifs.Account, facts: Facts) -> Item:
    """A GL account of a company becomes an item, for filters and lookups."""
    fields: list[Field] = [
        ("company", account.company),
        ("account", account.account),
        ("description", account.description),
        ("type", account.account_type),
        ("valid_from", account.valid_from),
        ("valid_until", account.valid_until),
        ("status", "Blocked" if account.blocked else "Open"),
    ]
    name = f"{account.account} {account.description or ''}"
    return _item("accounts", account, name, record_key(account, ifs.ACCOUNTS.keys), fields, facts)


# --- all ------------------------------------------------------------------------------------------------------------


def _item(
    flow: str,
    source: Record,
    name: str,
    key: str,
    fields: Sequence[Field],
    facts: Facts,
    supplier_no: str | None = None,
    site: str | None = None,
) -> Item:
    """With the cells that mlc.yaml names a column for: a column that is named later changes the fingerprint."""
    added = facts.extra_fields.get(f"monday/{flow}", {})
    fields = [*fields, *((field, getattr(source, field)) for field in added)]
    columns = {field: column for field, _ in fields if (column := facts.options.get(f"{flow}.columns.{field}"))}
    return Item(
        board=facts.options.get(f"{flow}.board", ""),
        key=key,
        name=" ".join(name.split()),
        cells=tuple(_cell(field, columns, facts) for field in fields if field[0] in columns),
        supplier_no=supplier_no,
        company=None if "company" in columns else getattr(source, "company", None),
        group=_group(flow, getattr(source, "company", None), site, facts),
    )


def _group(flow: str, company: str | None, site: str | None, facts: Facts) -> str:
    """The one that mlc.yaml names for the site; empty where it names none."""
    mapping = facts.site(company, site)
    return mapping.names.get(f"groups.{flow}", "") if mapping else ""


def _cell(field: Field, columns: dict[str, str], facts: Facts) -> Cell:
    name, value = field
    kind = KINDS.get(name, "text")
    board = facts.options.get(f"{LINKS[name]}.board", "") if kind == "link" else ""
    return Cell(field=name, column=columns[name], kind=kind, values=_texts(value), board=board)


def _texts(value: object) -> tuple[str, ...]:
    """Exact text: amounts without trailing zeros, dates as ISO; white space around text is no content."""
    if isinstance(value, Decimal):
        return (f"{plain(value):f}",)
    if isinstance(value, date):
        return (value.isoformat(),)
    if isinstance(value, list):
        return tuple(value)
    text = "" if value is None else str(value).strip()
    return (text,) if text else ()


def _supplier(number: str | None, facts: Facts) -> tuple[Field, ...]:
    """A link to the supplier's item, that item's name, and the number."""
    key = key_text(number)
    return (
        ("supplier", facts.remote_id(SUPPLIERS_FLOW, key)),
        ("supplier_name", facts.name_of(SUPPLIERS_FLOW, key)),
        ("supplier_no", number),
    )


def _tells_progress(flow: str, facts: Facts) -> bool:
    """Whether any column is named for how far an order has come."""
    return any(f"{flow}.columns.{field}" in facts.options for field in PROGRESS)


def _received(order: ifs.PurchaseOrder, facts: Facts) -> tuple[Field, ...]:
    progress = received(order, facts)
    return (
        ("received", progress.text),
        ("receipt_state", progress.words),
        ("received_quantity", progress.done()),
        ("received_amount", received_amount(order, progress, facts)),
        ("received_on", progress.last),
        *_due(progress),
    )


def _shipped(order: ifs.CustomerOrder, facts: Facts) -> tuple[Field, ...]:
    progress = shipped(order, facts)
    return (
        ("shipped", progress.text),
        ("shipment_state", progress.words),
        ("shipped_quantity", progress.done()),
        *_due(progress),
    )


def _due(progress: Progress) -> tuple[Field, ...]:
    return (
        ("ordered_quantity", progress.ordered()),
        ("promised_date", progress.due()),
        ("next_delivery", progress.due_next()),
    )


def _coding(
    company: str | None, lines: Sequence[CodeString], facts: Facts, site: str | None = None
) -> tuple[Field, ...]:
    """The GL accounts of the lines, their items, and their departments: each once, in order. A line without one is of
    its site's."""
    part = f"code_{facts.options.get('department_code_part', 'B').lower()}"
    own = facts.site(company, site)
    accounts = {line.account for line in lines if line.account}
    departments = {str(code).strip() for line in lines if (code := getattr(line, part) or (own and own.cost_center))}
    linked = [facts.remote_id(ACCOUNTS_FLOW, account_key(company, account)) for account in sorted(accounts)]
    return (
        ("accounts", sorted({facts.account_in_target(account) for account in accounts})),
        ("account_links", [item for item in linked if item]),
        ("departments", sorted(departments)),
    )


def account_key(company: str | None, account: str) -> str:
    """Under which an account of the ERP is delivered."""
    return key_text(company or "", account)


def _period(voucher: ifs.Voucher) -> str | None:
    return None if voucher.accounting_period is None else f"{voucher.accounting_year}-{voucher.accounting_period:02d}"


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))
