"""The part of mlc.yaml about IFS Cloud."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, field_validator

from mlc_dagster.core.near_names import offered
from mlc_dagster.settings.addresses import Address, TenantAddress, is_this_machine
from mlc_dagster.settings.section import CURRENCY, OUR_NAME, PROOF, Pattern, Placeholder, Section, SystemConnection

ABSENT = "-"
"""What `null` in mlc.yaml becomes: "this tenant has none". None stands for what was left out."""

SURFACES = {"main": "/main/ifsapplications/projection/v1", "int": "/int/ifsapplications/entity/v1"}
"""Where IFS Cloud serves its projections, and its entity services (facts/ifs-tenants.md, section 2)."""


NULLS = frozenset({"null", "Null", "NULL", "~", ""})
FLAGS = {"true": True, "false": False}
"""mlc.yaml is read as text (settings/plain_yaml.py); what YAML means by these words, a person means here too."""


def _marked(value: str | int | bool | None) -> str | int | bool:
    return ABSENT if value is None or value in NULLS else value


def _constant(value: str | int | bool | None) -> str | int | bool:
    return FLAGS.get(value, _marked(value)) if isinstance(value, str) else _marked(value)


def _surface(value: str) -> str:
    if value not in SURFACES and not value.startswith("/"):
        raise ValueError(f"found {value!r}; expected main, int, or a path that begins with /")
    return SURFACES.get(value, value.rstrip("/"))


Name = Annotated[str | None, AfterValidator(_marked)]
"""A name on the wire, or null: this tenant has none."""

Constant = Annotated[bool | int | str | None, AfterValidator(_constant)]
Surface = Annotated[str, AfterValidator(_surface)]
Names = dict[str, Name]

NAMES = "record field: name on the wire; null: this tenant has none"
NONE_OF_IT = "null: this tenant has none"


class LineSetSettings(Section):
    navigation: str | None = None
    navigations: tuple[str, ...] = Field((), description="Where a header has its lines in several arrays")
    set: Name = Field(None, description="The lines' own entity set, for tenants that refuse $expand")
    projection: str | None = Field(None, description="Of the lines' own set, where it is not the header's")
    surface: Surface | None = None
    stamp: Name = Field(None, description=f"The modified column of the lines' own set; {NONE_OF_IT}")
    keys: dict[str, str] = Field(default_factory=dict, description="record field: name on the wire; more keys go last")
    fields: Names = Field(default_factory=dict, description=NAMES)
    fields_of: dict[str, Names] = Field(default_factory=dict, description="navigation: {field: its name there}")


class ChildSettings(Section):
    """More fields of the record, from an array below each row, or from a set that is joined."""

    navigation: str | None = None
    set: str | None = None
    projection: str | None = None
    surface: Surface | None = None
    on: dict[str, str] = Field(default_factory=dict, description="key of the record: its name in that set")
    fields: Names = Field(default_factory=dict, description=f"{NAMES}; of a list: fields of its rows")
    company: str | None = Field(None, description="Only the row of this company")
    list: Literal["contacts", "addresses"] | None = Field(
        None, description="Each of its rows is a contact person, or an address, of the supplier"
    )
    writes: bool = Field(
        False, description="Its rows are changed with their ETags, and made where there is none, as a SaaS says"
    )
    constants: dict[str, Constant] = Field(default_factory=dict, description="name on the wire: sent with each create")


class PartSettings(Section):
    """One of several sets that hold one record's rows."""

    set: str
    projection: str | None = None
    surface: Surface | None = None
    constants: dict[str, str] = Field(default_factory=dict, description="record field: its value in this set")
    keys: dict[str, str] = Field(default_factory=dict, description="record field: name on the wire")
    fields: Names = Field(default_factory=dict, description=NAMES)


