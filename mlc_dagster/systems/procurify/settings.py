"""The part of mlc.yaml about Procurify."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from mlc_dagster.rules.postings import TABLES
from mlc_dagster.settings.addresses import Address
from mlc_dagster.settings.payables import StatesPayables
from mlc_dagster.settings.section import PROOF, Pattern, Placeholder, Section, shape, sides
from mlc_dagster.systems.procurify.time_zones import zone_named

NEVER_POSTED = (0, 1, 3, 5)
"""Statuses of a bill: draft, confirmed (it waits for approval), denied, withdrawn."""


def _path(value: str) -> str:
    """A path below the host, with the slash at its end without which Procurify only points elsewhere."""
    if not value.startswith("/") or "?" in value or "#" in value:
        raise ValueError("a path starts with / and has no query")
    return value if value.endswith("/") else f"{value}/"


def _zone(value: str) -> str:
    try:
        zone_named(value)
    except ValueError:
        raise ValueError("expected a time zone such as Europe/Stockholm, or hours from UTC such as 5.5") from None
    return value


ApiPath = Annotated[str, AfterValidator(_path)]
Number = Annotated[int, Field(ge=0, le=8)]
TimeZone = Annotated[str, AfterValidator(_zone)]
SharedField = Literal["name", "country", "currency_code", "payment_terms", "email"]
"""What both an IFS supplier and a Procurify vendor keep."""


CODE_PART = shape(r"^[B-J]?$", "a code part, a letter from B to J, or nothing")
SOME_CODE_PART = shape(r"^[B-J]$", "a code part, a letter from B to J")
CodePart = Annotated[str, Field(pattern=SOME_CODE_PART)]


class Dimension(Section):
    """Where the value of a code part comes from, and what it is called in the ERP."""

    source: Literal["department", "location", "project", "custom_field", "account_segment"]
    field: str = Field("", description="custom_field: its name; project: the field where people keep it, or Project")
    segment: int = Field(0, ge=0, description="account_segment: which one of the account code, from 1")
    values: dict[str, str] = Field(
        default_factory=dict, description="Value, name or external id there: value of the code part; no table: itself"
    )
    required: bool = Field(True, description="false: a line that says nothing is posted without this code part")

    @model_validator(mode="after")
    def _is_told(self) -> Dimension:
        if self.source == "custom_field" and not self.field:
            raise ValueError("a custom field has a name: field: Campaign")
        if (self.source == "account_segment") != bool(self.segment):
            raise ValueError("account_segment, and it alone, says which one: segment: 2")
        return self

    @property
    def where(self) -> str:
        """ "custom_field Campaign", "account_segment 2", "location": the kind, and which one."""
        which = {"project": self.field or PROJECT, "custom_field": self.field, "account_segment": str(self.segment)}
        return " ".join(filter(None, (self.source, which.get(self.source, ""))))


PROJECT = "Project"
"""The custom field in which people keep projects: Procurify publishes nothing of its own for them."""


class ProcurifyPaths(Section):
    """Where things are below `base_url`; of one record the key is appended to `bill`, `purchase_order` and `vendor`."""

    bills: ApiPath = "/api/v3/ap/bills/"
    bill: ApiPath = "/api/v2/ap/bills/"
    purchase_orders: ApiPath = "/api/v2/purchase_orders/purchased/all/"
    purchase_order: ApiPath = "/api/v2/purchase_orders/"
    vendors: ApiPath = "/api/v3/vendors/"
    vendor: ApiPath = "/api/v3/vendors/"
    departments: ApiPath = "/api/v3/departments/"
    locations: ApiPath = "/api/v2/locations/"
    currencies: ApiPath = "/api/v2/currencies/"
    me: ApiPath = "/api/v3/users/me/"


class ProcurifySettings(StatesPayables):
    """Procurify. The secrets come from PROCURIFY_CLIENT_ID and PROCURIFY_CLIENT_SECRET."""

    names_companies: ClassVar[tuple[str, ...]] = ("companies_by_location",)
    placeholders: ClassVar[tuple[Placeholder, ...]] = (
        Placeholder(("base_url", "token_url"), r"//acme\.procurify\.com\b", "the address of your own tenant"),
    )

    base_url: Address = Field(description="https://<domain>.procurify.com")
    token_url: Address | None = Field(None, description="Left out: base_url and /oauth/token")
    audience: str = Field("https://api.procurify.com/", description="Asked for at sign-in")
    requests_per_second: int = Field(2, ge=1, description="Procurify publishes no limit, and suspends who overdoes it")
    page_size: int = Field(50, ge=1, le=100)
    in_flight: int = Field(4, ge=1, le=16, description="Bills and orders that are asked for at once")
    proof: tuple[Pattern, ...] = Field(("Request was throttled",), description=PROOF)
    bill_overlap_minutes: float = Field(10, ge=0, description="Bills are asked for so much around each day")
    order_overlap_days: int = Field(1, ge=1, description="Orders are filtered by date alone, in a time zone untold")
    bill_types: tuple[Number, ...] = Field((0,), description="0 order, 1 expense, 2 credit card")
    bill_statuses: tuple[Number, ...] = Field((2, 4, 6, 7), description="What is posted; 8 may be added")
    vendor_types: tuple[Number, ...] = Field((3, 4), description="3 preferred, 4 regular; 7 checkout may be added")
    post_credits: bool = Field(False, description="A bill below zero is posted as a credit invoice, else held")
    companies_by_location: dict[str, str] = Field(
        default_factory=dict, description="Location, by name or external id: company; no table: its external id"
    )
    cost_centers: dict[str, str] = Field(
        default_factory=dict, description="Department, by external id or name: value; no table: its external id"
    )
    time_zones: dict[str, TimeZone] = Field(
        default_factory=dict,
        description="Location, by name or external id: its time zone, where Procurify tells none, or hours alone",
    )
    posting_date: Literal["gl_post_date", "invoice_date"] = Field(
        "gl_post_date", description="Which date a bill is posted on; gl_post_date: where that is empty, invoice_date"
    )
    department_code_part: str = Field("B", pattern=CODE_PART, description="Empty: lines have no cost centre")
    dimensions: dict[CodePart, Dimension] = Field(
        default_factory=dict, description="More code parts: where the value of each comes from"
    )
    account_separator: str = Field("", max_length=1, description="Between segments of an account code: 6100-200-10")
    account_segment: int = Field(1, ge=1, description="With account_separator: which segment is the GL account")
    shipping_account: str = Field("", description="A line of its own; empty: shipping is added to the largest line")
    tax_account: str = Field("", description="A line of its own; empty: tax that is not in the price is the VAT")
    purchase_orders: Literal["proposals", "off"] = Field("proposals", description="Orders as posting proposals")
    part_bills: Literal["reduce", "replace"] = Field(
        "reduce", description="A bill takes its part of an order's proposal and leaves the rest, or ends it whole"
    )
    backfill_closed: bool = Field(False, description="Orders that were closed or paid when first seen get a proposal")
    create_suppliers_in_ifs: bool = Field(True, description="Vendors that IFS does not have become suppliers there")
    supplier_owners: dict[SharedField, Literal["ifs", "procurify", "hold"]] = Field(
        default_factory=dict, description="Field: whose value counts where both sides changed it; left out: ifs"
    )
    vendor_writeback: bool = Field(False, description="Write suppliers of IFS into Procurify's vendors")
    create_vendors: bool = Field(False, description="With vendor_writeback: suppliers without a vendor get one")
    paths: ProcurifyPaths = ProcurifyPaths()

    @field_validator("bill_statuses")
    @classmethod
    def _approved(cls, statuses: tuple[int, ...]) -> tuple[int, ...]:
        if wrong := sorted(set(statuses) & set(NEVER_POSTED)):
            raise ValueError(f"{wrong} are drafts, not approved, denied or withdrawn: they are never posted")
        return statuses

    @model_validator(mode="after")
    def _parts_are_told_once(self) -> ProcurifySettings:
        if self.department_code_part in self.dimensions:
            part = self.department_code_part
            raise ValueError(f"dimensions.{part}: code part {part} is the cost centre, by department_code_part")
        for part, each in self.dimensions.items():
            if each.source == "account_segment" and not self.account_separator:
                raise ValueError(f"dimensions.{part}: say what stands between the segments, account_separator: '-'")
            if each.source == "account_segment" and each.segment == self.account_segment:
                raise ValueError(f"dimensions.{part}: segment {each.segment} is the GL account, by account_segment")
        return self

    @property
    def sign_in(self) -> str:
        """Where tokens are given out."""
        return self.token_url or f"{self.base_url}/oauth/token"

    def options(self) -> dict[str, str]:
        """Lists joined by commas; a switch that is on is "true"."""
        listed = {name: ",".join(map(str, getattr(self, name))) for name in _LISTS}
        return {
            **super().options(),
            **listed,
            **{name: "true" if getattr(self, name) else "" for name in _SWITCHES},
            **{name: getattr(self, name) for name in _TEXTS},
            "account_segment": str(self.account_segment),
        }

    def tables(self) -> dict[str, dict[str, str]]:
        return {
            "companies_by_location": self.companies_by_location,
            "cost_centers": self.cost_centers,
            "supplier_owners": sides(self.supplier_owners),
            **self._dimension_tables(),
        }

    def _dimension_tables(self) -> dict[str, dict[str, str]]:
        """Nothing where there are none, so that what was delivered without them stands as it was."""
        if not self.dimensions:
            return {}
        named = {part: f"procurify.dimensions.{part} ({each.where})" for part, each in self.dimensions.items()}
        cost_centre = {self.department_code_part: "procurify.cost_centers"} if self.department_code_part else {}
        return {
            "dimensions": {part: each.where for part, each in sorted(self.dimensions.items())},
            "dimensions.optional": {part: "true" for part, each in self.dimensions.items() if not each.required},
            TABLES: {**cost_centre, **named},
            **{f"dimensions.{part}": each.values for part, each in self.dimensions.items()},
        }

    @property
    def switched_off(self) -> dict[str, str]:
        """Flow -> why it is off."""
        why = {
            "ifs/posting_proposals_from_procurify": (
                "procurify.purchase_orders is off" if self.purchase_orders == "off" else ""
            ),
            "procurify/vendors": "" if self.vendor_writeback else "procurify.vendor_writeback is off",
        }
        return {flow: reason for flow, reason in why.items() if reason}

    def erp_accounts(self, connection: str) -> Iterator[tuple[str, str]]:
        yield from super().erp_accounts(connection)
        single = {"shipping_account": self.shipping_account, "tax_account": self.tax_account}
        yield from ((f"{connection}.{name} is {code!r}", code) for name, code in single.items() if code)

    def erp_code_part_values(self, connection: str) -> Iterator[tuple[str, str]]:
        yield from ((f"{connection}.cost_centers.{name} is {each!r}", each) for name, each in self.cost_centers.items())
        for part, dimension in self.dimensions.items():
            place = f"{connection}.dimensions.{part}.values"
            yield from ((f"{place}.{name} is {each!r}", each) for name, each in dimension.values.items())


_LISTS = ("bill_types", "bill_statuses", "vendor_types")
_SWITCHES = ("post_credits", "backfill_closed", "create_suppliers_in_ifs", "create_vendors")
_TEXTS = ("department_code_part", "shipping_account", "tax_account", "posting_date", "part_bills", "account_separator")
