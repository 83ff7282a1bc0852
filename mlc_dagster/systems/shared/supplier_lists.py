"""Contact persons and addresses on both sides: which is which, and what each side says of it, field by field. Pure.

An entry is known again by the ids that both sides gave it; at a first meeting by its name, or its type; where several
have that in common by the mail address, or the first line, too. What one side removed is not removed on the other, and
does not come back: no system says that leaving an entry out, or deleting it, is safe. It is told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from urllib.parse import quote

from mlc_dagster.core.duplicates import folded
from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.systems.ifs.supplier_child_records import ContactPerson, PostalAddress
from mlc_dagster.systems.shared.three_way_merge import AGREE, DisagreementError, Side, Values, as_of

CONTACTS, ADDRESSES = "contacts", "addresses"
FIELDS = {
    CONTACTS: ("name", "phone", "mobile", "email"),
    ADDRESSES: ("address1", "address2", "city", "state", "zip_code", "country"),
}
WORDS = {CONTACTS: "contact", ADDRESSES: "address"}


class AmbiguousEntryError(RecordRejected):
    """Two entries of one side that nothing tells apart."""

    rule = AGREE


class Entry(NamedTuple):
    """A contact person or an address, as one side has it."""

    id: str
    known_by: tuple[str, str]  # what it is found by at a first meeting, and what tells it from another of that name
    values: Mapping[str, str]  # of FIELDS; one that is left out says nothing
    type: str = ""  # of an address


def contact_entries(contacts: Iterable[ContactPerson] | None, side: Side) -> list[Entry] | None:
    """None: that side keeps none. One without a name is nobody who could be found again."""
    if contacts is None:
        return None
    found = [(each, _said(each, FIELDS[CONTACTS], side)) for each in contacts]
    return [
        Entry(each.contact_id or "", (folded(said["name"]), folded(said.get("email", ""))), said)
        for each, said in found
        if said.get("name")
    ]


def address_entries(addresses: Iterable[PostalAddress] | None, side: Side) -> list[Entry] | None:
    """None: that side keeps none."""
    if addresses is None:
        return None
    found = [(each, each.address_type or "", _said(each, FIELDS[ADDRESSES], side)) for each in addresses]
    return [
        Entry(each.address_id or "", (folded(kind), folded(said.get("address1", ""))), said, kind)
        for each, kind, said in found
    ]


def _said(one: ContactPerson | PostalAddress, names: Iterable[str], side: Side) -> dict[str, str]:
    """In the ERP null is empty; of a SaaS it is what nothing can be said of: a country that has no code."""
    values = ((name, getattr(one, name)) for name in names)
    return {name: str(value or "").strip() for name, value in values if side == "ifs" or value is not None}


class Supplied(Protocol):
    """A supplier, as far as its lists go."""

    @property
    def contacts(self) -> Sequence[ContactPerson] | None: ...
    @property
    def addresses(self) -> Sequence[PostalAddress] | None: ...


class Lists(NamedTuple):
    """The lists alone."""

    contacts: Sequence[ContactPerson] | None = None
    addresses: Sequence[PostalAddress] | None = None


@dataclass
class Aligned:
    """What both sides say, under common names: "contacts/anna berg/phone"."""

    ours: dict[str, str] = field(default_factory=dict)
    theirs: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)  # "contacts/anna berg#ifs" -> its id there
    types: dict[str, str] = field(default_factory=dict)  # "addresses/visit" -> its type, in the ERP's words
    removed: list[str] = field(default_factory=list)  # in words: what one side has no more, and the other keeps

    def id_of(self, entry: str, side: Side) -> str:
        return self.pairs.get(f"{entry}#{side}", "")

    def add(self, other: Aligned) -> None:
        for name in ("ours", "theirs", "pairs", "types"):
            getattr(self, name).update(getattr(other, name))
        self.removed += other.removed


def by_entry(written: Mapping[str, str], of: str) -> dict[str, dict[str, str]]:
    """ "contacts/anna berg" -> {field: value}, of merged values. `of`: the list."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, value in written.items():
        entry, _, last = name.rpartition("/")
        if entry.startswith(f"{of}/"):
            found[entry][last] = value
    return found


def aligned(
    erp: Supplied,
    saas: Supplied,
    agreed: Values | None,
    version: str = "",
    *,
    into_erp: bool = False,
    whole: bool = True,
) -> Aligned:
    """Both lists of a supplier at once. Raises as `Alignment.of`."""
    people = Alignment(CONTACTS, agreed, version, into_erp=into_erp, whole=whole)
    places = Alignment(ADDRESSES, agreed, version, into_erp=into_erp, whole=whole)
    found = people.of(contact_entries(erp.contacts, "ifs"), contact_entries(saas.contacts, "saas"))
    found.add(places.of(address_entries(erp.addresses, "ifs"), address_entries(saas.addresses, "saas")))
    return found


def without_entries(values: Mapping[str, str]) -> dict[str, str]:
    """Only the fields of the supplier itself."""
    return {name: value for name, value in values.items() if "/" not in name}


