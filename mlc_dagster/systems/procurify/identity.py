"""Whether a Procurify domain has what the ledger says. It gives no id of its own: a domain is its host, and what a
token tells of itself are the rights of a user (facts/procurify.md, sections 1 and 2).
"""

from __future__ import annotations

from mlc_dagster.core.accounts import Delivered
from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.systems.procurify.api import ProcurifyApi
from mlc_dagster.systems.procurify.client import ProcurifyClient
from mlc_dagster.systems.procurify.records import BILLS, PURCHASE_ORDERS


def has(client: ProcurifyClient, record: Delivered) -> bool:
    """Whether the domain has that very document. Vendors are numbered: the supplier's number, or the name, must fit."""
    api, at, flow = ProcurifyApi(client.api, 1), client.endpoints, record.flow
    inbound = flow.source.system == flow.spoke
    paths = {BILLS.name: at.bill, PURCHASE_ORDERS.name: at.purchase_order}
    try:
        if inbound and (path := paths.get(flow.source.name)):
            return bool(api.one(path, record.key))
        row = api.one(at.vendor, record.key if inbound else record.remote_id)
    except RecordRejected:
        return False
    if not inbound:
        return str(row.get("external_id") or "") == record.key
    return not record.says_otherwise({"name": row.get("name"), "email": next(iter(row.get("email") or ()), None)})
