"""The external ways into the books: a load of rows, checked, created, approved by somebody else; its status read later.

That there are such loads, what they check and that partial creation is off is documented; the names of services, sets,
columns and actions are guesses after the pages and the LUs (facts/ifs-tenants.md, section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType

from mlc_dagster.sandbox.ifs.catalogue import Kind, Lines
from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.ifs.views.columns import Source, columns
from mlc_dagster.sandbox.ifs.views.view import Action, View, lines

_CODES = " ".join(f"Code{letter}" for letter in "BCDEFGHIJ")
VOUCHER_LOADS, INVOICE_LOADS = "ExternalVoucherLoads", "ExternalInvoiceLoads"
LOADED, CHECKED, FAULTY, AWAITING, CREATED = "Loaded", "Checked", "CheckedWithErrors", "AwaitingApproval", "Created"
CHECK, CREATE = "ExtLoadInfo_Check", "ExtLoadInfo_Create"
INVOICE_CHECK, INVOICE_CREATE = "ExtIncInvLoadInfo_Check", "ExtIncInvLoadInfo_Create"


def _types(names: str, **others: str) -> MappingProxyType[str, str]:
    return MappingProxyType(
        {**dict.fromkeys(names.split(), "text"), **others, "ObjState": "text", "LastModified": "timestamp"}
    )


_RESULT = "ErrorCode ErrorText ReferenceNumber"
_NUMBERS = {"RecordNo": "int", "VoucherNo": "int", "AccountingYear": "int", "InvoiceId": "int"}
_HEAD = "Company LoadId LoadType LoadDate UserId"


def _kind(name: str, line: Lines) -> Kind:
    return Kind(name, "", ("Company", "LoadId"), _types(_HEAD), line, "LoadId")


LOAD_KINDS = (
    _kind(
        VOUCHER_LOADS,
        Lines(
            "Transactions",
            "ExternalVoucherRows",
            ("Company", "LoadId", "RecordNo"),
            _types(
                f"Company LoadId TransactionDate VoucherType UserGroup Account {_CODES} CurrencyCode Text TaxCode "
                f"{_RESULT}",
                **_NUMBERS,
                **dict.fromkeys(("CurrencyAmount", "DebitAmount", "CreditAmount", "CurrencyRate"), "decimal"),
            ),
        ),
    ),
    _kind(
        INVOICE_LOADS,
        Lines(
            "Records",
            "ExternalInvoiceRows",
            ("Company", "LoadId", "RecordNo"),
            _types(
                "Company LoadId RowKind SupplierId InvoiceNo InvoiceDate DueDate CurrencyCode PoReference Text TaxCode "
                f"Account {_CODES} {_RESULT}",
                **_NUMBERS,
                **dict.fromkeys(("NetAmount", "VatAmount", "GrossAmount", "Amount", "CurrencyRate"), "decimal"),
            ),
        ),
    ),
)
"""Kept beside the catalogue's sets, and served where a tenant has such loads."""

_LOAD = "Company LoadId LoadType LoadDate:date UserId LoadState<ObjState:enum"
_ROW_RESULT = "RowState<ObjState:enum ErrorCode ErrorText VoucherNo:int"


def vouchers(projection: str = "ExternalVouchersHandling") -> View:
    """ExtLoadInfoSet; a row of ExtTransactionsArray is a voucher row."""
    array = View(
        projection,
        "ExtTransactionsArray",
        "ExtTransactions",
        VOUCHER_LOADS,
        ("Company", "LoadId", "RecordNo"),
        columns(
            "Company LoadId RecordNo:int TransactionDate:date VoucherType AccountingYear:int UserGroup Account "
            f"{_CODES} "
            "CurrencyCode CurrencyAmount:decimal CurrencyRate:decimal DebetAmount<DebitAmount:decimal "
            f"CreditAmount:decimal Text OptionalCode<TaxCode ReferenceNumber {_ROW_RESULT}"
        ),
        sources=lines,
        writes=frozenset({"POST", "PATCH"}),
        demanded=("RecordNo", "TransactionDate", "VoucherType"),
        adds={"ObjState": LOADED},
    )
    actions = (Action(CHECK, (LOADED, FAULTY, CHECKED), CHECKED), Action(CREATE, (CHECKED,), AWAITING))
    return _load(projection, "ExtLoadInfoSet", "ExtLoadInfo", VOUCHER_LOADS, (array,), actions)


def invoices(projection: str = "ExternalSupplierInvoicesHandling") -> View:
    """ExtIncInvLoadInfoSet; invoices in ExtIncInvArray, their lines in ExtIncInvItemArray."""
    keys = ("Company", "LoadId", "RecordNo")
    heads = columns(
        "Company LoadId RecordNo:int Identity<SupplierId InvoiceNo InvoiceDate:date DueDate:date Currency<CurrencyCode "
        "CurrRate<CurrencyRate:decimal NetCurrAmount<NetAmount:decimal VatCurrAmount<VatAmount:decimal "
        "GrossCurrAmount<GrossAmount:decimal PoRefNumber<PoReference Text NcfReference<ReferenceNumber "
        f"InvoiceId:int {_ROW_RESULT}"
    )
    items = columns(
        "Company LoadId RecordNo:int InvoiceNo NetCurrAmount<Amount:decimal VatCode<TaxCode Text CodeA<Account "
        f"{_CODES} "
        f"{_ROW_RESULT}"
    )
    arrays = tuple(
        View(
            projection,
            name,
            entity,
            INVOICE_LOADS,
            keys,
            found,
            sources=_of_kind(entity),
            writes=frozenset({"POST", "PATCH"}),
            demanded=("RecordNo", "InvoiceNo"),
            adds={"RowKind": entity, "ObjState": LOADED},
        )
        for name, entity, found in (
            ("ExtIncInvArray", "ExtIncInv", heads),
            ("ExtIncInvItemArray", "ExtIncInvItem", items),
        )
    )
    actions = (
        Action(INVOICE_CHECK, (LOADED, FAULTY, CHECKED), CHECKED),
        Action(INVOICE_CREATE, (CHECKED,), AWAITING),
    )
    return _load(projection, "ExtIncInvLoadInfoSet", "ExtIncInvLoadInfo", INVOICE_LOADS, arrays, actions)


def _of_kind(entity: str) -> Callable[[Stored], Iterator[Source]]:
    return lambda head: (Source(head, line) for line in head.lines if line.fields["RowKind"] == entity)


def _load(
    projection: str, name: str, entity: str, kind: str, arrays: tuple[View, ...], actions: tuple[Action, ...]
) -> View:
    return View(
        projection,
        name,
        entity,
        kind,
        ("Company", "LoadId"),
        columns(_LOAD),
        arrays=arrays,
        writes=frozenset({"POST"}),
        demanded=("Company", "LoadType"),
        actions=actions,
        adds={"ObjState": LOADED},
    )
