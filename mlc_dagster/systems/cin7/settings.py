"""The part of mlc.yaml about Cin7 Core."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from mlc_dagster.settings.addresses import Address
from mlc_dagster.settings.orders import TakesQuantities, WantedDate
from mlc_dagster.settings.payables import StatesPayables
from mlc_dagster.settings.section import PROOF, Pattern, Section, SupplierField, shape, sides

UNITS = shape(r"^10*$", "1, 10, 100, 1000 and so on")
SLOT = shape(r"^AdditionalAttribute([1-9]|10)$", "AdditionalAttribute1 to AdditionalAttribute10")


class Cin7Settings(TakesQuantities, StatesPayables):
    """Cin7 Core. Keys come from CIN7_ACCOUNT_ID and CIN7_APPLICATION_KEYS (comma separated: they share the work)."""

    checks_vouchers: ClassVar[bool] = True
    follows_companies: ClassVar[bool] = True

    base_url: Address = "https://inventory.dearsystems.com/ExternalApi/v2"
    calls_per_minute: int = Field(
        48, ge=1, description="Of each application key; Cin7 refuses after 60, and others may share the key"
    )
    proof: tuple[Pattern, ...] = Field((r"\d calls per",), description=PROOF)
    location: str = Field(
        "Main Warehouse", description="Where purchases are received, unless the company says otherwise"
    )
    attribute_set: str = Field("IFS", description="Supplier attribute set whose slot holds the ERP's key")
    external_key: str = Field("AdditionalAttribute1", pattern=SLOT)
    tax_rule: str = Field("Tax Exempt", description="For suppliers and records without a tax code")
    wanted_date: WantedDate = "header"
    order_progress: str = Field(
        "",
        pattern=shape(r"^(AdditionalAttribute([1-9]|10))?$", "AdditionalAttribute1 to AdditionalAttribute10, or empty"),
        description="The purchase attribute that shows how an order stands: its state, what was received, what is due "
        "next. Another one than external_key, and your account must have it; empty: none",
    )
    invoice_status: Literal["DRAFT", "AUTHORISED"] = "DRAFT"
    invoice_lines: Literal["products", "charges"] = Field(
        "products",
        description="What an invoice of an order with parts is made of; charges leave the goods without cost in Cin7",
    )

    service_product: str = Field(
        "",
        description="Cin7's service product that charges are named by; empty: the ERP's text, where Cin7 takes it",
    )
    quantities_below_one: Literal["hold", "one", "send"] = Field(
        "hold",
        description="one: what is no product goes as one at its amount; send: your Cin7 takes them",
    )
    same_product: Literal["merge", "send", "hold"] = Field(
        "merge", description="Two lines of one product in an order: one line where all but the quantity is equal"
    )
    rates: Literal["ifs", "cin7"] = Field(
        "ifs", description="Whose rate the header of a purchase has; what is foreign and has none in the ERP is held"
    )
    rate_tolerance: Decimal = Field(
        Decimal("0.005"),
        ge=0,
        lt=1,
        description="How far the rate of an invoice in Cin7 may be off the ERP's: 0.005 of it",
    )
    rate_units: dict[str, Annotated[str, Field(pattern=UNITS)]] = Field(
        default_factory=dict, description="Currency: for how many of it the ERP states its rate, such as {JPY: 100}"
    )

    suppliers_into_ifs: bool = Field(True, description="What people change of suppliers in Cin7 goes into IFS")
    create_suppliers_in_ifs: bool = Field(
        False, description="Suppliers that only Cin7 has are made in IFS; needs suppliers_into_ifs"
    )
    supplier_details: bool = Field(
        False,
        description="Contact persons and addresses of suppliers, both ways, where "
        "ifs.entity_sets.supplier_set.children names the lists that hold them",
    )
    address_types: dict[str, Literal["Billing", "Business", "Shipping", ""]] = Field(
        {"Document": "Billing", "Delivery": "Shipping", "Visit": "Business", "Pay": ""},
        description="The ERP's address type: Cin7's; \"\": such an address is not shared",
    )
    supplier_owners: dict[SupplierField | Literal["contacts", "addresses"], Literal["ifs", "cin7", "hold"]] = Field(
        default_factory=dict, description="Whose value counts where both sides changed a field; of the others: ifs"
    )

    @model_validator(mode="after")
    def _one_attribute_for_each(self) -> Cin7Settings:
        if self.order_progress == self.external_key:
            raise ValueError(
                f"order_progress: {self.external_key} holds the ERP's key (external_key); name another one"
            )
        return self

    @property
    def switched_off(self) -> dict[str, str]:
        return {} if self.suppliers_into_ifs else {"ifs/suppliers_from_cin7": "cin7.suppliers_into_ifs is false"}

    def tables(self) -> dict[str, dict[str, str]]:
        own: dict[str, dict[str, str]] = {"rate_units": dict(self.rate_units)}
        own["address_types"] = dict(self.address_types)
        return {**super().tables(), "supplier_owners": sides(self.supplier_owners), **own}

    @field_validator("address_types")
    @classmethod
    def _stand_for_one(cls, value: dict[str, str]) -> dict[str, str]:
        """Cin7 has three types: the way back needs the one of the ERP that each stands for."""
        if twice := [there for there, count in Counter(filter(None, value.values())).items() if count > 1]:
            raise ValueError(
                f"{', '.join(twice)} stands for several types of the ERP; name one, and null for the others"
            )
        return value

    def options(self) -> dict[str, str]:
        """What mappings may know of this section, as text."""
        names = (
            "location",
            "attribute_set",
            "external_key",
            "tax_rule",
            "invoice_status",
            "invoice_lines",
            "service_product",
            "same_product",
            "quantities_below_one",
            "rates",
            "order_progress",
            "wanted_date",
        )
        flags = {
            "create_suppliers_in_ifs": str(self.create_suppliers_in_ifs).lower(),
            "supplier_details": str(self.supplier_details).lower(),
        }
        return {
            **super().options(),
            **{name: getattr(self, name) for name in names},
            **flags,
            "rate_tolerance": str(self.rate_tolerance),
        }


class CompanyInCin7(Section):
    location: str | None = Field(None, description="Where this company's purchases are received")
    ledger: Literal["follows"] | None = Field(
        None,
        description="follows: this account's ledger follows the company. What a SaaS posts into its books is judged by "
        "Cin7's chart before it is posted, and the charts are compared account by account",
    )


class SiteInCin7(Section):
    location: str | None = Field(None, description="Where the purchases of this site are received")
