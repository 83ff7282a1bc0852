"""A mistake in mlc.yaml: where it is, what was found, what was expected. What may be a secret is never shown."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mlc_dagster.core.inert import inert

Place = tuple[int | str, ...]
"""The path of a setting: ("companies", "0010", "currency")."""

LONGEST = 60  # characters of a value that is shown
_SECRET_NAMES = re.compile(
    r"secret|passw|pwd|token(?!_url|_body)|credential|api_?key|application_?key|client_id|private|hmac_key", re.I
)
_SECRET_WORDS = re.compile(r"^(bearer|basic|token)\s+\S", re.I)
_SECRET_BEGINS = (
    *("pat-", "sk-", "sk_", "pk_", "ghp_", "github_pat_", "glpat-", "xox", "eyJ", "AKIA", "AIza", "ya29.", "SG."),
    "-----BEGIN",
)
_BETWEEN_WORDS = re.compile(r"[^\w./+=:~-]+")
_WITH_PASSWORD = re.compile(r"[^\s@]+:[^\s@]+@\S+")  # an address whose scheme was left out
_HEADER = re.compile(r"[A-Za-z][\w-]*:\s+\S{8,}")  # a header with its value
_RANDOM = re.compile(r"(?=(?:.*\d){3})(?=.*[A-Za-z])[\w./+=:~-]{20,}")


class Mistake(NamedTuple):
    """One mistake. `line`: where its own place is not the one that `path` has in the file."""

    path: Place
    sentence: str
    line: int | None = None


def named(path: Place) -> str:
    """companies.0010.currency"""
    return ".".join(shown_name(str(part)) for part in path if part != "[key]") or "the file"


def shown_name(part: str) -> str:
    return f"<a name of {len(part)} characters>" if looks_secret(part) else inert(part)


def found(path: Place, value: Any) -> str:
    """What stands there, as far as it may be shown."""
    if value is None or value == "" or value in ([], (), {}):
        return "found nothing"
    if isinstance(value, (list, tuple)):
        return "found a list"
    if isinstance(value, dict):
        return "found settings below it"
    text = str(value)
    if "://" in text:
        return f"found {shown_address(text)}"
    return (
        f"found a value of {len(text)} characters" if smells(path, text) or len(text) > LONGEST else f"found {text!r}"
    )


def smells(path: Place, text: str) -> bool:
    """Whether it may be a secret: by the names above it, or by its own look. An address without a user is none."""
    if "://" in text:
        return False
    return any(_SECRET_NAMES.search(str(part)) for part in path) or looks_secret(text)


def looks_secret(text: str) -> bool:
    alike = (_SECRET_WORDS.match, _WITH_PASSWORD.search, _HEADER.fullmatch)
    text = text.strip()
    words = _BETWEEN_WORDS.split(text)
    return text.startswith(_SECRET_BEGINS) or any(looks(text) for looks in alike) or any(map(_RANDOM.fullmatch, words))


def shown_address(text: str) -> str:
    """An address without user, password, query, or a token in its path: where one has them, scheme and host alone."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"an address of {len(text)} characters"
    whole = f"{parts.scheme}://{host}{port}"
    hidden = "@" in text or parts.query or parts.fragment or any(map(looks_secret, parts.path.split("/")))
    return whole if hidden or len(text) > 2 * LONGEST else f"{whole}{parts.path}"
