"""The demo's suppliers and customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.seed.books import COMPANIES, COSTS, INACTIVE_TERM, PAYMENT_TERMS, UNKNOWN_TERM, seconds_into
from mlc_dagster.sandbox.seed.texts import HOSTILE_KEYS, HOSTILE_NAMES, TOO_LONG_NAME, company_names

DAYS = 30
DETAILED = 12  # every so many suppliers have contacts and addresses in child entities
COUNTRY = {"0010": "SE", "20": "JP", "0030": "KW"}
_HOW_MANY = {"0010": 170, "20": 75, "0030": 65}


@dataclass
class Season:
    """Thirty turns in the last `days` up to and including `today`, a seeded random, and what was made hostile.

    Fewer days hold the same records, closer together.
    """

    today: date
    rng: Random
    flaws: dict[str, list[str]] = field(default_factory=dict)  # flaw -> keys
    days: int = DAYS

    def flawed(self, flaw: str, key: object) -> None:
        self.flaws.setdefault(flaw, []).append(str(key))

    def day(self, number: int) -> date:
        """Turn 0 is on the first day, turn 29 is today."""
        return self.today - timedelta(days=self.days - 1 - number * self.days // DAYS)

    def moment(self, number: int) -> str:
        """A time on that day; today's rows are of its first hour, so that they are seldom in the future."""
        day = self.day(number)
        return seconds_into(day, self.rng.randrange(3600 if day == self.today else 86400))


@dataclass(frozen=True)
class Partner:
    """A supplier as orders need it."""

    number: str
    company: str
    currency: str
    from_day: int  # its modified timestamp is on that day


def sow_partners(ifs: IfsSandbox, season: Season) -> list[Partner]:
    """Suppliers that orders can be placed with."""
    rows = list(_suppliers(season))
    partners = []
    for number, (company, day, row) in enumerate(rows):
        if number < len(HOSTILE_NAMES):
            row["Name"] = HOSTILE_NAMES[number]
            season.flawed("hostile name", row["SupplierId"])
        if len(HOSTILE_NAMES) <= number < len(HOSTILE_NAMES) + len(HOSTILE_KEYS):
            row["SupplierId"] = HOSTILE_KEYS[number - len(HOSTILE_NAMES)]
            season.flawed("hostile key", row["SupplierId"])
        ifs.put("SupplierSet", row)
        if number % DETAILED == 0:
            _sow_details(ifs, row, number)
        partners.append(Partner(row["SupplierId"], company, row["CurrencyCode"], day))
    _sow_flawed(ifs, season)
    return partners


def _sow_details(ifs: IfsSandbox, supplier: Mapping[str, Any], number: int) -> None:
    """Rows of the child entities: a contact person and two addresses, one of a type that Cin7 has no place for."""
    key, stamp = supplier["SupplierId"], {"LastModified": supplier["LastModified"]}
    person = {"ContactId": f"K{number}", "Name": f"Kim Persson {number}", "Phone": f"+46 8 {number:06d}"}
    mail = {"Email": f"kim{number}@supplier.example", "IsPrimary": True}
    ifs.put("SupplierContactSet", {"SupplierId": key, **person, **mail, **stamp})
    places = (("A1", "Delivery", f"Dock {number}"), ("A2", "Pay", f"Box {number}"))
    for place, kind, line in places:
        row = {"AddressId": place, "AddressType": kind, "Address1": line, "City": "Malmö", "Country": "SE"}
        ifs.put("SupplierAddressSet", {"SupplierId": key, **row, **stamp})


def _suppliers(season: Season) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """(home company, day, row), in an order in which hostile ones fall on every company."""
    numbers = iter(range(10001, 20000))
    made = [
        (company, name) for company, count in _HOW_MANY.items() for name in company_names(season.rng, company, count)
    ]
    season.rng.shuffle(made)
    for company, name in made:
        rng = season.rng
        day = rng.randrange(5) if rng.random() < 0.75 else rng.randrange(DAYS)
        yield company, day, _supplier(season, str(next(numbers)), company, name, day)


