"""docs/runbook.md: each rule, difference and error class: what it means, what puts it right, where, and who."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping

from mlc_dagster.core import errors
from mlc_dagster.web.review.catalogue.entry import Entry
from mlc_dagster.web.review.sentences import KINDS, RULES

LEAD = """# Runbook

What can stand on hold or differ, what it means, and who puts it right where. Made from the words of the review page
by `python -m mlc_dagster_tests.reference`; a test holds it. `{value}` is what is missing or differs.

What happened to one record: `mlc audit show KEY`. What is open, by cause: `mlc open`. What is due, and why:
`mlc status`. One file to attach to a question: `mlc diagnose`.
"""
WHAT_TO_DO = {
    "TransientError": "Nothing: it is asked again by itself, later and later. Where it stays, ask who runs the system.",
    "ThrottledUntil": "Nothing: the run ends, and is asked for again when calls are taken; else lower the budget.",
    "QuotaUsedUp": "Nothing until the quota begins anew; raise the plan there, or lower the budget in mlc.yaml.",
    "OutcomeUnknown": "Nothing: it is looked up by its key before anything is sent again. After an hour, an engineer.",
    "RecordRejected": "The record is held with the target's own words: see target_accepts_it.",
    "PastChange": "It is held: decide in the target, or correct the source.",
    "OwnedByAnother": "It is held with both keys: correct the number of one, or discard the hold.",
    "StillInDoubt": "It is held, and looked for again by each run.",
    "StaleRecord": "Nothing: it is read again and merged, three times at the most; then it is held.",
    "AccessDenied": "An administrator renews the credential or grants the right; then `mlc ping`, and `mlc retry`.",
    "Misconfigured": "Whoever keeps mlc.yaml: `mlc check` names the line, `mlc ping` what a system lacks.",
}


def page() -> str:
    return "".join(
        [
            LEAD,
            "\n## On hold: the rule that is not met\n\n",
            *_entries(RULES),
            "\n## Delivered, and the two sides differ\n\n",
            *_entries(KINDS),
            "\n## Errors\n\n| class | means | what to do |\n|---|---|---|\n",
            *_errors(),
        ]
    )


def _entries(table: Mapping[str, Entry]) -> Iterator[str]:
    for name in sorted(table):
        headline, meaning, cure, place, who = table[name][:5]
        yield f"### {name}\n\n**{headline}** {meaning}\n\n{cure} Where: {place}. Who: {who}.\n\n"


def error_classes() -> dict[str, type[errors.MlcError]]:
    """Those of core: what a person meets in a run, a ping or the shell."""
    found = (each for _, each in inspect.getmembers(errors, inspect.isclass))
    return {each.__name__: each for each in found if issubclass(each, errors.MlcError) and each is not errors.MlcError}


def _errors() -> Iterator[str]:
    for name, kind in error_classes().items():
        means = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
        yield f"| {name} | {means} | {WHAT_TO_DO.get(name, '')} |\n"
