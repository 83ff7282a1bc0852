"""What each flow comes to under each profile of the ERP: exact, exact but for what a tenant lacks, or off.

The tests of C30 hold it to be true; docs/profiles.md is drawn from it:
`python -m mlc_dagster_tests.promises.tenant_outcomes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlc_dagster.sandbox.profiles import listed
from mlc_dagster.sandbox.registry import usual

PAGE = Path(__file__).parents[2] / "docs" / "profiles.md"

TAKES_NO_VOUCHERS = "voucher_set (entering)"
LACKS: Mapping[str, tuple[str, ...]] = {
    "seed": (),
    "recorded": (
        "supplier_set",
        "customer_set",
        "purchase_order_set",
        "customer_order_set",
        "posting_proposal_head_set",
        "supplier_invoice_set",
        TAKES_NO_VOUCHERS,
    ),
    "pages": ("posting_proposal_head_set", "supplier_invoice_set", TAKES_NO_VOUCHERS),
    "own-services": (),
    "entity": ("customer_order_set", "posting_proposal_head_set", "supplier_invoice_set", TAKES_NO_VOUCHERS),
    "no-workflow": ("posting_proposal_head_set",),
    "load-only": ("posting_proposal_head_set",),
}
"""Profile -> the entity sets that the tenant does not have: what is read from them, or entered in them, is off."""

NEEDS: Mapping[str, tuple[str, ...]] = {
    "cin7/suppliers": ("supplier_set",),
    "cin7/purchases": ("supplier_set", "purchase_order_set"),
    "cin7/purchase_invoices": ("supplier_set", "posting_proposal_head_set"),
    "hubspot/supplier_companies": ("supplier_set",),
    "hubspot/customer_companies": ("customer_set",),
    "hubspot/invoices": ("supplier_set", "posting_proposal_head_set"),
    "hubspot/deals": ("supplier_set", "posting_proposal_head_set"),
    "airbase/vendors": ("supplier_set",),
    "airbase/purchase_orders": ("supplier_set", "purchase_order_set"),
    "airbase/payments_acknowledged": (TAKES_NO_VOUCHERS,),
    "airbase/requests_acknowledged": (TAKES_NO_VOUCHERS,),
    "monday/suppliers": ("supplier_set",),
    "monday/purchase_orders": ("supplier_set", "purchase_order_set"),
    "monday/invoices": ("supplier_set", "posting_proposal_head_set"),
    "monday/journal_entries": (),
    "monday/customer_orders": ("customer_order_set",),
    "monday/accounts": (),
    "ifs/vouchers_from_airbase_payments": (TAKES_NO_VOUCHERS,),
    "ifs/vouchers_from_airbase_requests": (TAKES_NO_VOUCHERS,),
    "ifs/vouchers_from_airbase_bills": (TAKES_NO_VOUCHERS,),
    "ifs/suppliers_from_cin7": ("supplier_set",),
    "ifs/suppliers_from_airbase": ("supplier_set",),
    "ifs/suppliers_from_procurify": ("supplier_set",),
    "ifs/supplier_invoices_from_procurify": ("supplier_set", "supplier_invoice_set"),
    "ifs/posting_proposals_from_procurify": ("supplier_set", "posting_proposal_head_set"),
    "procurify/vendors": ("supplier_set",),
}
"""Flow -> the entity sets that it reads, enters or looks into, in the order in which they are asked."""


@dataclass(frozen=True)
class Left:
    """What the target is without, since the tenant has no such field: as the target calls it, and for a person."""

    name: str
    fields: frozenset[str]
    flows: tuple[str, ...]
    profiles: tuple[str, ...]
    adds: frozenset[str] = field(default_factory=frozenset)  # what stands there instead, since the tenant demands it
    other: frozenset[str] = field(default_factory=frozenset)  # what says something else there


_UI = ("pages", "own-services", "entity", "no-workflow", "load-only")
_OF_SUPPLIERS = (
    *("cin7/suppliers", "airbase/vendors", "airbase/purchase_orders", "monday/suppliers", "monday/purchase_orders"),
    *("monday/invoices", "procurify/vendors"),
)
_INTO_THE_ERP = (
    "ifs/suppliers_from_procurify",
    "ifs/supplier_invoices_from_procurify",
    "ifs/posting_proposals_from_procurify",
)
LEFT = (
    Left("e-mail", frozenset({"Contacts", "email", "E-mail"}), _OF_SUPPLIERS, _UI),
    Left(
        "state", frozenset({"Status"}), ("monday/journal_entries",), ("recorded", "pages", "no-workflow", "load-only")
    ),
    Left(
        "currency (told with each supplier)",
        frozenset({"CurrencyCode"}),
        _INTO_THE_ERP,
        _UI,
        frozenset({"CreationDate", "DefaultLanguage", "IsApproved"}),
    ),
    Left(
        "e-mail (told with each supplier)",
        frozenset({"Email"}),
        ("ifs/suppliers_from_airbase",),
        _UI,
        frozenset({"Country", "CreationDate", "DefaultLanguage", "IsApproved"}),
    ),
    Left(
        "",
        frozenset(),
        ("ifs/vouchers_from_airbase_payments",),
        ("no-workflow", "load-only"),
        frozenset({"Text"}),  # a load has texts on rows, and none of its own
    ),
    Left(
        "",
        frozenset(),
        ("ifs/vouchers_from_airbase_requests", "ifs/vouchers_from_airbase_bills", "airbase/requests_acknowledged"),
        ("no-workflow", "load-only"),
        other=frozenset({"Text"}),
    ),
)


def off_by(profile: str, flow: str) -> str | None:
    """The setting that says why the flow is off; None: it is on."""
    lacking = next((name for name in NEEDS[flow] if name in LACKS[profile]), None)
    return f"ifs.entity_sets.{lacking.split()[0]}" if lacking else None


def left_by(profile: str, flow: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """(fields that are empty at the target, fields that are filled there beside, fields that say something else)."""
    found = [each for each in LEFT if flow in each.flows and profile in each.profiles]
    return (
        frozenset().union(*(each.fields for each in found)),
        frozenset().union(*(each.adds for each in found)),
        frozenset().union(*(each.other for each in found)),
    )


def outcome(profile: str, flow: str) -> str:
    """For a person."""
    if setting := off_by(profile, flow):
        return f"off: `{setting}`"
    left = [each.name for each in LEFT if flow in each.flows and profile in each.profiles and each.name]
    return f"exact, without {', '.join(left)}" if left else "exact"


_LEAD = """# Profiles: tenants that differ

Drawn by `python -m mlc_dagster_tests.promises.tenant_outcomes` from what the tests of C30 hold to be true.
`mlc sandbox --profile ifs.pages --profile ...` serves them; a single trait is `--profile ifs.count=false`.

```
{profiles}
```

## Each flow under each of the ERP's profiles

*Exact*: the target holds the same records with the same values, to the last digit, as under `seed`; nothing is held.
*Off*: the flow moves nothing and says so, with the setting of mlc.yaml that names what the tenant lacks.

"""


def page() -> str:
    profiles = list(LACKS)
    head = [f"| flow | {' | '.join(profiles)} |", f"|---|{'---|' * len(profiles)}"]
    return _LEAD.format(profiles=listed(usual())) + "\n".join([*head, *_rows(profiles)]) + "\n"


def _rows(profiles: Iterable[str]) -> Iterator[str]:
    for flow in NEEDS:
        yield f"| `{flow}` | {' | '.join(outcome(profile, flow) for profile in profiles)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
