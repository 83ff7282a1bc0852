"""Webhooks of the sandboxed Cin7: who has the paid Automation module has some; one that failed six times is off."""

from __future__ import annotations

from typing import Any

from mlc_dagster.sandbox.cin7.reference_books import RefusedError, guid
from mlc_dagster.sandbox.cin7.traits import Cin7Traits

TYPES = {"Purchase/InvoiceAuthorised": False, "Supplier/Updated": True}
"""Type -> whether it is active."""


def page(traits: Cin7Traits) -> dict[str, Any]:
    """Raises RefusedError without the module."""
    if not traits.webhooks:
        raise RefusedError("Automation module is not available for this account", 403)
    return {"Webhooks": [_webhook(kind, is_active) for kind, is_active in TYPES.items()]}


def _webhook(kind: str, is_active: bool) -> dict[str, Any]:
    return {
        "ID": guid("webhook", kind),
        "Name": kind,
        "Type": kind,
        "IsActive": is_active,
        "ExternalURL": "https://mlc.example/cin7",
        "ExternalAuthorizationType": "bearerauth",
        "ExternalUserName": None,
        "ExternalPassword": None,
        "ExternalBearerToken": None,
        "ExternalHeaders": [],
    }
