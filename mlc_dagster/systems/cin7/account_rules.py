"""What an account says of itself in /me, as far as it decides what may be sent and how it is compared."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mlc_dagster.systems.cin7.api import Document
from mlc_dagster.systems.cin7.records import CENT, PurchaseDocument

USUAL_TOLERANCE = "0.005"
ROWS, WHOLE = "row total", "total"
"""TaxCalculationMethod: each line is taxed, or the document as a whole (blueprint; the example says Total)."""


@dataclass(frozen=True)
class AccountRules:
    base_currency: str = ""
    tax_method: str = ROWS
    rate_tolerance: Decimal = Decimal(USUAL_TOLERANCE)  # of the rate: how far an invoice's own may be off the ERP's

    def tax_leeway(self, document: PurchaseDocument) -> Decimal:
        """How far Cin7's tax of a document may be off the sum of our lines': a cent for each line that is taxed."""
        taxed = sum(1 for line in document.amount_lines() if line.tax)
        return CENT * taxed if self.tax_method == WHOLE else Decimal(0)


def rules_of(me: Document, rate_tolerance: str = USUAL_TOLERANCE) -> AccountRules:
    method = str(me.get("TaxCalculationMethod") or "").strip().casefold()
    taxed = WHOLE if method == WHOLE else ROWS
    return AccountRules(str(me.get("Currency") or ""), taxed, Decimal(rate_tolerance))
