"""What every part of mlc.yaml has in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mlc_dagster.settings.addresses import Reason, RecordPage


class Section(BaseModel):
    """A part of the file: frozen, and a name it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False)


SHAPES: dict[str, str] = {}
"""Pattern -> what it asks for, in words."""


def shape(pattern: str, words: str) -> str:
    """A pattern that can be said: `expected three capital letters, such as SEK`."""
    SHAPES[pattern] = words
    return pattern


CURRENCY = shape(r"^[A-Z]{3}$", "three capital letters, such as SEK")
OUR_NAME = shape(r"^[a-z][a-z0-9_]*$", "a name of small letters, digits and _ that begins with a letter")
TENANT = shape(r"^([a-z][a-z0-9_]{0,31})?$", "at most 32 small letters, digits and _, the first a letter")


def _pattern(value: str) -> str:
    try:
        re.compile(value.encode())
    except re.error as error:
        raise ValueError(f"no regular expression: {error.msg}; expected words that the answer has") from None
    return value


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression, searched in what a system answers."""

PROOF = "Patterns of the system's own words in a 429 or 503 that prove that a write did not act; else it is looked for"
"""What `proof` is for, in each section that has it."""


SupplierField = Literal["name", "country", "currency_code", "payment_terms", "email", "vat_no"]
"""What the ERP's suppliers share with those of a SaaS, as `systems.ifs.partners.SHARED` names it."""


def sides(owners: Mapping[Any, str]) -> dict[str, str]:
    """Owners by field, as mappings know them: "ifs", "saas" or "hold"."""
    return {str(name): owner if owner in ("ifs", "hold") else "saas" for name, owner in owners.items()}


Mode = Literal["live", "shadow"]
SHADOW = "shadow: everything is read, prepared and told, and nothing is written: the weeks before going live"


class Connection(Section):
    """A system that is talked to over HTTP: how, for how long, and how much of an answer."""

    # The first field: the addresses below it are judged by it.
    plain_http: Reason | None = Field(None, description="Why its addresses may be http:// to another machine, in words")
    answer_seconds: float | None = Field(
        None, gt=0, description="An answer as a whole takes no longer; left out: three times timeout_seconds"
    )
    answer_megabytes: float = Field(32, gt=0, le=1024, description="An answer is no larger, packed or unpacked")
    max_wait_seconds: float = Field(
        120, gt=0, le=3600, description="Who is asked to wait longer ends as throttled, and is run when that is over"
    )


class Placeholder(NamedTuple):
    """A value of mlc.example.yaml that only shows what goes where."""

    settings: tuple[str, ...]  # names of settings, wherever below the section they stand
    pattern: str  # searched, in any case
    expected: str  # "the address of your own tenant"


class SystemConnection(Connection):
    """The section of a remote system: the ERP, or a SaaS."""

    placeholders: ClassVar[tuple[Placeholder, ...]] = ()
    names_companies: ClassVar[tuple[str, ...]] = ()
    """Its settings that name a company of the ERP: a text, or the values of a table."""

    system: str = Field("", description="The system it leads to, where the section has another name")
    base_url: str
    timeout_seconds: float = Field(60, gt=0)
    mode: Mode = Field("live", description=SHADOW)
    record_pages: dict[str, RecordPage] = Field(
        default_factory=dict,
        description="Set or list of it: where people see one of its records, with {id}, {number} or a field of the key",
    )
    credential_ends: date | None = Field(
        None, description="The day on which its secret ends, as whoever made it was told: `alerts` warns before it"
    )


class TargetSection(SystemConnection):
    """A SaaS that records go to: what mappings and rules may know of it."""

    checks_vouchers: ClassVar[bool] = False
    """Whether the ERP's journal entries are compared with the chart of accounts of this SaaS."""

    follows_companies: ClassVar[bool] = False
    """Whether it keeps a ledger, with a chart (its reference `accounts`), that may follow companies of the ERP."""

    payment_terms: dict[str, str] = Field(default_factory=dict, description="ERP code: the name there")
    tax_rules: dict[str, str] = Field(default_factory=dict, description="ERP tax code: the name there")
    gl_accounts: dict[str, str] = Field(default_factory=dict, description="ERP account: the one there, if another")

    def options(self) -> dict[str, str]:
        """This section's own settings, as text, for mappings."""
        return {}

    def tables(self) -> dict[str, dict[str, str]]:
        """This section's own tables, by name, for mappings: what stands for what."""
        return {}

    def erp_accounts(self, connection: str) -> Iterator[tuple[str, str]]:
        """(setting and what it says, account) of each account of the ERP that the section takes for granted."""
        yield from ((f"{connection}.gl_accounts maps {code!r}", code) for code in self.gl_accounts)

    def erp_code_part_values(self, connection: str) -> Iterator[tuple[str, str]]:
        """The same of values of the ERP's code parts."""
        yield from ()

    @property
    def takes_bank_details(self) -> bool:
        """Whether the ERP's bank details of suppliers go there: off unless mlc.yaml says where to."""
        return False

    @property
    def extras(self) -> Mapping[str, Mapping[str, str]]:
        """Flow (without its system) -> record field -> its name there: fields that mlc.yaml adds."""
        return {}

    @property
    def switched_off(self) -> Mapping[str, str]:
        """Flow -> why it is off; empty where all that goes to this SaaS is on."""
        return {}
