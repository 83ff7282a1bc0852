"""What a ping asks of a portal's limits: quotas, required properties, read-only amounts, the end of the version.

A token that may not ask (403) is no fault of the portal: then the answer is "unknown" (facts/saas-doubts.md, 2.11).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mlc_dagster.core.errors import AccessDenied, Misconfigured, MlcError, RecordRejected
from mlc_dagster.systems.hubspot.api import (
    ASSOCIATION_LIMITS,
    CUSTOM_PROPERTIES,
    VERSION,
    VERSION_ENDS,
    Document,
    HubspotApi,
    object_schema,
)
from mlc_dagster.systems.hubspot.objects.properties import PROPERTIES
from mlc_dagster.systems.hubspot.portal import MOST_UNIQUE, Portal
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.shared.findings import Finding, refused, wrong

TYPE_IDS = {"companies": "0-2", "deals": "0-3", "line_items": "0-8", "invoices": "0-53"}
EARLY = timedelta(days=183)
"""Before the end of a version: it is told half a year ahead."""

WRITTEN = {
    "companies": {"name"},
    "invoices": {
        *("hs_currency", "hs_invoice_billable", "hs_number", "hs_invoice_date", "hs_due_date", "hs_invoice_status"),
        *("hs_purchase_order_number", "hs_comments"),
    },
    "line_items": {"name", "quantity", "price", "hs_line_item_currency_code"},
    "deals": {"dealname", "pipeline", "dealstage", "amount", "closedate", "deal_currency_code"},
}
"""Object type -> HubSpot's own properties that every new record is made with."""


def limits(api: HubspotApi, portal: Portal, kinds: list[str], section: HubspotSettings) -> Iterator[Finding]:
    """One line for each limit. `portal` has read the properties of these object types."""
    yield _quota(api, portal, kinds)
    yield _associations(api)
    for kind in kinds:
        yield from _required(api, kind, section)
    yield from _totals(portal, kinds)
    yield _matching(portal, section)
    yield from version_window(datetime.now(UTC).date())


def _quota(api: HubspotApi, portal: Portal, kinds: list[str]) -> Finding:
    what = "property quota"
    try:
        told = _told(api, CUSTOM_PROPERTIES)
        lacking = {kind: portal.lacking(kind)[0] for kind in kinds}
    except MlcError as error:
        return refused("hubspot", what, error)
    if told is None:
        return Finding("hubspot", what, True, "unknown: the token may not ask")
    needed = {kind: len(names) for kind, names in lacking.items()}
    by_type = {str(each.get("objectTypeId")): each for each in told.get("byObjectType") or ()}
    short = [fault for kind in kinds if (fault := _short(kind, needed[kind], by_type.get(TYPE_IDS[kind])))]
    left, all_needed = int(told.get("overallLimit") or 0) - int(told.get("overallUsage") or 0), sum(needed.values())
    for kind, names in lacking.items():
        if any(each.unique for each in names) and portal.room_for_unique(kind) < 1:
            short.append(f"{kind} have {MOST_UNIQUE} properties of unique values already, and our key is one more")
    if all_needed > left:
        short.append(f"the portal has room for {left} custom properties, and the first load makes {all_needed}")
    if short:
        cure = "Archive custom properties in HubSpot, Settings, Properties, or ask HubSpot for more."
        return wrong("hubspot", what, "; ".join(short), cure)
    return Finding("hubspot", what, True, f"room for {left} more, the first load makes {all_needed}")


def _short(kind: str, needed: int, told: Document | None) -> str:
    if told is None:
        return ""
    left = int(told.get("limit") or 0) - int(told.get("usage") or 0)
    return f"{kind} have room for {left} custom properties, and the first load makes {needed}" if needed > left else ""


def _associations(api: HubspotApi) -> Finding:
    what = "association limits"
    try:
        told = _told(api, ASSOCIATION_LIMITS)
    except MlcError as error:
        return refused("hubspot", what, error)
    if told is None:
        return Finding("hubspot", what, True, "unknown: the token may not ask")
    ours = [each for each in told.get("results") or () if str(each.get("objectTypeId")) in TYPE_IDS.values()]
    at = [str(each.get("pluralLabel")) for each in ours if each.get("hasRecordsAtLimit")]
    near = [str(each.get("pluralLabel")) for each in ours if each.get("hasRecordsNearLimit") and not at]
    if at:
        cure = "HubSpot refuses what would be associated with them. An admin may raise the limit of the pair."
        return wrong("hubspot", what, f"records are at the limit: {', '.join(at)}", cure)
    return Finding("hubspot", what, True, f"records are near the limit: {', '.join(near)}" if near else "none is near")


def _required(api: HubspotApi, kind: str, section: HubspotSettings) -> Iterator[Finding]:
    """What the portal requires of a new record, and neither the flows nor hubspot.defaults give."""
    what = f"required properties of {kind}"
    try:
        told = _told(api, object_schema(kind))
    except MlcError as error:
        yield refused("hubspot", what, error)
        return
    if told is None:
        yield Finding("hubspot", what, True, "unknown: the token may not ask; a refusal names them")
        return
    required = [str(each) for each in told.get("requiredProperties") or ()]
    given = WRITTEN[kind] | {each.name for each in PROPERTIES[kind]} | set(section.defaults.get(kind, {}))  # type: ignore[call-overload]
    if kind == "companies":
        given |= {name for names in section.extra_fields.values() for name in names.values()}
    if missing := sorted(set(required) - given):
        cure = f"Give them under hubspot.defaults.{kind} in mlc.yaml: a constant, or {{field: ...}} of the ERP."
        yield wrong("hubspot", what, f"nothing gives {', '.join(missing)}", cure)
    elif required:
        yield Finding("hubspot", what, True, f"all are given: {', '.join(required)}")


def _totals(portal: Portal, kinds: list[str]) -> Iterator[Finding]:
    """Whether the total may be written; where it may not, HubSpot's own is compared."""
    if "invoices" in kinds and not portal.may_write("invoices", "hs_amount_billed"):
        yield Finding("hubspot", "invoice totals", True, "HubSpot computes them: they are compared, not written")


def _matching(portal: Portal, section: HubspotSettings) -> Finding:
    """By what companies that are there are tied or proposed, and where VAT numbers are looked for."""
    where = ", ".join(portal.vat_properties()) or "ifs_vat_no"
    ties, proposes = ", ".join(section.match) or "nothing", ", ".join(section.propose) or "nothing"
    return Finding("hubspot", "company match", True, f"tied by {ties}, held by {proposes}; VAT numbers in {where}")


def version_window(today: date) -> Iterator[Finding]:
    """A warning half a year before HubSpot stops to serve the version that is asked for."""
    if today > VERSION_ENDS - EARLY:
        cure = (
            "Install a newer release of mlc_dagster: another version of HubSpot's API does not cure what this refuses."
        )
        yield wrong("hubspot", "API version", f"{VERSION} is served until {VERSION_ENDS:%B %Y}", cure)


def _told(api: HubspotApi, path: str) -> Any:
    """The answer; None where the token may not ask, or this portal has no such question."""
    try:
        return api.get(path)
    except AccessDenied as error:
        if error.status != 403:
            raise
    except Misconfigured:
        pass
    except RecordRejected as error:
        if error.status != 404:
            raise
    return None
