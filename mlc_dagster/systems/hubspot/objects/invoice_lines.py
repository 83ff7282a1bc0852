"""The line items of invoices: by keys of their own, then onto their invoice; what has vanished is archived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlc_dagster.core.outcomes import Disagreement
from mlc_dagster.systems.hubspot.api import HubspotApi, objects
from mlc_dagster.systems.hubspot.objects.associations import Associations
from mlc_dagster.systems.hubspot.objects.batch_answers import upsert
from mlc_dagster.systems.hubspot.objects.pending_invoice import PendingInvoice, alive
from mlc_dagster.systems.hubspot.objects.properties import KEY, defaults_of, of_line
from mlc_dagster.systems.hubspot.objects.typed_values import LINES as LINES
from mlc_dagster.systems.hubspot.records import BATCH, Line

ADDED = "added_in_the_target"


class LineWriter:
    """The line items of one portal's invoices."""

    def __init__(self, api: HubspotApi, options: Mapping[str, str]) -> None:
        self._api, self._defaults = api, defaults_of(LINES, options)
        self._lines = Associations(api, "invoices", LINES)
        self._belongs = Associations(api, LINES, "invoices")

    def write(self, invoices: Sequence[PendingInvoice]) -> None:
        """No line is made twice. A refused line refuses its invoice."""
        there = self._lines.of([pending.remote_id for pending in invoices if not pending.new])
        rows = {trace: {**self._defaults, **_but_for_kept(each, line)} for each, line, trace in _each_line(invoices)}
        sent = upsert(self._api, LINES, rows)
        ids: dict[str, str] = {}
        for pending, line, trace in _each_line(invoices):
            ids[trace] = str(pending.take(sent, trace, f"{line.where}: ").get("id") or "")
        self._attach(invoices, ids, there)
        self._archive(alive(invoices), set(ids.values()), there)

    def _attach(
        self, invoices: Sequence[PendingInvoice], ids: Mapping[str, str], there: Mapping[str, Sequence[str]]
    ) -> None:
        pairs = {
            trace: (ids[trace], pending.remote_id)
            for pending, _, trace in _each_line(alive(invoices))
            if ids[trace] not in there.get(pending.remote_id, ())
        }
        failed = self._belongs.make(pairs)
        for pending, line, trace in _each_line(invoices):
            if trace in failed:
                pending.refused = f"{line.where}: {failed[trace]}"

    def _archive(self, invoices: Sequence[PendingInvoice], ours: set[str], there: Mapping[str, Sequence[str]]) -> None:
        """Only lines that carry a key of ours: what people added stays, and is told."""
        left = [each for pending in invoices for each in there.get(pending.remote_id, ()) if each not in ours]
        vanished: set[str] = set()
        for some in _hundreds(left):
            known = self._api.read(LINES, some, KEY)
            gone = [each for each, row in known.items() if str(row.get(KEY) or "").startswith("LINE/")]
            if gone:
                self._api.post(objects(LINES, "batch/archive"), {"inputs": [{"id": each} for each in gone]})
            vanished |= set(gone)
        for pending in invoices:
            added = [each for each in there.get(pending.remote_id, ()) if each not in ours | vanished]
            if added:
                pending.told.append(Disagreement(ADDED, LINES, None, ", ".join(added)))


def _each_line(invoices: Iterable[PendingInvoice]) -> Iterator[tuple[PendingInvoice, Line, str]]:
    for pending in invoices:
        for place, line in enumerate(pending.invoice.items()):
            yield pending, line, f"{pending.trace}.{place}"


def _but_for_kept(pending: PendingInvoice, line: Line) -> dict[str, str]:
    """What a person accepted as it is there is not sent."""
    row = of_line(line, pending.invoice)
    return {name: text for name, text in row.items() if f"{LINES}[{line.key}].{name}" not in pending.draft.kept}


def _hundreds(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
