"""HubSpot in the sandbox: it begins empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.sandbox.hubspot.api import TOKEN, HubspotSandbox
from mlc_dagster.sandbox.hubspot.traits import PROFILES, Traits
from mlc_dagster.sandbox.limits import RollingCounts
from mlc_dagster.sandbox.part import Account, Part, Shared


def _made(shared: Shared, limits: Mapping[str, int]) -> HubspotSandbox:
    counts = RollingCounts(limits["calls_per_10_seconds"], shared.minute / 6)
    traits = shared.traits or Traits()
    return HubspotSandbox(counts, shared.journal, shared.lock, limits["calls_per_day"], traits)


def _merge(hubspot: HubspotSandbox, body: dict[str, Any]) -> dict[str, str]:
    """As a user does: {"kind": "companies", "primary": ..., "secondary": ...}; the id of the new record."""
    names = ("kind", "primary", "secondary")
    try:
        return {"id": hubspot.merge(*(str(body.get(name, "")) for name in names))}
    except KeyError as error:
        raise ValueError(f"there is no {error} to merge") from None


def _serve(system: HubspotSandbox, portal: str) -> None:
    system.account["portalId"] = int(portal)


PART = Part(
    name="hubspot",
    make=_made,
    settings=lambda url: {
        "calls_per_10_seconds": "190",
        "deals": "true",
        "company_properties": {"20": "japan"},
        "base_url": f"{url}/hubspot",
    },
    secrets={"HUBSPOT_TOKEN": TOKEN},
    limits={"calls_per_10_seconds": 190, "calls_per_day": 625_000},
    traits=Traits(),
    profiles=PROFILES,
    nearest=("recorded",),
    controls={("POST", "merge"): _merge},
    account=Account(_serve, lambda number: str(147_000_001 + number)),
)
