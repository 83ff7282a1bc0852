"""The demo's posting proposals and vouchers: what the ERP posts, and the flaws in a few of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.seed.books import (
    BLOCKED,
    CODE_PARTS,
    COMPANIES,
    COSTS,
    EXPIRED,
    NOT_IN_CIN7,
    NOT_IN_IFS,
    TAX_PERCENT,
    UNMAPPED_COMPANY,
)
from mlc_dagster.sandbox.seed.orders import RATES, Row, price, rounded
from mlc_dagster.sandbox.seed.partners import DAYS, Partner, Season

PROPOSALS, VOUCHERS = 400, 300


def sow_proposals(ifs: IfsSandbox, season: Season, partners: list[Partner], orders: list[tuple[Row, int]]) -> None:
    """Half refer to an order, once each, and bill its lines. Draws the same numbers whatever refers to what."""
    by_number = {partner.number: partner for partner in partners}
    invoiced: set[str] = set()
    for number in range(PROPOSALS):
        order, first_day = season.rng.choice(orders) if season.rng.random() < 0.6 else (None, 0)
        partner = by_number[order["VendorNo"]] if order else season.rng.choice(partners)
        day = season.rng.randrange(first_day if order else partner.from_day, DAYS)
        proposal = _proposal(season, number, partner, day)
        is_invoiced = order is not None and order["OrderNo"] in invoiced
        proposal["PoReference"] = None
        if order is not None and not is_invoiced and order["ObjState"] != "Planned":
            invoiced.add(order["OrderNo"])
            proposal["PoReference"] = order["OrderNo"]
            _bill(proposal, order, partner)
        flaw = FLAWS[number // 19 % len(FLAWS)] if number % 19 == 7 else None
        if flaw:
            flaw[1](proposal)
            season.flawed(f"proposal: {flaw[0]}", f"{proposal['Company']}/{proposal['ProposalId']}")
        ifs.put("PostingProposalHeadSet", proposal)


def _proposal(season: Season, number: int, partner: Partner, day: int) -> Row:
    rng, dated = season.rng, season.day(day) - timedelta(days=season.rng.randrange(10))
    lines = [_line(season, partner, row) for row in range(1, rng.choice((1, 1, 2, 3, 4, 6)) + 1)]
    decimals = COMPANIES[partner.company]["decimals"]
    return {
        "Company": partner.company,
        "ProposalId": 5001 + number,
        "InvoiceId": 88001 + number,
        "InvoiceNo": f"{rng.choice(('F', 'INV-', '20', '')) or 'B'}{rng.randrange(1000, 99999)}-{number}",
        "SupplierId": partner.number,
        "InvoiceDate": dated.isoformat(),
        "DueDate": (dated + timedelta(days=30)).isoformat(),
        "CurrencyCode": partner.currency,
        "CurrencyRate": RATES.get(partner.currency, Decimal(1)),
        **_totals(lines, decimals),
        "ExternalRef": None,
        "Text": rng.choice((None, "Monthly", 'As "agreed"', "Övrigt – diverse")),
        "ObjState": rng.choice(("Balanced", "Balanced", "Balanced", "Unbalanced")),
        "LastModified": season.moment(day),
        "PostingProposalLines": lines,
    }


def _bill(proposal: Row, order: Row, partner: Partner) -> None:
    """The lines of the order, each on its account and at its amount, as the supplier bills them in full."""
    first, decimals = proposal["PostingProposalLines"][0], COMPANIES[partner.company]["decimals"]
    rate = RATES.get(partner.currency, Decimal(1))
    shared = ("TaxCode", "Account", "CodeB")
    lines = [
        {
            **first,
            "RowId": number,
            "Amount": rounded(line["LineAmount"] * rate, decimals),
            "CurrencyAmount": line["LineAmount"],
            **{name: line[name] for name in shared},
            "Text": line["Description"],
        }
        for number, line in enumerate(order["PurchaseOrderLines"], 1)
    ]
    proposal.update(PostingProposalLines=lines, **_totals(lines, decimals))


def _totals(lines: list[Row], decimals: int) -> Row:
    net = sum((line["CurrencyAmount"] for line in lines), Decimal(0))
    tax = sum((line["CurrencyAmount"] * TAX_PERCENT[line["TaxCode"]] / 100 for line in lines), Decimal(0))
    return {
        "NetAmount": net,
        "VatAmount": rounded(tax, decimals),
        "GrossAmount": net + rounded(tax, decimals),
    }


def _line(season: Season, partner: Partner, number: int) -> Row:
    rng, company = season.rng, COMPANIES[partner.company]
    amount = price(season, partner.currency)
    account = rng.choice(COSTS)
    return {
        "RowId": number,
        "Amount": rounded(amount * RATES.get(partner.currency, Decimal(1)), company["decimals"]),
        "CurrencyAmount": amount,
        "Quantity": Decimal(1),
        "TaxCode": rng.choice(company["tax"]),
        "Text": rng.choice((None, "Parts", "Work", "Övertid")),
        "Account": account,
        "CodeB": rng.choice(CODE_PARTS["B"]),
        "CodeD": rng.choice((None, *CODE_PARTS["D"])),
    }


def _first_line(**fields: Any) -> Callable[[Row], object]:
    return lambda proposal: proposal["PostingProposalLines"][0].update(fields)


def _header(**fields: Any) -> Callable[[Row], object]:
    return lambda proposal: proposal.update(fields)


def _credit_note(proposal: Row) -> None:
    for name in ("NetAmount", "VatAmount", "GrossAmount"):
        proposal[name] = -proposal[name]
    for line in proposal["PostingProposalLines"]:
        line.update(Amount=-line["Amount"], CurrencyAmount=-line["CurrencyAmount"])


def _wrong_gross(proposal: Row) -> None:
    proposal["GrossAmount"] += 1


def _other_company(proposal: Row) -> None:
    proposal["Company"] = UNMAPPED_COMPANY


FLAWS: tuple[tuple[str, Callable[[Row], object]], ...] = (
    ("account not in Cin7", _first_line(Account=NOT_IN_CIN7[1])),
    ("account not in IFS", _first_line(Account=NOT_IN_IFS)),
    ("account blocked", _first_line(Account=BLOCKED)),
    ("account expired", _first_line(Account=EXPIRED)),
    ("company not mapped", _other_company),
    ("gross does not add up", _wrong_gross),
    ("currency missing", _header(CurrencyCode=None)),
    ("cancelled", _header(ObjState="Cancelled")),
    ("order does not exist", _header(PoReference="P999999")),
    ("credit note", _credit_note),
    ("invoice number missing", _header(InvoiceNo=None)),
    ("supplier does not exist", _header(SupplierId="99999")),
    ("modified is null", _header(LastModified=None)),
    ("tax code unknown", _first_line(TaxCode="X9")),
)


# --- vouchers -------------------------------------------------------------------------------------------------------


def sow_vouchers(ifs: IfsSandbox, season: Season) -> None:
    for number in range(VOUCHERS):
        day, company = season.rng.randrange(DAYS), season.rng.choice(("0010", "0010", "20", "0030"))
        voucher = _voucher(season, number, company, day)
        if number % 25 == 3:
            voucher["VoucherRows"][0]["Account"] = NOT_IN_CIN7[0]
            season.flawed("voucher: account not in Cin7", f"{company}/{voucher['VoucherNo']}")
        ifs.put("VoucherSet", voucher)


def _voucher(season: Season, number: int, company: str, day: int) -> Row:
    rng, dated = season.rng, season.day(day)
    return {
        "Company": company,
        "VoucherType": rng.choice(("M", "I", "K")),
        "AccountingYear": dated.year,
        "VoucherNo": 300001 + number,
        "AccountingPeriod": dated.month,
        "VoucherDate": dated.isoformat(),
        "UserGroup": "AC",
        "Text": rng.choice(("Accrual", "Correction", "Payroll", "Periodisering åäö")),
        "ExternalRef": None,
        "ObjState": rng.choice(("AwaitingApproval", "Approved", "Approved")),
        "LastModified": season.moment(day),
        "VoucherRows": _rows(season, company),
    }


def _rows(season: Season, company: str) -> list[Row]:
    """Debits, and one credit of their sum."""
    currency = COMPANIES[company]["currency"]
    debits = [price(season, currency) for _ in range(season.rng.randrange(1, 6))]
    rows: list[tuple[str, Decimal | None, Decimal | None]]
    rows = [(season.rng.choice(COSTS), debit, None) for debit in debits]
    rows.append(("2440", None, sum(debits, Decimal(0))))
    return [
        {
            "RowNo": number,
            "Account": account,
            "CodeB": season.rng.choice(CODE_PARTS["B"]),
            "DebitAmount": debit,
            "CreditAmount": credit,
            "CurrencyCode": currency,
            "CurrencyAmount": debit if debit is not None else -credit if credit is not None else None,
            "CurrencyRate": Decimal(1),
            "Text": None,
        }
        for number, (account, debit, credit) in enumerate(rows, 1)
    ]
