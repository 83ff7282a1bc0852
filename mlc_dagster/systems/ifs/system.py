"""IFS Cloud, the ERP, as the house knows it."""

from __future__ import annotations

from mlc_dagster.systems.ifs.connect import ifs_client
from mlc_dagster.systems.ifs.discover.discovery import discover_ifs
from mlc_dagster.systems.ifs.identity import has, tenant_of
from mlc_dagster.systems.ifs.ping import ask_ifs
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.system import System

SYSTEM = System(
    name="ifs",
    title="IFS Cloud",
    package=__package__,
    settings=IfsSettings,
    secrets=("IFS_CLIENT_ID", "IFS_CLIENT_SECRET"),
    connect=ifs_client,
    ping=ask_ifs,
    identity=tenant_of,
    has=has,
    reads_back=True,
    discover=discover_ifs,
)