class EntitySetSettings(Section):
    """What this tenant calls an entity set of the catalogue, and what of it this tenant does not have."""

    projection: Name = Field(None, description=NONE_OF_IT)
    set: Name = Field(None, description=NONE_OF_IT)
    surface: Surface | None = Field(None, description="main, int, or a path: where it is not ifs.surface")
    keys: dict[str, str] = Field(default_factory=dict, description="key of the record: name on the wire")
    fields: Names = Field(default_factory=dict, description=NAMES)
    extra_fields: dict[Annotated[str, Field(pattern=OUR_NAME)], str] = Field(
        default_factory=dict, description="a name of ours: a custom field of this tenant (Cf_...), read as text"
    )
    delta: Literal["modified", "sweep"] | None = Field(None, description="sweep: the set has no modified column")
    stamp: Name = Field(None, description=f"The modified column; {NONE_OF_IT}")
    state: Name = Field(None, description=f"The state's column; {NONE_OF_IT}")
    expand: Literal["auto", "always", "never"] | None = None
    constants: dict[str, Constant] = Field(default_factory=dict, description="name on the wire: sent with each create")
    sums: Names = Field(default_factory=dict, description="field of the header: the lines' field that it sums up")
    header_from_rows: bool | None = Field(None, description="The set holds rows; those that share its keys are one")
    children: tuple[ChildSettings, ...] | None = None
    sources: tuple[PartSettings, ...] | None = None
    lines: LineSetSettings = LineSetSettings()
    actions: Names = Field(default_factory=dict, description="state: the bound action that leads to it")


class ExternalLoadSettings(EntitySetSettings):
    """What this tenant calls the loads of External Vouchers or External Supplier Invoices."""

    checked: str = Field("Checked", description="The state in which a load can be created")
    awaiting: str = Field("AwaitingApproval", description="The state in which a load waits for another user")


Preset = Literal["cloud", "seed"]


def preset_of(base_url: str) -> Preset:
    """The names of an IFS Cloud tenant, or of our sandbox, which alone answers on this machine."""
    return "seed" if is_this_machine(urlsplit(base_url).hostname or "") else "cloud"


class IfsSettings(SystemConnection):
    """IFS Cloud. Client id and secret come from IFS_CLIENT_ID and IFS_CLIENT_SECRET."""

    placeholders: ClassVar[tuple[Placeholder, ...]] = (
        Placeholder(("base_url", "token_url"), r"//acme\.ifs\.cloud\b", "the address of your own tenant"),
        Placeholder(("token_url",), r"/realms/acmeprod\b", "your own realm, which API Explorer shows"),
    )

    base_url: TenantAddress = Field(description="https://<tenant>.ifs.cloud")
    token_url: Address = Field(description="The realm's token endpoint; API Explorer shows it")
    scope: str = "openid microprofile-jwt"
    audience: str = ""
    token_body: Literal["form", "json"] = "form"  # noqa: S105 - how it is sent
    client_authentication: Literal["post", "basic"] = Field(
        "post", description="The client's secret in the body, or in the Authorization header (client_secret_basic)"
    )
    surface: str = "/main/ifsapplications/projection/v1"
    catalogue: Preset | None = Field(
        None,
        description="Names to begin with: cloud, or the sandbox's: seed. Left out: seed on this machine, else cloud",
    )
    sites: dict[str, str] = Field(
        default_factory=dict, description="site: company; for sets of this tenant that have a site and no company"
    )
    time_zone: str | None = Field(
        None,
        description="Europe/Stockholm: in which zone the tenant stamps its rows, where it writes its own wall time and "
        "calls it Z. Left out: UTC, or with an offset",
    )
    requests_per_minute: int = Field(1000, ge=1)
    in_flight: int = Field(8, ge=1, le=32, description="Requests at a time")
    page_size: int = Field(5000, ge=1, le=5000)
    documents_per_batch: int = Field(
        1,
        ge=1,
        le=20,
        description="New documents in one change set, of 5,000 elements at most; of those that are refused each alone",
    )
    proof: tuple[Pattern, ...] = Field((), description=PROOF)
    currencies: tuple[Annotated[str, Field(pattern=CURRENCY)], ...] = Field(
        (), description="Beside the companies' own: what may be entered from a SaaS"
    )
    entity_sets: dict[str, EntitySetSettings] = Field(default_factory=dict)
    invoices_by: Literal["post", "external"] = Field("post", description="external: External Supplier Invoices")
    vouchers_by: Literal["post", "external"] = Field("post", description="external: External Vouchers")

    external_loads: dict[str, ExternalLoadSettings] = Field(
        default_factory=dict, description="external_voucher_load, external_invoice_load: what this tenant calls them"
    )

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError(f"no time zone of this name{offered(value, available_timezones())}")
        return value

    @property
    def preset(self) -> Preset:
        return self.catalogue or preset_of(self.base_url)
