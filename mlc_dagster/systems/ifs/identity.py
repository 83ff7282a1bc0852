"""Which tenant a token is of, and whether it has what the ledger says.

IFS Cloud gives a tenant no number. What stays is the realm that its tokens are issued by: a short code of the
environment, which a host's name does not tell and a change of host, of client or of secret leaves as it is
(facts/ifs.md, section 1; facts/ifs-tenants.md, section 5). Two installations that a customer runs himself may have
realms of one name, so it counts as shared: at another address the tenant is read back as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from mlc_dagster.core.accounts import Account, Delivered
from mlc_dagster.core.errors import AccessDenied, Misconfigured, RecordRejected
from mlc_dagster.core.vocabulary import ERP, EntitySet, Row, key_parts, key_text
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.ifs.lacking import WRITTEN
from mlc_dagster.transport.sign_in import ClientCredentials

_REALM = re.compile(r"https?://([^/]+)/.*?realms/([^/?#]+)")


def tenant_of(client: IfsClient) -> Account | None:
    """The realm that issued the token; None where the token does not say. A request only where none was made before."""
    auth = client.api.auth
    if not isinstance(auth, ClientCredentials):
        return None
    if not auth.issuer:
        _sign_in(client)
    found = _REALM.match(auth.issuer)
    return Account(found[2], f"realm {found[2]} at {found[1]}", is_shared=True) if found else None


def _sign_in(client: IfsClient) -> None:
    """Whatever is answered, it was signed in for. Raises AccessDenied where it was not, TransientError."""
    try:
        client.find(client.catalogue[ifs.SUPPLIERS.name], most=1)
    except (RecordRejected, Misconfigured):
        return
    except AccessDenied as error:
        if error.status != 403:
            raise


def has(client: IfsClient, record: Delivered) -> bool:
    """Whether the tenant has that very row: by its key, and by our reference or the name where it carries one."""
    flow = record.flow
    if flow.source.system == ERP:
        return _read(client, client.catalogue[flow.source.name], record, record.key)
    entity = client.catalogue[WRITTEN[flow.target.name].name]
    if flow.marks:
        return _under_our_reference(client, entity, record)
    return _read(client, entity, record, record.remote_id)


def _read(client: IfsClient, entity: EntitySet, record: Delivered, key: str) -> bool:
    """By the ERP's own key."""
    parts = key_parts(key, len(entity.keys))
    if len(parts) != len(entity.keys):
        return False
    kinds = {field.name: field.type for field in msgspec.structs.fields(entity.record)}
    values = {
        name: msgspec.convert(part, kinds[name], strict=False) for name, part in zip(entity.keys, parts, strict=True)
    }
    return any(not record.says_otherwise(row) for row in _rows(client, entity, values))


def _under_our_reference(client: IfsClient, entity: EntitySet, record: Delivered) -> bool:
    """A number that another tenant has too says nothing: the document must carry the reference that we entered."""
    rows = _rows(client, entity, {"external_ref": f"{record.flow.marks}{record.key}"})
    return any(key_text(*(row[name] for name in entity.keys)) == record.remote_id for row in rows)


def _rows(client: IfsClient, entity: EntitySet, values: Mapping[str, object]) -> list[Row]:
    try:
        return [row for row, _ in client.find(entity, 10, latest_by="", **values)]
    except RecordRejected as error:
        if error.status:
            return []
        return [dict(values)]  # it is there, and the list gives it no ETag
