"""The part of mlc.yaml about HubSpot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from mlc_dagster.settings.addresses import Address
from mlc_dagster.settings.section import OUR_NAME, PROOF, Pattern, Placeholder, TargetSection

Companies = Literal["supplier_companies", "customer_companies"]


def _free(name: str) -> str:
    """A property that is not one of ours already."""
    if name == "name" or name.startswith(("ifs_", "hs_")):
        raise ValueError(f"{name} is written from the record's own fields: choose another property")
    return name


PropertyName = Annotated[str, Field(pattern=OUR_NAME), AfterValidator(_free)]
Status = Literal["draft", "open", "paid", "voided"]


class HubspotSettings(TargetSection):
    """HubSpot. The service key or private app token comes from HUBSPOT_TOKEN."""

    names_companies: ClassVar[tuple[str, ...]] = ("company_code",)
    placeholders: ClassVar[tuple[Placeholder, ...]] = (
        Placeholder(("portal_id",), r"^147000001$", "the id of your own portal, or nothing"),
    )

    base_url: Address = "https://api.hubapi.com"
    calls_per_10_seconds: int = Field(190, ge=1, description="Of the app: 100 on Free and Starter, else 190")
    in_flight: int = Field(10, ge=1, le=16, description="Batches at a time")
    proof: tuple[Pattern, ...] = Field(("RATE_LIMIT", '"policyName"'), description=PROOF)
    portal_id: str = Field("", description="Where it is given, a token of another portal is refused")
    company_code: str = Field(
        "", description="The ERP company that default GL accounts belong to; not needed where there is only one"
    )
    invoice_status: Status = Field("open", description="The status of invoices in HubSpot")
    invoice_statuses: dict[str, Status] = Field(
        {"Cancelled": "voided"}, description="ERP state: status, where it is another"
    )
    extra_fields: dict[Companies, dict[str, PropertyName]] = Field(
        default_factory=dict, description="flow: record field: company property, made as text where it is missing"
    )
    deals: bool = Field(False, description="Invoices as closed-won deals too")
    deal_pipeline: str = Field("default", description="Name or id")
    deal_stage: str = Field("", description="Name or id; not needed where one stage is closed and won")

    @property
    def switched_off(self) -> Mapping[str, str]:
        return {} if self.deals else {"hubspot/deals": "hubspot.deals is false"}

    @property
    def extras(self) -> Mapping[str, Mapping[str, str]]:
        return {str(flow): names for flow, names in self.extra_fields.items()}

    def options(self) -> dict[str, str]:
        """What mappings may know of this section, as text."""
        names = ("portal_id", "company_code", "invoice_status", "deal_pipeline", "deal_stage")
        statuses = {f"invoice_status.{state}": str(status) for state, status in self.invoice_statuses.items()}
        return (
            {name: str(getattr(self, name)) for name in names}
            | statuses
            | {
                "deals": str(self.deals).lower(),
                "extra_properties": ",".join(
                    sorted({name for names in self.extra_fields.values() for name in names.values()})
                ),
            }
        )