class Alignment:
    """Of one list of one supplier. `version`: since when the SaaS says so; empty: not known."""

    def __init__(
        self, of: str, agreed: Values | None, version: str = "", *, into_erp: bool = False, whole: bool = True
    ) -> None:
        """`into_erp`: on the way there; what the ERP alone has then is no matter of it. `whole`: the SaaS has a list;
        False: a place for one, so that who is not in it was not removed.
        """
        self._of, self._agreed, self._version, self._into_erp = of, agreed or {}, version, into_erp
        self._whole = whole

    def of(self, erp: Sequence[Entry] | None, saas: Sequence[Entry] | None) -> Aligned:
        """Raises AmbiguousEntryError, and DisagreementError where one side removed what the other edited."""
        found = Aligned()
        if erp is None or saas is None:
            return found
        ours, theirs = self._keyed(erp, saas)
        for key in sorted(ours.keys() | theirs.keys()):
            self._one(found, f"{self._of}/{key}", ours.get(key), theirs.get(key))
        return found

    # --- which is which -----------------------------------------------------------------------------------------------

    def _keyed(self, erp: Sequence[Entry], saas: Sequence[Entry]) -> tuple[dict[str, Entry], dict[str, Entry]]:
        ours, new_ours = self._known(erp, "ifs")
        theirs, new_theirs = self._known(saas, "saas")
        twice = {each for new in (new_ours, new_theirs) for each, n in Counter(_first(new)).items() if n > 1}
        taken = {*ours, *theirs, *self._remembered()}
        names = dict[tuple[str, str], str]()
        for new, keyed in ((new_ours, ours), (new_theirs, theirs)):
            for entry in new:
                same = (entry.known_by[0], entry.known_by[1] if entry.known_by[0] in twice else "")
                key = names.setdefault(same, _free(_key(*same), taken))
                if key in keyed:
                    raise self._not_told_apart(entry)
                taken.add(key)
                keyed[key] = entry
        return ours, theirs

    def _known(self, entries: Iterable[Entry], side: Side) -> tuple[dict[str, Entry], list[Entry]]:
        """Key -> entry, of those whose id was seen before; and the others."""
        ids = {self._agreed[name]: name[len(self._of) + 1 : -len(side) - 1] for name in self._pairs(side)}
        known: dict[str, Entry] = {}
        new = []
        for entry in entries:
            key = ids.get(entry.id) if entry.id else None
            if key is None:
                new.append(entry)
            else:
                known[key] = entry
        return known, new

    def _pairs(self, side: Side) -> Iterator[str]:
        return (name for name in self._agreed if name.startswith(f"{self._of}/") and name.endswith(f"#{side}"))

    def _remembered(self) -> set[str]:
        return {name.split("/")[1] for name in self._agreed if name.startswith(f"{self._of}/") and "#" not in name}

    def _not_told_apart(self, entry: Entry) -> AmbiguousEntryError:
        what, shown = WORDS[self._of], entry.values.get("name") or entry.type or "(no type)"
        by = "mail address" if self._of == CONTACTS else "first line"
        return AmbiguousEntryError(
            f"There are two of {what} {shown!r} with the same {by}, and nothing tells which is which on the other "
            f"side. Rename or remove one, or give them different ones."
        )

    # --- what is said of it -------------------------------------------------------------------------------------------

    def _one(self, found: Aligned, entry: str, ours: Entry | None, theirs: Entry | None) -> None:
        both = {"ifs": ours, "saas": theirs}
        found.pairs.update({f"{entry}#{side}": each.id for side, each in both.items() if each and each.id})
        if kind := next((each.type for each in (ours, theirs) if each and each.type), ""):
            found.types[entry] = kind
        said = {side: self._named(entry, each, side) for side, each in both.items() if each}
        if ours is None or theirs is None:
            side: Side = "saas" if ours is None else "ifs"
            if side == "ifs" and self._into_erp and not self._whole:
                return
            if self._was_removed(found, entry, said[side], side) or (self._into_erp and side == "ifs"):
                return
            said["ifs" if side == "saas" else "saas"] = dict.fromkeys(said[side], "")
        found.ours.update(said["ifs"])
        found.theirs.update(said["saas"])

    def _named(self, entry: str, one: Entry, side: str) -> dict[str, str]:
        values = {f"{entry}/{name}": value for name, value in one.values.items()}
        return as_of(values, self._agreed, "saas" if side == "saas" else "ifs", self._version if side == "saas" else "")

    def _was_removed(self, found: Aligned, entry: str, said: Mapping[str, str], side: Side) -> bool:
        """Whether the other side had it. Raises DisagreementError where this one has edited it since."""
        known = {name: self._agreed[name] for name in said if name in self._agreed}
        if not any(known.values()):  # what is empty on both sides agrees, and says nothing of who is there
            return False
        other: Side = "ifs" if side == "saas" else "saas"
        if other == "saas" and any(
            self._version < self._agreed.get(f"{name}@saas", "") for name in known if self._version
        ):
            return True  # it was read before we wrote it there
        where, gone = _title(side), _title(other)
        edited = sorted(name.rpartition("/")[2] for name, value in known.items() if said[name] != value)
        what = f"{WORDS[self._of]} {_shown(said)}"
        if edited:
            raise DisagreementError(
                f"{what} was removed in {gone}, and edited in {where} ({', '.join(edited)}). Enter it in {gone} again, "
                f"or remove it in {where}, too."
            )
        found.removed.append(f"{what} is gone in {gone}, and stays in {where}")
        return True


def _title(side: str) -> str:
    return "IFS" if side == "ifs" else "the other system"


def _shown(said: Mapping[str, str]) -> str:
    values = {name.rpartition("/")[2]: value for name, value in said.items()}
    return repr(values.get("name") or ", ".join(filter(None, (values.get("address1"), values.get("city")))))


def _first(entries: Iterable[Entry]) -> list[str]:
    return [entry.known_by[0] for entry in entries]


def _key(first: str, second: str) -> str:
    """Without the signs that a name of a field is built with: / @ #."""
    return quote(f"{first} {second}".strip() or "-", safe=" ")


def _free(key: str, taken: set[str]) -> str:
    place = 1
    while (found := key if place == 1 else f"{key}~{place}") in taken:
        place += 1
    return found