def _supplier(season: Season, number: str, company: str, name: str, day: int) -> dict[str, Any]:
    rng = season.rng
    foreign = company == "0010" and rng.random() < 0.2
    return {
        "SupplierId": number,
        "Name": name,
        "AssociationNo": f"55{rng.randrange(10**8):08d}",
        "Country": rng.choice(("DE", "US", "FI")) if foreign else COUNTRY[company],
        "DefaultLanguage": "en",
        "CurrencyCode": rng.choice(("EUR", "USD")) if foreign else COMPANIES[company]["currency"],
        "PaymentTerms": rng.choice(tuple(PAYMENT_TERMS)),
        "BankAccount": f"{rng.randrange(10**10):010d}",
        "Email": f"orders@{name.split()[0].encode('ascii', 'ignore').decode().lower() or 'post'}{number}.example",
        "VatNo": f"{COUNTRY[company]}{rng.randrange(10**10):010d}",
        "CreationDate": (season.day(0) - timedelta(days=rng.randrange(30, 2000))).isoformat(),
        "Blocked": rng.random() < 0.01,
        "CreditLimit": Decimal(rng.randrange(0, 500)) * 1000,
        "DefaultAccount": rng.choice(COSTS),
        "CostCenter": rng.choice(("CC100", "CC200", "CC300")),
        "Notes": rng.choice((None, None, "Reliable", "Delivers on Tuesdays,\nback door")),
        "ObjState": "Active",
        "LastModified": season.moment(day),
    }


def _sow_flawed(ifs: IfsSandbox, season: Season) -> None:
    """Suppliers that no order is placed with, each wrong in one way."""
    flaws: dict[str, dict[str, Any]] = {
        "name too long": {"Name": TOO_LONG_NAME},
        "payment term unknown": {"PaymentTerms": UNKNOWN_TERM},
        "payment term not active in Cin7": {"PaymentTerms": INACTIVE_TERM},
        "payment term missing": {"PaymentTerms": None},
        "currency missing": {"CurrencyCode": None},
        "name missing": {"Name": None},
        "modified is null": {"LastModified": None},
        "modified in 2999": {"LastModified": "2999-12-31T23:59:59Z"},
        "country unknown": {"Country": "XX"},
        "name taken twice": {"Name": "Twin Goods AB"},
        "name taken twice, in capitals": {"Name": "TWIN GOODS AB"},
    }
    for number, (flaw, fields) in enumerate(flaws.items(), 90001):
        row = _supplier(season, str(number), "0010", f"Flawed Goods {number} AB", season.rng.randrange(DAYS))
        ifs.put("SupplierSet", {**row, **fields})
        season.flawed(flaw, number)


def sow_customers(ifs: IfsSandbox, season: Season) -> list[str]:
    """Eighty customers; their numbers."""
    rng, numbers = season.rng, []
    for number, name in enumerate(company_names(rng, "0010", 80), 70001):
        row = {
            "CustomerId": str(number) if number > 70003 else ("C'1", "C/2 %", "00070003")[number - 70001],
            "Name": HOSTILE_NAMES[number % len(HOSTILE_NAMES)] if number % 20 == 0 else name,
            "AssociationNo": f"55{rng.randrange(10**8):08d}",
            "Country": rng.choice(("SE", "NO", "DE")),
            "CurrencyCode": "SEK",
            "PaymentTerms": rng.choice(tuple(PAYMENT_TERMS)),
            "CreationDate": (season.day(0) - timedelta(days=rng.randrange(30, 2000))).isoformat(),
            "CreditLimit": Decimal(rng.randrange(0, 500)) * 1000,
            "DefaultAccount": "3010",
            "CostCenter": "CC100",
            "ObjState": "Active",
            "LastModified": season.moment(rng.randrange(DAYS)),
        }
        ifs.put("CustomerSet", row)
        numbers.append(str(row["CustomerId"]))
    return numbers
