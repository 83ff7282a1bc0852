"""What one message says, and by what it is known."""

from __future__ import annotations

from dataclasses import dataclass

from mlc_dagster.settings.alerts import Kind


@dataclass(frozen=True)
class Alert:
    """One message."""

    kind: Kind
    cause: str  # "cin7:refused": told once while it stands, whatever kinds of alert it makes
    subject: str
    text: str
    owners: frozenset[str]
    place: str = ""  # where it is decided, below the review page's address
