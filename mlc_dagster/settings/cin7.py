"""The part of mlc.yaml about Cin7 Core."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mlc_dagster.settings.section import Address, Section, TargetSection


class Cin7Settings(TargetSection):
    """Cin7 Core. Keys come from CIN7_ACCOUNT_ID and CIN7_APPLICATION_KEYS (comma separated: they share the work)."""

    checks_vouchers: ClassVar[bool] = True

    base_url: Address = "https://inventory.dearsystems.com/ExternalApi/v2"
    calls_per_minute: int = Field(60, ge=1, description="Of each application key")
    timeout_seconds: float = Field(60, gt=0)
    location: str = Field(
        "Main Warehouse", description="Where purchases are received, unless the company says otherwise"
    )
    attribute_set: str = Field("IFS", description="Supplier attribute set whose slot holds the ERP's key")
    external_key: str = Field("AdditionalAttribute1", pattern=r"^AdditionalAttribute([1-9]|10)$")
    tax_rule: str = Field("Tax Exempt", description="For suppliers and records without a tax code")
    invoice_status: Literal["DRAFT", "AUTHORISED"] = "DRAFT"

    def options(self) -> dict[str, str]:
        """What mappings may know of this section, as text."""
        names = ("location", "attribute_set", "external_key", "tax_rule", "invoice_status")
        return {name: getattr(self, name) for name in names}


class CompanyInCin7(Section):
    location: str | None = Field(None, description="Where this company's purchases are received")
