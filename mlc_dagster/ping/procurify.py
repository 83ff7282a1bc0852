"""What a ping asks of Procurify: as whom, each list that is read, what is off, clock and rate."""

from __future__ import annotations

from collections.abc import Iterator

from mlc_dagster.connections import procurify_client
from mlc_dagster.errors import AccessDenied, Misconfigured, MlcError, TransientError
from mlc_dagster.ping.finding import Finding, budget, clock, rate, refused, sealed
from mlc_dagster.settings import Settings
from mlc_dagster.systems.procurify.client import ProcurifyClient
from mlc_dagster.systems.words import sentence

LISTS = ("bills", "purchase_orders", "vendors", "departments", "locations")
"""At two calls a second a person waits for each."""


def ask_procurify(settings: Settings) -> Iterator[Finding]:
    """Each list by itself: the role of the application's user may see one and not the other."""
    assert settings.procurify is not None
    section = settings.procurify
    try:
        client_id, client_secret = sealed("PROCURIFY_CLIENT_ID"), sealed("PROCURIFY_CLIENT_SECRET")
        client = procurify_client(section, client_id, client_secret, budget, tries=2)
        yield Finding("procurify", "sign-in", True, _whom(client))
    except MlcError as error:
        yield refused("procurify", "sign-in", error)
        return
    for name in LISTS:
        path = getattr(section.paths, name)
        try:
            client.reach(path)
            yield Finding("procurify", name, True, f"{path} reads")
        except (AccessDenied, Misconfigured) as error:
            yield refused("procurify", name, error)
        except TransientError as error:
            yield refused("procurify", name, error)
            return  # the others would say the same
    for flow, why in section.switched_off.items():
        yield Finding("procurify", flow, True, f"switched off: {why}")
    yield from clock("procurify", client.api)
    yield rate("procurify", (), f"{section.requests_per_second} calls a second")


def _whom(client: ProcurifyClient) -> str:
    """The user whose role the application has. Raises MlcError."""
    user = client.reach(client.at.me).get("data") or {}
    named = [sentence(user.get(name)) for name in ("email", "role")]
    return f"as {', '.join(each for each in named if each) or 'a user without a name'}"
