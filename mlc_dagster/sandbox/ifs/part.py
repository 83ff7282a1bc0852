"""IFS Cloud in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mlc_dagster.sandbox.ifs import ledger
from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.ifs.catalogue import KINDS, Tenant
from mlc_dagster.sandbox.ifs.profiles import PROFILES
from mlc_dagster.sandbox.ifs.seed import sow_ifs
from mlc_dagster.sandbox.ifs.tokens import CLIENT_ID, CLIENT_SECRET, PATH
from mlc_dagster.sandbox.limits import RollingCounts
from mlc_dagster.sandbox.part import Account, Part, Shared


def _made(shared: Shared, limits: Mapping[str, int]) -> IfsSandbox:
    counts = RollingCounts(limits["requests_per_minute"], shared.minute)
    return IfsSandbox(shared.traits or Tenant(), counts, shared.journal, shared.lock)


CHILDREN = [
    {"set": f"Supplier{one}Set", "on": {"supplier_id": "SupplierId"}, "list": of, "writes": "true"}
    for of, one in (("contacts", "Contact"), ("addresses", "Address"))
]
"""The child entities of suppliers, as mlc.yaml names them."""


def _settings(url: str) -> dict[str, Any]:
    addresses = {"base_url": f"{url}/ifs", "token_url": f"{url}{PATH}"}
    sets = {
        "supplier_set": {"children": list(CHILDREN), "delta": "modified"},
        "supplier_invoice_set": {"actions": {"PrelPosted": "SupplierInvoice_PrelPost"}},
    }
    limits = {"requests_per_minute": "1000", "documents_per_batch": "20", "currencies": ["EUR", "USD"]}
    return {**limits, **addresses, "entity_sets": sets}


def _put(set_name: str, ifs: IfsSandbox, row: Any) -> dict[str, str]:
    return {"etag": ifs.put(set_name, row)}


def _rows(set_name: str, ifs: IfsSandbox, _: Any) -> list[dict[str, Any]]:
    return ifs.rows(set_name)


def _delete(set_name: str, ifs: IfsSandbox, keys: Any) -> dict[str, Any]:
    try:
        ifs.delete(set_name, **keys)
    except KeyError as error:
        raise ValueError(f"there is no such row: {error}") from None
    return {"deleted": keys}


def _serve(system: IfsSandbox, realm: str) -> None:
    system.tokens.realm = realm


PART = Part(
    name="ifs",
    make=_made,
    settings=_settings,
    secrets={"IFS_CLIENT_ID": CLIENT_ID, "IFS_CLIENT_SECRET": CLIENT_SECRET},
    limits={"requests_per_minute": 1000},
    sow=sow_ifs,
    controls={
        ("POST", "approve"): lambda ifs, body: {"loads": ifs.approve()},
        ("POST", "update_general_ledger"): lambda ifs, body: {"vouchers": ledger.update(ifs)},
        **{("GET", kind.set): partial(_rows, kind.set) for kind in KINDS},
        **{("PUT", kind.set): partial(_put, kind.set) for kind in KINDS},
        **{("DELETE", kind.set): partial(_delete, kind.set) for kind in KINDS},
    },
    traits=Tenant(),
    profiles=PROFILES,
    nearest=("own-services",),
    account=Account(_serve, lambda number: f"sandbox{number + 1}"),
)
