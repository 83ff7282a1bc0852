"""State changes of the sandboxed IFS: bound actions, `POST Set(key)/IfsApp.<Projection>.<Action>` with If-Match.

A state is no attribute that can be updated: a PATCH of it is answered 200, and ignored. Source: facts/ifs.md, section
6, facts/corrections.md. The names of actions are guesses, by the pattern `<Entity>_<Event>` that was seen live.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.sandbox.ifs.posting_rules import RefusalError
from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.ifs.transactions import Transaction
from mlc_dagster.sandbox.ifs.write import precondition, with_state
from mlc_dagster.sandbox.wire import Answer, Call

STATE = "ObjState"


@dataclass(frozen=True)
class Event:
    """What an action leads to, and the states in which it is not allowed."""

    state: str
    not_in: frozenset[str] = frozenset()


_FINAL = frozenset({"Cancelled", "Posted", "PaidPosted", "PartlyPaidPosted"})
_CLOSED = frozenset({"Cancelled", "Closed"})

EVENTS: Mapping[str, Mapping[str, Event]] = {
    "PostingProposalHeadSet": {"PostingProposalHead_Cancel": Event("Cancelled", _FINAL)},
    "SupplierInvoiceSet": {
        "SupplierInvoice_Cancel": Event("Cancelled", _FINAL),
        "SupplierInvoice_PrelPost": Event("PrelPosted", _FINAL | {"PrelPosted", "PostedAuth"}),
        "SupplierInvoice_Authorise": Event("PostedAuth", _FINAL | {"PostedAuth"}),
    },
    "VoucherSet": {"Voucher_Cancel": Event("Cancelled", _FINAL | {"Approved"})},
    "PurchaseOrderSet": {
        "PurchaseOrder_Release": Event("Released", _CLOSED | {"Released"}),
        "PurchaseOrder_Cancel": Event("Cancelled", _CLOSED),
    },
    "CustomerOrderSet": {
        "CustomerOrder_Release": Event("Released", _CLOSED | {"Released"}),
        "CustomerOrder_Cancel": Event("Cancelled", _CLOSED),
    },
}
"""Set -> name of the action -> what it does."""


def is_action(rest: list[str]) -> bool:
    return len(rest) == 1 and rest[0].startswith("IfsApp.")


def act(call: Call, collection: Collection, stored: Stored, name: str, work: Transaction) -> Answer:
    """204 where it was done. Raises ODataError: 404 for an action that is not of this set, 428 and 412 for the ETag."""
    tenant: Tenant = collection.tenant
    events = {} if collection.is_lines else EVENTS.get(collection.catalogue_set, {})
    space, event = f"IfsApp.{collection.projection}.", events.get(name.removeprefix(f"IfsApp.{collection.projection}."))
    if not name.startswith(space) or event is None:
        raise ODataError(f"The action '{name}' is not bound to '{collection.set}'.", 404, "ODP_RESOURCE_NOTFOUND")
    if call.method != "POST":
        raise ODataError(f"{call.method} is not allowed here.", 405, "ODP_METHOD_NOT_ALLOWED")
    precondition(stored, call.headers)
    if stored.fields[STATE] in event.not_in:
        entity = collection.catalogue_set.removesuffix("Set")
        raise RefusalError(
            f"ORA-20105: {entity}.FNDSTATE: {name.rpartition('_')[2]} is not allowed in state {stored.fields[STATE]}."
        )
    if tenant.actions_act:
        with_state(collection, stored, event.state, work)
        work.note("POST", unquote(call.path), {}, "/".join(str(part) for part in stored.key))
    return Answer(204)
