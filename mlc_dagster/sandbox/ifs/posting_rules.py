"""What the sandboxed ERP's own rules say of a document once all of it is there: accounts, code parts, sums, periods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.ifs.fiscal import year_and_period
from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.sandbox.ifs.rows import RowSet, Stored

Fields = Mapping[str, Any]
Sets = Mapping[str, RowSet]


class RefusalError(ODataError):
    """The database's own word: a general message, and the useful text in details[0]."""

    def __init__(self, detail: str, status: int = 400, code: str = "ODP_DATABASE_ERROR") -> None:
        super().__init__("Error in the database, see details.", status, code)
        self.detail = detail


@dataclass
class Touch:
    """What a transaction wrote of one document."""

    rows: RowSet
    key: tuple[Any, ...]
    is_new: bool = False
    fields: set[str] = field(default_factory=set)  # of the header that were changed
    lines: set[tuple[Any, ...]] = field(default_factory=set)  # keys of lines that were made or changed


@dataclass(frozen=True)
class Document:
    """A kind of document that is posted: what its lines are called, and which date it is posted on."""

    line: str
    dated: str
    needs_account: bool
    judges: tuple[Callable[[Touch, Stored, Sets], None], ...] = ()
    has_period: bool = True


def judge(touch: Touch, stored: Stored, sets: Sets, tenant: Tenant) -> None:
    """Raises RefusalError for a document that the ERP would not keep. What was not touched is not judged again."""
    document = DOCUMENTS.get(touch.rows.kind.set)
    if document is None or stored.fields["ObjState"] == "Cancelled":
        return
    if document.has_period and (touch.is_new or touch.lines or document.dated in touch.fields):
        _period_is_open(document, stored.fields, tenant)
    is_moved = touch.is_new or document.dated in touch.fields
    for line in stored.lines:
        if is_moved or line.key in touch.lines:
            _line_can_be_posted(document, stored.fields, line.fields, sets)
    for own in document.judges:
        if own is not _invoice_number_is_new or stored.fields["Company"] not in tenant.numbers_twice:
            own(touch, stored, sets)


def _period_is_open(document: Document, header: Fields, tenant: Tenant) -> None:
    """Of the company, and of the user group. The check runs in the database itself, so the answer is a 500."""
    day, company = header[document.dated], header["Company"]
    for closed in (company, f"{company}/{header.get('UserGroup')}"):
        until = tenant.closed_until.get(closed)
        if day and until and day <= until:
            text = f"The accounting period of {day} is closed in company {closed}: closed until {until}."
            raise RefusalError(f"ORA-20113: AccountingPeriod.PERIODCLOSED: {text}", 500)
    year, first_month = header.get("AccountingYear"), tenant.fiscal_year_starts
    if day and year and first_month > 1 and year != year_and_period(day, first_month)[0]:
        text = f"{day} is not in accounting year {year} of company {company}."
        raise RefusalError(f"ORA-20116: AccountingPeriod.NOTEXIST: {text}")


def _line_can_be_posted(document: Document, header: Fields, line: Fields, sets: Sets) -> None:
    company, day, account = header["Company"], header[document.dated], line["Account"]
    if account is not None:
        _account_can_be_used(company, account, day, sets["AccountSet"])
        _demands_are_met(account, line, sets["AccountSet"].by_key[company, account].fields)
    elif document.needs_account:
        raise RefusalError(f"ORA-20124: {document.line}.ACCOUNTNULL: Field [Account] is mandatory.")
    for part in "BCDEFGHIJ":
        if (value := line[f"Code{part}"]) is not None:
            _code_part_can_be_used(company, part, value, day, sets["CodePartValueSet"])


def _account_can_be_used(company: str, account: str, day: str | None, chart: RowSet) -> None:
    stored = chart.by_key.get((company, account))
    if stored is None:
        raise RefusalError(f"ORA-20111: Account.NOTEXIST: Account {account} does not exist in {company}.")
    if stored.fields["Blocked"]:
        raise RefusalError(f"ORA-20114: Account.BLOCKED: Account {account} is blocked in {company}.")
    if not _is_valid(stored.fields, day):
        raise RefusalError(f"ORA-20115: Account.NOTVALID: Account {account} is not valid in {company} on {day}.")


