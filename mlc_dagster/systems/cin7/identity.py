"""Which account the keys are of, and whether it has what the ledger says.

Cin7 Core names a company by its Account ID, one for each company and the same for every application key
(facts/cin7.md, section 1). GET /me repeats it nowhere, but is answered only where the two belong together. The id signs
every call: what is remembered is a digest of it, from which nobody can tell it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from mlc_dagster.core.accounts import Account, Delivered
from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.systems.cin7.api import Cin7Api, Document, same_id
from mlc_dagster.systems.cin7.client import Cin7Client
from mlc_dagster.systems.cin7.purchases.purchase_lookup import references, written_marks
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES, PURCHASES
from mlc_dagster.systems.cin7.suppliers.supplier_fields import MARK


def digest_of(account_id: str) -> str:
    """Of an Account ID, a random GUID: 32 hexadecimal digits."""
    return hashlib.sha256(f"cin7 account {account_id.strip().casefold()}".encode()).hexdigest()[:32]


def account_of(client: Cin7Client) -> Account | None:
    """The account; None where the client was made without. One request."""
    if not client.account_id:
        return None
    me = Cin7Api(client.api).get("/me")
    return Account(digest_of(client.account_id), f"company {me.get('Company')}")


def has(client: Cin7Client, record: Delivered) -> bool:
    """Whether the account has that very supplier or purchase: by its id, and by our key where it carries one."""
    api, flow = Cin7Api(client.api), record.flow
    try:
        if flow.target.name in (PURCHASES.name, PURCHASE_INVOICES.name):
            purchase = api.get("/advanced-purchase", ID=record.remote_id.partition("/")[0])
            return _is_ours(purchase, record)
        inbound = flow.source.system == flow.spoke
        return _has_supplier(api, record.key if inbound else record.remote_id, record)
    except RecordRejected:
        return False


def _is_ours(purchase: Document, record: Delivered) -> bool:
    """An order's mark begins with its company: "0010/P7"."""
    if not purchase.get("ID"):
        return False
    invoices = record.flow.target.name == PURCHASE_INVOICES.name
    found = set(references(purchase) if invoices else written_marks(purchase))
    return not found or any(mark == record.key or mark.endswith(f"/{record.key}") for mark in found)


def _has_supplier(api: Cin7Api, supplier_id: str, record: Delivered) -> bool:
    rows = api.get("/supplier", ID=supplier_id, IncludeDeprecated="true").get("SupplierList") or []
    row = next((row for row in rows if same_id(row["ID"], supplier_id)), None)
    if row is None:
        return False
    return record.key in _keys(row) or not record.says_otherwise({"name": row.get("Name")})


def _keys(row: Document) -> Iterator[str]:
    """Our key, in any of its attributes, or in the mark of our contact."""
    for number in range(1, 11):
        yield str(row.get(f"AdditionalAttribute{number}") or "")
    for contact in row.get("Contacts") or ():
        yield str(contact.get("Comment") or "").removeprefix(MARK)
