"""What assets, jobs and sensors work with, from mlc.yaml: fixed, so that no run says it otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from mlc_dagster.orchestration.resources import ConnectionResource, LedgerResource, StorageResource
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.systems.configuration import connections, secrets

DATABASE = "MLC_DATABASE_URL"


def resources(
    settings: Settings, environment: Environment, *, shares_budget: bool = True
) -> dict[str, dg.ResourceDefinition]:
    """Clients and stores. They know the names of their secrets: the UI shows no more than that.

    What mlc.yaml says is fixed: no run sends the tenant's secrets to an address that somebody typed into the launchpad.
    `shares_budget=False`: their calls are not counted in the ledger, which so stays as it is.
    """
    kept: dict[str, Any] = {"tenant": settings.tenant, "reads_only": not shares_budget}
    ledger = LedgerResource(database_url=dg.EnvVar(DATABASE), **kept)  # the address may hold a password
    stored: dict[str, Any] = {"root": environment.storage, "tenant": settings.tenant}
    found = {
        "ledger": _fixed(ledger, {**kept, "database_url": {"env": DATABASE}}),
        "storage": _fixed(StorageResource(**stored, ledger=ledger), stored),
    }
    known = connections(settings)
    for name, section in settings.connections.items():
        told: dict[str, Any] = {
            "connection": name,
            "system": known[name].name,
            "secrets": list(secrets(name, known[name], settings)),
            "section": section.model_dump(mode="json", exclude_none=True),
            "connections": {each: system.name for each, system in known.items()},
            "shares_budget": shares_budget,
            "bank_details_go_out": any(each.takes_bank_details for each in settings.targets.values()),
        }
        words = f"{known[name].title}, as mlc.yaml says. Its secrets: {', '.join(told['secrets'])}"
        found[name] = _fixed(ConnectionResource(**told, ledger=ledger), told, words)
    return found


def _fixed(resource: dg.ConfigurableResource[Any], values: Mapping[str, Any], words: str = "") -> dg.ResourceDefinition:
    """The resource with these values, and no others whatever a run asks for."""
    definition = resource.get_resource_definition()
    return definition.configured(dict(values), description=words or definition.description)
