"""Which status an invoice may be given: only forward, and only from a draft or from what we sent last. Pure.

In HubSpot's own screens a paid invoice is never set back (facts/saas-doubts.md, 2.3). What a person paid or voided is
the person's word: it stays, and is told.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster.core.outcomes import Disagreement
from mlc_dagster.systems.hubspot.api import Document
from mlc_dagster.systems.hubspot.objects.properties import STATUS_SENT
from mlc_dagster.systems.hubspot.records import Invoice

STATUS = "hs_invoice_status"
OTHER_STATUS = "other_status_in_the_target"

_LEADS_TO = {"draft": {"open", "paid", "voided"}, "open": {"paid", "voided"}, "paid": {"voided"}, "voided": set[str]()}


def status_to_send(invoice: Invoice, theirs: Document, options: Mapping[str, str]) -> str:
    """The status to send; empty where nothing is to be sent."""
    now = str(theirs.get(STATUS) or "draft")
    if now == invoice.status or invoice.status not in _LEADS_TO.get(now, ()):
        return ""
    if now == "draft":
        return invoice.status
    is_ours = options.get("status_owner", "ifs") == "ifs" and now == sent_last(theirs, options)
    return invoice.status if is_ours else ""


def sent_last(theirs: Document, options: Mapping[str, str]) -> str:
    """What we sent last. Earlier releases did not note it, and sent what mlc.yaml says."""
    return str(theirs.get(STATUS_SENT) or options.get("invoice_status", "open"))


def other_status(invoice: Invoice, theirs: Document, options: Mapping[str, str]) -> Disagreement | None:
    """What is told of a status that stays another one than the ERP's."""
    now = str(theirs.get(STATUS) or "draft")
    if invoice.status == "draft":  # people go on with it
        return None
    if now == invoice.status or options.get("status_owner") == "hubspot" or status_to_send(invoice, theirs, options):
        return None
    amount = None if invoice.stated_gross is None else f"{invoice.stated_gross:f}"
    return Disagreement(OTHER_STATUS, STATUS, invoice.status, now, amount, invoice.currency)
