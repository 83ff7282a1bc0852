"""In what accounts of Cin7 differ, as far as it was measured on real ones (facts: saas-doubts, section 1)."""

from __future__ import annotations

from dataclasses import dataclass

from mlc_dagster.sandbox.profiles import Profile


@dataclass(frozen=True)
class Cin7Traits:
    products_once: bool = True  # one product twice in an order or invoice is refused, as a client of it reports
    least_quantity: float = 1  # of a line: the blueprint's minimal value
    tax_method: str = "Row Total"  # or Total: the document is taxed as a whole
    invoice_rate: float = (
        1.0  # an invoice's own rate, as a share of its purchase's: 1.39342 beside 1.40275 was measured
    )
    composed_statuses: bool = False  # a voided purchase with a credit note is "VOIDED / CREDITED"
    busy: str = "429"  # how too many calls are refused: 429, 503, 400, or in turn
    drops: str = ""  # members of a purchase's header that are taken with 200 and not kept, comma separated
    loses_addresses: bool = False  # PUT keeps no address, whatever is sent
    voids: bool = True  # DELETE does what it says; else it answers 200, and nothing is voided
    locations_in_page: int = 500  # the most, whatever Limit says
    webhooks: bool = False  # it has the paid Automation module, and webhooks: one of them switched off


PROFILES = {
    "measured": Profile(
        "An account as it was measured: documents taxed as a whole, invoices at rates of their own, composed statuses.",
        {
            "tax_method": "Total",
            "invoice_rate": 0.99335,
            "composed_statuses": True,
            "busy": "in turn",
            "webhooks": True,
        },
    ),
    "forgetful": Profile(
        "An account that answers 200 and keeps less: no delivery date, no addresses, and what was voided stands.",
        {"drops": "RequiredBy", "loses_addresses": True, "voids": False},
    ),
}
