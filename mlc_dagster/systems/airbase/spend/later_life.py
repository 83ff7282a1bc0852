"""What Airbase says of a request, a bill or a payment after its voucher was entered. Pure."""

from __future__ import annotations

import msgspec

from mlc_dagster.core.difference_kinds import CHANGED_AFTER_POSTING
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.later_life import Fate
from mlc_dagster.systems.airbase.spend.records import Spend

DONE = "sync_complete"
_STANDING = ("request_status", "ledger_status", "failed_status")


def fate_of(document: Spend, facts: Facts) -> Fate | None:
    """By its status. One that nobody named is no reason to reverse anything, and is told: nothing else knows it."""
    status = (document.status or "").strip()
    if _named(status, "taken_back_statuses", facts):
        return Fate(status)
    usual = {DONE, *(facts.options.get(name, "") for name in _STANDING)} - {""}
    if not status or status in usual or _named(status, "standing_statuses", facts):
        return None
    return Fate(f"status {status}", CHANGED_AFTER_POSTING, is_final=False)


def content_of(document: Spend) -> Spend:
    """What enters the books, without how far it is on its way there; which number its vendor has by now is no part of
    it.
    """
    return msgspec.structs.replace(document, status=None, erp_reference_id=None, supplier=None)


def _named(status: str, option: str, facts: Facts) -> bool:
    return bool(status) and status.casefold() in facts.options.get(option, "").casefold().split(",")
