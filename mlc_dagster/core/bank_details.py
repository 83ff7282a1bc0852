"""Bank details are never carried, never kept in clear, and never shown whole: what is kept is a mark that changes.

Names are looked for, whatever system a document is of: no system publishes which fields a tenant's vendors have. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

MARK = "bank_mark"
"""The field of a record that holds the mark of its document's bank details."""
SHOWN, LEAST = 4, 8  # characters that are shown of a number, and that it has to have for that
_NAMES = re.compile(
    r"bank|iban|bban|swift|routing|sortcode|ifsc|clabe|plusgiro|^bsb|^bic|^aba(number)?$"
    r"|^(ach|wire|eft|sepa|remittance)(account|details|info)"
)


class BankStep(NamedTuple):
    """What a write of ours made of the bank details that a record there shows: marks, never the details."""

    key: str  # the record's key in the SaaS
    before: str  # empty: it had none
    after: str


def is_named(name: str) -> bool:
    """Whether a field of a vendor or supplier holds bank details, by its name in any style."""
    return bool(_NAMES.search(re.sub(r"[^a-z0-9]", "", name.casefold())))


def details_of(document: Any, path: str = "", *, inside: bool = False) -> Iterator[tuple[str, str]]:
    """(path, text) of each bank detail that has a value."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield from details_of(value, f"{path}.{name}", inside=inside or is_named(str(name)))
    elif isinstance(document, list | tuple):
        for number, value in enumerate(document):
            yield from details_of(value, f"{path}[{number}]", inside=inside)
    elif inside and document not in (None, "", True, False):
        yield path, str(document).strip()


def mark_of(document: Any, salt: bytes, key: str) -> str | None:
    """The mark of a document's bank details; None where it has none. `salt`: a secret of the ledger, 64 bytes at most.

    It tells that something changed and the last four characters, and nothing else.
    """
    found = sorted(details_of(document))
    if not found:
        return None
    text = json.dumps([key, found], ensure_ascii=True)
    return f"{blake2b(text.encode(), key=salt[:64], digest_size=16).hexdigest()} {shown(_longest(found))}".strip()


def _longest(found: list[tuple[str, str]]) -> str:
    """The number that a person knows it by."""
    with_digits = [text for _, text in found if any(sign.isdigit() for sign in text)]
    return max(with_digits or [""], key=len)


def shown(number: str) -> str:
    """ "…4321"; empty where that would be half of it."""
    plain = re.sub(r"\s", "", number)
    return f"…{plain[-SHOWN:]}" if len(plain) >= LEAST else ""


def in_words(mark: str | None) -> str:
    """What a person is shown of a mark."""
    last = (mark or "").partition(" ")[2]
    return f"bank details ending in {last}" if last else "bank details"


def without(document: Any, *, inside: bool = False) -> Any:
    """The document with each bank detail reduced to its last four characters."""
    if isinstance(document, Mapping):
        return {name: without(value, inside=inside or is_named(str(name))) for name, value in document.items()}
    if isinstance(document, list | tuple):
        return [without(value, inside=inside) for value in document]
    return shown(str(document)) or "…" if inside and document not in (None, "", True, False) else document


def without_in_text(text: str) -> str:
    """The same of a JSON text; one that has none, or is no JSON, stays as it is, letter by letter."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    if not any(details_of(document)):
        return text
    return json.dumps(without(document), ensure_ascii=False)
