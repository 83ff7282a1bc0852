"""Which services each kind of tenant has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.ifs.views import books, orders, partners
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
        *books.recorded(),
    )


TENANTS: Mapping[str, Callable[[Tenant], Views]] = {"recorded": _recorded, "pages": _pages}


def views_of(tenant: Tenant) -> Views:
    return TENANTS[tenant.view](tenant)
