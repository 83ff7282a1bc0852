"""The demo's purchase requests and ledger entries in Airbase, with the flaws that a tenant has in a few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from mlc_dagster.sandbox.airbase.api import AirbaseSandbox
from mlc_dagster.sandbox.airbase.spend import PAYS, department_tag
from mlc_dagster.sandbox.seed.books import COMPANIES
from mlc_dagster.sandbox.seed.orders import RATES, Row, price, rounded
from mlc_dagster.sandbox.seed.partners import DAYS, Season

Flaw = tuple[str, Callable[[Row], object]]

APPROVED, ENTRIES = 40, 50
PURCHASE_TYPES = {
    "Software": ("Licences, one year", "Support", "Seats for the new team"),
    "Travel": ("Train to the fair", "Hotel, two nights", "Flights"),
    "Office": ("Desks", "Paper and toner", "Coffee"),
    "Marketing": ("Stand at the fair", "Brochures", "Advertisements"),
}
UNKNOWN_TYPE, UNKNOWN_DEPARTMENT, UNKNOWN_BANK = "Unheard of", "CC999", "1999"
DEPARTMENTS = {"CC100": "Assembly", "CC200": "Machining", "CC300": "Paint shop", "CC 400": "Stores", "CÖ-500": "Office"}
CLEARING = "2440"  # the demo's chart has no account of its own for money on its way out
_PEOPLE = ("Anna Berg", "Kenji Mori", "Layla Haddad", "Ove Lund")
_TYPES = ("bill_payment",) * 6 + ("reimbursement", "card_transaction", "card_transaction", "reimbursement_payment")
_STATUSES = ("sync_ready",) * 6 + ("sync_complete",)


def sow_spend(airbase: AirbaseSandbox, season: Season, vendors: Sequence[str]) -> None:
    """`season` is one with a random of its own: the other systems' seed stays as it was."""
    for number in range(APPROVED):
        request = _request(season, number, vendors)
        _marred(season, REQUEST_FLAWS, number, "request", request)
        airbase.add_request(**request)
    for number, status in enumerate(("pending", "pending", "pending", "rejected", "rejected"), APPROVED):
        airbase.add_request(**{**_request(season, number, vendors), "status": status})
    for number in range(ENTRIES):
        entry = _entry(season, number, vendors)
        _marred(season, ENTRY_FLAWS, number, "ledger entry", entry)
        if entry["type"] in PAYS and not entry.pop("unheard_of", False):
            airbase.add_entry(**_paid(entry))
        airbase.add_entry(**entry)
    for entry in _moved(season):
        airbase.add_entry(**entry)


def _marred(season: Season, flaws: Sequence[Flaw], number: int, word: str, row: Row) -> None:
    """Every tenth row has a flaw, until each had its turn; those entries are bill payments."""
    turn, rest = divmod(number, 10)
    if rest == 3 and turn < len(flaws):
        name, mar = flaws[turn]
        mar(row)
        season.flawed(f"{word}: {name}", row["airbase_id"])


def _identity(season: Season) -> str:
    return str(UUID(int=season.rng.getrandbits(128), version=4))


def _person(season: Season) -> Row:
    name = season.rng.choice(_PEOPLE)
    return {"name": name, "email": f"{name.lower().replace(' ', '.')}@example.test"}


def _lines(season: Season, currency: str, described: Sequence[str]) -> list[Row]:
    return [
        {
            "description": season.rng.choice(described),
            "amount": price(season, currency),
            "tags": [department_tag(*season.rng.choice(tuple(DEPARTMENTS.items())))],
        }
        for _ in range(season.rng.choice((1, 1, 1, 2, 3)))
    ]


def _request(season: Season, number: int, vendors: Sequence[str]) -> Row:
    company, kind = tuple(COMPANIES)[number % 3], tuple(PURCHASE_TYPES)[number % 4]
    return {
        "airbase_id": _identity(season),
        "request_number": f"PR-{1001 + number}",
        "purchase_type": kind,
        "approved_date": season.moment(season.rng.randrange(DAYS)).removesuffix("Z"),
        "vendor": season.rng.choice(vendors),
        "subsidiary": company,
        "requester": _person(season),
        "notes": season.rng.choice(("", "", "As agreed", 'See "offer 7"')),
        "line_items": _lines(season, COMPANIES[company]["currency"], PURCHASE_TYPES[kind]),
    }


def _entry(season: Season, number: int, vendors: Sequence[str]) -> Row:
    rng, company, kind = season.rng, tuple(COMPANIES)[number % 3], _TYPES[number % len(_TYPES)]
    status, moment = _STATUSES[number % len(_STATUSES)], season.moment(rng.randrange(DAYS)).removesuffix("Z")
    entry = {
        "airbase_id": _identity(season),
        "type": kind,
        "status": status,
        "erp_reference_id": f"{company}/P/{7000 + number}" if status == "sync_complete" else None,
        "subsidiary": company,
        "entry_date": f"{moment}.{rng.randrange(10**6):06d}" if number % 4 == 0 else moment,  # there are both
        "spend_owner": _person(season),
        "invoice_number": f"INV-{rng.randrange(1000, 99999)}" if kind in ("bill", "bill_payment") else None,
        "notes": rng.choice(("", "", "Second reminder", "Övrigt – diverse")),
        **_amounts(season, company, foreign=number % 9 == 6),
    }
    if not kind.startswith("reimbursement"):
        entry["vendor"] = rng.choice(vendors)
    if kind in PAYS:
        paid = _identity(season)
        entry["applied_to"] = [{"id": paid, "airbase_id": paid, "transaction_type": PAYS[kind]}]
    return entry


