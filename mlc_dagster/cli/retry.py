"""`mlc retry`: what failed, and waits or needs a person, is due at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlc_dagster.cli.shared.lookup import NotFound, ledger
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.terminal import say

if TYPE_CHECKING:
    from mlc_dagster.ledger import Ledger

EXAMPLES = "Examples: mlc retry cin7:refused · mlc retry cin7/purchases · mlc retry --all"

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def retry(
    what: Annotated[str | None, typer.Argument(help="A cause, or a flow, as mlc status names it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Whatever failed.")] = False,
) -> None:
    """Let what failed be tried again at once: its cause is mended."""
    with ledger(writes=True) as opened:
        known = _known(opened)
        if what is not None and what not in known:
            there = f"There is: {', '.join(known)}." if known else "Nothing has failed that waits."
            raise NotFound(f"nothing waits by the cause or in the flow {what!r}{offered(what, known)}", cure=there)
        if what is None and not every:
            say(f"Say what: mlc retry {' | '.join([*known, '--all'])}" if known else "Nothing has failed that waits.")
            raise typer.Exit(2 if known else 0)
        number = sum(opened.work.release(each) for each in (known if every else [str(what)]))
    say(f"{number} load{'s are' if number != 1 else ' is'} due. The sensor `due` requests them within a minute.")


def _known(opened: Ledger) -> list[str]:
    """The causes first, then the flows that wait by them."""
    failed = [task for task in opened.work.all() if task.failed]
    return list(dict.fromkeys([*sorted(task.cause for task in failed), *sorted(task.flow for task in failed)]))
