"""The part of mlc.yaml about IFS Cloud."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mlc_dagster.settings.addresses import Address, TenantAddress
from mlc_dagster.settings.section import CURRENCY, OUR_NAME, PROOF, Pattern, Placeholder, Section, SystemConnection


class LineSetSettings(Section):
    navigation: str | None = None
    set: str | None = Field(None, description="The lines' own entity set, for tenants that refuse $expand")
    fields: dict[str, str] = Field(default_factory=dict, description="record field: name on the wire")


class EntitySetSettings(Section):
    """What this tenant calls an entity set of the catalogue."""

    projection: str | None = None
    set: str | None = None
    fields: dict[str, str] = Field(default_factory=dict, description="record field: name on the wire")
    extra_fields: dict[Annotated[str, Field(pattern=OUR_NAME)], str] = Field(
        default_factory=dict, description="a name of ours: a custom field of this tenant (Cf_...), read as text"
    )
    delta: Literal["modified", "sweep"] | None = Field(None, description="sweep: the set has no modified column")
    expand: Literal["auto", "always", "never"] | None = None
    lines: LineSetSettings = LineSetSettings()


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
    surface: str = "/main/ifsapplications/projection/v1"
    requests_per_minute: int = Field(1000, ge=1)
    in_flight: int = Field(8, ge=1, le=32, description="Requests at a time")
    page_size: int = Field(5000, ge=1, le=5000)
    proof: tuple[Pattern, ...] = Field((), description=PROOF)
    currencies: tuple[Annotated[str, Field(pattern=CURRENCY)], ...] = Field(
        (), description="Beside the companies' own: what may be entered from a SaaS"
    )
    entity_sets: dict[str, EntitySetSettings] = Field(default_factory=dict)
