"""What a purchase type's approval becomes in the ERP: a voucher, another state of its invoice, or both.

Its settings, and what flows make of them. Pure.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.settings.section import Section
from mlc_dagster.systems.airbase.spend.records import PurchaseRequest
from mlc_dagster.systems.airbase.spend.vouchers import REQUESTS_FLOW

STATES_FLOW = "ifs/invoice_states_from_airbase_requests"
VOUCHER, INVOICE_STATE = "voucher", "invoice_state"
INTO, FROM, TO = "purchase_types_into", "invoice_states_from", "invoice_states_to"
"""The tables in facts: purchase type -> what its approval becomes, and of which state the invoice is led to which."""
FLOWS_INTO = {VOUCHER: REQUESTS_FLOW, INVOICE_STATE: STATES_FLOW}
MAY_AUTHORISE = "may_authorise"


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class PurchaseType(Section):
    """Of one purchase type."""

    into: Annotated[tuple[Literal["voucher", "invoice_state"], ...], BeforeValidator(_several)] = Field(
        (), description="What its approval becomes: voucher, invoice_state, or both; left out: nobody said it"
    )
    from_state: str = Field("", description="State in which the invoice is led on; in any other one it is held")
    to_state: str = Field("", description="State to which it is led: ifs.entity_sets.supplier_invoice_set.actions")

    @model_validator(mode="after")
    def _says_both_states(self) -> PurchaseType:
        if INVOICE_STATE in self.into and not (self.from_state and self.to_state):
            raise ValueError("into: invoice_state needs from_state and to_state")
        if INVOICE_STATE not in self.into and (self.from_state or self.to_state):
            raise ValueError("from_state and to_state belong to into: invoice_state")
        if self.from_state and self.from_state == self.to_state:
            raise ValueError(f"from_state and to_state are both {self.to_state}")
        if self.to_state == "Cancelled":
            raise ValueError("an approval cancels nothing: to_state is Cancelled")
        return self


def tables_of(types: dict[str, PurchaseType]) -> dict[str, dict[str, str]]:
    return {
        INTO: {name: ",".join(each.into) for name, each in types.items()},
        FROM: {name: each.from_state for name, each in types.items() if each.from_state},
        TO: {name: each.to_state for name, each in types.items() if each.to_state},
    }


def into(request: PurchaseRequest, facts: Facts) -> tuple[str, ...]:
    """What its approval becomes; a type of which mlc.yaml says nothing is a voucher, as ever."""
    said = facts.table(INTO).get(request.purchase_type or "") or VOUCHER
    return tuple(said.split(","))


def is_not_into(what: str, request: PurchaseRequest, facts: Facts) -> str:
    """Why a request is no matter of a flow, or ""."""
    becomes = into(request, facts)
    words = " and ".join(becomes).replace("_", " ")
    return "" if what in becomes else f"purchase type {request.purchase_type or '(none)'} becomes {words} alone"


def purchase_type_says_where_it_goes(source: PurchaseRequest, target: Any, facts: Facts) -> Problem | None:
    """A request that names an invoice of the ERP does not become a voucher beside it unless mlc.yaml says so."""
    said = facts.table(INTO)
    if not said or not source.invoice_number or said.get(source.purchase_type or ""):
        return None
    kind = source.purchase_type or "(none)"
    reason = (
        f"It names invoice {source.invoice_number}, and nobody says what purchase type {kind} becomes: as a voucher"
    )
    cure = f"the cost may be in the books twice. Set airbase.purchase_types.{kind}.into in mlc.yaml."
    return Problem("purchase_type_says_where_it_goes", f"{reason} {cure}", kind)
