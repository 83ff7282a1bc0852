"""The events that Airbase posts to a webhook, in the envelope that all of them were seen to have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

APPROVED = "purchase_request_approved"
_TOLD = ("id", "airbase_id", "request_number", "status", "purchase_type", "approved_date", "total_amount")


def event_for(request: Mapping[str, Any], event_id: str, at: datetime) -> dict[str, Any]:
    """The event of an approval, as JSON; `request` as GET answers it, `at` aware.

    What `data` holds is documented to customers alone: this one names the request, and tells less than GET does.
    """
    return {
        "id": event_id,
        "object": "event",
        "type": APPROVED,
        "created_date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": {name: request[name] for name in _TOLD},
    }
