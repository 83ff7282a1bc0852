"""Which documents of a target stand twice, and how that is told. Pure.

References that we gave are compared byte for byte: `0010/p1` is not `0010/P1`. Invoice numbers and names are what
people type: blanks around them and their case do not count, and what is found by them is called probable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from mlc_dagster.core.flows import DuplicateWording, Target
from mlc_dagster.core.vocabulary import plain

By = Literal["reference", "invoice number", "name", "empty"]
Crosswalk = Callable[[str], Mapping[str, str]]
"""Flow -> {key: remote id}, as the ledger knows them."""


@dataclass(frozen=True)
class TargetDocument:
    """A document of a target, by what would tell that it is there twice."""

    id: str  # the target's own: one document, one id; under two references it is there twice
    number: str  # what a person looks for there: "PO-00102"
    reference: str = ""  # ours, as it stands there; empty: it has none
    invoice: tuple[str, str, str] | None = None  # company, supplier, invoice number
    party: str = ""  # the supplier as a person knows it; empty: as in `invoice`
    name: tuple[str, str] | None = None  # name, country
    at: datetime | None = None  # when it was made or changed last
    amount: Decimal | None = None
    currency: str = ""
    link: str = ""
    place: str = ""  # "board Invoices", where a target has several
    is_live: bool = True  # False: cancelled, voided, archived
    is_recent: bool = True  # made or changed since the time that was asked about
    is_empty: bool = False  # a header that never got its lines


@dataclass(frozen=True)
class TargetScan:
    """What one look at a target found."""

    documents: Sequence[TargetDocument] = ()  # those that may be one of two
    compared: int = 0
    unread: int = 0  # left out, since reading them would use up the budget: of those nothing can be said


class AllowsDuplicates(Protocol):
    """A client of a target without a unique key."""

    def scan_documents(self, target: Target, since: datetime, known: Crosswalk) -> TargetScan:
        """What was made or changed since then, and what carries the same references or numbers, whatever its age.

        Reads only. Raises MlcError: then nothing is known, and nothing may be called clear.
        """


@dataclass(frozen=True)
class Duplicate:
    """Documents of which there should be one; or, by "empty", one that should not be there."""

    by: By
    what: str  # the reference, number or name that they share
    documents: tuple[TargetDocument, ...]

    @property
    def is_certain(self) -> bool:
        return self.by == "reference"

    def marked(self, marks: str) -> bool:
        """Whether one of them is of the flow whose references begin so."""
        return not marks or any(each.reference.startswith(marks) for each in self.documents)


def doubles(documents: Iterable[TargetDocument]) -> list[Duplicate]:
    """Each pair or group once, under the surest of what it shares."""
    live = list({(each.id, each.reference): each for each in documents if each.is_live}.values())
    sure = list(_together(live, "reference", lambda each: (each.place, each.reference) if each.reference else None))
    found = list(sure)
    found += _unless_told(found, _together(live, "invoice number", _invoice))
    found += _unless_told(found, [each for each in _together(live, "name", _name) if _may_be_one(each)])
    found += [Duplicate("empty", each.reference, (each,)) for each in live if each.is_empty and not _is_in(each, sure)]
    return found


def _together(
    live: Iterable[TargetDocument], by: By, key: Callable[[TargetDocument], tuple[str, ...] | None]
) -> Iterator[Duplicate]:
    groups: dict[tuple[str, ...], dict[str, TargetDocument]] = defaultdict(dict)
    for each in live:
        if (shared := key(each)) is not None:
            groups[shared].setdefault(each.id, each)
    for some in groups.values():
        if len(some) > 1:
            documents = sorted(some.values(), key=lambda each: (len(each.number), each.number))
            yield Duplicate(by, _what(by, documents[0]), tuple(documents))


def _invoice(each: TargetDocument) -> tuple[str, ...] | None:
    if each.invoice is None or not folded(each.invoice[2]):
        return None
    company, supplier, number = each.invoice
    return company, supplier, folded(number)


def _name(each: TargetDocument) -> tuple[str, ...] | None:
    return None if each.name is None or not folded(each.name[0]) else (folded(each.name[0]), each.name[1])


def _may_be_one(double: Duplicate) -> bool:
    """Two of one name that are known under two references are two; and names that were there long ago are no news."""
    references = {each.reference for each in double.documents if each.reference}
    return len(references) < 2 and any(each.is_recent for each in double.documents)


def _what(by: By, first: TargetDocument) -> str:
    if by == "invoice number" and first.invoice:
        return first.invoice[2].strip()
    return first.name[0].strip() if by == "name" and first.name else first.reference


def _unless_told(told: Sequence[Duplicate], more: Iterable[Duplicate]) -> list[Duplicate]:
    ids = [{each.id for each in double.documents} for double in told]
    return [double for double in more if not any({each.id for each in double.documents} <= known for known in ids)]


def _is_in(document: TargetDocument, found: Sequence[Duplicate]) -> bool:
    return any(document in double.documents for double in found)


def folded(text: str) -> str:
    """What people type, without what they do not see: blanks around it, several blanks, its case."""
    return " ".join(text.split()).casefold()


# --- in words -------------------------------------------------------------------------------------------------------


def sentence(twice: DuplicateWording, double: Duplicate) -> str:
    """What is there twice, with both numbers, and what to do."""
    if double.by == "empty":
        return _empty(twice, double.documents[0])
    if double.by == "reference":
        count = "two" if len(double.documents) == 2 else str(len(double.documents))
        where = f" on {double.documents[0].place}" if double.documents[0].place else ""
        things = f"{count} {twice.things}{where} for {_of(twice, double.what)}"
        return f"{twice.title} has {things}: {_listed(double)}. {twice.cure}"
    return (
        f"{twice.title} probably has one of its {twice.things} twice, {_shared(double)}: {_listed(double)}. "
        f"Look at them; if they are one: {twice.cure[0].lower()}{twice.cure[1:]}"
    )


def _empty(twice: DuplicateWording, one: TargetDocument) -> str:
    thing, since = twice.things.removesuffix("s"), f" since {one.at:%Y-%m-%d %H:%M} UTC" if one.at else ""
    return (
        f"{twice.title} has a {thing} without lines for {_of(twice, one.reference)}: {one.number}{since}, as a load "
        "leaves it that was cut off. Load it again, which completes it; or void it."
    )


def _of(twice: DuplicateWording, reference: str) -> str:
    return f"{twice.of} {reference}".strip()


def _shared(double: Duplicate) -> str:
    first = double.documents[0]
    if double.by == "name":
        country = f", {first.name[1]}" if first.name and first.name[1] else ""
        return f"by the name {double.what}{country}"
    company, supplier, _ = first.invoice or ("", "", "")
    inside = f" in company {company}" if company else ""
    return f"invoice number {double.what} of supplier {first.party or supplier}{inside}"


def _listed(double: Duplicate) -> str:
    amounts = [amount(each) for each in double.documents]
    if amounts[0] and len(set(amounts)) == 1:
        return f"{_and([each.number for each in double.documents])} ({amounts[0]} each)"
    named = [
        f"{each.number} ({said})" if said else each.number for each, said in zip(double.documents, amounts, strict=True)
    ]
    return _and(named)


def amount(each: TargetDocument) -> str:
    """ "120.00 SEK", with the decimals that it has, and two at least; empty where the list does not say."""
    if each.amount is None:
        return ""
    shortest = plain(each.amount)
    decimals = max(2, -int(shortest.as_tuple().exponent))
    return f"{shortest:.{decimals}f} {each.currency}".strip()


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
