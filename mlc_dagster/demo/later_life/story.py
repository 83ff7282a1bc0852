"""What the demo tells of the later life: one table of what happened, one of what the targets show, and the verdict."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.terminal import Terminal, plain
from mlc_dagster.demo.comparisons.agreement import compared, disagreements
from mlc_dagster.demo.later_life.event import Books, Event
from mlc_dagster.demo.later_life.table import print_events, print_sums, unnamed
from mlc_dagster.demo.later_life.third_pass import third_pass
from mlc_dagster.demo.place import Place
from mlc_dagster.demo.runs import Runs
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.settings import Settings

SHOWN = 20


def show_later_life(place: Place, runs: Runs, settings: Settings, out: Terminal) -> None:
    """Raises MlcError where one event is not as it should be, or something is off that no difference names."""
    with Ledger.open(place.environment()["MLC_DATABASE_URL"]) as ledger:
        before = {one.id for one in ledger.differences.open(limit=None)}
        events, sums = third_pass(place, ledger, runs)
        outcomes = [event.judged(books) for books in [Books(place, ledger)] for event in events]
        named = ledger.differences.open(limit=None)
    with compared(place, runs.flows) as found:
        lines = list(disagreements(found, settings))
    print_events(events, outcomes, out)
    print_sums(sums, named, out)
    checked: dict[str, Iterable[str]] = {
        "each event is as it should be": [fault for outcome in outcomes for fault in outcome.faults],
        "each difference between the systems is an open one in the ledger, to the cent": unnamed(
            sums, lines, named, [record for event in events for record in event.carried]
        ),
        "nothing else differs: each open difference is of one of these events": strangers(named, before, events),
    }
    conclude({words: list(faults) for words, faults in checked.items()}, out)


def strangers(named: Sequence[Difference], before: Collection[int], events: Sequence[Event]) -> Iterator[str]:
    """New differences of records that no event has changed; what was mended has none."""
    records = {record for event in events for record in event.differs}
    for one in named:
        if one.id not in before and (one.flow, one.key) not in records:
            yield f"{one.flow} {one.key}: {one.kind} {one.field}: {one.ours} / {one.theirs}"


def conclude(checked: dict[str, list[str]], out: Terminal) -> None:
    for words, faults in checked.items():
        out.print(f"{'[red]✗[/]' if faults else '[green]✓[/]'} {words}")
        for line in faults[:SHOWN]:
            out.print(f"  {plain(line)}", soft_wrap=True)
    if any(checked.values()):
        raise MlcError("the third pass found what is not as it should be; please report it with the lines above")
