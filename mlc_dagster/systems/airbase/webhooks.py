"""What a webhook of Airbase tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.systems.airbase.spend.records import PURCHASE_REQUESTS
from mlc_dagster.systems.shared.webhooks import WebhookEvent, digest, first, kind_of

APPROVED = "purchase_request_approved"
"""How the kind of an event ends whose subject is a purchase request; its exact text is told to customers alone."""


def concerns(kind: str) -> str:
    """The list of which the subject of such an event is a record; empty: nobody says which."""
    return PURCHASE_REQUESTS.name if kind.endswith(APPROVED) else ""


def event_of(payload: Mapping[str, Any], body: bytes) -> WebhookEvent:
    """Airbase documents the envelope, and not what stands in `data`."""
    subject = first(
        payload,
        "data.id",
        "data.airbase_id",
        "data.request.id",
        "data.purchase_request.id",
        "data.request_id",
        "data.purchase_request_id",
        "data.object.id",
    )
    return WebhookEvent(first(payload, "id") or digest(body), kind_of(first(payload, "type")), subject)
