"""What a webhook of monday.com tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.systems.shared.webhooks import WebhookEvent, digest, first, kind_of


def event_of(payload: Mapping[str, Any], body: bytes) -> WebhookEvent:
    """One trigger reaches each subscription once; where it is tried again, both ids are the same."""
    trigger, subscription = first(payload, "event.triggerUuid"), first(payload, "event.subscriptionId")
    event_id = f"{trigger}/{subscription}" if trigger else digest(body)
    subject = first(payload, "event.pulseId", "event.itemId", "event.boardId")
    return WebhookEvent(event_id, kind_of(first(payload, "event.type")), subject)


def challenge(payload: Mapping[str, Any]) -> str | None:
    """What monday.com wants to hear again when a webhook is made; None in an event."""
    asked = payload.get("challenge")
    return asked if isinstance(asked, str) and "event" not in payload else None
