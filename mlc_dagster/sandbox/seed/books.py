"""The demo's reference books: charts of accounts and code parts in IFS, and what others have of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from mlc_dagster.sandbox.ifs.api import IfsSandbox

COMPANIES: dict[str, dict[str, Any]] = {
    "0010": {
        "currency": "SEK",
        "decimals": 2,
        "site": "S10",
        "sites": {"S10": "Main Warehouse", "S11": "Plant South"},
        "location": "Main Warehouse",
        "tax": ("V25", "V25", "V12", "V0"),
    },
    "20": {"currency": "JPY", "decimals": 0, "site": "J20", "location": "Osaka", "tax": ("J10", "J10", "V0")},
    "0030": {"currency": "KWD", "decimals": 3, "site": "K30", "location": "Kuwait City", "tax": ("V0",)},
}
UNMAPPED_COMPANY = "0099"
PAYMENT_TERMS = {"0": "Cash on delivery", "14": "14 days", "30": "30 days", "45": "45 days", "60": "60 days"}
UNKNOWN_TERM, INACTIVE_TERM = "90", "15"  # the first has no name in mlc.yaml, the second is not active in Cin7
TAX_RULES = {"V25": "Tax on Purchases", "V12": "VAT 12%", "J10": "Consumption Tax 10%", "V0": "Tax Exempt"}
TAX_PERCENT = {"V25": 25, "V12": 12, "J10": 10, "V0": 0}

ACCOUNTS = {
    "4010": "Raw materials",
    "4011": "Components",
    "4020": "Packaging material",
    "4030": "Consumables",
    "4100": "Subcontracted work",
    "4200": "Consulting",
    "4310": "Freight in",
    "4320": "Customs and duties",
    "5010": "Rent of premises",
    "5020": "Electricity",
    "5410": "Small tools",
    "5420": "Software licences",
    "5500": "Repairs and maintenance",
    "5610": "Vehicles, running costs",
    "5800": "Travel",
    "6110": "Office supplies",
    "6210": "Telephone and data",
    "6310": "Insurance",
    "6420": "Audit fees",
    "6550": "Legal fees",
    "1930": "Bank",
    "2440": "Accounts payable, trade",
    "2640": "Input VAT",
    "3010": "Sales of goods",
    "7010": "Wages",
    "7510": "Social security",
}
COSTS = tuple(code for code in ACCOUNTS if code[0] in "456")
NOT_IN_CIN7 = ("7777", "6991")  # in the ERP's chart, unknown to Cin7
NOT_IN_IFS = "4O10"  # with a letter O
BLOCKED, EXPIRED = "5999", "4999"
GL_ACCOUNTS = {"6110": "6100"}  # ERP account: Cin7 account
CODE_PARTS = {
    "B": ("CC100", "CC200", "CC300", "CC 400", "CÖ-500"),
    "C": ("Office", "Plant", "Sales"),
    "D": ("P-01", "P-02", "P/03"),
    "E": ("1", "01"),
    "F": ("X",),
    "G": ("North", "South"),
    "H": ("H1",),
    "I": ("I1",),
    "J": ("J1", "J'2"),
}


def sow_ifs_books(ifs: IfsSandbox, today: date) -> None:
    """A chart of accounts and code parts for each company, the unmapped one included."""
    changed = f"{today - timedelta(days=200)}T06:00:00Z"
    expired = (today - timedelta(days=90)).isoformat()
    for company in (*COMPANIES, UNMAPPED_COMPANY):
        names = {
            **ACCOUNTS,
            **dict.fromkeys(NOT_IN_CIN7, "Suspense"),
            BLOCKED: "Blocked account",
            EXPIRED: "Old account",
        }
        rows = [_account(company, code, name, expired) for code, name in names.items()]
        ifs.put_many("AccountSet", rows, modified=changed)
        values = [(part, value) for part, values in CODE_PARTS.items() for value in values]
        ifs.put_many("CodePartValueSet", [_code_part(company, *value) for value in values], modified=changed)


def _account(company: str, code: str, name: str, expired: str) -> dict[str, Any]:
    return {
        "Company": company,
        "Account": code,
        "Description": name,
        "AccountType": {"1": "ASSETS", "2": "LIABILITIES", "3": "REVENUES"}.get(code[0], "COST"),
        "LogicalAccountType": {"1": "Assets", "2": "Liabilities", "3": "Revenues"}.get(code[0], "Cost"),
        "ValidFrom": "2015-01-01",
        "ValidUntil": expired if code == EXPIRED else "2049-12-31",
        "Blocked": code == BLOCKED,
        "ObjState": "Active",
    }


def _code_part(company: str, part: str, value: str) -> dict[str, Any]:
    dates = {"ValidFrom": "2015-01-01", "ValidUntil": "2049-12-31"}
    return {"Company": company, "CodePart": part, "CodePartValue": value, "Description": f"{part} {value}", **dates}


def seconds_into(day: date, seconds: int) -> str:
    """A timestamp as IFS writes it."""
    moment = datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
