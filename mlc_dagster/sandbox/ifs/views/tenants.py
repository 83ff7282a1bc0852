"""Which services each kind of tenant has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.ifs.views import books, loads, orders, own_services, partners, payables
from mlc_dagster.sandbox.ifs.views.view import View

Views = tuple[View, ...]


def _recorded(tenant: Tenant) -> Views:
    return books.recorded()


def _pages(tenant: Tenant) -> Views:
    return (
        partners.suppliers(tenant),
        partners.customers(tenant),
        orders.purchase_orders(),
        orders.lines_without_part(),
        orders.customer_orders(),
        orders.customer_order_lines(),
        *books.recorded(),
    )


def _own_services(tenant: Tenant) -> Views:
    """As `pages`, and beside them what the tenant built for its integrations: documents that are posted."""
    return (*_pages(tenant), *own_services.own_services())


def _load_only(tenant: Tenant) -> Views:
    """As `pages`, and the books' documents can be read; they are entered by external loads alone."""
    invoices = replace(payables.invoices(writes=frozenset({"POST", "PATCH"})), is_granted=False)
    return (*_pages(tenant), invoices, loads.vouchers(), loads.invoices())


def _no_workflow(tenant: Tenant) -> Views:
    """As `pages`; supplier invoices with lines and postings apart, a ledger beside the hold table, no proposals."""
    invoices = payables.invoices(writes=frozenset({"POST", "PATCH"}))
    proposals = (payables.proposals(),) if tenant.proposals == "empty" else ()
    return (*_pages(tenant), invoices, *proposals, books.ledger_rows(), loads.vouchers(), loads.invoices())


def _entity(tenant: Tenant) -> Views:
    """Entity services, of which the half is not activated; orders on /main, their lines on /int."""
    orders_alone = replace(orders.purchase_orders(), arrays=())
    return (
        *partners.supplier_entities(tenant),
        orders_alone,
        orders.line_entity(),
        books.account_entity(),
        books.code_part_entity(),
        *books.voucher_entities(),
    )


TENANTS: Mapping[str, Callable[[Tenant], Views]] = {
    "recorded": _recorded,
    "pages": _pages,
    "own-services": _own_services,
    "entity": _entity,
    "no-workflow": _no_workflow,
    "load-only": _load_only,
}


def views_of(tenant: Tenant) -> Views:
    return TENANTS[tenant.view](tenant)
