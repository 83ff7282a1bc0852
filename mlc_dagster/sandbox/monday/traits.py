"""In what accounts of monday.com differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """One account's ways."""

    token_seconds: float = 3600  # that an app's access token is good; its refresh token is replaced at each sign-in
    tells_lifetime: bool = (
        False  # whether a sign-in answers `expires_in`; others saw it absent, the token itself says it
    )
