"""mlc.yaml with the sections of the systems that there are, and what follows from both: flows, secrets, clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mlc_dagster import settings as text
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, renamed
from mlc_dagster.settings import DEMO_FOLDER, Environment, Settings, environment, is_chosen
from mlc_dagster.settings.alerts import PASSWORD, WEBHOOK
from mlc_dagster.settings.document import Document
from mlc_dagster.settings.mistakes import Mistake
from mlc_dagster.systems.ifs.lacking import lacking
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.registry import sections, systems
from mlc_dagster.systems.shared.connections import Budgets, Kept, kept_nowhere, secret_name
from mlc_dagster.systems.system import BankVault, System

__all__ = [
    "DEMO_FOLDER",
    "Environment",
    "Settings",
    "environment",
    "is_chosen",
]

ALERTS = (WEBHOOK, PASSWORD)
"""The secrets of alerts."""


# --- the file -------------------------------------------------------------------------------------------------------


def load(path: Path) -> Settings:
    """The settings in a file. Raises Misconfigured, with one line for each mistake."""
    return text.load(path, sections())


def parse(content: Any, where: str) -> Settings:
    """Settings from parsed YAML; `where` names the file in messages. Raises Misconfigured."""
    return text.parse(content, where, sections())


def settled(document: Document, also: Iterable[Mistake] = ()) -> Settings:
    """The settings of a document. Raises Misconfigured with all mistakes: its own, and those that others found."""
    return text.settled(document, sections(), also)


def json_schema() -> str:
    """The JSON schema of mlc.yaml, for editors."""
    return text.json_schema(sections())


def erp_settings(settings: Settings) -> IfsSettings:
    """What the file says of the ERP."""
    section = settings.section(ERP)
    assert isinstance(section, IfsSettings)
    return section


# --- connections ----------------------------------------------------------------------------------------------------


def connections(settings: Settings | None = None) -> dict[str, System]:
    """Connection -> its system, whether it is on or not; every system's own name where there are no settings."""
    names = {name: name for name in systems()} if settings is None else settings.systems
    return {name: systems()[system] for name, system in names.items()}


def flows(settings: Settings | None = None) -> dict[str, tuple[Flow, ...]]:
    """SaaS connection -> all of its flows, whether it is on or not."""
    known = connections(settings)
    return {name: tuple(_flows_of(system, name)) for name, system in known.items() if system.flows}


def _flows_of(system: System, connection: str) -> Iterator[Flow]:
    for flow in system.flows:
        yield replace(flow.under(connection), title=system.title)


def known_flows(settings: Settings | None = None) -> dict[str, Flow]:
    """Name -> flow, of every connection."""
    return {flow.name: flow for table in flows(settings).values() for flow in table}


def switched_off(settings: Settings, connection: str) -> Mapping[str, str]:
    """Flow -> why it is off, of a connection that is on: by mlc.yaml, or since the ERP's tenant lacks what it needs."""
    system = settings.system_of(connection)
    off = settings.target(connection).switched_off
    said = {renamed(flow, system, connection): renamed(why, system, connection) for flow, why in off.items()}
    return {**lacking_flows(settings, connection), **said}


def lacking_flows(settings: Settings, connection: str) -> dict[str, str]:
    """Flow -> what the ERP's tenant does not have of it, as mlc.yaml and its catalogue say; nothing where the names of
    entity sets are wrong: that is refused at the start.
    """
    section = erp_settings(settings)
    try:
        catalogue = catalogue_for(section)
    except Misconfigured:
        return {}
    flows = _flows_of(systems()[settings.system_of(connection)], connection)
    return {flow.name: why for flow in flows if (why := lacking(flow, catalogue, section))}


def secrets(connection: str, system: System, settings: Settings | None = None) -> tuple[str, ...]:
    """The names of a connection's secrets, in the order in which its client takes them."""
    section = settings.connections.get(connection) if settings else None
    own = system.secrets_of(section)
    return tuple(_of_tenant(secret_name(name, system.name, connection), settings) for name in own)


def webhook_secrets(connection: str, settings: Settings | None = None) -> tuple[str, ...]:
    """The names of what a sender proves itself by; each has one that is to replace it: both are good meanwhile."""
    kinds = (f"{connection.upper()}_WEBHOOK_{kind}" for kind in ("SECRET", "HMAC_KEY"))
    return tuple(_of_tenant(f"{kind}{which}", settings) for kind in kinds for which in ("", "_NEXT"))


def _of_tenant(name: str, settings: Settings | None) -> str:
    return settings.secret(name) if settings else name


def needed_secrets(settings: Settings | None = None) -> dict[str, tuple[str, ...]]:
    """Connection -> the names of the secrets without which it cannot sign in."""
    return {name: secrets(name, system, settings) for name, system in connections(settings).items()}


def optional_secrets(settings: Settings | None = None) -> dict[str, tuple[str, ...]]:
    """What -> names of secrets that nobody misses."""
    senders = [name for name, system in connections(settings).items() if system.webhooks]
    webhooks = tuple(each for name in senders for each in webhook_secrets(name, settings))
    return {"webhooks": webhooks, "alerts": ALERTS, **_other_sign_ins(settings)}


def _other_sign_ins(settings: Settings | None) -> dict[str, tuple[str, ...]]:
    """Connection -> the secrets of the sign-in that it does not use: they may be sealed before it does."""
    found = {}
    for name, system in connections(settings).items():
        if other := system.other_sign_in:
            own = secrets(name, system, settings)
            every = (
                _of_tenant(secret_name(each, system.name, name), settings) for each in (*system.secrets, *other.secrets)
            )
            found[f"{name}, signed in otherwise"] = tuple(each for each in every if each not in own)
    return found


def all_secrets(settings: Settings | None = None) -> tuple[str, ...]:
    """The name of every secret that anything asks for."""
    tables = (*needed_secrets(settings).values(), *optional_secrets(settings).values())
    return tuple(name for table in tables for name in table)


def known_secret(name: str, settings: Settings | None = None) -> str:
    """The name, where some connection asks for it. Raises Misconfigured: a typo would be found out too late."""
    every = all_secrets(settings)
    if name not in every:
        raise Misconfigured(f"no connection asks for {name[:40]!r}", cure=f"There is: {', '.join(every)}")
    return name


def client(
    settings: Settings,
    connection: str,
    secret: Callable[[str], str],
    budgets: Budgets,
    tries: int = 8,
    *,
    kept: Kept = kept_nowhere,
    bank_salt: Callable[[], bytes] | None = None,
    bank_vault: BankVault | None = None,
) -> Any:
    """The client of a connection; `bank_...` as `System.client` has it: without them its marks of bank details are none
    of the ledger's. Nothing is sent before its first use. Raises Misconfigured: a secret is missing.
    """
    system = systems()[settings.system_of(connection)]
    names = secrets(connection, system, settings)
    values = {name: secret(name) for name in names}
    make = partial(system.client, kept=kept, bank_salt=bank_salt, bank_vault=bank_vault)
    return make(settings.section(connection), values, budgets, connection, tries)
