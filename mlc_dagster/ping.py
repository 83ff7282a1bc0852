"""Is everything there? Signs in to each connection, asks for each entity set, names what is missing and its cure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from mlc_dagster.connections import airbase_client, cin7_client, hubspot_client, ifs_client, monday_client
from mlc_dagster.credentials import secret
from mlc_dagster.errors import AccessDenied, MlcError, TransientError
from mlc_dagster.ledger import Ledger
from mlc_dagster.settings import Settings, environment
from mlc_dagster.systems.cin7.client import Cin7Client
from mlc_dagster.systems.http import LocalBudget
from mlc_dagster.systems.hubspot.portal import Portal
from mlc_dagster.systems.hubspot.properties import PROPERTIES
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.catalogue import wire_name
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.vocabulary import EntitySet


@dataclass(frozen=True)
class Finding:
    """One line of the answer."""

    system: str
    what: str
    ok: bool
    answer: str


def ping_all(settings: Settings) -> list[Finding]:
    """Every connection that is on, at once. Reads only; the ledger is not opened."""
    asked: list[Callable[[], list[Finding]]] = [lambda: list(_ifs(settings))]
    if settings.cin7:
        asked.append(lambda: list(_cin7(settings)))
    if settings.airbase:
        asked.append(lambda: list(_airbase(settings)))
    if settings.monday:
        asked.append(lambda: list(_monday(settings)))
    if settings.hubspot:
        asked.append(lambda: list(_hubspot(settings)))
    with ThreadPoolExecutor(len(asked)) as threads:
        return [finding for found in threads.map(lambda ask: ask(), asked) for finding in found]


def _ifs(settings: Settings) -> Iterator[Finding]:
    """The first entity set tells whether sign-in and host are right; if not, the rest would say the same."""
    catalogue = list(ifs.catalogue(settings.ifs.entity_sets).values())
    try:
        client = ifs_client(settings.ifs, _secret("IFS_CLIENT_ID"), _secret("IFS_CLIENT_SECRET"), _budget, tries=2)
    except MlcError as error:
        yield Finding("ifs", "sign-in", False, str(error))
        return
    first, fatal = _entity_set(client, catalogue[0])
    yield Finding("ifs", "sign-in", not fatal, first.answer if fatal else settings.ifs.base_url)
    if not fatal:
        with ThreadPoolExecutor(settings.ifs.in_flight) as threads:
            yield from [finding for finding, _ in threads.map(lambda entity: _entity_set(client, entity), catalogue)]
        yield Finding("ifs", "clock", True, f"{client.api.skew_seconds or 0.0:+.1f} s from ours")


def _entity_set(client: IfsClient, entity: EntitySet) -> tuple[Finding, bool]:
    """What the tenant says of an entity set, and whether it would say it of all."""
    what = f"{entity.projection}/{entity.path}"
    try:
        report = client.schema_report(entity)
        gone = [f"{name} ({wire_name(name, entity.wire)})" for name in report.gone] if report else []
        if gone:
            cure = f"Name them in mlc.yaml: ifs.entity_sets.{entity.name}.fields"
            return Finding("ifs", what, False, f"the tenant has no {', '.join(gone)}\n  {cure}"), False
        client.find(entity, most=1)
    except MlcError as error:
        fatal = isinstance(error, TransientError) or (isinstance(error, AccessDenied) and "token" in str(error).lower())
        return Finding("ifs", what, False, str(error)), fatal
    return Finding("ifs", what, True, "reads" if report else "reads; it answers no $metadata"), False


def _cin7(settings: Settings) -> Iterator[Finding]:
    assert settings.cin7 is not None
    try:
        keys = _secret("CIN7_ACCOUNT_ID"), _secret("CIN7_APPLICATION_KEYS")
        client: Cin7Client = cin7_client(settings.cin7, *keys, _budget, tries=2)
        books = client.books()
        yield Finding("cin7", "sign-in", True, f"base currency {books.base_currency}")
        yield Finding("cin7", "chart of accounts", bool(books.accounts), f"{len(books.accounts)} accounts to post to")
        yield from (Finding("cin7", "mlc.yaml", False, sentence) for sentence in client.missing())
    except MlcError as error:
        yield Finding("cin7", "sign-in", False, str(error))


def _airbase(settings: Settings) -> Iterator[Finding]:
    """Each path by itself, since each may be configured; an empty one is off, and says so."""
    assert settings.airbase is not None
    paths = settings.airbase.paths.model_dump()
    try:
        client = airbase_client(settings.airbase, _secret("AIRBASE_TOKEN"), _budget, tries=2)
    except MlcError as error:
        yield Finding("airbase", "sign-in", False, str(error))
        return
    for name, path in paths.items():
        setting = f"airbase.paths.{name}"
        if not path:
            yield Finding("airbase", name, True, f"switched off: {setting} is empty{_WITHOUT.get(name, '')}")
        elif name.endswith("_bulk"):
            yield Finding("airbase", name, True, f"{path} (not asked: it takes writes alone)")
        else:
            try:
                client.reach(path)
                yield Finding("airbase", name, True, f"{path} reads")
            except MlcError as error:
                yield Finding("airbase", name, False, f"{error}")
                if isinstance(error, AccessDenied | TransientError):
                    return  # the others would say the same
    for flow, why in settings.airbase.switched_off.items():
        yield Finding("airbase", flow, True, f"switched off: {why}")


_WITHOUT = {
    "vendors": ": neither vendors nor orders are sent",
    "vendors_bulk": ": vendors are sent one by one",
    "accounts": ": accounts are judged by the chart of IFS alone, and the two charts are not compared",
    "subsidiaries": ": subsidiaries are not checked",
    "purchase_orders": ": orders are not sent",
    "purchase_orders_bulk": ": orders are sent one by one",
}


def _monday(settings: Settings) -> Iterator[Finding]:
    """Whose token it is, and whether each board has the columns that mlc.yaml names, of a type that fits."""
    assert settings.monday is not None
    try:
        client = monday_client(settings.monday, _secret("MONDAY_TOKEN"), _budget, tries=2)
        yield Finding("monday", "sign-in", True, client.who())
        wrong = list(client.missing())
        made = settings.monday.create_columns
        yield from (Finding("monday", "mlc.yaml", made and "has no column" in words, words) for words in wrong)
        if not wrong:
            yield Finding("monday", "boards", True, f"{len(list(settings.monday.boards.used()))}, with their columns")
    except MlcError as error:
        yield Finding("monday", "sign-in", False, str(error))


def _hubspot(settings: Settings) -> Iterator[Finding]:
    """The account, then each object type: a token may read one and not another."""
    assert settings.hubspot is not None
    try:
        portal = hubspot_client(settings.hubspot, _secret("HUBSPOT_TOKEN"), _budget, tries=2).portal
        account, books = portal.account(), portal.books()
    except MlcError as error:
        yield Finding("hubspot", "sign-in", False, str(error))
        return
    yield Finding("hubspot", "sign-in", True, f"portal {account.get('portalId')}")
    yield Finding("hubspot", "currencies", bool(books.currencies), ", ".join(sorted(books.currencies)))
    for kind in PROPERTIES if settings.hubspot.deals else [kind for kind in PROPERTIES if kind != "deals"]:
        try:
            missing, faults = portal.lacking(kind)
        except MlcError as error:
            yield Finding("hubspot", kind, False, str(error))
        else:
            made = f"{len(missing)} properties are made by the first load" if missing else "all properties are there"
            yield Finding("hubspot", kind, not faults, "; ".join(faults) or made)
    if settings.hubspot.deals:
        yield _deal_stage(portal)


def _deal_stage(portal: Portal) -> Finding:
    try:
        return Finding("hubspot", "closed-won stage", True, "/".join(portal.stage()))
    except MlcError as error:
        return Finding("hubspot", "closed-won stage", False, str(error))


def _budget(name: str, calls: int, seconds: float) -> LocalBudget:
    """A ping writes nothing, so it does not share the ledger's budget; it asks a dozen times."""
    return LocalBudget(calls, seconds)


def _secret(name: str) -> str:
    """From the environment, else from the vault: the ledger is opened only where a master key is set."""
    with ExitStack() as opened:
        return secret(name, lambda: opened.enter_context(Ledger.open(environment().database_url)))
