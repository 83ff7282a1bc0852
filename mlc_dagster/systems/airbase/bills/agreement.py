"""Airbase's own bills beside the ERP's supplier invoices: which is where, and what they come to. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.rules.chart_agreement import subsidiary_of
from mlc_dagster.systems.airbase.bills.mapping import SUPPLIER_INVOICES_FLOW
from mlc_dagster.systems.airbase.bills.records import BILL_LIST, ListedBill
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.airbase.spend.vouchers import BILLS_FLOW
from mlc_dagster.systems.airbase.writing.read_back import ENDED
from mlc_dagster.systems.ifs.records import POSTING_PROPOSALS, PostingProposal
from mlc_dagster.systems.system import Comparison

Kind = Literal["agrees", "voucher", "differs", "voided", "in_both_books", "only_in_airbase", "only_in_ifs", "not_sent"]


class Compared(NamedTuple):
    """One line of the report. `why` is empty where there is nothing to do."""

    kind: Kind
    bill: str  # Airbase's id; empty: it has none
    invoice: str  # the ERP's key; empty: it has none
    supplier: str
    number: str
    in_airbase: Decimal | None
    in_ifs: Decimal | None
    currency: str
    why: str = ""


def compared_bills(
    bills: Iterable[ListedBill], proposals: Iterable[PostingProposal], known: Mapping[str, str], facts: Facts
) -> Iterator[Compared]:
    """A line for each bill, and for each invoice that no bill stands for. `known`: the ERP's key -> bill, delivered."""
    invoices = _Invoices(list(proposals), known, facts)
    met: set[str] = set()
    for bill in sorted(bills, key=lambda each: each.airbase_id):
        found = invoices.of(bill)
        met |= {_key(each) for each in found}
        yield _of_bill(bill, found, facts)
    for key, proposal in sorted(invoices.by_key.items()):
        if key not in met and not _is_ended(proposal, facts):
            yield _without_bill(key, proposal, known)


def _of_bill(bill: ListedBill, found: list[PostingProposal], facts: Facts) -> Compared:
    voucher, ended = facts.remote_id(BILLS_FLOW, key_text(bill.airbase_id)), (bill.status or "").lower() in ENDED
    standing = [each for each in found if not _is_ended(each, facts)]
    if bill.fault:
        return _line("differs", bill, None, f"It cannot be compared: {bill.fault}.")
    if voucher and standing:
        why = f"It is voucher {voucher} in IFS, and invoice {_key(standing[0])} as well: its cost is there twice."
        return _line("in_both_books", bill, standing[0], f"{why} Cancel one of them in IFS.")
    if len(standing) > 1:
        keys = " and ".join(_key(each) for each in standing)
        return _line("differs", bill, standing[0], f"IFS has it as {keys}. Cancel the one that is too many.")
    if ended:
        why = f"It is {bill.status} in Airbase, and stands in IFS. Cancel it there, or set it back in Airbase."
        return _line("voided", bill, standing[0], why) if standing else _line("agrees", bill, None, "")
    if found and not standing:
        why = f"It is {found[0].obj_state} in IFS, and stands in Airbase. Void it there, or enter it in IFS again."
        return _line("voided", bill, found[0], why)
    if not found:
        return _line("voucher", bill, None, "") if voucher else _only_in_airbase(bill)
    return _line("differs" if (why := _differences(bill, found[0], facts)) else "agrees", bill, found[0], why)


def _only_in_airbase(bill: ListedBill) -> Compared:
    who = f"supplier {bill.supplier}" if bill.supplier else f"{bill.vendor or 'its vendor'}, which has no number of IFS"
    number = f"invoice {bill.invoice_number}" if bill.invoice_number else "invoice of this number (it has none)"
    return _line("only_in_airbase", bill, None, f"IFS has no {number} of {who}. Enter it in IFS, or void it.")


def _differences(bill: ListedBill, proposal: PostingProposal, facts: Facts) -> str:
    """What both say, and each says otherwise."""
    subsidiary = subsidiary_of(proposal.company, facts.companies)
    pairs = {
        "amount": (bill.total_amount, proposal.gross_amount),
        "currency": (bill.currency, proposal.currency_code),
        "company": (bill.subsidiary or subsidiary, subsidiary),
        "number": (_folded(bill.invoice_number), _folded(proposal.invoice_no)),
        "supplier": (bill.supplier or proposal.supplier_id, proposal.supplier_id),
    }
    said = [f"its {name} is {a} in Airbase and {b} in IFS" for name, (a, b) in pairs.items() if a != b]
    return "; ".join(said)


