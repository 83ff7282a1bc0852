"""What is true of a new supplier or customer: that it is not one that is there already under another number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from mlc_dagster.core.duplicates import folded
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.core.vocabulary import key_text

SPELT = "name, but for its spelling, "
"""What a mark begins with that is no proof: it is told, and holds nothing."""
SHORTEST_NAME = 3
LEGAL_FORM = re.compile(
    "ab|aktiebolag|publ|as|asa|aps|oy|oyj|hf|ehf|ltd|limited|plc|llc|llp|inc|incorporated|corp|corporation|co|company|"
    "gmbh|ag|kg|ohg|ug|sa|sas|sarl|srl|spa|bv|nv|sl|kft|doo|sro|pty|pte|and|och|und|et"
)
SHORTEST_VAT = 5
"""Letters and digits of a VAT number that is taken for one: "N/A" and "0" are none."""


def marks_of(partner: Any) -> Iterator[str]:
    """By what it is known beside its number: "VAT number SE5566778899", "name north ab (SE)"."""
    vat = "".join(each for each in getattr(partner, "vat_no", None) or "" if each.isalnum()).upper()
    if len(vat) >= SHORTEST_VAT and len(set(vat)) > 1:
        yield f"VAT number {vat}"
    if (name := folded(partner.name or "")) and partner.country:
        yield f"name {name} ({partner.country.upper()})"
        if len(spelt := spelling(name)) >= SHORTEST_NAME:
            yield f"{SPELT}{spelt} ({partner.country.upper()})"


def spelling(name: str) -> str:
    """Without accents, signs and legal form: North A.B. and Nörth Aktiebolag are north."""
    letters = "".join(
        sign for sign in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(sign)
    )
    words = re.findall(r"[^\W_]+", letters.replace(".", ""))
    return " ".join(word for word in words if not LEGAL_FORM.fullmatch(word)) or " ".join(words)


def is_not_known_under_another_key(source: Any, target: Any, facts: Facts) -> Problem | None:
    """A new supplier or customer has neither the VAT number nor the name and country of one that was delivered."""
    key = key_text(getattr(source, "supplier_id", None) or getattr(source, "customer_id", ""))
    if (found := facts.namesakes.get(key)) is None:
        return None
    mark, other = found
    reason = (
        f"{other} was delivered with the same {mark}, and {key} is new: renumbered, or entered twice? Where it is the "
        f"same one, enter the number {key} in the target in place of {other} and say so by mlc relink; where it is "
        "another one, release this hold."
    )
    return Problem("is_not_known_under_another_key", reason, other)
