"""Asks one system what it has, for a proposal of what mlc.yaml could say of it. Writes nothing, anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.settings import Settings
from mlc_dagster.systems.configuration import connections, secrets
from mlc_dagster.systems.ifs.codes_in_use import codes_in_use
from mlc_dagster.systems.ifs.connect import ifs_client
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.shared.connections import required_secrets
from mlc_dagster.systems.shared.discovery import CodesInUse, Discovery
from mlc_dagster.systems.shared.findings import Question, budget


def discoverable(settings: Settings) -> tuple[str, ...]:
    """The connections of mlc.yaml that can be asked what they have."""
    return tuple(name for name, system in connections(settings).items() if system.discover)


def discover(settings: Settings, connection: str, secret: Callable[[str], str], flows: Iterable[Flow]) -> Discovery:
    """What a connection has. `flows`: those that an absent thing may switch off.

    Raises Misconfigured for a connection that cannot be asked and for a secret that nobody has set; else as the system.
    """
    if connection not in (known := discoverable(settings)):
        cure = f"There is: {', '.join(f'mlc discover {name}' for name in known)}"
        raise Misconfigured(f"{connection!r} is no connection that can be asked what it has", cure=cure)
    system = connections(settings)[connection]
    assert system.discover is not None
    values = _secrets(settings, connection, secret)
    codes = CodesInUse() if system.is_erp else codes_of_the_erp(settings, secret)
    return system.discover(Question(connection, settings, values), tuple(flows), codes)


def codes_of_the_erp(settings: Settings, secret: Callable[[str], str]) -> CodesInUse:
    """What a SaaS is looked at beside; nothing where mlc.yaml knows no ERP yet. Raises AccessDenied, Misconfigured."""
    if ERP not in settings.connections:
        return CodesInUse()
    section = settings.section(ERP)
    assert isinstance(section, IfsSettings)
    client_id, client_secret = _secrets(settings, ERP, secret)
    return codes_in_use(ifs_client(section, client_id, client_secret, budget, tries=2))


def _secrets(settings: Settings, connection: str, secret: Callable[[str], str]) -> tuple[str, ...]:
    names = secrets(connection, connections(settings)[connection], settings)
    values = tuple(secret(name) for name in names)
    required_secrets(values, names)
    return values
