"""The ERP as a target: which documents and suppliers are saved how, and what rules may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Protocol

from mlc_dagster.core.company_calendar import DatedVoucher
from mlc_dagster.core.duplicates import TargetScan
from mlc_dagster.core.facts import Books as ReferenceBooks
from mlc_dagster.core.facts import KnownSupplier, PostedDocument
from mlc_dagster.core.flows import Flow, Target
from mlc_dagster.core.outcomes import Delivered, Draft, Outcome, Seen, Shown, Worth
from mlc_dagster.core.vocabulary import EntitySet, Row, key_text
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.entry_records import ENTRIES, INVOICES, PROPOSALS
from mlc_dagster.systems.ifs.external_records import INVOICE_LOADS, NO_WAYS, VOUCHER_LOADS, Ways
from mlc_dagster.systems.ifs.origins import is_ours
from mlc_dagster.systems.ifs.partner_accounts import without_accounts
from mlc_dagster.systems.ifs.reversal_records import INVOICE_REVERSALS, VOUCHER_REVERSALS
from mlc_dagster.systems.ifs.state_records import INVOICE_STATES
from mlc_dagster.systems.ifs.supplier_records import PARTNERS, SHARED
from mlc_dagster.systems.ifs.writing.alike_vouchers import alike_vouchers
from mlc_dagster.systems.ifs.writing.document_entry import CANCELLED, DocumentClient, DocumentKind
from mlc_dagster.systems.ifs.writing.external_entry import (
    ExternalEntry,
    ExternalInvoices,
    ExternalVouchers,
    LoadClient,
)
from mlc_dagster.systems.ifs.writing.payable_writers import InvoiceWriter, ProposalWriter
from mlc_dagster.systems.ifs.writing.read_back import (
    DEBIT,
    INVOICE_FIELDS,
    Compared,
    DocumentsReadBack,
    ProposalsReadBack,
)
from mlc_dagster.systems.ifs.writing.reversal_writer import invoice_reversals, voucher_reversals
from mlc_dagster.systems.ifs.writing.state_writer import ChangesStates, InvoiceStatesReadBack, InvoiceStateWriter
from mlc_dagster.systems.ifs.writing.supplier_read_back import SuppliersReadBack
from mlc_dagster.systems.ifs.writing.supplier_values import without_children
from mlc_dagster.systems.ifs.writing.supplier_writer import SupplierClient, SupplierWriter
from mlc_dagster.systems.ifs.writing.voucher_writer import VoucherWriter
from mlc_dagster.systems.shared.draft_writer import DraftWriter

Scan = Callable[[Target, datetime], TargetScan]
"""A look at what was entered since then, and at what carries the same references."""


class ErpClient(DocumentClient, LoadClient, SupplierClient, ChangesStates, Protocol):
    """What all writers together need of the client."""


ReadBack = DocumentsReadBack | SuppliersReadBack | InvoiceStatesReadBack


class ErpTarget:
    """Writers by target, under this tenant's names."""

    def __init__(
        self, client: ErpClient, catalogue: Mapping[str, EntitySet], currencies: Iterable[str], external: Ways = NO_WAYS
    ) -> None:
        self._client, self._currencies = client, frozenset(currencies)
        self._suppliers = without_accounts(catalogue[ifs.SUPPLIERS.name])
        self._invoices = catalogue[ifs.SUPPLIER_INVOICES.name]
        self._known_suppliers = without_children(self._suppliers, "blocked")
        proposals, self._vouchers = catalogue[ifs.POSTING_PROPOSALS.name], catalogue[ifs.VOUCHERS.name]
        self._posted = catalogue[ifs.POSTED_VOUCHERS.name]
        invoices = DocumentKind(self._invoices, "supplier invoice", "ifs.invoices_by")
        entries = DocumentKind(self._vouchers, "voucher", "ifs.vouchers_by")
        by_load = _entries_by_load(client, external)
        by_invoice = InvoiceWriter(client, invoices, proposals, by_load.get(INVOICE_LOADS.name))
        by_voucher = VoucherWriter(client, entries, by_load.get(VOUCHER_LOADS.name))
        self._writers: dict[str, DraftWriter] = {
            INVOICES.name: by_invoice,
            PROPOSALS.name: ProposalWriter(client, DocumentKind(proposals, "posting proposal")),
            ENTRIES.name: by_voucher,
            PARTNERS.name: SupplierWriter(client, self._suppliers),
            INVOICE_STATES.name: InvoiceStateWriter(client, self._invoices),
            INVOICE_REVERSALS.name: invoice_reversals(client, self._invoices, by_invoice),
            VOUCHER_REVERSALS.name: voucher_reversals(client, self._vouchers, by_voucher),
        }
        self._there = self._read_back(proposals)

    def read_back(self, target: Target, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """As outcomes.ReadsBack: by keys, many with a request."""
        return self._there[target.name].read_back(delivered)

    def expected(self, target: Target, record: Any) -> Shown:
        """As outcomes.ReadsBack."""
        return self._there[target.name].expected(record)

    def worth(self, target: Target, values: Shown) -> Worth:
        """As outcomes.ReadsBack."""
        return self._there[target.name].compared.worth(values)

    def ours_in(self, flow: Flow, since: datetime, known: AbstractSet[str], scan: Scan) -> Iterator[Seen]:
        """As outcomes.FindsOurs, of documents; a tenant whose headers keep no reference of ours cannot be asked."""
        there = self._there[flow.target.name]
        if not isinstance(there, DocumentsReadBack) or not there.can_be_searched:
            return iter(())
        return there.ours(flow, scan(flow.target, since).documents, known)

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        """Raises AccessDenied, Misconfigured, TransientError: for this draft and the rest."""
        return self._writers[target.name].save(list(drafts))

    def _read_back(self, proposals: EntitySet) -> dict[str, ReadBack]:
        fields = ("company", "voucher_type", "voucher_date")
        vouchers, posted = Compared(self._vouchers, fields, DEBIT), Compared(self._posted, fields, DEBIT)
        invoices = Compared(self._invoices, INVOICE_FIELDS, "gross_amount")
        orders = Compared(proposals, ("company", "supplier_id", "currency_code", "gross_amount"), "gross_amount")
        return {
            ENTRIES.name: DocumentsReadBack(self._client, vouchers, posted),
            INVOICES.name: DocumentsReadBack(self._client, invoices),
            INVOICE_STATES.name: InvoiceStatesReadBack(self._client, self._invoices),
            PROPOSALS.name: ProposalsReadBack(self._client, orders),
            PARTNERS.name: SuppliersReadBack(self._client, Compared(without_children(self._suppliers), SHARED)),
        }

    def books(self) -> ReferenceBooks:
        """The ERP judges by its own chart, which is read as an asset."""
        return ReferenceBooks(has_chart=False, currencies=self._currencies)

    def known(self, target: Target, records: Sequence[Any]) -> ReferenceBooks:
        """The suppliers that these records name, the invoices that stand under their numbers already; of each company
        in which vouchers are entered the newest one, and those that may be these already.
        """
        suppliers = {record.supplier_id for record in records if getattr(record, "supplier_id", None)}
        entries = records if target.name == ENTRIES.name and not self._vouchers.is_off else ()
        companies = sorted({entry.company for entry in entries if entry.company})
        numbers = {r.invoice_no for r in records if r.invoice_no} if target.name == INVOICES.name else set()
        return ReferenceBooks(
            has_chart=False,
            currencies=self._currencies,
            suppliers={
                str(row["supplier_id"]): _supplier(row)
                for row in self._rows(self._known_suppliers, "supplier_id", suppliers)
            },
            vouchers={each: shown for each in companies if (shown := self._newest_voucher(each))},
            posted=_posted(self._rows(self._invoices, "invoice_no", numbers)),
            alike=alike_vouchers(self._client, self._vouchers, entries),
        )

    def _rows(self, entity: EntitySet, field: str, values: set[str]) -> list[Row]:
        """None where the tenant does not have the set."""
        return [] if entity.is_off else [row for row, _ in self._client.find_many(entity, field, values)]

    def _newest_voucher(self, company: str) -> DatedVoucher | None:
        """None where the company has none. Vouchers that lie ahead count, too: their year is no less the ERP's."""
        if "voucher_date" in self._vouchers.not_selected:
            return None
        for row, _ in self._client.find(self._vouchers, 1, latest_by="voucher_date", company=company):
            if row["voucher_date"] is not None:
                number = key_text(*(row[name] for name in self._vouchers.keys))
                return DatedVoucher(number, row["voucher_date"], row["accounting_year"], row["accounting_period"])
        return None


def _entries_by_load(client: LoadClient, ways: Ways) -> dict[str, ExternalEntry]:
    """Name of the load set -> how its documents are entered, for those that go by loads."""
    found = {}
    for name, way in ways.items():
        lines = way.loads.lines
        assert lines is not None
        arrays = lines.navigations
        document = ExternalInvoices(*arrays) if name == INVOICE_LOADS.name else ExternalVouchers(*arrays)
        found[name] = ExternalEntry(client, way, document, _TITLES[name])
    return found


_TITLES = {INVOICE_LOADS.name: "supplier invoice", VOUCHER_LOADS.name: "voucher"}


def _supplier(row: Row) -> KnownSupplier:
    return KnownSupplier(
        row["supplier_id"], row["name"] or "", currency=row["currency_code"] or "", blocked=bool(row["blocked"])
    )


def _posted(rows: Iterable[Row]) -> dict[tuple[str, ...], PostedDocument]:
    """By company, supplier and number; of several the one that we entered, which its reference tells."""
    found: dict[tuple[str, ...], PostedDocument] = {}
    for row in rows:
        identity = (row["company"], row["supplier_id"] or "", row["invoice_no"] or "")
        if row["obj_state"] != CANCELLED and not is_ours(found.get(identity, PostedDocument("")).external_ref):
            number = key_text(row["company"], row["invoice_id"])
            found[identity] = PostedDocument(
                number, row["external_ref"] or "", row["gross_amount"], row["currency_code"] or ""
            )
    return found
