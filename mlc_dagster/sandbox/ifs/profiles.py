"""The tenants that the sandboxed IFS Cloud can stand for."""

from __future__ import annotations

from mlc_dagster.sandbox.profiles import Profile

_ALLOWED = ("0010", "20", "0030")
_EVERY = {"token_seconds": 180.0, "allowed_companies": _ALLOWED, "expand": False, "rows_without_top": 0}
"""Of all but `seed`: tokens as recorded, companies that are not the service user's absent with 200."""

CLOUD = {"catalogue": "cloud"}

PROFILES = {
    "seed": Profile("The names of the business description, everything granted: no tenant that was ever recorded."),
    "recorded": Profile(
        "A tenant that grants one finance query service for reading: what was recorded of a live one.",
        {**_EVERY, "view": "recorded"},
        CLOUD,
    ),
    "pages": Profile(
        "A tenant that grants the services of the user interface: children and lines in arrays, no totals, no $count.",
        {**_EVERY, "view": "pages", "count": False, "modified_every": 101},
        CLOUD,
    ),
    "load-only": Profile(
        "A tenant where integrations enter documents by external loads that a person approves, behind an API gateway.",
        {
            **_EVERY,
            "view": "load-only",
            "projections_listed": False,
            "suppliers_approved": False,
            "gateway_loses": 7,
            "gateway_grants": 3,
        },
        {**CLOUD, "invoices_by": "external", "vouchers_by": "external"},
    ),
}
