"""The external ways into the books: External Vouchers and External Supplier Invoices, one document for each load.

That there are such loads, that they are checked, created and approved, and that errors and numbers come back on their
rows is documented (facts/ifs-tenants.md, section 4). Names of services, sets, columns and actions are guesses: mlc.yaml
says otherwise under ifs.external_loads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mlc_dagster.core.vocabulary import EntitySet, LineSet, Record
from mlc_dagster.systems.ifs.line_records import CodeString
from mlc_dagster.systems.ifs.schema.catalogue import catalogue_of
from mlc_dagster.systems.ifs.schema.surfaces import addressed
from mlc_dagster.systems.ifs.settings import ExternalLoadSettings, IfsSettings

CHECKED, CREATED = "Checked", "Created"
"""What the two actions of a load lead to, as mlc.yaml names them under `actions`."""


class ExternalRow(CodeString, frozen=True, kw_only=True):
    """A row of a load: what we send, and what IFS says of it."""

    company: str | None = None
    load_id: str | None = None
    record_no: int
    text: str | None = None
    external_ref: str | None = None
    error_code: str | None = None
    error_text: str | None = None
    voucher_no: int | None = None


class ExternalVoucherRow(ExternalRow, frozen=True, kw_only=True):
    """A row of a voucher."""

    transaction_date: date | None = None
    voucher_type: str | None = None
    accounting_year: int | None = None
    user_group: str | None = None
    currency_code: str | None = None
    currency_amount: Decimal | None = None
    debit_amount: Decimal | None = None
    credit_amount: Decimal | None = None


class ExternalInvoiceRow(ExternalRow, frozen=True, kw_only=True):
    """An invoice, or one of its lines: they stand in two arrays."""

    supplier_id: str | None = None
    invoice_no: str | None = None
    invoice_date: date | None = None
    due_date: date | None = None
    currency_code: str | None = None
    net_amount: Decimal | None = None
    vat_amount: Decimal | None = None
    gross_amount: Decimal | None = None
    po_reference: str | None = None
    amount: Decimal | None = None
    tax_code: str | None = None
    invoice_id: int | None = None


class ExternalVoucherLoad(Record, frozen=True, kw_only=True):
    """A load with the rows of one voucher."""

    company: str
    load_id: str
    obj_state: str | None = None
    lines: tuple[ExternalVoucherRow, ...] = ()


class ExternalInvoiceLoad(Record, frozen=True, kw_only=True):
    """A load with one supplier invoice."""

    company: str
    load_id: str
    obj_state: str | None = None
    lines: tuple[ExternalInvoiceRow, ...] = ()


_KEYS = ("company", "load_id")
_LINE_KEYS = (*_KEYS, "record_no")
_STATE = {"obj_state": "LoadState"}

VOUCHER_LOADS = EntitySet(
    "ifs",
    "external_voucher_load",
    "ExternalVouchersHandling",
    "ExtLoadInfoSet",
    ExternalVoucherLoad,
    _KEYS,
    modified=None,
    wire=_STATE,
    constants={"LoadType": "STDVOU"},
    actions={CHECKED: "ExtLoadInfo_Check", CREATED: "ExtLoadInfo_Create"},
    lines=LineSet(
        "lines",
        "ExtTransactionsArray",
        "",
        ExternalVoucherRow,
        _LINE_KEYS,
        wire={"debit_amount": "DebetAmount", "external_ref": "ReferenceNumber"},
    ),
)

INVOICE_ARRAY, ITEM_ARRAY = "ExtIncInvArray", "ExtIncInvItemArray"
_OF_THE_INVOICE = {
    "supplier_id": "Identity",
    "currency_code": "Currency",
    "net_amount": "NetCurrAmount",
    "vat_amount": "VatCurrAmount",
    "gross_amount": "GrossCurrAmount",
    "po_reference": "PoRefNumber",
    "external_ref": "NcfReference",
}
_OF_A_LINE = {"amount": "NetCurrAmount", "tax_code": "VatCode", "account": "CodeA"}
_CODES = frozenset(f"code_{letter}" for letter in "bcdefghij")

INVOICE_LOADS = EntitySet(
    "ifs",
    "external_invoice_load",
    "ExternalSupplierInvoicesHandling",
    "ExtIncInvLoadInfoSet",
    ExternalInvoiceLoad,
    _KEYS,
    modified=None,
    wire=_STATE,
    constants={"LoadType": "INV"},
    actions={CHECKED: "ExtIncInvLoadInfo_Check", CREATED: "ExtIncInvLoadInfo_Create"},
    lines=LineSet(
        "lines",
        INVOICE_ARRAY,
        "",
        ExternalInvoiceRow,
        _LINE_KEYS,
        arrays=(INVOICE_ARRAY, ITEM_ARRAY),
        wire_of={INVOICE_ARRAY: _OF_THE_INVOICE, ITEM_ARRAY: _OF_A_LINE},
        absent_of={
            INVOICE_ARRAY: frozenset(_OF_A_LINE) | _CODES,
            ITEM_ARRAY: frozenset(_OF_THE_INVOICE) | {"invoice_date", "due_date", "invoice_id"},
        },
    ),
)

LOADS = (VOUCHER_LOADS, INVOICE_LOADS)


@dataclass(frozen=True)
class ExternalWay:
    """Loads of one kind, as this tenant names them."""

    loads: EntitySet
    checked: str = "Checked"  # the state in which a load can be created
    awaiting: str = "AwaitingApproval"  # the state in which it waits for another user


Ways = Mapping[str, ExternalWay]
"""Name of a load set -> the way that goes by it, where mlc.yaml says `external`."""

NO_WAYS: Ways = {}


def ways_for(section: IfsSettings) -> dict[str, ExternalWay]:
    """Raises Misconfigured with the path in mlc.yaml for a name that there is not."""
    named = section.external_loads
    found = catalogue_of(LOADS, named, "external_loads")
    by = {VOUCHER_LOADS.name: section.vouchers_by, INVOICE_LOADS.name: section.invoices_by}
    said = {name: named.get(name, ExternalLoadSettings()) for name in found}
    return {
        name: ExternalWay(addressed(loads, section.base_url, section.surface), said[name].checked, said[name].awaiting)
        for name, loads in found.items()
        if by[name] == "external"
    }
