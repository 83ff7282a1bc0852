"""A sandbox, a ledger and a store in which flows are run without Dagster; what people do there is done to the box."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline.verify import Verified
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster_tests.promises.journey import Journey, content_at, flow_of
from mlc_dagster_tests.promises.kinds import PLENTY, books, now
from mlc_dagster_tests.promises.later_life import World

NOTHING = Decimal(0)


@dataclass
class Room:
    box: Sandbox
    ledger: Ledger
    store: RowStore
    settings: Settings
    runs: int = 0
    told: dict[str, dict[str, Any]] = field(default_factory=dict)  # system -> what mlc.yaml says beside the usual

    def go(self, *flows: str) -> dict[str, int]:
        """Read, prepare and load each, today and yesterday, as one run with clients of its own; counts of the last."""
        counted: dict[str, int] = {}
        for name in flows:
            self.runs += 1
            loaded = Journey(flow_of(name), self.settings, self.ledger, self.store, f"run{self.runs}").make()
            counted = {name: value for name, value in vars(loaded).items() if isinstance(value, int) and value}
        return counted

    def says(self, system: str, **settings: Any) -> None:
        """What mlc.yaml says of a system from now on."""
        self.told[system] = {**self.told.get(system, {}), **settings}
        content = content_at(self.box.url)
        merged = {name: {**content.get(name, {}), **more} for name, more in self.told.items()}
        self.settings = configuration.parse({**content, **merged}, "mlc.yaml")

    def holds(self, flow: str) -> dict[str, list[tuple[str, str]]]:
        """Key -> (rule, reason) of what is on hold."""
        found = self.ledger.open_holds(flow, limit=None)
        return {hold.key: [(each.rule, each.reason) for each in hold.problems] for hold in found}

    @property
    def world(self) -> World:
        """The same, as it is looked at after delivery."""
        return World(self.box, self.ledger, self.store, self.settings, self.runs)

    def look(self, flow: str) -> Verified:
        """What the next verify says of all that the flow delivered."""
        return self.world.look(flow)

    def said(self, flow: str) -> list[tuple[str, str, str, str | None, str | None]]:
        """(key, kind, field, ours, theirs) of the differences that are open."""
        return self.world.said(flow)

    # --- what stands in the source -----------------------------------------------------------------------------------

    def supplier(self, number: str = "S1", **more: Any) -> None:
        row = {"SupplierId": number, "Name": f"Supplier {number}", "Country": "SE", "CurrencyCode": "SEK"}
        row |= {"PaymentTerms": "30", "Email": f"{number}@example.test"}
        self.box.ifs.put("SupplierSet", {**row, **more}, modified=now())

    def order(self, number: str = "P1", amount: str = "21.00", **more: Any) -> None:
        """Of two of a service."""
        line = {"OrderNo": number, "LineNo": "1", "ReleaseNo": "1", "Company": "0010", "Description": "Service"}
        line |= {"BuyQtyDue": Decimal(2), "BuyUnitPrice": Decimal(amount) / 2, "LineAmount": Decimal(amount)}
        line |= {"TaxCode": "V0", "Account": "4010"}
        row = {"OrderNo": number, "Company": "0010", "Contract": "A", "VendorNo": "S1", "CurrencyCode": "SEK"}
        row |= {"OrderDate": "2026-11-04", "CurrencyRate": Decimal(1), "TotalAmount": Decimal(amount)}
        row |= {"ObjState": "Released", "PurchaseOrderLines": [line], **more}
        self.box.ifs.put("PurchaseOrderSet", row, modified=now())

    def proposal(self, number: int = 1, amount: str = "100.00", **more: Any) -> None:
        keys, net = {"Company": "0010", "ProposalId": number}, Decimal(amount)
        line = {**keys, "RowId": 1, "Amount": net, "CurrencyAmount": net, "Quantity": Decimal(1), "TaxCode": "V0"}
        line |= {"Account": "4010", "Text": "Service"}
        row = {**keys, "InvoiceId": 900 + number, "InvoiceNo": f"F-{number}", "SupplierId": "S1", "NetAmount": net}
        row |= {"ObjState": "Balanced", "CurrencyCode": "SEK", "CurrencyRate": Decimal(1), "VatAmount": NOTHING}
        row |= {"GrossAmount": net, "InvoiceDate": "2026-11-04", "DueDate": "2026-12-04"}
        self.box.ifs.put("PostingProposalHeadSet", {**row, "PostingProposalLines": [line], **more}, modified=now())


@contextmanager
def room_on(ledger_url: str, folder: Path, *profiles: str) -> Iterator[Room]:
    """With the six systems' books, and an empty ledger."""
    with Sandbox(seed="empty", limits=PLENTY, profiles=profiles) as box, Ledger.open(ledger_url) as ledger:
        books(box)
        settings = configuration.parse(content_at(box.url), "mlc.yaml")
        yield Room(box, ledger, RowStore(f"{folder}/rows", ledger.stored), settings)


@contextmanager
def ledger_lost(room: Room, folder: Path) -> Iterator[Room]:
    """The same systems, with an empty ledger and no stored rows."""
    with Ledger.open(f"sqlite:///{folder}/another.db") as ledger:
        yield Room(room.box, ledger, RowStore(f"{folder}/other-rows", ledger.stored), room.settings, told=room.told)


def rules_of(holds: dict[str, list[tuple[str, str]]]) -> dict[str, list[str]]:
    return {key: [rule for rule, _ in problems] for key, problems in holds.items()}


def numbers_in(text: str) -> list[str]:
    """The document numbers of the ERP, such as 0010/M/2026/88, in a sentence."""
    return re.findall(r"0010/[\w/-]+", text)
