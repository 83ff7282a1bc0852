"""`mlc discover hubspot`: the portal, its currencies, pipelines, quotas, and what it requires. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlc_dagster.core.errors import AccessDenied
from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.hubspot.api import DEAL_PIPELINES, HubspotApi
from mlc_dagster.systems.hubspot.connect import hubspot_client
from mlc_dagster.systems.hubspot.objects.properties import PROPERTIES
from mlc_dagster.systems.hubspot.ping_limits import limits
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.shared.discovery import Choice, CodesInUse, Discovery, Setting, discovered
from mlc_dagster.systems.shared.findings import Finding, Question, budget

TITLE = (
    "Proposed by `mlc discover hubspot`; nothing was changed. A line with a question mark is for a person to decide."
)
_DAYS = re.compile(r"\d{1,3}")


def discover_hubspot(question: Question, flows: Sequence[Flow], codes: CodesInUse) -> Discovery:
    """Raises AccessDenied where the token is refused, Misconfigured where mlc.yaml names another portal."""
    section, (token,) = question.section(HubspotSettings), question.secrets
    client = hubspot_client(section, token, budget, tries=2)
    api, account = HubspotApi(client.api), client.portal.account()
    kinds = [kind for kind in PROPERTIES if kind != "deals" or section.deals]
    findings = [
        _portal(account),
        _currencies(client.portal.books().currencies),
        *limits(api, client.portal, kinds, section),
    ]
    return discovered("hubspot", list(_settings(account, codes)), list(_choices(api, question, codes)), findings)


def _settings(account: Mapping[str, Any], codes: CodesInUse) -> Iterator[Setting]:
    if portal := account.get("portalId"):
        yield Setting("portal_id", str(portal), "a token of another portal is refused")
    if terms := {code: f"{code} days" for code in sorted(codes.payment_terms) if _DAYS.fullmatch(code)}:
        yield Setting("payment_terms", terms, "as people read them in HubSpot: the ERP's codes in days")


def _choices(api: HubspotApi, question: Question, codes: CodesInUse) -> Iterator[Choice]:
    for code, number in codes.payment_terms.most_common():
        if not _DAYS.fullmatch(code):
            yield Choice(f"payment_terms.{code}", f"What people read for payment term {code} ({number} records)", ())
    yield Choice("deals", "Invoices as closed-won deals, too", ("true", "false"), "false")
    if len(pipelines := _pipelines(api)) > 1:
        yield Choice(
            "deal_pipeline", "The pipeline of those deals", pipelines, "default" if "default" in pipelines else ""
        )


def _pipelines(api: HubspotApi) -> tuple[str, ...]:
    """None where the token may not ask: deals are off until somebody wants them."""
    try:
        return tuple(str(each["id"]) for each in api.get(DEAL_PIPELINES).get("results") or ())
    except AccessDenied:
        return ()


def _portal(account: Mapping[str, Any]) -> Finding:
    told = f"portal {account.get('portalId')} ({account.get('accountType')})" if account else "the token may not ask"
    return Finding("hubspot", "portal", bool(account), told)


def _currencies(found: frozenset[str]) -> Finding:
    return Finding("hubspot", "currencies", bool(found), ", ".join(sorted(found)) or "the portal tells none")
