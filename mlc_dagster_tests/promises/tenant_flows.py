"""A flow's whole journey under a profile, and what the target holds then: to be laid beside that under `seed`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import ERP, EntitySet
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.location import tenants_flows
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.airbase.seed import DEMO_AIRBASE
from mlc_dagster.sandbox.airbase.seed_spend import DEPARTMENTS
from mlc_dagster.sandbox.airbase.spend import department_tag
from mlc_dagster.sandbox.registry import choices_of, parts
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.lacking import lacking
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster_tests.promises import tenant_books as erp
from mlc_dagster_tests.promises.journey import Journey, content_at, flow_of
from mlc_dagster_tests.promises.kinds import KINDS, PLENTY, Kind, books
from mlc_dagster_tests.promises.kinds import suppliers as fill_suppliers

Held = dict[str, Any]
"""What the target holds: by the key of the source record."""


def settings_of(url: str, profiles: Sequence[str], like: str) -> Settings:
    """Of a sandbox that serves these profiles, with what mlc.yaml says of such tenants; its companies are those of the
    ERP's profile `like`.
    """
    content = _with_spend(content_at(url))
    companies = parts()[ERP].profiles[like].company
    for system, choice in choices_of(profiles).items():
        content[system] = {**content[system], **choice.settings}
        content["companies"] = {
            code: {**said, **companies, **choice.company} for code, said in content["companies"].items()
        }
    return configuration.parse(content, "mlc.yaml")


def _with_spend(content: dict[str, Any]) -> dict[str, Any]:
    """What Airbase's requests and bills need beside, and what is told to it."""
    airbase = content["airbase"]
    airbase["paths"] = DEMO_AIRBASE["paths"]
    airbase["types"] = {**airbase["types"], "bill": "bill"}
    airbase |= {"accounts_by_purchase_type": {"Software": "4010"}, "ap_account": "2440"}
    airbase["acknowledge"] = {**airbase["acknowledge"], **DEMO_AIRBASE["acknowledge"]}
    return content


@dataclass(frozen=True)
class TenantJourney(Journey):
    """Of a tenant with names of its own."""

    catalogue: Mapping[str, EntitySet] = field(default_factory=dict)

    def _snapshot(self, entity: EntitySet) -> Iterator[Any]:
        return super()._snapshot(self.catalogue[entity.name])


@dataclass(frozen=True)
class Tenant:
    """A sandbox under some profiles, a ledger and a store."""

    box: Sandbox
    settings: Settings
    ledger: Ledger
    store: RowStore

    def run(self, name: str) -> Loaded:
        """Raises Misconfigured for a flow that the code location leaves out, and what the clients raise."""
        catalogue = catalogue_for(configuration.erp_settings(self.settings))
        (flow,) = tenants_flows((flow_of(name),), catalogue)
        if why := lacking(flow, catalogue, configuration.erp_settings(self.settings)):
            raise Misconfigured(f"{name} is off: {why}")
        journey = TenantJourney(flow, self.settings, self.ledger, self.store, "run", catalogue=catalogue)
        return journey.make()

    def holds(self, flow: str) -> list[str]:
        return [f"{hold.key}: {hold.problems}" for hold in self.ledger.open_holds(flow, limit=None)]


def tenant(folder: Path, box: Sandbox, like: str) -> Tenant:
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
    return Tenant(box, settings_of(box.url, box.profiles, like), ledger, RowStore(str(folder / "rows"), ledger.stored))


def box_of(profiles: Sequence[str], kind: Kind) -> Sandbox:
    """With the books, and the good records of one kind."""
    box = Sandbox(seed="empty", limits=PLENTY, profiles=profiles)
    books(box)
    kind.fill(box)
    return box


# --- kinds that are delivered besides those that are killed -----------------------------------------------------------


def _customers(box: Sandbox) -> None:
    for number in range(8):
        box.ifs.put("CustomerSet", erp.customer(number), modified=erp.now())


