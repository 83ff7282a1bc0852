"""Vouchers by their rows, accounts, and code parts as one set for each part: what was recorded of a tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.ifs.views.columns import Column, Source, Value, columns
from mlc_dagster.sandbox.ifs.views.view import INT, View, lines

PARTS = "BCDEFGHIJ"
_SERVICE = "VoucherRowsAnalysis"
VOUCHER_KEYS = ("Company", "VoucherType", "AccountingYear", "VoucherNo")


def voucher_rows(projection: str = _SERVICE) -> View:
    """The hold table, a row for each voucher row: no header, no state, no modified column."""
    keys, slow = (*VOUCHER_KEYS, "RowNo"), ("Text", "AccountDesc", "PartyName")
    found = _voucher_columns()
    return View(projection, "VoucherRowSet", "VoucherRow", "VoucherSet", keys, found, sources=_in_hold, no_filter=slow)


def ledger_rows(projection: str = "GenLedVoucherRowsAnalysis") -> View:
    """The general ledger: what left the hold table, with a time. The projection's name is a guess, the LU's is not."""
    stamp = Column("Rowversion", "timestamp", lambda source: source.head.fields["LastModified"])
    found = (*_voucher_columns(), *columns("JournalId CounterAccount"), stamp)
    keys = (*VOUCHER_KEYS, "RowNo")
    return View(projection, "GenLedVoucherRowSet", "GenLedVoucherRow", "VoucherSet", keys, found, sources=_in_ledger)


def _voucher_columns() -> tuple[Column, ...]:
    codes = " ".join(f"Code{part} Code{part}Desc" for part in PARTS)
    return columns(
        "Company VoucherType AccountingYear:int VoucherNo:int RowNo:int VoucherDate:date AccountingPeriod:int Account "
        f"AccountDesc {codes} ProjectId ObjectId CurrencyAmount:decimal DebetAmount<DebitAmount:decimal "
        "CreditAmount:decimal CurrencyCode CurrencyRate:decimal ConversionFactor:decimal=1 Quantity:decimal "
        "ProcessCode OptionalCode ProjectActivityId:int PartyType PartyTypeId PartyName ReferenceSerie "
        "ReferenceNumber<ExternalRef ReferenceRowNo ReferenceVersion TransCode=MANUAL TransferId UpdateError "
        "Correction:bool=false "
        "Corrected:bool=false PeriodAllocation:bool=false AutoTaxVouEntry:bool=false MultiCompanyId FunctionGroup=M "
        "EnteredByUserGroup<UserGroup Userid=IFSAPP ApprovedByUserGroup ApprovedByUserid IsMultiCompanyRow:bool=false "
        "VoucherTypeReference Cf_Batch",
        YearPeriodKey=("int", _year_and_period),
        Amount=("decimal", _signed),
        CurrencyDebetAmount=("decimal", _on_side(1)),
        CurrencyCreditAmount=("decimal", _on_side(-1)),
        Text=(
            "text",
            lambda source: (source.line.fields["Text"] if source.line else None) or source.head.fields["Text"],
        ),
        EntryDate=("date", lambda source: (source.head.fields["LastModified"] or "")[:10] or None),
    )


def _in_hold(head: Stored) -> Iterator[Source]:
    """A voucher that the general ledger has taken over is no longer here."""
    return iter(()) if head.fields.get("InLedger") else iter(lines(head))


def _in_ledger(head: Stored) -> Iterator[Source]:
    return iter(lines(head)) if head.fields.get("InLedger") else iter(())


def _year_and_period(source: Source) -> Any:
    year, period = source.get("AccountingYear"), source.get("AccountingPeriod")
    return None if year is None or period is None else year * 100 + period


def _signed(source: Source) -> Any:
    return (source.get("DebitAmount") or Decimal(0)) - (source.get("CreditAmount") or Decimal(0))


def _on_side(sign: int) -> Value:
    def value(source: Source) -> Any:
        amount = source.get("CurrencyAmount")
        return abs(amount) if amount is not None and amount * sign > 0 else None

    return value


def accounts(projection: str = _SERVICE) -> View:
    """Reference_Account: no blocked flag, an account is shut by ValidUntil; what a booking on it demands."""
    demands = {f"ReqCode{part}": ("enum", _or(f"ReqCode{part}", "Can")) for part in PARTS}
    found = columns(
        "Company Account CodePart=A ValidFrom:date Description AccntGroup AccntType<AccountType "
        "LogicalAccountType:enum ReqBudget=Can BudAccount=N StatAccount=N TaxFlag=N Text SortValue "
        "ExcludeProjFollowup=FALSE ExcludeFromCurrTrans:bool=false MasterCompany MasterComCodePartValue Cf_Owner",
        ValidUntil=("date", _valid_until),
        LedgFlag=("enum", _or("LedgFlag", "NotLedgerAccount")),
        **demands,
        ReqQuantity=("enum", _or("ReqQuantity", "Can")),
        ReqProcessCode=("enum", _or("ReqProcessCode", "Can")),
        ReqText=("enum", _or("ReqText", "Can")),
        TaxHandlingValue=("enum", _or("TaxHandlingValue", "All")),
        TaxCodeMandatory=("bool", _or("TaxCodeMandatory", False)),
    )
    return View(projection, "Reference_Account", "Account", "AccountSet", ("Company", "Account"), found)


def _valid_until(source: Source) -> Any:
    return source.get("ValidFrom") if source.get("Blocked") else source.get("ValidUntil")


def _or(name: str, otherwise: Any) -> Value:
    """What a stored row says beside the catalogue's fields, where it says it."""
    return lambda source: source.get(name) if source.get(name) is not None else otherwise


