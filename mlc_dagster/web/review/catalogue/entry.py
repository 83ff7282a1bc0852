"""One entry of the catalogue: what is wrong, what that means, what puts it right, where, and who can."""

from __future__ import annotations

from typing import NamedTuple

AP, CONTROLLER, ENGINEER, PURCHASING = "accounts payable", "controller", "data engineer", "purchasing"
ADMIN = "administrator of {there}"
MAPPED = "mlc.yaml"
THERE, ERP_ITSELF = "{there}", "IFS Cloud"


class Entry(NamedTuple):
    """`{there}` is the SaaS, `{value}` what is missing or differs, in quotes. A headline has 90 signs at most."""

    headline: str  # subject, fact, value: no rule's name, no "failed", no "error"
    meaning: str
    cure: str
    place: str  # in which system
    who: str
