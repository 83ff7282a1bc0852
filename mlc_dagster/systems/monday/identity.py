"""Which account a token is of, and whether it has what the ledger says.

`query { account { id name } }` asks for the scope account:read (facts/monday.md, section 2; official schema 2026-10);
a token without it is answered missingRequiredPermissions.
"""

from __future__ import annotations

from mlc_dagster.core.accounts import Account, Delivered
from mlc_dagster.systems.monday.client import MondayClient
from mlc_dagster.systems.monday.graphql import documents


def account_of(client: MondayClient) -> Account | None:
    """The account; None where monday gives none. One request."""
    account = client.asked(documents.ACCOUNT).get("account") or {}
    return Account(str(account["id"]), f"account {account.get('name')}") if account.get("id") else None


def has(client: MondayClient, record: Delivered) -> bool:
    """Whether the item is there, archived or not, with our key in one of its columns."""
    items = client.asked(documents.ITEM_TEXTS, ids=[record.remote_id]).get("items") or []
    return any(value.get("text") == record.key for item in items for value in item.get("column_values") or ())
