"""Do the ledger and the sandbox agree, record by record and to the cent?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from mlc_dagster.core.flows import Flow
from mlc_dagster.demo.comparisons import airbase, approvals, cin7, hubspot, ifs, monday, procurify, vouchers
from mlc_dagster.demo.comparisons.books import Owed
from mlc_dagster.demo.comparisons.compared import Compared
from mlc_dagster.demo.place import Place
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.settings import Settings
from mlc_dagster.systems.procurify.settings import ProcurifySettings


@contextmanager
def compared(place: Place, flows: Sequence[Flow]) -> Iterator[Compared]:
    """What the sandbox holds from now on: each system is asked once."""
    environment = place.environment()
    with Ledger.open(environment["MLC_DATABASE_URL"]) as ledger:
        yield Compared(cache(place.state), flows, ledger, RowStore(environment["MLC_STORAGE"]))


def disagreements(found: Compared, settings: Settings) -> Iterator[str]:
    """One line for each difference between what was prepared and delivered, and what the systems hold."""
    section = settings.connections.get("procurify")
    for system in (cin7, hubspot, airbase, approvals, vouchers, monday):
        yield from system.disagreements(found)
    if isinstance(section, ProcurifySettings):
        yield from procurify.disagreements(found, section)
    yield from ifs.disagreements(found, settings)


def amounts(found: Compared, settings: Settings) -> Iterator[tuple[str, list[Owed]]]:
    """(title, what is owed and where it is) of what a SaaS says in money."""
    section = settings.connections.get("procurify")
    if isinstance(section, ProcurifySettings):
        yield "The books: Procurify's bills in states that are posted", procurify.owed(found, section)
