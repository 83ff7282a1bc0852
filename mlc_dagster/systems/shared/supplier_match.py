"""A supplier of the ERP meets the record that a SaaS has of it: what is written there, and what is left as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlc_dagster.core.duplicates import folded
from mlc_dagster.core.outcomes import Agreed, Draft, Shown
from mlc_dagster.core.shown_values import Value, kept_otherwise
from mlc_dagster.systems.ifs.supplier_records import codes_of, owners_of
from mlc_dagster.systems.shared.supplier_lists import Aligned
from mlc_dagster.systems.shared.three_way_merge import Values, agreement, as_of, merge, without_conflicts


def folded_name(value: Any) -> str:
    """A name by which two records are the same: without blanks that nobody sees, and in one case; null is empty."""
    return folded(str(value or ""))


@dataclass(frozen=True)
class CodeNames:
    """How a SaaS says what the ERP has codes for."""

    system: str
    terms: Mapping[str, str] = field(default_factory=dict)  # ERP code -> the name there
    countries: Mapping[str, str] = field(default_factory=dict)  # ISO code -> the name there; empty: the code itself

    def theirs(self, values: Agreed | None) -> Agreed | None:
        """The ERP's values as the SaaS would say them."""
        if values is None:
            return None
        tables = (("payment_terms", self.terms), ("country", self.countries))
        said = {name: table.get(values[name], values[name]) for name, table in tables if name in values}
        return {**values, **said}

    def codes(self, values: Values, before: Agreed | None) -> dict[str, str]:
        """The SaaS's values in the ERP's codes. A name that stands for several, of which none was agreed on, is left
        out: nothing can be said of it.
        """
        found = dict(values)
        for name, table in (("payment_terms", self.terms), ("country", self.countries or None)):
            if found.get(name) and table is not None:
                codes = codes_of(found.pop(name), table)
                known = [code for code in codes if code == (before or {}).get(name)] or codes
                if len(known) == 1:
                    found[name] = known[0]
        return found


class SupplierMatch:
    """What to do with the fields that both sides keep, given what they last agreed on."""

    def __init__(
        self,
        draft: Draft,
        code_names: CodeNames,
        ours: Mapping[str, Any],
        theirs: Mapping[str, Any],
        lists: Aligned | None = None,
    ) -> None:
        """`ours`, `theirs`: shared fields in the SaaS's own words; empty `theirs`: it is new there. `lists`: contacts
        and addresses.

        Raises DisagreementError where a person must decide.
        """
        self._key, self._code_names = draft.record.key, code_names
        self._before = draft.agreed(self._key)
        base = code_names.theirs(self._before)
        self.lists = lists or Aligned()
        self.ours = as_of({**ours, **self.lists.ours}, None if draft.restores else base, "ifs", draft.version)
        self._is_new, shown = not theirs, as_of({**theirs, **self.lists.theirs}, base, "saas", "")
        known = shown if draft.restores else base  # all that differs there is ours to change
        self._merged = without_conflicts(
            merge(known, self.ours, shown, owners_of(draft.record.owners)), code_names.system
        )

    @property
    def written(self) -> Mapping[str, str]:
        """Field -> value that goes to the SaaS."""
        return self._merged.to_saas

    def leaves(self, name: str) -> bool:
        """Whether the SaaS keeps the value that it has: it is ours too, or its own counts, and goes to the ERP."""
        return name in self._merged.agreed or name in self._merged.to_erp

    def takes(self, name: str) -> bool:
        """Whether the ERP takes the value of the SaaS, by the flow in the other direction."""
        return name in self._merged.to_erp

    def without_taken(self, shown: Shown, names: Mapping[str, str]) -> dict[str, Value]:
        """What an answer shows otherwise, but for what the ERP is to take: until it has, both sides differ.

        `names`: shared field -> its name in `shown`, where that is another.
        """
        taken = {names.get(name, name) for name in self._merged.to_erp}
        return {name: value for name, value in shown.items() if name not in taken}

    def agreed_values(
        self, now: Mapping[str, Any], version: str, link: str, *, wrote: bool, lists: Aligned | None = None
    ) -> tuple[str, Agreed]:
        """(the ERP's key, what both agree on from now on). `now`, `lists`: what the SaaS has; `version`: since when."""
        found = lists or Aligned()
        there = as_of({**now, **found.theirs}, None, "saas", "")
        same = {name: value for name, value in self.ours.items() if there.get(name) == value}
        written = self.written if wrote else ()
        sent = self.ours if self._is_new else {name: self.ours[name] for name in written}
        other = {name: there[name] for name, value in sent.items() if kept_otherwise(value, there.get(name))}
        shown = {name: value for name, value in other.items() if name not in same}
        codes = self._code_names.codes({**same, **{name: self.ours[name] for name in shown}}, self._before)
        codes |= found.pairs
        return self._key, agreement(
            self._before, codes, side="saas", written=written, version=version, link=link, shown=shown
        )