def code_parts(projection: str = _SERVICE) -> tuple[View, ...]:
    """Nine sets, whose key is named as the part."""
    return tuple(_code_part(projection, part) for part in PARTS)


def _code_part(projection: str, part: str) -> View:
    accounts_of = "" if part in "EFG" else "AccntType "
    found = columns(
        f"Company Code{part}<CodePartValue CodePart ValidFrom:date ValidUntil:date Description {accounts_of}Text "
        "SortValue ReportingEntity BudgetValue=N Cf_Customer_Project_Id"
    )
    keys = ("Company", f"Code{part}")
    name = f"Reference_Code{part}"
    return View(projection, name, f"Code{part}", "CodePartValueSet", keys, found, sources=_of_part(part))


def _of_part(part: str) -> Callable[[Stored], Iterator[Source]]:
    def found(head: Stored) -> Iterator[Source]:
        if head.fields["CodePart"] == part:
            yield Source(head)

    return found


def account_entity() -> View:
    """The same as an entity service: without an ETag."""
    view = accounts("AccountEntity")
    return replace(view, set="AccountSet", surface=INT, etags=False)


def code_part_entity() -> View:
    """One set for all code parts, as an entity service."""
    found = columns("Company CodePart CodePartValue Description ValidFrom:date ValidUntil:date SortValue")
    keys = ("Company", "CodePart", "CodePartValue")
    name = "AccountingCodePartValue"
    return View(f"{name}Entity", f"{name}Set", name, "CodePartValueSet", keys, found, surface=INT)


def voucher_entities() -> tuple[View, View]:
    """Headers and rows, each an entity service of its own; the rows without an ETag."""
    head = columns(
        "Company VoucherType AccountingYear:int VoucherNo:int VoucherDate:date AccountingPeriod:int UserGroup "
        "VoucherText<Text EnteredByUser=IFSAPP DateReg<VoucherDate:date Objstate<ObjState:enum"
    )
    headers = View("VoucherEntity", "VoucherSet", "Voucher", "VoucherSet", VOUCHER_KEYS, head, surface=INT)
    return headers, replace(voucher_rows("VoucherRowEntity"), surface=INT, etags=False)


def recorded() -> tuple[View, ...]:
    """The service that was recorded: vouchers, accounts and code parts."""
    return (voucher_rows(), accounts(), *code_parts())
