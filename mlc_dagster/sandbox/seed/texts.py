"""Names and codes for the demo records, with the hostile ones that every real tenant has."""

from __future__ import annotations

from random import Random

_FIRST = """
Nordic Baltic Lunda Vikbo Solna Kvarn Ekholm Björk Åby Öresund Hansa Polar Aurora Fjord Granit Tall Lind Rönn
Sjö Stål Kyoto Sakura Hikari Minato Yamato Fuji Asahi Gulf Pearl Falcon Oasis Desert Dana Marina Summit Delta
Orion Vega Atlas Nova
"""
_SECOND = """
Bearings Steel Tools Logistics Packaging Electronics Hydraulics Paper Chemicals Timber Castings Cables Pumps
Valves Plastics Textiles Consulting Services Components Instruments
"""
FORMS = {"0010": "AB", "20": "K.K.", "0030": "W.L.L."}

HOSTILE_NAMES = (
    'Bröderna "Kvist" & Söner <AB>',
    "O'Brien's Fasteners",
    "🚀 Rocket Parts 🇸🇪",
    "شركة الخليج للتجارة",
    "=HYPERLINK(A1)+Consulting",
    "<script>alert('paid')</script> Trading",
    "株式会社 山田製作所",
    "Tab\\Slash/Percent % Works",
    "-1+1 Accountants",
    "Null",
    "Zażółć gęślą jaźń Sp. z o.o.",
    "Ὀδυσσεύς Shipping",
)
TOO_LONG_NAME = "The Very Long Established Company of Makers of Precise and Lasting Things " * 4  # Cin7 takes 256
HOSTILE_KEYS = (
    "O'NEIL-7",
    "A/B 100%",
    "ÅÄÖ-1",
    "0001",
    "1",
    "S 77",
    "50%25",
    "é#&?=+",
    "山田-1",
    "00042",
    "42",
    "a,b;c",
)

PARTS = tuple(f"{letter}-{number:04d}" for letter in ("BRG", "VLV", "CBL", "PMP", "SEN") for number in range(101, 113))
PART_NAMES = {"BRG": "Ball bearing", "VLV": "Control valve", "CBL": "Cable, per metre", "PMP": "Pump", "SEN": "Sensor"}
UNKNOWN_PARTS = ("OLD-9001", "BRG-9999")
SERVICES = ("Installation on site", "Freight", "Annual calibration", "Consulting, half a day", "Disposal fee")


def company_names(rng: Random, company: str, count: int) -> list[str]:
    """Distinct names with the company form of the country."""
    every = [f"{first} {second} {FORMS[company]}" for first in _FIRST.split() for second in _SECOND.split()]
    return rng.sample(every, count)


def part_name(part: str) -> str:
    return f"{PART_NAMES.get(part[:3], 'Part')} {part[-3:]}"
