"""What moves between IFS Cloud and Airbase."""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster import rules
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.airbase.approvals.flows import FLOWS as APPROVALS
from mlc_dagster.systems.airbase.bills.flows import FLOWS as BILLS
from mlc_dagster.systems.airbase.mapping import (
    PURCHASE_ORDERS_FLOW,
    VENDORS_FLOW,
    order_from_order,
    vendor_from_supplier,
)
from mlc_dagster.systems.airbase.records import PURCHASE_ORDERS, VENDORS
from mlc_dagster.systems.airbase.rules import subsidiary_exists, units_are_mapped
from mlc_dagster.systems.airbase.spend.flows import SPEND
from mlc_dagster.systems.airbase.vendors.inbound import FLOWS as INBOUND
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.shared.order_lines import is_not_ordered_yet
from mlc_dagster.systems.shared.progress_rules import progress_can_be_told


def _order_refers_to(order: ifs.PurchaseOrder) -> Mapping[str, str]:
    return {VENDORS_FLOW: key_text(order.vendor_no)} if order.vendor_no else {}


FLOWS = (
    Flow(
        VENDORS_FLOW,
        ifs.SUPPLIERS,
        VENDORS,
        vendor_from_supplier,
        reads=("name",),
        rules=(
            rules.required_fields_are_given,
            rules.payment_term_has_a_name,
            rules.texts_fit,
            rules.is_not_known_under_another_key,
        ),
        checks_accounts=False,
        pair=VENDORS_FLOW,
        description=(
            "Suppliers of IFS in Airbase's vendor list, under the supplier's number: name, mail address, subsidiaries. "
            "A supplier that is blocked in IFS is not active in Airbase. A vendor that was entered in Airbase by hand "
            "under the same name, without a number of the ERP, becomes that supplier instead of a second one."
        ),
    ),
    Flow(
        PURCHASE_ORDERS_FLOW,
        ifs.PURCHASE_ORDERS,
        PURCHASE_ORDERS,
        order_from_order,
        reads=("company", "vendor_no", "currency_code", "lines.line_amount"),
        scope=is_not_ordered_yet,
        rules=(
            rules.gl_accounts_exist,
            rules.company_is_mapped,
            subsidiary_exists,
            rules.is_not_cancelled,
            rules.order_is_a_purchase,
            units_are_mapped,
            progress_can_be_told,
            rules.dates_can_be_meant,
            rules.required_fields_are_given,
            rules.supplier_is_delivered,
            rules.texts_fit,
            rules.amounts_fit,
            rules.amounts_add_up,
        ),
        needs=(VENDORS_FLOW,),
        needs_key=_order_refers_to,
        description=(
            "Purchase orders of IFS in Airbase, under the ERP's order number, each line with quantity, price and its "
            "GL account, which is checked in both charts of accounts."
        ),
    ),
    *BILLS,
    *SPEND,
    *APPROVALS,
    *INBOUND,
)
