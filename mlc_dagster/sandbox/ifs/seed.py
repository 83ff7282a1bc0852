"""The demo's ERP: books, partners, orders, postings and vouchers, one after the other from one random."""

from __future__ import annotations

from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.ifs.fiscal import rekeyed
from mlc_dagster.sandbox.seed.books import sow_ifs_books
from mlc_dagster.sandbox.seed.orders import sow_customer_orders, sow_orders
from mlc_dagster.sandbox.seed.partners import Season, sow_customers, sow_partners
from mlc_dagster.sandbox.seed.postings import sow_proposals, sow_vouchers
from mlc_dagster.sandbox.seed.receipts import sow_receipts


def sow_ifs(ifs: IfsSandbox, season: Season, *_: object) -> None:
    """Draws from the season's own random: the order of these lines decides what the demo holds."""
    sow_ifs_books(ifs, season.today)
    partners = sow_partners(ifs, season)
    orders = sow_orders(ifs, season, partners)
    sow_proposals(ifs, season, partners, orders)
    sow_vouchers(ifs, season)
    if ifs.tenant.fiscal_year_starts > 1:
        rekeyed(ifs.sets["VoucherSet"], ifs.tenant.fiscal_year_starts)
    sow_customer_orders(ifs, season, sow_customers(ifs, season))
    sow_receipts(ifs, season, [order for order, _ in orders])
