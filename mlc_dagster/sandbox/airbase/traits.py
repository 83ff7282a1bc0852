"""In what tenants of Airbase differ, as far as recorded traffic and public writers show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlc_dagster.sandbox.profiles import Profile


@dataclass(frozen=True)
class AirbaseTraits:
    scheme: str = "Token"  # the word before the token
    heeds_filters: bool = True  # whether ?erp_reference_id= and ?status= work
    partial_bulks: bool = False  # what is good of a bulk is kept, and the rest is named beside it
    has_payment_terms: bool = False  # whether its vendors have any
    read_only: str = ""  # fields of vendors that are dropped with 200, comma separated
    read_only_orders: str = ""  # the same of purchase orders
    order_fields: str = "invoices,invoiced_amount,invoice_state"  # fields of its own that its orders have
    lowers_mail: bool = False  # mail addresses of vendors are kept in lower case
    vendor_details: str = ""  # fields that its vendors have beside those that were recorded, comma separated
    blank_tags: bool = False  # no tag has a reference of the ERP, as in the recording


def listed(names: str) -> tuple[str, ...]:
    return tuple(filter(None, names.split(",")))


def without_references(row: Any) -> Any:
    """A document whose tags have a label and a name alone."""
    if isinstance(row, list):
        return [without_references(each) for each in row]
    if not isinstance(row, dict):
        return row
    blank = {"erp_reference_id": ""} if "type_label" in row else {}
    return {name: without_references(value) for name, value in row.items()} | blank


def profiles(departments: dict[str, str]) -> dict[str, Profile]:
    """`departments`: name -> code of the ERP, as mlc.yaml names them where Airbase does not."""
    return {
        "recorded": Profile(
            "A tenant as it is recorded: tags of a label and a name, without references of the ERP.",
            {"blank_tags": True},
            {"cost_centers": departments},
        ),
        "narrow": Profile(
            "A tenant whose vendors take name and reference alone: the rest is dropped with 200, as Django REST does.",
            {"read_only": "is_active,email"},
            {"vendor_fields_left_out": ["is_active", "email"]},
        ),
    }
