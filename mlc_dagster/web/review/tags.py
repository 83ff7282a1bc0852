"""Tags: short words by which people find again what belongs together."""

from __future__ import annotations

from mlc_dagster.web.review.visits import Refused

LONGEST, MOST = 40, 5


def tags_of(text: str) -> list[str]:
    """ "urgent, asked supply" -> each by itself, in small letters. Raises Refused."""
    found = list(dict.fromkeys(" ".join(each.split()).casefold() for each in text.split(",") if each.strip()))
    if not found or len(found) > MOST:
        raise Refused(422, f"Give one to {MOST} tags, with commas between them.")
    if bad := [each for each in found if len(each) > LONGEST or not each.isprintable()]:
        raise Refused(422, f"A tag has {LONGEST} signs at most: {bad[0][:80]!r}")
    return found
