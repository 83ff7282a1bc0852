"""Looks in Procurify for two vendors of one supplier number, or of one name and country."""

from __future__ import annotations

from datetime import datetime

from mlc_dagster.core.duplicates import TargetDocument, TargetScan
from mlc_dagster.systems.procurify.api import Document
from mlc_dagster.systems.procurify.documents.document_values import text
from mlc_dagster.systems.procurify.vendors.vendor_writer import NO_SUPPLIERS, VendorWriter
from mlc_dagster.systems.shared.countries import country_code
from mlc_dagster.systems.shared.json_values import moment_or_none


def scan_vendors(vendors: VendorWriter, since: datetime) -> TargetScan:
    """All active vendors: the list has no filter by time, and it is read whole by every load. Raises MlcError."""
    rows = vendors.all()
    return TargetScan([_carried(row, since) for row in rows if row.get("type") not in NO_SUPPLIERS], len(rows))


def _carried(row: Document, since: datetime) -> TargetDocument:
    touched = moment_or_none(row.get("dateModified"))
    return TargetDocument(
        id=str(row["id"]),
        number=f"vendor {row['id']}",
        reference=str(row.get("external_id") or ""),
        name=(text(row.get("name")) or "", country_code(row.get("country")) or ""),
        at=touched,
        is_live=row.get("active") is not False,
        is_recent=touched is None or touched >= since,
    )
