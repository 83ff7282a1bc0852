"""The part of mlc.yaml about HubSpot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator

from mlc_dagster.settings.addresses import Address
from mlc_dagster.settings.payables import StatesPayables
from mlc_dagster.settings.section import OUR_NAME, PROOF, Pattern, Placeholder, Section, shape
from mlc_dagster.systems.ifs.records import Customer, PostingProposal, Supplier

Companies = Literal["supplier_companies", "customer_companies"]


def _free(name: str) -> str:
    """A property that is not one of ours already."""
    if name == "name" or name.startswith(("ifs_", "hs_")):
        raise ValueError(f"{name} is written from the record's own fields: choose another property")
    return name


COMPANY = shape(r"^(new|[0-9]+)$", "the number of a company in HubSpot, or new")
PropertyName = Annotated[str, Field(pattern=OUR_NAME), AfterValidator(_free)]
Status = Literal["draft", "open", "paid", "voided"]


Kind = Literal["companies", "invoices", "line_items", "deals"]
Criterion = Literal["key", "vat_no", "domain", "name"]


class ErpField(Section):
    """A field of the ERP's record, in place of a constant."""

    field: str = Field(pattern=OUR_NAME)


Default = str | ErpField
DEAL_KEY = ("deal_key", "deal_key_field")

ERP_FIELDS: Mapping[str, frozenset[str]] = {
    "companies": frozenset({*Supplier.__struct_fields__, *Customer.__struct_fields__}),
    "invoices": frozenset(PostingProposal.__struct_fields__),
    "deals": frozenset(PostingProposal.__struct_fields__),
    "line_items": frozenset(),
}
"""Object type -> the fields that hubspot.defaults may name. A line item takes constants alone."""


class HubspotSettings(StatesPayables):
    """HubSpot. The service key or private app token comes from HUBSPOT_TOKEN."""

    names_companies: ClassVar[tuple[str, ...]] = ("company_code",)
    placeholders: ClassVar[tuple[Placeholder, ...]] = (
        Placeholder(("portal_id",), r"^123456789$", "the id of your own portal, or nothing"),
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
    status_owner: Literal["ifs", "hubspot"] = Field(
        "ifs", description="hubspot: an invoice gets its status once, when it is whole, and people go on with it"
    )
    total_check: Literal["hold", "warn"] = Field(
        "hold", description="Where HubSpot's total is not the ERP's gross: held as a draft, or told and opened"
    )
    number: Literal["plain", "with_supplier"] = Field(
        "plain", description="hs_number: the invoice number, or with the supplier behind it"
    )
    extra_fields: dict[Companies, dict[str, PropertyName]] = Field(
        default_factory=dict, description="flow: record field: company property, made as text where it is missing"
    )
    match: tuple[Criterion, ...] = Field(
        ("key", "vat_no"), description="By what a company that is there already is taken for the ERP's"
    )
    propose: tuple[Criterion, ...] = Field(
        ("domain", "name"), description="By what a new one is held as may_be_this_company; free mail never matches"
    )
    vat_properties: tuple[str, ...] = Field(
        ("vat_number", "vat_no", "vat_id"),
        max_length=4,  # a search has five groups of filters, and ours is one
        description="Company properties with VAT numbers, beside ifs_vat_no",
    )
    domain_field: str = Field("", description="Field of IFS suppliers that tells a web domain: email")
    companies: dict[str, Annotated[str, Field(pattern=COMPANY)]] = Field(
        default_factory=dict, description="SUPPLIER/<key> or CUSTOMER/<key>: id of its company in HubSpot, or new"
    )
    on_deleted: Literal["recreate", "hold"] = Field(
        "hold", description="What was delivered and is deleted in HubSpot is held and told; or made anew, and told"
    )
    defaults: dict[Kind, dict[str, Default]] = Field(
        default_factory=dict, description="Object type: property: constant or {field: ...}, given to new records"
    )
    deals: bool = Field(False, description="Invoices as closed-won deals too")
    deal_pipeline: str = Field("default", description="Name or id")
    deal_stage: str = Field("", description="Name or id; not needed where one stage is closed and won")
    deal_key: dict[Annotated[str, Field(pattern=OUR_NAME)], str] = Field(
        default_factory=dict,
        max_length=1,
        description="Deal property: invoice field, by which a deal that is there is tied",
    )

    @field_validator("defaults")
    @classmethod
    def _known(cls, given: dict[Kind, dict[str, Default]]) -> dict[Kind, dict[str, Default]]:
        for kind, names in given.items():
            for name, each in names.items():
                if name.startswith("ifs_"):
                    raise ValueError(f"{kind}.{name} is written from the record's own fields: choose another property")
                if isinstance(each, ErpField) and each.field not in ERP_FIELDS[kind]:
                    known = ", ".join(sorted(ERP_FIELDS[kind])) or "none: write a constant"
                    raise ValueError(f"{kind}.{name} names the field {each.field}; there is: {known}")
        return given

    @field_validator("deal_key")
    @classmethod
    def _of_an_invoice(cls, given: dict[str, str]) -> dict[str, str]:
        for name in given.values():
            if name not in ERP_FIELDS["deals"]:
                raise ValueError(f"invoices have no field {name}; there is: {', '.join(sorted(ERP_FIELDS['deals']))}")
        return given

    @property
    def switched_off(self) -> Mapping[str, str]:
        return {} if self.deals else {"hubspot/deals": "hubspot.deals is false"}

    @property
    def extras(self) -> Mapping[str, Mapping[str, str]]:
        return {str(flow): names for flow, names in self.extra_fields.items()}

    def options(self) -> dict[str, str]:
        """What mappings may know of this section, as text."""
        names = (
            "status_owner",
            "total_check",
            "number",
            "portal_id",
            "company_code",
            "invoice_status",
            "deal_pipeline",
            "deal_stage",
            "domain_field",
            "on_deleted",
        )
        lists = {name: ",".join(getattr(self, name)) for name in ("match", "propose", "vat_properties")}
        companies = {f"company.{key}": named for key, named in self.companies.items()}
        statuses = {f"invoice_status.{state}": str(status) for state, status in self.invoice_statuses.items()}
        return (
            super().options()
            | {name: str(getattr(self, name)) for name in names}
            | statuses
            | lists
            | companies
            | self._constants()
            | {f"given.{kind}": ",".join(names) for kind, names in self.defaults.items()}
            | {name: each for pair in self.deal_key.items() for name, each in zip(DEAL_KEY, pair, strict=True)}
            | {
                "deals": str(self.deals).lower(),
                "extra_properties": ",".join(
                    sorted({name for names in self.extra_fields.values() for name in names.values()})
                ),
            }
        )

    def _constants(self) -> dict[str, str]:
        return {
            f"default.{kind}.{name}": given
            for kind, names in self.defaults.items()
            for name, given in names.items()
            if isinstance(given, str)
        }

    def tables(self) -> dict[str, dict[str, str]]:
        """Object type -> property -> field of the ERP that a new record is given."""
        return {
            f"default_fields.{kind}": {name: each.field for name, each in names.items() if isinstance(each, ErpField)}
            for kind, names in self.defaults.items()
        }
