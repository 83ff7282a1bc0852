"""`mlc holds`: what is on hold and why, and the decisions of a person on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated, Any

import typer

from mlc_dagster.cli.hold_list import nothing, print_list, print_next, print_rest
from mlc_dagster.cli.places import NotFound, expect, ledger
from mlc_dagster.cli.tables import held, moment, person, table
from mlc_dagster.core import commands
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import Terminal, plain, say, say_json, tell_error, terminal
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.ledger import Attempt, Decision, HoldEntry, Ledger, Run
from mlc_dagster.ledger.records.decisions import DecisionRefused
from mlc_dagster.rules import waiving

app = typer.Typer(
    help="Records on hold: what, why, and what a person decides. Every decision stays in the trail, with who and why.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they would hold secrets
)
BY_HAND = "cli"  # stands in the trail where a run id would

FlowOption = Annotated[str | None, typer.Option("--flow", help="Such as cin7/purchases.")]
RuleOption = Annotated[str | None, typer.Option("--rule", help="Such as gl_accounts_exist.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON, and no table.")]
KeyArgument = Annotated[str | None, typer.Argument(help="The record's key, as the list shows it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why. It stays in the trail.")]
WhoOption = Annotated[str, typer.Option("--who", help="Who decides. Default: the login name.", show_default=False)]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask before many records are decided on at once.")]


@app.command("list", epilog="Example: mlc holds list --flow cin7/purchases --rule gl_accounts_exist")
def list_(
    flow: FlowOption = None,
    rule: RuleOption = None,
    system: Annotated[str | None, typer.Option(help="What goes to a system or comes from it: cin7.")] = None,
    limit: Annotated[int, typer.Option(help="So many of them: a page.", min=1)] = 50,
    page: Annotated[int, typer.Option(help="1: the newest; 2: those before them; and so on.", min=1)] = 1,
    json_: JsonOption = False,
) -> None:
    """What is on hold: a summary by flow and rule, then the records, the newest last."""
    narrowed = {"flow": flow, "rule": rule, "system": None if system == ERP else system}  # every flow is the ERP's
    with ledger() as opened:
        expect(opened, flow=flow, rule=rule, system=system)
        shown = opened.history.open_holds(**narrowed, limit=limit, newer=(page - 1) * limit)
        counted = opened.history.count_open(**narrowed)
        moved = opened.history.flows()
    older = max(0, counted.holds - (page - 1) * limit - len(shown))
    if json_:
        summary = [
            {"flow": name, "rule": broken, "holds": number}
            for (name, broken), number in sorted(counted.by_rule.items())
        ]
        told = {"summary": summary, "on_hold": counted.holds, "more": older > 0, "older": older}
        say_json({**told, "holds": [_as_json(hold) for hold in shown]})
    elif shown:
        print_list(shown, counted, terminal())
        print_rest(counted.holds, len(shown), older, page, terminal())
        print_next(shown[-1], terminal())
    elif counted.holds:
        pages = -(-counted.holds // limit)
        say(f"{counted.holds:,} are on hold, on {pages:,} page(s) of {limit}: there is no page {page}.")
    else:
        say(nothing(flow, rule, system, moved))


@app.command(epilog="Example: mlc holds show P00102 --flow cin7/purchases")
def show(
    key: Annotated[str, typer.Argument(help="The record's key.")], flow: FlowOption = None, json_: JsonOption = False
) -> None:
    """One record on hold: every problem in full, the record, its trail, and what can be done."""
    with ledger() as opened:
        expect(opened, flow=flow)
        hold = held(opened, key, flow)
        trail = opened.trail(hold.flow, hold.key)
    if json_:
        say_json({**_as_json(hold), "record": hold.row, "trail": [_line(line) for line in trail]})
        return
    out = terminal()
    out.print(
        f"[bold]{plain(hold.flow)} {plain(hold.key)}[/]  partition {plain(hold.partition)}, on hold since "
        f"{moment(hold.opened_at)} UTC, version {hold.version or 'not known'}\n"
    )
    for problem in hold.problems:
        out.print(f"[yellow]{plain(problem.rule)}[/]  {plain(problem.reason)}")
    _print_record(hold, out)
    _print_trail(trail, out)
    _print_ways(hold, out)


def _print_record(hold: HoldEntry, out: Terminal) -> None:
    whose = "as it would be sent" if waiving.AT_THE_LOAD.issuperset(hold.rules) else "as it was read"
    fields = table("field", "value", title=f"\nThe record, {whose}")
    for name, value in hold.row.items():
        if not (isinstance(value, list) and value and isinstance(value[0], dict)):
            fields.add_row(plain(name), plain(_text(value)))
    out.print(fields)
    for name, value in hold.row.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            _print_lines(name, value, out)


def _print_lines(name: str, lines: list[dict[str, Any]], out: Terminal) -> None:
    columns = list(dict.fromkeys(field for line in lines for field in line))
    listed = table(*columns, title=f"\n{name}")
    for line in lines:
        listed.add_row(*(plain(_text(line.get(column))) for column in columns))
    out.print(listed)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _print_trail(trail: list[Attempt], out: Terminal) -> None:
    listed = table("at (UTC)", "event", "detail", "run", title="\nIts trail")
    for line in trail:
        listed.add_row(moment(line.at), str(line.event), plain(line.detail), line.run_id)
    out.print(listed)


def _print_ways(hold: HoldEntry, out: Terminal) -> None:
    """What can be done, with the commands ready."""
    tell = partial(out.print, soft_wrap=True)  # a command that is folded cannot be copied

    def offer(verb: str, *keys: str, **options: str) -> None:
        tell(f"    {plain(commands.offered(verb, *keys, **options))}")

    tell("\n[bold]What to do[/]")
    tell("  Correct it where the reason says. The healing sensor sees it within minutes, where it is on; at once:")
    offer("replay", key=hold.key, flow=hold.flow)
    if kept := waiving.unwaivable(hold.rules):
        why = "; ".join(f"{rule} ({because})" for rule, because in kept.items())
        tell(f"  It cannot be released: {plain(why)}.")
    else:
        tell(f"  Let it pass as it is, {_meaning(hold)}:")
        offer("holds release", hold.key, flow=hold.flow, reason=commands.REASON)
    tell("  Never send it as it is; if it changes at its source it is held again:")
    offer("holds discard", hold.key, flow=hold.flow, reason=commands.REASON)


def _meaning(hold: HoldEntry) -> str:
    if waiving.TAKEN_AS_KNOWN in hold.rules:
        return "which writes nothing: what was posted stays, and the change counts as known"
    if waiving.AT_THE_LOAD.issuperset(hold.rules):
        return "which tries it once more"
    return "for this content alone"


@app.command(epilog='Example: mlc holds release P00102 --reason "the buyer confirmed it, ticket 4711"')
def release(
    reason: ReasonOption,
    key: KeyArgument = None,
    flow: FlowOption = None,
    rule: RuleOption = None,
    who: WhoOption = "",
    yes: YesOption = False,
) -> None:
    """Let a record pass as it is: these rules, this content. One KEY, or all of a --rule in a --flow."""
    with ledger(writes=True) as opened:
        decided, refused = _decide(opened, opened.decisions.release, "release", (key, flow, rule), (who, reason), yes)
    for decision in decided:
        say(f"{decision.flow} {decision.key} is released by {decision.who}.")
    if decided:
        say(f"The healing sensor loads it within minutes, where it is on; at once: {_replay(decided)}")
    _end(refused)


@app.command(epilog='Example: mlc holds discard P00102 --reason "paid by hand on 3 November"')
def discard(
    reason: ReasonOption,
    key: KeyArgument = None,
    flow: FlowOption = None,
    rule: RuleOption = None,
    who: WhoOption = "",
    yes: YesOption = False,
) -> None:
    """Never send a record as it is now. One KEY, or all of a --rule in a --flow."""
    with ledger(writes=True) as opened:
        decided, refused = _decide(opened, opened.decisions.discard, "discard", (key, flow, rule), (who, reason), yes)
    for decision in decided:
        say(f"{decision.flow} {decision.key} is discarded by {decision.who}: it is never sent as it is now.")
    _end(refused)


def _end(refused: int) -> None:
    """Exit 1 where some of many were refused; the others stand."""
    if refused:
        say(f"{refused} could not be decided on; they are still on hold.", err=True)
        raise typer.Exit(1)


def _replay(decided: list[Decision]) -> str:
    if len(decided) == 1:
        return commands.offered("replay", flow=decided[0].flow, key=decided[0].key)
    return f"{commands.offered('replay', flow=decided[0].flow)} --partition ..."


def _decide(
    opened: Ledger,
    decide: Callable[[HoldEntry, str, str, Run], Decision],
    word: str,
    which: tuple[str | None, str | None, str | None],
    by: tuple[str, str],
    yes: bool,
) -> tuple[list[Decision], int]:
    """The decisions that were written, and how many were refused."""
    key, flow, rule = which
    expect(opened, flow=flow, rule=rule)
    who, reason = person(by[0]), by[1]
    if key is not None and rule is None:
        hold = held(opened, key, flow)
        return [decide(hold, who, reason, Run(BY_HAND, hold.partition))], 0
    if key is not None or flow is None or rule is None:
        raise Misconfigured(
            "it is not said which records", cure=f"mlc holds {word} KEY, or --rule R together with --flow F."
        )
    number = opened.history.count_open(flow=flow, rule=rule).holds
    if not number:
        raise NotFound(
            f"nothing of {flow} is held by {rule}",
            cure=f"`{commands.offered('holds list', flow=flow)}` shows what is held.",
        )
    if not yes:
        typer.confirm(f"{word} {number} record(s) of {flow} that are held by {rule}?", abort=True)
    return _all(decide, opened.history.each_open(flow, rule), who, reason)


def _all(
    decide: Callable[[HoldEntry, str, str, Run], Decision], found: Iterable[HoldEntry], who: str, reason: str
) -> tuple[list[Decision], int]:
    decided, refused = [], 0
    for hold in found:
        try:
            decided.append(decide(hold, who, reason, Run(BY_HAND, hold.partition)))
        except DecisionRefused as error:
            refused += 1
            tell_error(error)
    return decided, refused


def _as_json(hold: HoldEntry) -> dict[str, Any]:
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


def _line(line: Attempt) -> dict[str, Any]:
    return {**{name: getattr(line, name) for name in line.__dataclass_fields__}, "at": line.at.isoformat()}
