"""The demo's Procurify: reference data that fits the ERP's books, vendors that fit its suppliers or do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.procurify.api import ProcurifySandbox
from mlc_dagster.sandbox.procurify.seed_bills import sow_bills
from mlc_dagster.sandbox.procurify.seed_orders import Buyer, sow_purchase_orders
from mlc_dagster.sandbox.seed.books import ACCOUNTS, BLOCKED, COMPANIES, COSTS, EXPIRED, NOT_IN_IFS, PAYMENT_TERMS
from mlc_dagster.sandbox.seed.partners import Season

Supplier = Mapping[str, Any]

RATES = {"SEK": "1", "EUR": "0.087539", "USD": "0.094776", "JPY": "14.2", "KWD": "0.0291"}
"""What one SEK costs: Procurify's rates are of the base currency."""
BRANCHES = {"0010": "Stockholm", "20": "Osaka", "0030": "Kuwait City"}
TIME_ZONES = {"0010": "Europe/Stockholm", "20": "Asia/Tokyo", "0030": "Asia/Kuwait"}
OFFICES = {"Stockholm": "Office", "Osaka": "Plant", "Kuwait City": "Sales"}
"""What code part C calls the branches."""
DEPARTMENTS = {
    "0010": {"Operations": "CC100", "Engineering": "CC200", "Sales": "CC300", "Office": "CC 400", "Upkeep": "CÖ-500"},
    "20": {"Osaka plant": "CC100", "Osaka sales": "CC300"},
    "0030": {"Kuwait store": "CC200", "Kuwait office": "CC300"},
}
WITHOUT_COST_CENTRE = "Ventures"
COUNTRIES = {
    "SE": "Sweden",
    "JP": "Japan",
    "KW": "Kuwait",
    "DE": "Germany",
    "US": "United States",
    "FI": "Finland",
}
_OF_CURRENCY = {"JPY": "20", "KWD": "0030"}  # -> company; all other suppliers are the first one's
NEW_VENDORS = ("Lofoten Ropes AS", "Köksbolaget i Åre AB", "Nakamura 文具店")
NOT_VENDORS = {"Other": 1, "Amazon Business": 2, "Anna Åkesson (expenses)": 5, "Pending Partners": 8}
AMBIGUOUS = "Twin Goods AB"


def demo_settings(url: str) -> dict[str, Any]:
    """The part of mlc.yaml for a sandbox at `url`."""
    return {
        "requests_per_second": "2",
        "payment_terms": {code: f"Net {code}" for code in PAYMENT_TERMS},
        "department_code_part": "B",
        "dimensions": {
            "C": {"source": "location", "values": dict(OFFICES)},
            "D": {"source": "project", "required": "false"},
        },
        "base_url": f"{url}/procurify",
        "token_url": f"{url}/procurify/oauth/token",
    }


def sow_procurify(procurify: ProcurifySandbox, season: Season, ifs: IfsSandbox) -> None:
    """Draws from a random of its own, so that what the other systems hold stays as it is."""
    own, suppliers = replace(season, rng=Random(20261126)), ifs.rows("SupplierSet")
    _sow_books(procurify)
    buyers = [*_sow_vendors(procurify, own, suppliers), *_sow_new_vendors(procurify, own)]
    ambiguous = _sow_odd_vendors(procurify, own, suppliers)
    sow_bills(procurify, own, buyers, sow_purchase_orders(procurify, own, buyers), ambiguous)


def _sow_books(procurify: ProcurifySandbox) -> None:
    books = procurify.books
    for name, rate in RATES.items():
        books.put_currency(name, rate, base=name == "SEK")
    for company, branch in BRANCHES.items():
        books.put_location(branch, company, COMPANIES[company]["currency"], TIME_ZONES[company])
        for department, cost_centre in DEPARTMENTS[company].items():
            books.put_department(department, cost_centre, branch)
    books.put_department(WITHOUT_COST_CENTRE, "", BRANCHES["0010"])
    for code in (*COSTS, NOT_IN_IFS, BLOCKED, EXPIRED):
        books.put_account_code(code, ACCOUNTS.get(code, "Closed in the ERP"))


def _sow_vendors(procurify: ProcurifySandbox, season: Season, suppliers: Sequence[Supplier]) -> list[Buyer]:
    """Those that papers are of, each with what may be on its lines."""
    linked, by_name = _chosen(suppliers)
    buyers = []
    for number, supplier in enumerate([*linked, *by_name]):
        company = _OF_CURRENCY.get(supplier["CurrencyCode"], "0010")
        vendor = procurify.put_vendor(**_vendor(season, supplier, linked=number < len(linked)))
        if number >= len(linked):
            season.flawed("procurify vendor: known by name and country alone", vendor)
        buyers.append(Buyer(vendor, company, supplier["CurrencyCode"], tuple(DEPARTMENTS[company])))
    return buyers


def _chosen(suppliers: Sequence[Supplier]) -> tuple[list[Supplier], list[Supplier]]:
    """(with the ERP's number, known by name and country alone); the first two dozen have hostile names and keys."""
    good = [row for row in suppliers if not row["Blocked"] and not str(row["SupplierId"]).startswith("9")]
    of = {code: [row for row in good[24:] if row["CurrencyCode"] == code] for code in RATES}
    linked = [*good[:2], *good[13:15], *of["SEK"][:5], *of["JPY"][:3], *of["KWD"][:3], *of["EUR"][:1], *of["USD"][:1]]
    return linked, [of["SEK"][5], of["JPY"][3], of["KWD"][3], of["EUR"][1]]


def _vendor(season: Season, supplier: Supplier, linked: bool) -> dict[str, Any]:
    return {
        "name": supplier["Name"],
        "external_id": supplier["SupplierId"] if linked else None,
        "email": [supplier["Email"]],
        "country": COUNTRIES[supplier["Country"]],
        "currency": supplier["CurrencyCode"],
        "payment_term_ref": {"id": 1, "name": f"Net {supplier['PaymentTerms']}", "active": True},
        "type": 3 if linked else 4,
        "dateModified": season.moment(season.rng.randrange(20)),
    }


def _sow_new_vendors(procurify: ProcurifySandbox, season: Season) -> list[Buyer]:
    """The ERP does not have them at all."""
    fields = {"email": ["hello@new.example"], "country": "Sweden", "currency": "SEK"}
    moments = [season.moment(season.rng.randrange(20)) for _ in NEW_VENDORS]
    made = [
        procurify.put_vendor(name=name, dateModified=at, **fields)
        for name, at in zip(NEW_VENDORS, moments, strict=True)
    ]
    for vendor in made:
        season.flawed("procurify vendor: not in IFS", vendor)
    return [Buyer(vendor, "0010", "SEK", tuple(DEPARTMENTS["0010"])) for vendor in made]


def _sow_odd_vendors(procurify: ProcurifySandbox, season: Season, suppliers: Sequence[Supplier]) -> int:
    """No suppliers in the ERP's sense, one that has gone, and one that fits two suppliers: its id."""
    for name, kind in NOT_VENDORS.items():
        vendor = procurify.put_vendor(name=name, type=kind, dateModified=season.moment(kind))
        season.flawed("procurify vendor: of a type that is no supplier", vendor)
    procurify.put_vendor(name="Closed Down AB", active=False, dateModified=season.moment(3))
    twin = next(row for row in suppliers if row["Name"] == AMBIGUOUS)
    vendor = procurify.put_vendor(**_vendor(season, twin, linked=False))
    season.flawed("procurify vendor: fits two suppliers", vendor)
    return vendor