def _sales(box: Sandbox) -> None:
    _customers(box)
    for number in range(8):
        box.ifs.put("CustomerOrderSet", erp.sale(number), modified=erp.now())


def _vouchers(box: Sandbox) -> None:
    for number in range(8):
        row = erp.voucher(number, box.tenant.fiscal_year_starts)
        for line in row["VoucherRows"]:
            line.update(Account="4010", CodeB="CC100", CodeC=None)
        box.ifs.put("VoucherSet", {**row, "Company": "0010"}, modified=erp.now())


def _orders(box: Sandbox) -> None:
    next(kind for kind in KINDS if kind.flow == "cin7/purchases").fill(box)


def _nothing_more(box: Sandbox) -> None:
    """The books are enough."""


def _nothing(box: Sandbox) -> list[tuple[str, ...]]:
    return []


ASSEMBLY = department_tag("CC100", DEPARTMENTS["CC100"])


def _requests(box: Sandbox) -> None:
    for number in range(1, 9):
        box.airbase.add_request(
            request_number=f"PR-{number}", line_items=[{"amount": f"{number}.25", "tags": [ASSEMBLY]}]
        )


def _bills(box: Sandbox) -> None:
    for number in range(1, 9):
        line = {"amount": f"{number}.75", "tags": [ASSEMBLY]}
        box.airbase.add_entry(type="bill", expense_list=[line], invoice_number=f"BILL-{number}")


def _vendors(box: Sandbox) -> None:
    """Of Airbase; the ERP does not have them."""
    for number in range(1, 9):
        box.airbase.add_vendor(name=f"Vendor {number}", email=f"v{number}@example.test")


def _changed_in_cin7(box: Sandbox) -> None:
    for number, which in enumerate(list(box.cin7.suppliers)):
        box.cin7.change_supplier(which, PaymentTerm="30 days", Name=f"Renamed {number}")


MEANWHILE: Mapping[str, Callable[[Sandbox], None]] = {"ifs/suppliers_from_cin7": _changed_in_cin7}
"""Flow -> what people do between the flows before it and this one."""
REQUESTS = "ifs/vouchers_from_airbase_requests"
MORE = (
    Kind("hubspot/customer_companies", _customers, _nothing),
    Kind("monday/suppliers", fill_suppliers, _nothing),
    Kind("monday/purchase_orders", _orders, _nothing, ("monday/suppliers",)),
    Kind("monday/journal_entries", _vouchers, _nothing),
    Kind("monday/customer_orders", _sales, _nothing),
    Kind("monday/accounts", _nothing_more, _nothing),
    Kind("ifs/suppliers_from_cin7", fill_suppliers, _nothing, ("cin7/suppliers",)),
    Kind("ifs/suppliers_from_airbase", _vendors, _nothing),
    Kind(REQUESTS, _requests, _nothing),
    Kind("ifs/vouchers_from_airbase_bills", _bills, _nothing),
    Kind("airbase/requests_acknowledged", _requests, _nothing, (REQUESTS,), forgets=True),
)
EVERY = (*KINDS, *MORE)


# --- what the target holds --------------------------------------------------------------------------------------------

NOT_COMPARED = frozenset(
    (
        *(
            "ID",
            "id",
            "airbase_id",
            "SupplierID",
            "TaskID",
            "PurchaseID",
            "hs_object_id",
            "createdate",
            "hs_createdate",
        ),
        *("hs_lastmodifieddate", "lastmodifieddate", "LastModifiedOn", "LastUpdatedDate", "created_at", "updated_at"),
        *("date_modified", "dateModified", "dateCreated", "createdAt", "updatedAt", "updated", "@odata.etag"),
        *("LastModified", "InvoiceId", "VoucherNo", "ProposalId", "SupplierId", "ObjState"),
    )
)
"""Numbers and times that a system gives, whatever it was sent."""


