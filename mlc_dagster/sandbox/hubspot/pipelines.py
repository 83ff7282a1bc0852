"""The deal pipelines of the sandboxed HubSpot: one, whose closed stages have names of the portal's own."""

from __future__ import annotations

from mlc_dagster.sandbox.hubspot.objects import Row

_MADE = {"archived": False, "createdAt": "2026-01-05T08:00:00Z", "updatedAt": "2026-01-05T08:00:00Z"}


def _stage(name: str, label: str, order: int, closed: bool, probability: str) -> Row:
    told = {"isClosed": str(closed).lower(), "probability": probability}
    rest = {"displayOrder": order, "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT", **_MADE}
    return {"id": name, "label": label, "metadata": told, **rest}


PIPELINES: list[Row] = [
    {
        "id": "default",
        "label": "Sales pipeline",
        "displayOrder": 0,
        "stages": [
            _stage("contractsent", "Contract sent", 0, False, "0.9"),
            _stage("closedlost", "Closed lost", 1, True, "0.0"),
            _stage("98765432", "Closed won", 2, True, "1.0"),
        ],
        **_MADE,
    },
]
