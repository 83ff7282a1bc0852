"""Which portal a token is of, and whether it has what the ledger says.

GET /account-info/2026-09/details gives portalId, which never changes (facts/hubspot.md, "Ping"); a token without the
scope for it is answered 403. Every object that we make carries our key in a property of its own.
"""

from __future__ import annotations

from mlc_dagster.core.accounts import Account, Delivered
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.systems.hubspot.objects.known_records import MERGED_IDS, merged_into
from mlc_dagster.systems.hubspot.objects.properties import KEY


def portal_of(client: HubspotClient) -> Account | None:
    """The portal; None where the token may not ask. One request, which the first write needs anyway."""
    account = client.portal.account()
    number = account.get("portalId")
    return Account(str(number), f"portal {number} ({account.get('accountType')})") if number else None


def has(client: HubspotClient, record: Delivered) -> bool:
    """Whether the object is there under its id, with our key, or a merge made another one of it."""
    kind = record.flow.target.name
    rows = HubspotApi(client.api).read(kind, [record.remote_id], KEY, MERGED_IDS)
    keys = [str(row.get(KEY) or "") for row in rows.values()]
    merged = any(record.remote_id in merged_into(row) for row in rows.values())
    return merged or any(key == record.key or key.endswith(f"/{record.key}") for key in keys)
