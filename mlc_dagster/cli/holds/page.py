"""How a page of what is on hold is shown, and how much more there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlc_dagster.cli.shared.tables import moment, shortened, table
from mlc_dagster.core import commands
from mlc_dagster.core.terminal import Terminal, plain
from mlc_dagster.rules import waiving

if TYPE_CHECKING:
    from mlc_dagster.ledger import HoldEntry
    from mlc_dagster.ledger.records.history import Counted

REASON = 90  # characters of a reason in the list


def nothing(flow: str | None, rule: str | None, system: str | None, moved: frozenset[str]) -> str:
    """What that is said of: nobody reads more out of it than the ledger knows."""
    where = f" in {flow}" if flow else f" of {system}" if system else ""
    if not moved:
        return f"Nothing is on hold{where}: no record ever moved by this ledger."
    if flow is not None and flow not in moved:
        return f"Nothing is on hold{where}: it never moved a record yet."
    return f"Nothing is on hold{where}{f' by {rule}' if rule else ''}."


def print_list(shown: list[HoldEntry], counted: Counted, out: Terminal) -> None:
    summary = table("flow", "rule that is not met", "records", title="On hold")
    for (name, rule), number in sorted(counted.by_rule.items()):
        summary.add_row(name, rule, f"{number:,}")
    listed = table("since (UTC)", "flow", "key", "rules", "reason", "partition", title="\nThe newest last")
    for hold in shown:
        reason = shortened(hold.problems[0].reason, REASON) if hold.problems else ""
        cells = (moment(hold.opened_at), hold.flow, hold.key, ", ".join(hold.rules), reason, hold.partition)
        listed.add_row(*map(plain, cells))
    out.print(summary, listed)


def print_rest(holds: int, shown: int, older: int, page: int, out: Terminal) -> None:
    if older or page > 1:
        rest = f"{older:,} older ones: --page {page + 1}, or narrow it by --flow and --rule" if older else "the oldest"
        out.print(f"[dim]{shown:,} of {holds:,} on hold are shown; {rest}.[/]", soft_wrap=True)


def print_next(hold: HoldEntry, out: Terminal) -> None:
    named = plain(commands.offered("holds show", hold.key, flow=hold.flow))
    out.print(f"\nAll of it, and what to do: [bold]{named}[/]", soft_wrap=True)


def as_json(hold: HoldEntry) -> dict[str, Any]:
    """All of a hold but its record."""
    return {
        "flow": hold.flow,
        "key": hold.key,
        "version": hold.version,
        "rules": list(hold.rules),
        "problems": [vars(problem) for problem in hold.problems],
        "partition": hold.partition,
        "since": hold.opened_at.isoformat(),
        "company": hold.company,
        "missing": hold.missing,
        "party": hold.party,
        "amount": hold.amount,
        "currency": hold.currency,
        "dated": hold.dated,
        "owner": hold.owner,
        "run_id": hold.run_id,
        "content": hold.content,
        "can_be_released": not waiving.unwaivable(hold.rules),
    }
