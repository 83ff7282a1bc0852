"""The part of mlc.yaml about bills: what a tenant's API calls their fields, and which fields an order has for them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from mlc_dagster.settings.section import Section, TargetSection
from mlc_dagster.systems.airbase.bills.shape import BILL, NEEDED
from mlc_dagster.systems.airbase.spend.fields import unknown_fields


def _known(value: dict[str, str]) -> dict[str, str]:
    if strangers := unknown_fields(value, BILL):
        raise ValueError(f"no field is called {strangers}; there are {', '.join(sorted(BILL))}")
    if empty := sorted(name for name in NEEDED if value.get(name) == ""):
        raise ValueError(f"a bill cannot be told apart, or compared, without {', '.join(empty)}")
    return value


class OrderInvoiceFields(Section):
    """Fields of Airbase's purchase orders that show the ERP's invoices, where its API takes no bills."""

    invoices: str = Field(
        min_length=1, description="Text field: a line for each invoice, which nobody else writes; it makes the sum"
    )
    amount: str = Field(
        "", description="Amount field: what is invoiced in all, without tax, as the order's total; empty: none"
    )
    state: str = Field("", description="Text field: the invoices' states in the ERP; empty: there is none")

    @model_validator(mode="after")
    def _are_several(self) -> OrderInvoiceFields:
        named = [name for name in (self.invoices, self.amount, self.state) if name]
        if len(set(named)) < len(named):
            raise ValueError("each of them is a field of its own")
        return self


class BillSettings(TargetSection):
    """Supplier invoices of the ERP, on their way into Airbase. Off until `paths.bills` or `order_invoices` is given."""

    bill_fields: Annotated[dict[str, str], AfterValidator(_known)] = Field(
        default_factory=dict,
        description="Our field of a bill: the dotted path at which this tenant's API has it; empty: it has none",
    )
    bill_constants: dict[str, str | bool] = Field(
        default_factory=dict,
        description="Fields of a new bill that are always the same, such as the status in which nothing is paid by it",
    )
    bill_tax_account: str = Field("", description="Airbase account of a bill's tax; empty: its line names none")
    order_invoices: OrderInvoiceFields | None = Field(
        None, description="Where the API takes no bills: what is invoiced stands on the order, in these fields"
    )

    def options(self) -> dict[str, str]:
        return {**super().options(), "bill_tax_account": self.bill_tax_account}

    def bills_off(self, paths: Any) -> dict[str, str]:
        """Flow -> why it is off, empty where it is on; by `paths` of the section."""
        no_vendors = "" if paths.vendors else "airbase.paths.vendors is empty, and a bill needs its vendor"
        no_orders = "" if paths.purchase_orders else "airbase.paths.purchase_orders is empty"
        as_bills = "airbase.paths.bills is given: invoices are bills of their own" if paths.bills else ""
        no_field = "" if self.order_invoices else "airbase.order_invoices names no field"
        return {
            "airbase/supplier_invoices": no_vendors or ("" if paths.bills else "airbase.paths.bills is empty"),
            "airbase/order_invoices": as_bills or no_orders or no_field,
        }
