"""What a ping asks of Airbase: each path that mlc.yaml names, clock, and what is left of its rate."""

from __future__ import annotations

from collections.abc import Iterator

from mlc_dagster.core.errors import MlcError
from mlc_dagster.systems.airbase.client import AirbaseClient
from mlc_dagster.systems.airbase.connect import airbase_client
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.airbase.spend.entry_types import TYPE_CURE, TYPES
from mlc_dagster.systems.shared.findings import NOT_SIGNED_IN, Finding, Question, budget, clock, rate, refused, wrong
from mlc_dagster.systems.shared.name_suggestions import suggestion

_WITHOUT = {
    "vendors": ": neither vendors nor orders are sent",
    "vendors_bulk": ": vendors are sent one by one",
    "accounts": ": accounts are judged by the chart of IFS alone, and the two charts are not compared",
    "subsidiaries": ": subsidiaries are not checked",
    "purchase_orders": ": orders are not sent",
    "purchase_orders_bulk": ": orders are sent one by one",
    "purchase_requests": ": approved requests do not become vouchers",
    "ledger_entries": ": payments do not become vouchers",
    "bills": ": supplier invoices are not sent as bills",
    "bills_bulk": ": bills are sent one by one",
}


def ask_airbase(question: Question) -> Iterator[Finding]:
    """Each path by itself, since each may be configured; an empty one is off, and says so."""
    section, (token,) = question.section(AirbaseSettings), question.secrets
    try:
        client = airbase_client(section, token, budget, tries=2)
    except MlcError as error:
        yield refused("airbase", "sign-in", error)
        return
    read = ""
    for name, path in section.paths.model_dump().items():
        try:
            yield _path(client, name, path)
            read = read or ("" if name.endswith("_bulk") else path)
        except MlcError as error:
            if NOT_SIGNED_IN.search(error.message):  # the others would say the same
                yield refused("airbase", "sign-in", error)
                return
            yield refused("airbase", name, error)
    yield from _names(question, client)
    yield from _types(section, client)
    yield from _absent_paths(client)
    for flow, why in section.switched_off.items():
        yield Finding("airbase", flow, True, f"switched off: {why}")
    yield from clock("airbase", client.api)
    yield _rate(client, read, section.requests_per_minute)


def _path(client: AirbaseClient, name: str, path: str) -> Finding:
    """Raises MlcError where it does not read."""
    if not path:
        setting = f"airbase.paths.{name}"
        return Finding("airbase", name, True, f"switched off: {setting} is empty{_WITHOUT.get(name, '')}")
    if name.endswith("_bulk"):
        return Finding("airbase", name, True, f"{path} (not asked: it takes writes alone)")
    client.probe(path)
    return Finding("airbase", name, True, f"{path} reads")


def _names(question: Question, client: AirbaseClient) -> Iterator[Finding]:
    """Subsidiaries and accounts that mlc.yaml names and Airbase does not have. Of payment terms it keeps no list."""
    section = question.section(AirbaseSettings)
    try:
        books = client.books()
    except MlcError:
        return  # its path said so
    for code, company in question.settings.companies.items():
        name = company.names_in(question.connection).get("subsidiary", code)
        if books.subsidiaries is not None and name and name not in books.subsidiaries:
            cure = f"Name it in mlc.yaml, leave it empty, or make it in Airbase. {suggestion(name, books.subsidiaries)}"
            fault = f"companies.{code}.airbase.subsidiary is {name!r}, and Airbase has none with this ERP reference"
            yield wrong("airbase", "mlc.yaml", fault, cure)
    for code, name in section.gl_accounts.items():
        if books.has_chart and name not in books.accounts:
            fault = f"airbase.gl_accounts.{code} is {name!r}, and Airbase has no such account that is active"
            cure = f"Correct it in mlc.yaml, or make it in Airbase. {suggestion(name, books.accounts)}"
            yield wrong("airbase", "mlc.yaml", fault, cure)


def _types(section: AirbaseSettings, client: AirbaseClient) -> Iterator[Finding]:
    """Each type of ledger entries that waits for the ERP, with what it is by mlc.yaml."""
    kinds = section.tables()[TYPES]
    try:
        found = client.ledger_entry_types()
    except MlcError:
        return  # its path said so
    for each in found:
        if kind := kinds.get(each.type):
            yield Finding("airbase", f"type {each.type}", True, f"{kind}: {each.words()}")
        else:
            told = f"not entered, since mlc.yaml does not say what it is: {each.words()}. {TYPE_CURE}"
            yield Finding("airbase", f"type {each.type or '(none)'}", True, told)


def _absent_paths(client: AirbaseClient) -> Iterator[Finding]:
    """Fields that no document has where they are looked for: an error where mlc.yaml names the place."""
    try:
        found = list(client.absent_paths())
    except MlcError:
        return  # its path said so
    for setting, path, where in found:
        said = f"{setting} is {path!r}, and no document that was read has it"
        if where:
            yield wrong(
                "airbase", "mlc.yaml", said, "Correct the path, or leave it empty where there is no such field."
            )
        else:
            yield Finding("airbase", "field", True, f"{said}; where your tenant has it elsewhere, set the path")


def _rate(client: AirbaseClient, path: str, a_minute: int) -> Finding:
    """X-Ratelimit-Limit and -Remaining were seen; of which period, nobody says."""
    configured = f"{a_minute} calls a minute"
    if not path:
        return rate("airbase", (), configured)
    try:
        headers = client.api.request("GET", path, params={"page": 1, "page_size": 1}).headers
    except MlcError as error:
        return refused("airbase", "rate", error)
    left, most = headers.get("x-ratelimit-remaining"), headers.get("x-ratelimit-limit")
    return rate("airbase", [f"{left} of {most or '?'} calls left" if left else ""], configured)
