"""`mlc audit pulls`: every read of a source that came to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster.cli.shared.lookup import NotFound, ledger
from mlc_dagster.cli.shared.tables import moment, table
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.terminal import plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.ledger import Ledger, PullEntry

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mlc audit pulls --entity ifs/purchase_order_set --partition 2026-11-03")
def pulls(
    entity: Annotated[str | None, typer.Option(help="Of this source, such as ifs/purchase_order_set.")] = None,
    partition: Annotated[str | None, typer.Option(help="Of this day, or company.")] = None,
    limit: Annotated[int, typer.Option(help="How many, the newest.", min=1)] = 100,
    json_: Annotated[bool, typer.Option("--json", help="JSON, and no table.")] = False,
) -> None:
    """Every read of a source: when, by whom, with which filter, how many rows in how many requests."""
    with ledger() as opened:
        _expect(opened, entity)
        found = opened.pulls(entity, partition, limit)
        starts = opened.audit.pulled_by(each.id for each in found)
    if json_:
        say_json([_told(each, starts) for each in found])
        return
    listed = table("ended (UTC)", "source", "partition", "rows", "requests", "by", "filter", "run")
    for each in found:
        pull = each.pull
        numbers = (f"{pull.rows:,}", f"{pull.requests:,}", starts.get(each.id, ""), pull.filter, each.run_id[:8])
        listed.add_row(*map(plain, (moment(pull.ended_at), pull.entity, pull.partition, *numbers)))
    terminal().print(listed)


def _expect(opened: Ledger, entity: str | None) -> None:
    """Raises NotFound for a source that was never read."""
    known = sorted({name for name, _ in opened.freshness()})
    if entity is not None and entity not in known:
        cure = f"Read so far: {', '.join(known) or 'nothing'}"
        raise NotFound(f"no source {entity} was ever read{offered(entity, known)}", cure=cure)


def _told(entry: PullEntry, starts: dict[int, str]) -> dict[str, Any]:
    pull = entry.pull
    return {
        "id": entry.id,
        "entity": pull.entity,
        "partition": pull.partition,
        "started_at": pull.started_at,
        "ended_at": pull.ended_at,
        "rows": pull.rows,
        "requests": pull.requests,
        "pages": pull.pages,
        "filter": pull.filter,
        "read_number": pull.read_number,
        "by": starts.get(entry.id, ""),
        "run_id": entry.run_id,
    }