def held(box: Sandbox, flow: str) -> Any:
    """All that the target holds of the flow's kind, but for what it gives itself."""
    with box.lock:
        return plain(_HELD[flow.split("/")[0]](box, flow))


UUID = re.compile(r"[0-9a-f]{8}[0-9a-f~-]{12,28}")


def plain(value: Any) -> Any:
    """Without what differs from sandbox to sandbox: numbers given by a system, times, ids by chance."""
    if isinstance(value, str):
        return UUID.sub("<id>", value)
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items() if name not in NOT_COMPARED}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return str(Decimal(str(value)).normalize() + 0)
    return value.isoformat() if isinstance(value, date) else value


def _cin7(box: Sandbox, flow: str) -> Held:
    if flow == "cin7/suppliers":
        return {row["Name"]: row for row in box.cin7.suppliers.values()}
    return {row["AdditionalAttributes"]["AdditionalAttribute1"]: row for row in box.cin7.purchases.values()}


def _hubspot(box: Sandbox, flow: str) -> Held:
    kinds = ("companies", "invoices", "deals", "line_items")
    found = {kind: box.hubspot.live(kind) for kind in kinds}
    return {
        f"{kind} {row['properties'].get('ifs_external_key')}": row["properties"]
        for kind, rows in found.items()
        for row in rows.values()
    }


def _airbase(box: Sandbox, flow: str) -> Held:
    return {
        f"{kind} {row.get('erp_reference_id') or row.get('po_number')}": row
        for kind in ("vendors", "purchase_orders")
        for row in getattr(box.airbase, kind).values()
    } | {
        f"{kind} {row['total_amount']}": _acknowledged(box, row)
        for kind in ("ledger_entries", "purchase_requests")
        for row in getattr(box.airbase, kind).values()
    }


def _acknowledged(box: Sandbox, entry: Mapping[str, Any]) -> Held:
    """The voucher that it names, by what that voucher says: which number it got depends on what was sent first."""
    keys = ("Company", "VoucherType", "AccountingYear", "VoucherNo")
    named = {"/".join(str(row[name]) for name in keys): _amount(row) for row in box.ifs.rows("VoucherSet")}
    return {**entry, "erp_reference_id": named.get(str(entry.get("erp_reference_id")), entry.get("erp_reference_id"))}


def _monday(box: Sandbox, flow: str) -> Held:
    boards = box.monday.state()["boards"]
    return {f"{board} {item['IFS key']}": item for board, items in boards.items() for item in items}


def _ifs(box: Sandbox, flow: str) -> Held:
    documents = ("VoucherSet", "SupplierInvoiceSet", "PostingProposalHeadSet")
    found = {f"{name} {_amount(row)}": row for name in documents for row in box.ifs.rows(name)}
    return {**found, **{f"supplier {row['Name']}": row for row in box.ifs.rows("SupplierSet")}}


def _amount(document: Mapping[str, Any]) -> str:
    """Each document of a kind has one of its own."""
    debits = [row["DebitAmount"] or 0 for row in document.get("VoucherRows", ())]
    return str(document.get("GrossAmount") or sum(debits))


def _procurify(box: Sandbox, flow: str) -> Held:
    return {str(row["external_id"] or row["name"]): row for row in box.procurify.vendors.values()}


_HELD: dict[str, Callable[[Sandbox, str], Held]] = {
    "cin7": _cin7,
    "hubspot": _hubspot,
    "airbase": _airbase,
    "monday": _monday,
    ERP: _ifs,
    "procurify": _procurify,
}


def unequal(found: Any, wanted: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(place, found, wanted) of each value in which two holdings differ."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for name in sorted({*found, *wanted}):
            yield from unequal(found.get(name), wanted.get(name), f"{place}/{name}")
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for number, pair in enumerate(zip(found, wanted, strict=True)):
            yield from unequal(*pair, f"{place}/{number}")
    elif found != wanted:
        yield place, found, wanted
