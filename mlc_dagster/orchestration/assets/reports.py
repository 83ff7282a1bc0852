"""What the UI shows of a pull, a prepare and a load: plain int, float, str, and tables a person can act on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from mlc_dagster.core.flows import Problem
from mlc_dagster.core.inert import acts, inert, inert_markdown
from mlc_dagster.core.outcomes import Traffic
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.pipeline import Loaded, Verdict

AHEAD = timedelta(minutes=10)
"""No clock of a server is as wrong: what is stamped later is stamped in another zone."""

HELD_COLUMNS = ("record", "about", "reason")


def of_pull(pull: Pull) -> dict[str, Any]:
    """The account of a read: what was asked, when, and how much came."""
    counts: dict[str, Any] = {
        "dagster/partition_row_count": pull.rows,
        "rows_read": pull.rows,
        "pages": pull.pages,
        "requests": pull.requests,
        "rows_seen_twice": pull.repeated,
        "rows_unreadable": pull.unreadable,
        "seconds_throttled": round(pull.throttled_seconds, 3),
        "clock_skew_seconds": round(pull.clock_skew_seconds, 3),
        "filter": pull.filter or "none",
        **({"stamps": inert(stamps_ahead(pull))} if stamps_ahead(pull) else {}),
    }
    if pull.expected_before is not None:
        counts["tenant_count"] = pull.expected_before
    if pull.started_at and pull.ended_at:
        counts["pulled_at"] = dg.MetadataValue.timestamp(pull.started_at)
        counts["seconds"] = round((pull.ended_at - pull.started_at).total_seconds(), 3)
    return counts


def stamps_ahead(pull: Pull) -> str:
    """What is told where rows are stamped with moments that are still to come; empty where none is."""
    if pull.seconds_ahead < AHEAD.total_seconds():
        return ""
    return (
        f"{pull.entity} {pull.partition}: rows are stamped {pull.seconds_ahead / 60:.0f} minutes ahead of the ERP's "
        "own clock: it stamps in another time zone, or a clock is wrong. Days are cut by stamps: say its zone in "
        "mlc.yaml (ifs.time_zone), and read the days again."
    )


def of_verdict(verdict: Verdict) -> dict[str, Any]:
    """The account of a prepare."""
    return {
        "dagster/partition_row_count": verdict.ready,
        "rows_read": verdict.read,
        "ready": verdict.ready,
        "held": verdict.held,
        "superseded": verdict.superseded,
        "discarded": verdict.discarded,
        "out_of_scope": verdict.out_of_scope.total(),
        **{f"out of scope: {inert(why)}": count for why, count in sorted(verdict.out_of_scope.items())},
        **{f"held: {inert(rule)}": count for rule, count in sorted(verdict.held_by.items())},
    }


def of_load(loaded: Loaded, spent: Traffic) -> dict[str, Any]:
    """The account of a load."""
    return {
        "dagster/partition_row_count": loaded.delivered + loaded.unchanged + loaded.stale,
        "ready": loaded.asked,
        "created": loaded.created,
        "updated": loaded.updated,
        "adopted": loaded.adopted,
        "unchanged": loaded.unchanged,
        "stale": loaded.stale,
        "superseded": loaded.superseded,
        "held": loaded.held,
        "discarded": loaded.discarded,
        **{name: number for name in ("gone", "out_of_scope") if (number := getattr(loaded, name))},
        **({"differing": loaded.differing} if loaded.differing else {}),
        "requests": spent.requests,
        "seconds": round(loaded.seconds, 3),
        "seconds_throttled": round(spent.throttled_seconds, 3),
        **({"refused": held_table((k, Problem("", r)) for k, r in loaded.reasons.items())} if loaded.reasons else {}),
    }


def held_table(examples: Iterable[tuple[str, Problem]]) -> dg.TableMetadataValue:
    """Held records by key, each with what it is about and why."""
    return table(HELD_COLUMNS, ((key, problem.subject, problem.reason) for key, problem in examples))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> dg.TableMetadataValue:
    """Texts in columns; nothing of a value acts on the page that shows it."""
    records = [
        dg.TableRecord({name: inert(str(value)) for name, value in zip(columns, row, strict=True)}) for row in rows
    ]
    return dg.MetadataValue.table(records, schema=dg.TableSchema([dg.TableColumn(name, "string") for name in columns]))


def sentences(found: Mapping[str, str]) -> dg.MarkdownMetadataValue:
    """A short list of what was found, one line for each."""
    return dg.MetadataValue.md(
        "\n".join(f"- {inert_markdown(name)}: {inert_markdown(what)}" for name, what in found.items()) or "nothing"
    )


def linked(lines: Iterable[Iterable[str | tuple[str, str]]]) -> dg.MarkdownMetadataValue:
    """A list of lines, each of texts and of (text, address): an address that leads to no page is left out."""
    return dg.MetadataValue.md("\n".join(f"- {''.join(map(_part, line))}" for line in lines))


def _part(part: str | tuple[str, str]) -> str:
    """A text of others makes no link; an address that a system told acts as such alone."""
    text, address = (part, "") if isinstance(part, str) else part
    leads = address.startswith(("https://", "http://")) and not acts(address) and not set(address) & set("<> \\")
    return f"[{inert_markdown(text)}](<{address}>)" if leads else inert_markdown(text)


def changes_in_a_line(changes: Sequence[Any]) -> str:
    """field: before -> after; ..."""
    return "; ".join(f"{each.field}: {each.before or '-'} -> {each.after or '-'}" for each in changes)[:1000]
