"""A cause in words: what is wrong, what puts it right, where and who; and the request to send on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.ledger.records.open_item_entries import OpenCause
from mlc_dagster.rules.waiving import UNWAIVABLE
from mlc_dagster.web.review.catalogue import document_rules, kinds, outcome_rules, party_rules, reference_rules
from mlc_dagster.web.review.catalogue.entry import ENGINEER, ERP_ITSELF, Entry
from mlc_dagster.web.review.catalogue.translations import Translate
from mlc_dagster.web.review.shown_text import quoted, resemblance

LONGEST = 90
RULES: dict[str, Entry] = {
    **reference_rules.RULES,
    **party_rules.RULES,
    **document_rules.RULES,
    **outcome_rules.RULES,
}
KINDS: dict[str, Entry] = kinds.KINDS
UNKNOWN = Entry(
    "It does not meet a rule of its own: {value}",
    "The package that brought the rule says more on the record.",
    "Read the reason on the record.",
    ERP_ITSELF,
    ENGINEER,
)


class Said(NamedTuple):
    """A cause as the page says it."""

    headline: str
    meaning: str
    cure: str
    place: str
    who: str
    name: str  # the rule's or kind's own, small at the end, for engineers
    resembles: str = ""
    not_waivable: str = ""  # why no release waives it


def entry_of(cause: OpenCause) -> Entry:
    table = KINDS if cause.differs else RULES
    return table.get(cause.rules[0] if cause.rules else "", UNKNOWN)


def said(cause: OpenCause, titles: dict[str, str] | None = None, translate: Translate = str) -> Said:
    """`titles`: connection -> the system's name as people write it; `translate`: of the catalogue's texts."""
    entry = Entry(*map(translate, entry_of(cause)))
    there = (titles or {}).get(cause.connection, cause.connection.capitalize())
    where = f" (company {quoted(cause.company)[1:-1]})" if cause.company else ""
    headline = filled(entry.headline, there, cause.value, LONGEST - len(where)) + where
    meaning, cure, place, who = (filled(each, there, cause.value, 400) for each in entry[1:])
    more = len(cause.rules) - 1
    meaning += f" And {more} more, on the record." if more > 0 else ""
    return Said(
        headline,
        meaning,
        cure,
        place,
        who,
        ", ".join(cause.rules),
        resemblance(cause.value),
        not_waivable(cause),
    )


def not_waivable(cause: OpenCause) -> str:
    kept = [UNWAIVABLE[rule] for rule in cause.rules if not cause.differs and rule in UNWAIVABLE]
    return kept[0] if kept else ""


def filled(template: str, there: str, value: str, most: int) -> str:
    """With the value in quotes, cut so that the whole is no longer; without one, its place is left out."""
    name = "IFS Cloud" if there.casefold() == ERP else there
    if not value:
        return template.replace(": {value}", "").replace(" {value}", "").replace("{there}", name)
    room = most - len(template.replace("{value}", "").replace("{there}", name))
    inside = quoted(value)
    if len(inside) > room:
        inside = f'{inside[: max(4, room - 2)]}…"'
    return template.replace("{there}", name).replace("{value}", inside)


def request_text(one: Said, lines: Sequence[str], link: str, more: int) -> str:
    """To be copied into a mail to whoever can put it right."""
    rest = [f"... and {more} more"] if more > 0 else []
    parts = [one.headline, one.meaning, f"What to do: {one.cure}", f"Where: {one.place}. Who: {one.who}."]
    return "\n".join([*parts, "", *lines, *rest, "", link])