def _without_bill(key: str, proposal: PostingProposal, known: Mapping[str, str]) -> Compared:
    row = (proposal.supplier_id or "", proposal.invoice_no or "", None, proposal.gross_amount)
    currency = proposal.currency_code or ""
    if bill := known.get(key):
        why = f"It was delivered as bill {bill}, and Airbase does not list that any more."
        return Compared("only_in_ifs", bill, key, *row, currency, why)
    return Compared("not_sent", "", key, *row, currency)


def _line(kind: Kind, bill: ListedBill, proposal: PostingProposal | None, why: str) -> Compared:
    return Compared(
        kind,
        bill.airbase_id,
        _key(proposal) if proposal else "",
        bill.supplier or bill.vendor or "",
        bill.invoice_number or "",
        bill.total_amount,
        proposal.gross_amount if proposal else None,
        bill.currency or "",
        why,
    )


class _Invoices:
    """The ERP's invoices, by what leads to them from a bill: the delivery, the key that it carries, its supplier and
    number; by number that of the bill's own company, where there is one.
    """

    def __init__(self, proposals: list[PostingProposal], known: Mapping[str, str], facts: Facts) -> None:
        self.by_key = {_key(each): each for each in proposals}
        self._delivered = {bill: key for key, bill in known.items()}
        self._by_number: dict[tuple[str, str], list[PostingProposal]] = defaultdict(list)
        self._facts = facts
        for each in proposals:
            self._by_number[each.supplier_id or "", _folded(each.invoice_no)].append(each)

    def of(self, bill: ListedBill) -> list[PostingProposal]:
        for key in (self._delivered.get(bill.airbase_id), bill.erp_reference_id):
            if key and key in self.by_key:
                return [self.by_key[key]]
        if not bill.supplier or not bill.invoice_number:
            return []
        found = self._by_number.get((bill.supplier, _folded(bill.invoice_number)), [])
        mine = [each for each in found if subsidiary_of(each.company, self._facts.companies) == (bill.subsidiary or "")]
        return mine or found


def _key(proposal: PostingProposal) -> str:
    return key_text(proposal.company, proposal.proposal_id)


def _is_ended(proposal: PostingProposal, facts: Facts) -> bool:
    ended = facts.options.get("not_delivered_states", "Cancelled").split(",")
    return proposal.obj_state in {state.strip() for state in ended}


def _folded(number: str | None) -> str:
    return " ".join((number or "").split()).casefold()


def shows_bills(section: AirbaseSettings) -> bool:
    """Whether Airbase's own bills can be read: by a path of their own, or as ledger entries of a type that mlc.yaml
    calls a bill.
    """
    return bool(section.paths.bills) or bool(section.paths.ledger_entries and "bill" in section.types.values())


BILLS_BESIDE_INVOICES = Comparison(
    name="bills_beside_invoices",
    description=(
        "Airbase's bills beside the supplier invoices of IFS (posting proposals), by what was read of both last: which "
        "is where, and both amounts where they differ. Nothing is written. `not_sent` are invoices that Airbase was "
        "never given."
    ),
    theirs=BILL_LIST,
    ours=POSTING_PROPOSALS,
    flow=SUPPLIER_INVOICES_FLOW,
    also=(BILLS_FLOW,),
    is_on=shows_bills,
    columns=("bill", "invoice", "supplier", "number", "in_airbase", "in_ifs", "currency", "kind", "why"),
    kinds=("agrees", "voucher", "differs", "voided", "in_both_books", "only_in_airbase", "only_in_ifs", "not_sent"),
    checks={
        "bills_agree_with_invoices": ("A bill and its invoice in IFS say the same.", "differs"),
        "bills_stand_on_both_sides": ("What is void on one side does not stand on the other.", "voided"),
        "bills_are_in_the_books_once": ("No bill is a voucher and an invoice of IFS at once.", "in_both_books"),
        "airbase_bills_are_in_ifs": ("Every bill of Airbase is an invoice or a voucher of IFS.", "only_in_airbase"),
        "delivered_invoices_are_in_airbase": ("Every invoice that was delivered has its bill.", "only_in_ifs"),
    },
    find=compared_bills,
)