def _demands_are_met(account: str, line: Fields, chart: Fields) -> None:
    """What a chart says beside its dates, where it does (facts/ifs-tenants.md, section 3.9)."""
    for part in "BCDEFGHIJ":
        named, said = line[f"Code{part}"] is not None, chart.get(f"ReqCode{part}")
        if (said == "Mandatory" and not named) or (said == "Blocked" and named):
            text = f"Code part {part} is {said} on account {account}."
            raise RefusalError(f"ORA-20119: Account.CODEDEMAND{said.upper()}: {text}")
    if chart.get("ReqText") == "Mandatory" and not line["Text"]:
        raise RefusalError(f"ORA-20119: Account.TEXTDEMAND: A text is mandatory on account {account}.")
    tax_code = line.get("TaxCode")
    if (chart.get("TaxCodeMandatory") and not tax_code) or (chart.get("TaxHandlingValue") == "Blocked" and tax_code):
        raise RefusalError(f"ORA-20119: Account.TAXDEMAND: The tax code {tax_code} does not fit account {account}.")
    if chart.get("LedgFlag") == "LedgerAccount":
        raise RefusalError(f"ORA-20119: Account.LEDGER: {account} is a ledger account: nobody posts on it by hand.")


def _code_part_can_be_used(company: str, part: str, value: str, day: str | None, values: RowSet) -> None:
    """Where the company has no values at all of a code part, it does not use it, and anything goes."""
    stored = values.by_key.get((company, part, value))
    if stored is None and any(key[:2] == (company, part) for key in values.by_key):
        text = f"Code part {part} has no value {value} in {company}."
        raise RefusalError(f"ORA-20116: AccountingCodePartValue.NOTEXIST: {text}")
    if stored and not _is_valid(stored.fields, day):
        text = f"Value {value} of code part {part} is not valid in {company} on {day}."
        raise RefusalError(f"ORA-20117: AccountingCodePartValue.NOTVALID: {text}")


def _is_valid(row: Fields, day: str | None) -> bool:
    return day is None or (row["ValidFrom"] or "") <= day <= (row["ValidUntil"] or "9999-12-31")


def _voucher_balances(touch: Touch, stored: Stored, sets: Sets) -> None:
    """In the company's currency."""
    if not (touch.is_new or touch.lines):
        return
    debit = _sum(line.fields["DebitAmount"] for line in stored.lines)
    credit = _sum(line.fields["CreditAmount"] for line in stored.lines)
    if debit != credit:
        text = f"debit {debit} and credit {credit} differ"
        raise RefusalError(f"ORA-20110: Voucher.NOTBALANCED: The voucher does not balance: {text}.")


def _supplier_is_known(touch: Touch, stored: Stored, sets: Sets) -> None:
    supplier, known = stored.fields["SupplierId"], sets["SupplierSet"].by_key
    if (touch.is_new or "SupplierId" in touch.fields) and known and (supplier,) not in known:
        raise RefusalError(f"ORA-20111: SupplierInfo.NOTEXIST: Supplier {supplier} does not exist.")


def _invoice_adds_up(touch: Touch, stored: Stored, sets: Sets) -> None:
    """Lines and VAT are the gross amount. Lines that come later than their header are not summed."""
    if not (touch.is_new and stored.lines):
        return
    gross, tax = stored.fields["GrossAmount"] or Decimal(0), stored.fields["VatAmount"] or Decimal(0)
    lines = _sum(line.fields["Amount"] for line in stored.lines)
    if lines + tax != gross:
        text = f"lines {lines} and VAT {tax} are not the gross amount {gross}"
        raise RefusalError(f"ORA-20118: ManSuppInvoice.NOTBALANCED: The invoice does not add up: {text}.")


def _invoice_number_is_new(touch: Touch, stored: Stored, sets: Sets) -> None:
    """One invoice number of a supplier in a company, once."""
    names = ("Company", "SupplierId", "InvoiceNo")
    number = [stored.fields[name] for name in names]
    for other in touch.rows.by_key.values():
        same = number[2] is not None and number == [other.fields[name] for name in names]
        if same and other.key != stored.key and other.fields["ObjState"] != "Cancelled":
            text = f"Invoice {number[2]} of supplier {number[1]} is registered as {other.fields['InvoiceId']}."
            raise RefusalError(f"ORA-20112: ManSuppInvoice.DUPLICATE: {text}")


def _sum(amounts: Iterable[Any]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


DOCUMENTS = {
    "VoucherSet": Document("VoucherRow", "VoucherDate", True, (_voucher_balances,)),
    "SupplierInvoiceSet": Document(
        "ManSuppInvoiceItem",
        "InvoiceDate",
        True,
        (_supplier_is_known, _invoice_number_is_new, _invoice_adds_up),
    ),
    "PostingProposalHeadSet": Document("PostingProposalRow", "InvoiceDate", needs_account=False, has_period=False),
}
