"""One invoice on its way to HubSpot: what was found, what was refused, what is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from mlc_dagster.core.outcomes import ACCEPTED, Disagreement, Draft
from mlc_dagster.systems.hubspot.api import Document
from mlc_dagster.systems.hubspot.objects.batch_answers import BatchResult
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord
from mlc_dagster.systems.hubspot.objects.typed_values import BILLED
from mlc_dagster.systems.hubspot.records import Invoice

UNANSWERED = "HubSpot's answer did not name it"


@dataclass
class PendingInvoice:
    """`refused`: it goes no further; `held_later`: it is written as a draft as far as it can be, and then held."""

    draft: Draft
    trace: str
    known: KnownRecord = field(default_factory=KnownRecord)
    remote_id: str = ""
    new: bool = False
    theirs: Document = field(default_factory=dict)  # what HubSpot shows when all but the status is there
    refused: str = ""
    rule: str = ACCEPTED
    held_later: str = ""
    unanswered: str = ""
    told: list[Disagreement] = field(default_factory=list)

    @property
    def invoice(self) -> Invoice:
        invoice: Invoice = self.draft.record
        return invoice

    @property
    def alive(self) -> bool:
        return not (self.refused or self.unanswered)

    @property
    def gross(self) -> str | None:
        gross = self.invoice.stated_gross
        return None if gross is None else f"{gross:f}"

    @property
    def total(self) -> Decimal | None:
        """As it must be there: the ERP's gross amount, or what a person accepted in its place."""
        kept = self.draft.kept.get(BILLED)
        return kept if isinstance(kept, Decimal) else self.invoice.stated_gross

    def take(self, sent: BatchResult, trace: str, what: str = "") -> Document:
        """The result of a step; where there is none, this invoice goes no further."""
        if trace in sent.results:
            return sent.results[trace]
        if trace in sent.refused:
            self.refused = self.refused or f"{what}{sent.refused[trace]}"
        else:
            self.unanswered = f"{what}{UNANSWERED}"
        return {}


def alive(invoices: Iterable[PendingInvoice]) -> list[PendingInvoice]:
    return [pending for pending in invoices if pending.alive]
