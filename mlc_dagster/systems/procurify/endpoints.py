"""Where Procurify has things, and which of its documents are read whole."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoints:
    """Paths below the host, each with its slash at the end; to `bill`, `purchase_order`, `vendor` a key is appended."""

    bills: str = "/api/v3/ap/bills/"
    bill: str = "/api/v2/ap/bills/"
    purchase_orders: str = "/api/v2/purchase_orders/purchased/all/"
    purchase_order: str = "/api/v2/purchase_orders/"
    vendors: str = "/api/v3/vendors/"
    vendor: str = "/api/v3/vendors/"
    departments: str = "/api/v3/departments/"
    locations: str = "/api/v2/locations/"
    currencies: str = "/api/v2/currencies/"
    me: str = "/api/v3/users/me/"


@dataclass(frozen=True)
class ReadScope:
    """How far a reading goes: the pages, the time around a day, and the documents whose lines are asked for."""

    page_size: int = 50
    in_flight: int = 4
    bill_overlap_minutes: float = 10
    order_overlap_days: int = 1
    bill_types: tuple[int, ...] = (0,)
    bill_statuses: tuple[int, ...] = (2, 4, 6, 7)
    part_bills: str = "reduce"
