"""What the stores received, as IFS Cloud keeps it for every kind of document: here for purchase orders.

The view RECEIPT_INFO has these columns, and its order in SourceRef1 to 3 where SourceRefTypeDb is PURCHASE_ORDER: two
public code bases that read it by SQL show so. Its name in OData is not public: the catalogue's is the unit's own, and
`ifs.entity_sets.receipt_info_set` names another.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from mlc_dagster.core.vocabulary import Record

ORDER_TYPE = "PURCHASEORDER"
OTHER_TYPES = frozenset(
    {
        *("SHOPORDER", "CUSTOMERORDER", "CUSTOMERORDERRETURN", "RETURNMATERIALAUTHORIZATION", "SHIPMENTORDER"),
        *("PROJECTDELIVERABLES", "PURCHASERECEIPTRETURN", "WORKTASK", "PURCHORDERRETURN", "RENTALORDER"),
    }
)
"""Kinds of documents that are received as well, as far as their names are known; letters alone, in capitals."""

TAKEN_BACK = frozenset({"CANCELLED", "REVERSED"})
"""States of a receipt that the stores took back. `Cancelled` is what the view RECEIPT_REFERENCE leaves out."""


class Receipt(Record, frozen=True, kw_only=True):
    """What was received of a purchase order: its line, how much, when, and whether it was taken back."""

    source_ref1: str | None = None  # the order
    receipt_sequence: int
    source_ref2: str | None = None  # its line
    source_ref3: str | None = None  # its release
    source_ref_type: str | None = None  # absent: the tenant's set holds nothing but purchase orders'
    receipt_no: int | None = None
    source_qty_arrived: Decimal | None = None  # in the unit in which it was ordered
    source_unit_meas: str | None = None
    arrival_date: date | None = None
    obj_state: str | None = None
    last_modified: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether it is of a purchase order, and stands."""
        return is_of_an_order(self.source_ref_type) and _letters(self.obj_state) not in TAKEN_BACK

    @property
    def is_unknown(self) -> bool:
        """Whether nobody can say what kind of document it is of."""
        return not is_of_an_order(self.source_ref_type) and _letters(self.source_ref_type) not in OTHER_TYPES


def is_of_an_order(kind: str | None) -> bool:
    """PURCHASE_ORDER, PurchaseOrder, Purchase Order; or nothing is said, since the set has no others."""
    return kind is None or _letters(kind) == ORDER_TYPE


def _letters(text: str | None) -> str:
    return re.sub(r"[^A-Z]", "", (text or "").upper())
