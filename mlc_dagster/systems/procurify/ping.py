"""What a ping asks of Procurify: as whom, each list that is read, what is off, clock and rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlc_dagster.core.errors import MlcError
from mlc_dagster.systems.procurify.client import ProcurifyClient
from mlc_dagster.systems.procurify.connect import procurify_client
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster.systems.shared.findings import NOT_SIGNED_IN, Finding, Question, budget, clock, rate, refused, wrong
from mlc_dagster.systems.shared.name_suggestions import suggestion
from mlc_dagster.transport.error_messages import sentence

LISTS = ("bills", "purchase_orders", "vendors", "departments", "locations")
"""At two calls a second a person waits for each."""

NAMED = {"departments": "cost_centers", "locations": "companies_by_location"}
"""Lists that mlc.yaml names entries of -> the table whose keys they are."""


def ask_procurify(question: Question) -> Iterator[Finding]:
    """Each list by itself: the role of the application's user may see one and not the other."""
    section = question.section(ProcurifySettings)
    try:
        client_id, client_secret = question.secrets
        client = procurify_client(section, client_id, client_secret, budget, tries=2)
        yield Finding("procurify", "sign-in", True, _whom(client))
    except MlcError as error:
        yield refused("procurify", "sign-in", error)
        return
    for name in LISTS:
        path = getattr(section.paths, name)
        try:
            if name in NAMED:
                yield from _named(client, name, path, section)
            else:
                client.probe(path)
            yield Finding("procurify", name, True, f"{path} reads")
        except MlcError as error:
            yield refused("procurify", name, error)
            if NOT_SIGNED_IN.search(error.message):
                return  # the others would say the same
    for flow, why in section.switched_off.items():
        yield Finding("procurify", flow, True, f"switched off: {why}")
    yield from clock("procurify", client.api)
    yield rate("procurify", (), f"{section.requests_per_second} calls a second")


def _named(client: ProcurifyClient, name: str, path: str, section: ProcurifySettings) -> Iterator[Finding]:
    """A line for each department or location that mlc.yaml maps and Procurify does not have. Raises MlcError."""
    named = [(setting, key) for setting, table in _tables(name, section) for key in table]
    if not named:
        client.probe(path)
        return
    rows = client.listed(path)
    known = {str(row[field]) for row in rows for field in ("name", "external_id") if row.get(field)}
    for setting, key in named:
        if key not in known:
            fault = f"{setting} maps {key!r}, and none of Procurify's {name} has that name or external id"
            cure = f"Correct it in mlc.yaml, or make it in Procurify. {suggestion(key, known)}"
            yield wrong("procurify", "mlc.yaml", fault, cure)


def _tables(name: str, section: ProcurifySettings) -> Iterator[tuple[str, Mapping[str, str]]]:
    """(setting, table) of all that name departments, or locations."""
    yield f"procurify.{NAMED[name]}", getattr(section, NAMED[name])
    for part, dimension in section.dimensions.items():
        if f"{dimension.source}s" == name:
            yield f"procurify.dimensions.{part}.values", dimension.values


def _whom(client: ProcurifyClient) -> str:
    """The user whose role the application has. Raises MlcError."""
    user = client.me()
    named = [sentence(user.get(name)) for name in ("email", "role")]
    return f"as {', '.join(each for each in named if each) or 'a user without a name'}"
