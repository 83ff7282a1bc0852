"""What two people may ask of a run where both sides differ; never in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mlc_dagster.core import difference_kinds as kinds
from mlc_dagster.systems.registry import systems
from mlc_dagster.web.review.open_record import OpenRecord
from mlc_dagster.web.review.shown_text import moment, quoted
from mlc_dagster.web.review.visits import Visit

REQUESTED = ("restore", "recreate", "reverse", "relink", "forget")
_THERE = frozenset({kinds.EDITED_IN_THE_TARGET, kinds.SOMEONE_INSISTS, kinds.MOVED_IN_THE_TARGET})
_NOT_THERE = frozenset({kinds.DELETED_IN_THE_TARGET, kinds.VOIDED_IN_THE_TARGET})
_ELSEWHERE = _THERE | _NOT_THERE | {kinds.MERGED_IN_THE_TARGET}
_FORGETTABLE = _ELSEWHERE | frozenset(kinds.SOURCE_SIDE)
FIELDS = 5  # that a sentence names


class Possible(NamedTuple):
    """One of them, of this record."""

    action: str
    label: str
    says: str
    why_not: str = ""


def possible(visit: Visit, record: OpenRecord) -> Iterator[Possible]:
    """Those that its differences ask for; where one cannot be done, with why not."""
    found = {one.kind for one in record.differences}
    flow = visit.site.known_flows.get(record.flow)
    was = visit.ledger.remote_ids(record.flow, [record.key]).get(record.key, "")
    if flow is None or not was:
        return
    there, why_not = visit.site.titles.get(flow.target.system, flow.target.system), _why_not(visit, record)
    if _THERE & found:
        yield Possible("restore", "Restore ours", _restores(visit, record), why_not)
    if _NOT_THERE & found:
        says = (
            f"What was delivered is made again in {there}; it is looked for by its key first, so that nothing stands "
        )
        says += "there twice. There is no way back: what is made so is deleted by hand."
        yield Possible("recreate", "Make it again", says, why_not)
    if kinds.TAKEN_BACK in found:
        says = (
            f"What was entered as {was} is reversed in the first open day of the company, at the original rate, lines "
        )
        says += (
            f"and tax negated, under {record.key}/R1; what is preliminary still is cancelled instead. There is no way "
        )
        says += "back: a reversal is reversed by a new decision."
        cannot = "" if flow.reversing else "documents of this flow are reversed by hand; then accept the difference"
        yield Possible("reverse", "Reverse it", says, cannot or why_not)
    if _ELSEWHERE & found:
        says = f"It is another record of {there} from now on than {was}; what that one has of it is compared then. "
        says += f"The way back is to link it to {was} again."
        yield Possible("relink", "It is another one there", says, why_not)
    if _FORGETTABLE & found:
        says = (
            f"What {there} has of it ({was}) is left as it is, and is none of ours any more. The next load finds the "
        )
        says += f"record new, and looks there before it sends. The way back is to link it to {was} again."
        yield Possible("forget", "Forget it", says, why_not)


def _restores(visit: Visit, record: OpenRecord) -> str:
    """The exact fields, and whose words are overwritten."""
    changed = [one for one in record.differences if one.kind in _THERE and one.field]
    fields = [
        f"{one.field}: {quoted(one.theirs or 'nothing')} becomes {quoted(one.ours or 'nothing')}"
        for one in changed[:FIELDS]
    ]
    more = f", and {len(changed) - FIELDS} more" if len(changed) > FIELDS else ""
    since = moment(min(one.first_seen for one in record.differences), visit.preferences.timezone)
    told = f" ({'; '.join(fields)}{more})" if fields else ""
    words = f"What was delivered is sent again{told}. It overwrites what a person entered there, seen first on {since}."
    return f"{words} There is no way back."


def _why_not(visit: Visit, record: OpenRecord) -> str:
    """Why none of them can be done now; empty where they can."""
    settings, target = visit.site.settings, visit.site.known_flows[record.flow].target.system
    if settings.is_shadow(target):
        return f"{target} is in shadow: nothing is written there"
    if not systems()[settings.system_of(target)].reads_back:
        return f"{target} does not show what it has of what was delivered"
    last = visit.ledger.action_requests.last(record.flow, record.key)
    if last is not None and last.ended_at is None:
        return f"{last.action} waits for a run already"
    return ""
