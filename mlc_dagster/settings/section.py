"""What every part of mlc.yaml has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl


class Section(BaseModel):
    """A part of the file: frozen, and a name it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _address(value: Any) -> str:
    """An absolute http(s) address, without a slash at its end."""
    return str(HttpUrl(value)).rstrip("/")


Address = Annotated[str, BeforeValidator(_address)]


SupplierField = Literal["name", "country", "currency_code", "payment_terms", "email", "vat_no"]
"""What the ERP's suppliers share with those of a SaaS, as `systems.ifs.partners.SHARED` names it."""


def sides(owners: Mapping[Any, str]) -> dict[str, str]:
    """Owners by field, as mappings know them: "ifs", "saas" or "hold"."""
    return {str(name): owner if owner in ("ifs", "hold") else "saas" for name, owner in owners.items()}


class TargetSection(Section):
    """A SaaS that records go to: what mappings and rules may know of it."""

    checks_vouchers: ClassVar[bool] = False
    """Whether the ERP's journal entries are compared with the chart of accounts of this SaaS."""

    payment_terms: dict[str, str] = Field(default_factory=dict, description="ERP code: the name there")
    tax_rules: dict[str, str] = Field(default_factory=dict, description="ERP tax code: the name there")
    gl_accounts: dict[str, str] = Field(default_factory=dict, description="ERP account: the one there, if another")

    def options(self) -> dict[str, str]:
        """This section's own settings, as text, for mappings."""
        return {}

    def tables(self) -> dict[str, dict[str, str]]:
        """This section's own tables, by name, for mappings: what stands for what."""
        return {}

    @property
    def extras(self) -> Mapping[str, Mapping[str, str]]:
        """Flow (without its system) -> record field -> its name there: fields that mlc.yaml adds."""
        return {}

    @property
    def switched_off(self) -> Mapping[str, str]:
        """Flow -> why it is off; empty where all that goes to this SaaS is on."""
        return {}
