"""What a tenant does at night: approved vouchers leave the hold table for the general ledger."""

from __future__ import annotations

from mlc_dagster.sandbox.ifs.api import IfsSandbox


def update(ifs: IfsSandbox) -> int:
    """How many left."""
    approved = [row for row in ifs.rows("VoucherSet") if row["ObjState"] == "Approved" and not row.get("InLedger")]
    for row in approved:
        ifs.put("VoucherSet", {**row, "InLedger": True})
    return len(approved)
