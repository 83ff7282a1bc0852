"""What a ping asks of HubSpot: the portal, and of each object type the rights, the properties; clock and rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlc_dagster.core.errors import MlcError, RecordRejected
from mlc_dagster.systems.hubspot.api import ACCOUNT, HubspotApi, objects, properties
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.systems.hubspot.connect import hubspot_client
from mlc_dagster.systems.hubspot.objects.properties import PROPERTIES
from mlc_dagster.systems.hubspot.ping_limits import limits
from mlc_dagster.systems.hubspot.portal import ANEW, Portal
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.shared.findings import Finding, Question, budget, clock, rate, refused, wrong
from mlc_dagster.transport.client import ApiClient, in_order

UNTOLD = "the token may not ask which portal this is, and which currencies it has: HubSpot judges them"
NOBODY = "1"  # an id to ask for: whether there is such an object does not matter


def ask_hubspot(question: Question) -> Iterator[Finding]:
    """The account, then each object type: a token may reach one and not another."""
    section, (token,) = question.section(HubspotSettings), question.secrets
    try:
        client = hubspot_client(section, token, budget, tries=2)
        account = client.portal.account()
    except MlcError as error:
        yield refused("hubspot", "sign-in", error)
        return
    told = f"portal {account.get('portalId')} ({account.get('accountType')})"
    yield Finding("hubspot", "sign-in", True, told if account else UNTOLD)
    if account:
        yield _currencies(client.portal)
    kinds = [kind for kind in PROPERTIES if kind != "deals" or section.deals]
    yield from in_order(lambda kind: _kind(client, kind), kinds, section.in_flight)
    yield from limits(HubspotApi(client.api), client.portal, kinds, section)
    if section.deals:
        yield _deal_stage(client.portal)
        yield _deal_match(section)
    yield from clock("hubspot", client.api)
    yield _rate(client.api, section.calls_per_10_seconds)


def _currencies(portal: Portal) -> Finding:
    if found := portal.books().currencies:
        return Finding("hubspot", "currencies", True, ", ".join(sorted(found)))
    cure = "Set the company currency in HubSpot, Settings, Account defaults, Currency."
    return wrong("hubspot", "currencies", "the portal tells none", cure)


def _kind(client: HubspotClient, kind: str) -> Finding:
    """Whether the token may read and write objects of this type, and whether the properties fit."""
    api, errors = HubspotApi(client.api), []
    answer, faults = "", list[str]()
    for ask in (lambda: api.read(kind, [NOBODY], "hs_object_id"), lambda: _nothing(api, objects(kind, "batch/upsert"))):
        errors += _denied(ask)
    try:
        missing, faults = client.portal.lacking(kind)
        answer = f"{len(missing)} properties are made by the first load" if missing else "all properties are there"
        if missing:
            errors += _denied(lambda: _nothing(api, properties(kind, "batch/create")))
    except MlcError as error:
        errors.append(error)
    if errors:
        return refused("hubspot", kind, *errors)
    return wrong("hubspot", kind, "; ".join(faults), ANEW) if faults else Finding("hubspot", kind, True, answer)


def _denied(ask: Callable[[], object]) -> list[MlcError]:
    try:
        ask()
    except MlcError as error:
        return [error]
    return []


def _nothing(api: HubspotApi, path: str) -> None:
    """A batch of nothing: it writes nothing, and a missing scope is refused before the batch is looked at."""
    try:
        api.post(path, {"inputs": []})
    except RecordRejected:
        return  # the right is there: HubSpot read the batch, and found it empty


def _deal_stage(portal: Portal) -> Finding:
    try:
        return Finding("hubspot", "closed-won stage", True, "/".join(portal.stage()))
    except MlcError as error:
        return refused("hubspot", "closed-won stage", error)


def _deal_match(section: HubspotSettings) -> Finding:
    """By what deals that people keep are found, so that no second one is made beside them."""
    by = [f"{name} = {field} of the invoice" for name, field in section.deal_key.items()]
    by += ["held where the company has one of the same amount"] * section.propose_deals
    nothing = "by nothing but our key: set hubspot.deal_key, or hubspot.propose_deals, where people keep deals already"
    return Finding("hubspot", "deals that are there", True, ", ".join(by) or nothing)


def _rate(api: ApiClient, calls: int) -> Finding:
    try:
        headers = api.request("GET", ACCOUNT).headers
    except MlcError as error:
        return refused("hubspot", "rate", error)
    return rate("hubspot", [_burst(headers), _daily(headers)], f"{calls} calls in 10 s")


def _burst(headers: Mapping[str, Any]) -> str:
    left, most = headers.get("x-hubspot-ratelimit-remaining"), headers.get("x-hubspot-ratelimit-max")
    milliseconds = str(headers.get("x-hubspot-ratelimit-interval-milliseconds", ""))
    seconds = f" of {int(milliseconds) / 1000:g} s" if milliseconds.isdigit() else ""
    return f"{left} of {most} calls{seconds} left" if left and most else ""


def _daily(headers: Mapping[str, Any]) -> str:
    left, most = headers.get("x-hubspot-ratelimit-daily-remaining"), headers.get("x-hubspot-ratelimit-daily")
    return f"{left} of {most} of today left" if left and most else ""