def _paid(payment: Row) -> Row:
    """The bill or reimbursement that it pays, of the same lines, with a tag that is no matter of the books."""
    same = ("status", "erp_reference_id", "subsidiary", "entry_date", "invoice_number", "vendor", "currency")
    lines = [line if Decimal(line["amount"]) else {**line, "amount": "10.00"} for line in payment["expense_list"]]
    return {
        **{name: payment[name] for name in (*same, "subsidiary_amount") if name in payment},
        "airbase_id": payment["applied_to"][0]["airbase_id"],
        "type": PAYS[payment["type"]],
        "expense_list": lines,
        "transaction_tags": [{"type_label": "Channel", "erp_reference_id": "", "name": "Mail"}],
    }


def _moved(season: Season) -> Iterator[Row]:
    """Money on its way out, as recorded: a load and an unload of one day, their two lines mirrored, one of them 0; and
    one of a type that nobody named.
    """
    for number, company in enumerate(COMPANIES):
        amount, moment = price(season, COMPANIES[company]["currency"]), season.moment(season.rng.randrange(DAYS))
        shared = {
            "subsidiary": company,
            "entry_date": moment.removesuffix("Z"),
            "vendor": None,
            "spend_owner": _person(season),
        }
        for kind, amounts in (("bill_payment_load", (amount, "0.00")), ("bill_payment_unload", ("0.00", amount))):
            lines = [
                {"account": account, "amount": each, "description": "Money out", "tags": []}
                for account, each in zip((CLEARING, "1930"), amounts, strict=True)
            ]
            yield {**shared, "airbase_id": _identity(season), "type": kind, "expense_list": lines}
        if number == 0:
            yield {**shared, "airbase_id": _identity(season), "type": "cashback", "total_amount": "7.00"}


def _amounts(season: Season, company: str, *, foreign: bool) -> Row:
    """In the company's own currency or, with what that makes in its own, in euros; only company 0010 pays in these."""
    currency = "EUR" if foreign else COMPANIES[company]["currency"]
    lines = _lines(season, currency, ("Goods", "Services", "Fees"))
    if not foreign:
        return {"currency": currency, "expense_list": lines}
    in_home = rounded(_sum(lines) * RATES[currency], COMPANIES[company]["decimals"])
    return {"currency": currency, "expense_list": lines, "subsidiary_amount": in_home}


def _sum(lines: Sequence[Row]) -> Decimal:
    return sum((line["amount"] for line in lines), Decimal(0))


# --- flaws ----------------------------------------------------------------------------------------------------------


def _fields(**fields: Any) -> Callable[[Row], object]:
    return lambda row: row.update(fields)


def _wrong_total(request: Row) -> None:
    request["total_amount"] = _sum(request["line_items"]) + 1


def _unknown_department(request: Row) -> None:
    request["line_items"][0]["tags"] = [department_tag(UNKNOWN_DEPARTMENT, "Closed last year")]


def _of(company: str, amount: str, **fields: Any) -> Callable[[Row], object]:
    """A payment of one line in the company's own currency."""
    currency = COMPANIES[company]["currency"]
    line = {"description": "Goods", "amount": amount, "tags": [department_tag("CC100", DEPARTMENTS["CC100"])]}

    def mar(entry: Row) -> None:
        entry.pop("subsidiary_amount", None)
        entry.update(status="sync_ready", subsidiary=company, currency=currency)
        entry.update(erp_reference_id=None, expense_list=[line], **fields)

    return mar


def _like_a_transfer(entry: Row) -> None:
    _of("0010", "50.00", type="card_transaction", applied_to=None)(entry)
    entry["expense_list"].append({"account": "1930", "amount": "0.00", "tags": []})


REQUEST_FLAWS: tuple[Flaw, ...] = (
    ("total does not add up", _wrong_total),
    ("department not in IFS", _unknown_department),
    ("purchase type not configured", _fields(purchase_type=UNKNOWN_TYPE)),
    ("foreign currency", _fields(currency="USD")),
)
ENTRY_FLAWS: tuple[Flaw, ...] = (
    ("bank account not in IFS", _of("0010", "1250.00", bank_account=UNKNOWN_BANK)),
    ("nothing was paid", _of("0010", "0.00")),
    ("three decimals", _of("0030", "12.345")),
    ("its bill is not in IFS", _of("0010", "99.00", unheard_of=True)),
    ("a transfer among expenses", _like_a_transfer),
)
