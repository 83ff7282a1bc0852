"""The circles of a world: the flows that belong together, and all that people may do around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlc_dagster_tests.world import erp, people, saas
from mlc_dagster_tests.world.erp import Deed

FIRST: dict[Deed, Sequence[int]] = {
    erp.a_supplier_is_entered_or_renamed: (0,),
    erp.an_order_is_entered_or_edited: (1,),
    erp.a_proposal_is_entered_or_edited: (2,),
    erp.a_voucher_is_entered_or_edited: (3,),
    saas.something_is_spent_or_amended: range(3),
    saas.a_vendor_is_entered_or_renamed: (0,),
    saas.a_bill_is_entered_or_amended: (1,),
    saas.an_order_is_placed_or_amended: (2,),
}
"""Deed that enters something -> in which ways it is done first."""


@dataclass(frozen=True)
class Circle:
    """`flows` in the order in which a run takes them; `by_set`: those that the nightly sweep looks at together."""

    name: str
    systems: tuple[str, ...]
    flows: tuple[str, ...]
    deeds: tuple[Deed, ...]
    by_set: tuple[tuple[str, ...], ...] = ()
    from_saas: tuple[str, ...] = ()  # their source is asked each night for what was delivered

    @property
    def first(self) -> list[tuple[Deed, int, int]]:
        """(deed, number, way): what is there when a world begins that is going on already."""
        entering = [deed for deed in FIRST if deed in self.deeds]
        return [(deed, number, way) for deed in entering for number in (1, 2, 3) for way in FIRST[deed]]


_ORDERED = (*erp.MASTERS, *erp.CHART, *erp.ON_ORDERS)
CIRCLES = (
    Circle(
        "Cin7",
        ("cin7", "ifs"),
        ("cin7/suppliers", "cin7/purchases", "cin7/purchase_invoices"),
        (*_ORDERED, *erp.ON_PROPOSALS, *people.IN_CIN7),
        (("cin7/suppliers",), ("cin7/purchases",), ("cin7/purchase_invoices",)),
    ),
    Circle(
        "Cin7 and back",
        ("cin7", "ifs"),
        ("cin7/suppliers", "ifs/suppliers_from_cin7", "cin7/purchases"),
        (*_ORDERED, *people.IN_CIN7, *people.SUPPLIERS_IN_CIN7),
        (("cin7/suppliers",), ("cin7/purchases",)),
    ),
    Circle(
        "HubSpot",
        ("hubspot", "ifs"),
        ("hubspot/supplier_companies", "hubspot/invoices"),
        (*erp.MASTERS, *erp.CHART, *erp.ON_PROPOSALS, *people.IN_HUBSPOT),
        (("hubspot/supplier_companies",), ("hubspot/invoices",)),
    ),
    Circle(
        "Airbase",
        ("airbase", "ifs"),
        ("airbase/vendors", "airbase/purchase_orders"),
        (*_ORDERED, *people.ORDERS_IN_AIRBASE, *people.VENDORS_IN_AIRBASE),
        (("airbase/vendors",), ("airbase/purchase_orders",)),
    ),
    Circle(
        "Airbase and back",
        ("airbase", "ifs"),
        ("airbase/vendors", "ifs/suppliers_from_airbase"),
        (*erp.MASTERS, *people.VENDORS_IN_AIRBASE, *saas.VENDORS_OF_AIRBASE),
        (("airbase/vendors",),),
    ),
    Circle(
        "monday",
        ("monday", "ifs"),
        ("monday/suppliers", "monday/purchase_orders", "monday/journal_entries"),
        (*_ORDERED, *erp.ON_VOUCHERS, *people.IN_MONDAY),
        (("monday/suppliers",), ("monday/purchase_orders",), ("monday/journal_entries",)),
    ),
    Circle(
        "spending",
        ("airbase", "ifs"),
        (
            "ifs/vouchers_from_airbase_requests",
            "ifs/vouchers_from_airbase_payments",
            "ifs/vouchers_from_airbase_bills",
        ),
        (*saas.SPENDING, *erp.CHART, *people.IN_THE_ERP),
        from_saas=(
            "ifs/vouchers_from_airbase_requests",
            "ifs/vouchers_from_airbase_payments",
            "ifs/vouchers_from_airbase_bills",
        ),
    ),
    Circle(
        "Procurify",
        ("procurify", "ifs"),
        (
            "ifs/suppliers_from_procurify",
            "ifs/supplier_invoices_from_procurify",
            "ifs/posting_proposals_from_procurify",
        ),
        (*saas.PROCURING, *erp.CHART, *people.IN_THE_ERP),
        from_saas=("ifs/supplier_invoices_from_procurify", "ifs/posting_proposals_from_procurify"),
    ),
)
BY_NAME = {circle.name: circle for circle in CIRCLES}
