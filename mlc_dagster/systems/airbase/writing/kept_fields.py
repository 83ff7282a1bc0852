"""What Airbase kept of what it was sent: a Django REST service drops read-only fields with 200. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.core.shown_values import kept_otherwise
from mlc_dagster.systems.airbase.api import Document, covers, reference_of

NOT_EVERYWHERE = frozenset({"payment_terms"})
"""Fields that some tenants' records do not have at all: there they are no loss."""

_TEXTS = frozenset({"name", "email", "notes"})
"""What people read: in other letters, or cut at its end, it is no loss."""

_REFERENCES = "subsidiary_reference_ids"


def lost_fields(body: Mapping[str, Any], document: Document) -> list[str]:
    """The names of sent fields that the document does not have as they were sent, in their order."""
    return [name for name, sent in body.items() if not _is_kept(name, sent, document)]


def _is_kept(name: str, sent: Any, document: Document) -> bool:
    if name not in document and name in NOT_EVERYWHERE:
        return True
    if name == _REFERENCES:  # others may be there, in any order
        there = {reference_of(each) for each in document.get(name) or []}
        return {reference_of(each) for each in sent} <= there
    found = document.get(name)
    return covers(found, sent) or (name in _TEXTS and kept_otherwise(sent, found))


def words(body: Mapping[str, Any], document: Document, lost: list[str]) -> str:
    """What was sent and what is there, field by field."""
    return ", ".join(f"{name} is {document.get(name)!r}, sent was {body[name]!r}" for name in lost)[:400]
