"""A small company whose SaaS goes on living after its documents were entered in the ERP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.orchestration.location import tenants_flows
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded, source_looks
from mlc_dagster.pipeline.prepare import AsRead
from mlc_dagster.pipeline.reversing import MOST, Reversed, reverse
from mlc_dagster.pipeline.taken_back import AT_ONCE, LaterLife, reversal_key, reversal_name
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster.sandbox.registry import choices_of
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster_tests.promises.journey import LEASE_SECONDS, LONGEST_REQUEST, Journey, content_at, days, flow_of
from mlc_dagster_tests.promises.kinds import PLENTY, books
from mlc_dagster_tests.promises.tenant_flows import TenantJourney

PAYMENTS, BILLS = "ifs/vouchers_from_airbase_payments", "ifs/vouchers_from_airbase_bills"
REQUESTS, TOLD = "ifs/vouchers_from_airbase_requests", "airbase/payments_acknowledged"
INVOICES, PROPOSALS = "ifs/supplier_invoices_from_procurify", "ifs/posting_proposals_from_procurify"
VENDORS = "ifs/suppliers_from_procurify"
CANCEL = {"voucher_set": "Voucher_Cancel", "supplier_invoice_set": "SupplierInvoice_Cancel"}


@dataclass
class Office:
    """Each `go` is a run with clients of its own."""

    box: Sandbox
    ledger: Ledger
    store: RowStore
    content: dict[str, Any]
    journeys: list[Journey] = field(default_factory=list)

    def journey(self, flow: str) -> Journey:
        settings = settings_file.parse(self.content, "mlc.yaml")
        catalogue = catalogue_for(settings_file.erp_settings(settings))
        (named,) = tenants_flows((flow_of(flow),), catalogue)
        run_id = f"run{len(self.journeys)}"
        made = TenantJourney(named, settings, self.ledger, self.store, run_id, catalogue=catalogue)
        self.journeys.append(made)
        return made

    def go(self, *flows: str) -> Loaded:
        """Read, prepare and load each; the account of the last one."""
        return [self.journey(flow).make() for flow in flows][-1]

    def look(self, flow: str, most: int = AT_ONCE, keys: Sequence[str] | None = None) -> LaterLife:
        """The nightly look at all that was delivered."""
        journey = self.journey(flow)
        asked = source_looks.of_the_night(journey.flow, self.ledger, 45, 30) if keys is None else keys
        return source_looks.look(journey.flow, self.by_keys(journey), journey.facts(), self.ledger, asked, most)

    def reverse(self, flow: str, most: int = MOST) -> Reversed:
        journey, quick = self.journey(flow), {"lease_seconds": LEASE_SECONDS, "longest_request": LONGEST_REQUEST}
        run, client = Run(journey.run_id, days()[-1]), journey.client("ifs")
        by_keys = self.by_keys(journey)
        return reverse(journey.flow, by_keys, journey.facts, client, self.ledger, run, most=most, **quick)

    def by_keys(self, journey: Journey) -> Callable[[Sequence[str], datetime | None], Iterator[AsRead]]:
        source, client = journey.flow.source, journey.client(journey.flow.source.system)

        def rows(keys: Sequence[str], since: datetime | None) -> Iterator[AsRead]:
            for batch in client.by_keys(source, keys, since):
                yield from records_of(batch, source.record)

        return rows

    # --- what there is ------------------------------------------------------------------------------------------------

    def differences(self, flow: str) -> list[Difference]:
        return self.ledger.differences.open(flow)

    def kinds(self, flow: str) -> dict[str, str]:
        return {one.key: one.kind for one in self.differences(flow)}

    def holds(self, flow: str) -> dict[str, str]:
        return {hold.key: " ".join(hold.rules) for hold in self.ledger.open_holds(flow)}

    def reversal_holds(self, flow: str) -> dict[str, str]:
        """Key of the document -> why it is not reversed."""
        held = self.ledger.open_holds(reversal_name(flow))
        return {hold.key.removesuffix(reversal_key("")): hold.problems[0].reason for hold in held}

    def vouchers(self) -> list[dict[str, Any]]:
        return list(self.box.ifs.rows("VoucherSet"))

    def live(self) -> list[dict[str, Any]]:
        return [row for row in self.vouchers() if row["ObjState"] != "Cancelled"]

    def voucher(self, reference: str) -> dict[str, Any]:
        (found,) = [row for row in self.vouchers() if row["ExternalRef"] == reference]
        return found

    def balance(self) -> dict[str, Decimal]:
        """Account -> what stands on it."""
        found: dict[str, Decimal] = {}
        for line in (line for row in self.live() for line in row["VoucherRows"]):
            amount = (line["DebitAmount"] or Decimal(0)) - (line["CreditAmount"] or Decimal(0))
            found[line["Account"]] = found.get(line["Account"], Decimal(0)) + amount
        return {account: amount for account, amount in found.items() if amount}

    def events(self, flow: str, key: str) -> list[str]:
        return [line.event.value for line in self.ledger.trail(flow, key)]

    # --- what people do -----------------------------------------------------------------------------------------------

    def pay(self, amount: str = "1250.00", **fields: Any) -> str:
        return self.box.airbase.add_entry(total_amount=amount, **fields)

    def void(self, entry: str, status: str = "voided") -> None:
        self.box.airbase.change("ledger_entries", entry, status=status)

    def approve(self, *entries: str) -> None:
        """An accountant approves vouchers: they are preliminary no more."""
        for row in self.vouchers():
            if not entries or any(row["ExternalRef"].endswith(entry) for entry in entries):
                self.box.ifs.put("VoucherSet", {**row, "ObjState": "Approved"})

    def forget(self, system: str, shelf: str, key: str) -> None:
        """A SaaS that does not have one of its records any more."""
        part = getattr(self.box, system)
        kept = part.remembered()
        rows = kept[shelf]
        if isinstance(rows, dict):
            rows.pop(next(each for each in rows if _plain(each) == _plain(key)))
        else:
            kept[shelf] = [row for row in rows if _plain(key) not in map(_plain, _ids(row))]
            assert len(kept[shelf]) == len(rows) - 1, f"{shelf} has no {key}"
        part.recall(kept)

    def bill(self, amount: str = "400.00", department: str = "Operations", **fields: Any) -> str:
        """Its key, in the form that the ledger has."""
        dated = {"invoice_date": "2026-11-04T00:00:00Z", "due_date": "2026-12-04T00:00:00Z"}
        given = {
            "last_modified_datetime": datetime.now(UTC),
            "invoice_number": f"B-{len(self.journeys)}",
            **dated,
            **fields,
        }
        return self.box.procurify.put_bill(81, [Line(amount, "4010", department)], **given)


def _ids(row: dict[str, Any]) -> list[Any]:
    return [row.get(name) for name in ("airbase_id", "uuid", "procurify_PO", "id", "ID")]


def _plain(key: Any) -> str:
    return str(key).replace("-", "")


@contextmanager
def office(ledger: Ledger, folder: Path, profiles: Sequence[str] = (), **changes: dict[str, Any]) -> Iterator[Office]:
    """`profiles` of the tenant; `changes`: sections of mlc.yaml, over the usual ones."""
    with Sandbox(seed="empty", limits=PLENTY, profiles=profiles) as box:
        books(box)
        content = content_at(box.url)
        actions = {name: {"actions": {"Cancelled": action}} for name, action in CANCEL.items()}
        content["ifs"] = {**content["ifs"], "entity_sets": actions}
        for system, choice in choices_of(profiles).items():
            content[system] = {**content[system], **choice.settings}
            content["companies"] = {"0010": {**content["companies"]["0010"], **choice.company}}
        types = {"bill_payment": "payment", "bill": "bill"}
        paths = {"purchase_requests": "/v1/accounting/purchase_requests/", "purchase_orders": ""}
        more = {"payments_into_ifs": "true", "types": types, "paths": paths, "ap_account": "2440"}
        content["airbase"] |= {**more, "accounts_by_purchase_type": {"Software": "4010"}}
        for name, section in changes.items():
            content[name] = {**content.get(name, {}), **section}
        yield Office(box, ledger, RowStore(str(folder / "rows"), ledger.stored), content)


def vendor(box: Sandbox) -> None:
    """Of Procurify, whom the ERP gets with the first load."""
    box.procurify.put_vendor(id=81, name="Vendor 1", country="Sweden", currency="SEK", dateModified=datetime.now(UTC))
