"""By which way documents go into this tenant's books, and what it has no way for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.ifs.external_records import INVOICE_LOADS, VOUCHER_LOADS, ExternalWay, Ways
from mlc_dagster.systems.ifs.writing.document_entry import CANCELLED
from mlc_dagster.systems.ifs.writing.document_references import why_not_entered
from mlc_dagster.systems.shared.findings import Finding, refused

_KINDS = (
    (ifs.VOUCHERS, VOUCHER_LOADS, "voucher", "ifs.vouchers_by"),
    (ifs.SUPPLIER_INVOICES, INVOICE_LOADS, "supplier invoice", "ifs.invoices_by"),
    (ifs.POSTING_PROPOSALS, None, "posting proposal", ""),
)


def ask_writing(client: IfsClient, catalogue: Mapping[str, EntitySet], ways: Ways) -> Iterator[Finding]:
    """A line for each kind of document. That there is no way is no fault: not every tenant has a flow that needs it."""
    for kind, loads, name, setting in _KINDS:
        way = ways.get(loads.name) if loads else None
        if way is not None:
            yield _by_loads(client, way, name)
        elif why := why_not_entered(catalogue[kind.name], name, setting):
            yield Finding("ifs", f"new {name}s", True, f"none can be entered: {why}")
        else:
            yield Finding("ifs", f"new {name}s", True, _posted(catalogue[kind.name]))


def _posted(entity: EntitySet) -> str:
    where = f"ifs.entity_sets.{entity.name}.actions"
    can_cancel = entity.name != ifs.POSTING_PROPOSALS.name or CANCELLED in entity.actions
    return f"posted to {entity.path}" + ("" if can_cancel else f"; none can be replaced: {where} names no {CANCELLED}")


def _by_loads(client: IfsClient, way: ExternalWay, name: str) -> Finding:
    what = f"new {name}s"
    try:
        client.find(way.loads, most=1)
    except MlcError as error:
        return refused("ifs", what, error)
    return Finding("ifs", what, True, f"entered by loads of {way.loads.projection}, one document each")
