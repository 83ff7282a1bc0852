"""Where an Airbase tenant has what, and how much goes into one call. An empty path: the feature is off."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Places:
    """Paths below the host, each with a slash at its end: without it Airbase redirects, and a write is lost."""

    vendors: str = "/v1/accounting/vendors/"
    vendors_bulk: str = "/v1/accounting/vendors/bulk_upsert/"
    accounts: str = "/v1/accounting/accounts/"
    subsidiaries: str = "/v1/accounting/subsidiaries/"
    purchase_orders: str = "/v1/accounting/purchase_orders/"
    purchase_orders_bulk: str = "/v1/accounting/purchase_orders/bulk_upsert/"
    page_size: int = 250
    batch_size: int = 100
