"""What a SaaS says of a supplier, in the fields that the ERP's set has, and why one is not saved."""

from __future__ import annotations

from dataclasses import replace

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.outcomes import Agreed, Draft
from mlc_dagster.core.vocabulary import EntitySet, Row
from mlc_dagster.systems.ifs.supplier_records import SHARED, Partner, owners_of
from mlc_dagster.systems.ifs.writing.child_rows import Below, ChildRows
from mlc_dagster.systems.shared.supplier_lists import ADDRESSES, CONTACTS, Aligned, Lists, aligned
from mlc_dagster.systems.shared.three_way_merge import Merged, as_of, merge

NO_LISTS = Aligned()
UNIQUE, EXISTS = "supplier_is_unique", "supplier_exists"


class NotOneError(RecordRejected):
    """There is not exactly one supplier that this can be; held under `rule`."""

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


class MayBeOursError(NotOneError):
    """One of several may be what an unanswered attempt made; it is looked for again."""


def without_children(entity: EntitySet, *wanted: str) -> EntitySet:
    """The set without what costs a request for each supplier, but for children that hold one of the fields wanted."""
    kept = tuple(child for child in entity.children if set(wanted) & child.fields.keys())
    left = {name for child in entity.children if child not in kept for name in child.fields}
    return replace(entity, children=kept, absent=entity.absent | left)


def told(partner: Partner) -> frozenset[str]:
    """The fields and lists that the SaaS says something of."""
    return frozenset(name for name in (*SHARED, CONTACTS, ADDRESSES) if getattr(partner, name) is not None) | (
        {"payment_terms"} if partner.terms else frozenset()
    )


def lists_of(children: ChildRows, draft: Draft, below: Below, agreed: Agreed | None) -> Aligned:
    """Contacts and addresses of both sides; none of a list that the tenant does not let us write.

    Raises AmbiguousEntryError, DisagreementError.
    """
    partner: Partner = draft.record
    kept = {of: getattr(partner, of) if children.keeps(of) else None for of in (CONTACTS, ADDRESSES)}
    found = aligned(below.lists, Lists(**kept), agreed, draft.version, into_erp=True, whole=partner.has_whole_lists)
    left = [of for of in (CONTACTS, ADDRESSES) if getattr(partner, of) and not children.keeps(of)]
    found.removed += [f"{of} are not written: no child entity of supplier_set in mlc.yaml has writes" for of in left]
    return found


def told_of(lists: Aligned) -> str:
    """What a person ought to know, and nothing is done about."""
    return f" ({'; '.join(lists.removed)})" if lists.removed else ""


def merged_with(entity: EntitySet, draft: Draft, row: Row, agreed: Agreed | None, lists: Aligned = NO_LISTS) -> Merged:
    values = said(entity, draft, agreed, row, lists)
    erp = {name: lists.ours[name] if "/" in name else row[name] for name in values}
    there = as_of(erp, agreed, "ifs", "")
    return merge(there if draft.restores else agreed, there, values, owners_of(draft.record.owners))


def said(entity: EntitySet, draft: Draft, agreed: Agreed | None, row: Row, lists: Aligned = NO_LISTS) -> dict[str, str]:
    """What the SaaS says of the fields that it keeps, and that the set has, as of its last change."""
    partner: Partner = draft.record
    has = [name for name in SHARED if name not in entity.not_selected]
    values = {name: value for name in has if (value := getattr(partner, name)) is not None}
    if partner.terms and "payment_terms" in has:
        values["payment_terms"] = _term(partner, row, agreed)
    values |= lists.theirs
    return as_of(values, None if draft.restores else agreed, "saas", draft.version)


def left_out(entity: EntitySet, partner: Partner) -> str:
    """What the SaaS keeps and the set has no field for: a person enters it, or mlc.yaml names its place."""
    gone = [name for name in SHARED if name in entity.not_selected and getattr(partner, name)]
    return f" (not written, {entity.path} has no field for it: {', '.join(gone)})" if gone else ""


def _term(partner: Partner, row: Row, agreed: Agreed | None) -> str:
    """Of several codes that one name stands for, the one that the ERP has, or that was agreed on."""
    for known in (row.get("payment_terms"), (agreed or {}).get("payment_terms")):
        if known in partner.terms:
            return str(known)
    raise _ambiguous(partner, row.get("payment_terms"))


def _ambiguous(partner: Partner, there: str | None) -> NotOneError:
    codes, now = ", ".join(partner.terms), f"IFS has {there}" if there else "IFS has none"
    return NotOneError(
        f"The payment term of {partner.external_ref} stands for {codes}, and {now}. Enter the right one in IFS.",
        "payment_term_is_mapped",
    )
