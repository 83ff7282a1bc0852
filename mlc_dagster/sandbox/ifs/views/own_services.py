"""Services that a tenant made itself for its integrations: what is posted, under the catalogue's names.

No page is known to show posting proposals to a service user, or to take an invoice or a voucher (facts/ifs-tenants.md,
sections 3.5 to 3.7 and 4): a tenant that has them over OData built a projection for them. What stands in it is its own
to say. Here it is the catalogue's fields, the lines as an array and as a set, and the time of the last change.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster.sandbox.ifs.bound_actions import EVENTS
from mlc_dagster.sandbox.ifs.catalogue import KINDS, STANDARD, Kind
from mlc_dagster.sandbox.ifs.views.columns import Column, columns
from mlc_dagster.sandbox.ifs.views.view import Action, View, lines

_POSTED = ("PostingProposalHeadSet", "SupplierInvoiceSet", "VoucherSet")
_WRITES = frozenset({"POST", "PATCH"})
_STATES = (
    "Unbalanced",
    "Balanced",
    "Authorised",
    "Preliminary",
    "AwaitingApproval",
    "Approved",
    "PrelPosted",
    "Posted",
)


def own_services() -> tuple[View, ...]:
    """Heads with their lines below them, and the lines as a set, of each kind of document that is posted; receipts."""
    (receipts,) = (kind for kind in KINDS if kind.set == "ReceiptInfoSet")
    return (*(view for kind in KINDS if kind.set in _POSTED for view in _of(kind)), _flat(receipts))


def _flat(kind: Kind) -> View:
    """A set without lines, to be read."""
    found = (*_columns(kind.fields), *columns("ObjState"), _stamp())
    return View(kind.projection, kind.set, kind.set.removesuffix("Set"), kind.set, kind.keys, found)


def _stamp() -> Column:
    return Column("LastModified", "timestamp", lambda source: source.head.fields["LastModified"])


def _of(kind: Kind) -> tuple[View, View]:
    below = kind.lines
    assert below is not None
    line = (below.set.removesuffix("Set"), kind.set, below.keys, _columns(below.fields))
    array = View(kind.projection, below.navigation, *line, sources=lines, writes=_WRITES)
    heads = View(
        kind.projection,
        kind.set,
        kind.set.removesuffix("Set"),
        kind.set,
        kind.keys,
        (*_columns(kind.fields), *columns("ObjState"), _stamp()),
        arrays=(array,),
        writes=_WRITES,
        actions=_actions(kind.set),
    )
    return heads, View(kind.projection, below.set, *line, sources=lines)


def _columns(fields: Mapping[str, str]) -> tuple[Column, ...]:
    return columns(" ".join(f"{name}:{kind}" for name, kind in fields.items() if name not in STANDARD))


def _actions(name: str) -> tuple[Action, ...]:
    """From all states but the final ones."""
    return tuple(
        Action(action, tuple(state for state in _STATES if state not in event.not_in), event.state)
        for action, event in EVENTS[name].items()
    )
