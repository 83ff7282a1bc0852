"""What two systems say of one record, and what they last agreed on, become one: a three-way merge. Pure.

Texts are compared trimmed, in their own case; null and empty are one. A field that one side does not keep is left out
of that side's values: nothing is concluded from its absence. What a side says that is older than our own last write
there counts as what was agreed on: it was read before, and the next read shows what is there now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mlc_dagster.core.errors import RecordRejected

Side = Literal["ifs", "saas"]
Owners = Mapping[str, str]
"""Field -> whose value counts where both changed it: "ifs", "saas", or "hold". Of a field without one: "ifs"."""

Values = Mapping[str, str]
AGREE = "both_sides_agree"
_LINK = "@link"
_SHOWN = "@shown"


@dataclass(frozen=True)
class Merged:
    """What is to be written where, what both sides have already, and what a person must decide."""

    to_erp: dict[str, str] = field(default_factory=dict)
    to_saas: dict[str, str] = field(default_factory=dict)
    agreed: dict[str, str] = field(default_factory=dict)
    conflicts: dict[str, tuple[str | None, str, str]] = field(default_factory=dict)  # field -> (base, ERP, SaaS)


class DisagreementError(RecordRejected):
    """Both sides changed a field, and mlc.yaml leaves it to a person."""

    rule = AGREE


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Trimmed; null is empty."""
    return {name: str(value if value is not None else "").strip() for name, value in values.items()}


def merge(base: Values | None, erp: Mapping[str, Any], saas: Mapping[str, Any], owners: Owners) -> Merged:
    """Of the fields that both sides keep: what changed on one side since `base` goes to the other; what changed on
    both is the owner's; at a first meeting an empty side takes the other's value.

    A value is cleared in the other system by the owner alone; where another clears it a person decides.
    """
    merged, ours, theirs = Merged(), texts(erp), texts(saas)
    for name in ours.keys() & theirs.keys():
        known = None if base is None else base.get(name)
        end = _side_that_counts(known, ours[name], theirs[name], owners.get(name.partition("/")[0], "ifs"))
        if end == "agreed":
            merged.agreed[name] = ours[name]
        elif end == "hold":
            merged.conflicts[name] = (known, ours[name], theirs[name])
        elif end == "ifs":
            merged.to_saas[name] = ours[name]
        else:
            merged.to_erp[name] = theirs[name]
    return merged


def _side_that_counts(base: str | None, erp: str, saas: str, owner: str) -> str:
    """ "agreed", "hold", or the side whose value counts."""
    if erp == saas:
        return "agreed"
    if base is None and not (erp and saas):
        return "ifs" if erp else "saas"
    if saas == base:
        return "ifs" if erp or owner == "ifs" else "hold"
    if erp == base:
        return "saas" if saas or owner == "saas" else "hold"
    return owner


def without_conflicts(merged: Merged, system: str) -> Merged:
    """The same, where no person is needed. Raises DisagreementError that shows both values."""
    if not merged.conflicts:
        return merged
    said = "; ".join(
        f"{name} is {_shown(erp)} in IFS and {_shown(saas)} in {system}, and was {_shown(base)}"
        for name, (base, erp, saas) in sorted(merged.conflicts.items())
    )
    raise DisagreementError(f"{said}. Enter the right value in both, or name an owner in mlc.yaml.")


def _shown(value: str | None) -> str:
    return "never agreed on" if value is None else repr(value) if value else "empty"


# --- what is remembered -----------------------------------------------------------------------------------------------


def as_of(values: Mapping[str, Any], agreed: Values | None, side: Side, version: str) -> dict[str, str]:
    """What a side says, but for fields that we wrote there after it said so: those are as agreed on. So are those that
    it shows as it showed our own value: it keeps that in other letters, and nobody edited it.
    """
    found = texts(values)
    if agreed:
        ours = [name for name in found if name in agreed and agreed.get(f"{name}@{side}{_SHOWN}") == found[name]]
        found.update({name: agreed[name] for name in ours})
    if agreed and version:
        late = [name for name in found if name in agreed and version < agreed.get(f"{name}@{side}", "")]
        found.update({name: agreed[name] for name in late})
    return found


def agreement(
    before: Values | None,
    agreed: Values,
    *,
    side: Side,
    written: Iterable[str] = (),
    version: str = "",
    link: str = "",
    shown: Values | None = None,
) -> dict[str, str]:
    """What to remember: `agreed` over what was agreed on before, and since when what we wrote to a side is there.

    `shown`: what the side shows in place of what it was sent, lowered, stripped or cut; of fields that are agreed on.

    `version`: the modified time that the side gave to our write, as `vocabulary.version_of` writes it. `link`: the
    record of the SaaS that this one of the ERP belongs to.
    """
    stamps = {f"{name}@{side}": version for name in written if version}
    kept = {f"{name}@{side}{_SHOWN}": value for name, value in (shown or {}).items()}
    over = _outdated(before or {}, agreed, side)
    known = {name: value for name, value in (before or {}).items() if name not in over}
    return {**known, **agreed, **stamps, **kept, **({_LINK: link} if link else {})}


def _outdated(before: Values, agreed: Values, side: Side) -> set[str]:
    """What a side showed in place of a value that is another by now, or that the side has as it is."""
    sides: dict[str, tuple[Side, ...]] = {
        name: (side,) if before.get(name) == value else ("ifs", "saas") for name, value in agreed.items()
    }
    return {f"{name}@{each}{_SHOWN}" for name, some in sides.items() for each in some}


def link_of(agreed: Values | None) -> str:
    """The record of the SaaS that the agreement was made with; empty where none is known."""
    return (agreed or {}).get(_LINK, "")
