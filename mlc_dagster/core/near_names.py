"""What a person may have meant by a name that is none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST = 3  # names that are offered


def nearest(name: str, known: Iterable[str], most: int = MOST) -> list[str]:
    """The likeliest first: what is written much alike, then what the name is a part of (`purchases`)."""
    folded = {each.casefold(): each for each in sorted(known, reverse=True)}
    word = name.strip().casefold()
    alike = sorted(difflib.get_close_matches(word, folded, n=4 * most, cutoff=0.6), key=lambda each: _order(word, each))
    parts = [each for each in sorted(folded, key=len) if len(word) > 2 and word in each]
    return [folded[each] for each in dict.fromkeys([*alike, *parts])][:most]


def _order(word: str, other: str) -> tuple[float, str]:
    return -difflib.SequenceMatcher(None, other, word).ratio(), other


def offered(name: str, known: Iterable[str]) -> str:
    """`; nearest: cin7/purchases`, to stand behind a sentence; empty where nothing is near."""
    found = nearest(name, known)
    return f"; nearest: {', '.join(found)}" if found else ""
