"""`mlc.yaml` and the environment become typed, frozen settings. A mistake is named with its path in the file.

Every scalar of the file is read as text first: `0010` stays a company code, `NO` stays a country.
"""

from __future__ import annotations

import json
import os
from collections.abc import Hashable
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from dotenv import load_dotenv
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mlc_dagster.errors import Misconfigured
from mlc_dagster.facts import CompanyMapping, Facts
from mlc_dagster.settings.airbase import AirbaseSettings as AirbaseSettings
from mlc_dagster.settings.airbase import CompanyInAirbase
from mlc_dagster.settings.alerts import UNSHOWN, AlertSettings
from mlc_dagster.settings.cin7 import Cin7Settings as Cin7Settings
from mlc_dagster.settings.cin7 import CompanyInCin7
from mlc_dagster.settings.guards import GuardSettings
from mlc_dagster.settings.hubspot import HubspotSettings as HubspotSettings
from mlc_dagster.settings.ifs import IfsSettings as IfsSettings
from mlc_dagster.settings.monday import MondaySettings as MondaySettings
from mlc_dagster.settings.procurify import ProcurifySettings as ProcurifySettings
from mlc_dagster.settings.section import Section, TargetSection
from mlc_dagster.settings.web import WebSettings


class CompanySettings(Section):
    """One ERP company. A company that is not listed is not loaded: its records are held."""

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    decimals: int = Field(2, ge=0, le=4)
    closed_until: date | None = Field(None, description="Last day of the last closed period: nothing is posted before")
    open_until: date | None = Field(None, description="Nothing is posted after this day")
    cin7: CompanyInCin7 = CompanyInCin7()
    airbase: CompanyInAirbase = CompanyInAirbase()


class Policies(Section):
    gl_policy: Literal["hold", "block_partition"] = Field(
        "hold", description="block_partition: one record with a wrong account stops its partition"
    )
    accounts_max_age_hours: float = Field(26, gt=0, description="An older chart of accounts counts as stale")
    look_back_minutes: float = Field(10, ge=1, description="Rows committed late are found this far back")
    duplicates_hours: float = Field(
        26, ge=1, description="What was made or changed so long ago is looked at for doubles"
    )
    not_delivered_states: tuple[str, ...] = Field(("Cancelled",), description="ObjState values that are held")


class Schedules(Section):
    running_day: str = Field("*/15 * * * *", description="Cron, UTC: reads and loads the running day")
    yesterday: str = Field("15 0 * * *", description="Cron, UTC: reads yesterday once more")
    chart_of_accounts: str = Field("5 */6 * * *", description="Cron, UTC: refreshes accounts and code parts")
    duplicates: str = Field("20 * * * *", description="Cron, UTC: looks for documents that stand twice in a target")


class Settings(Section):
    """The whole of mlc.yaml."""

    partitions_start: date = Field(date(2026, 1, 1), description="The first day that can be read")
    companies: dict[str, CompanySettings] = Field(min_length=1)
    ifs: IfsSettings
    cin7: Cin7Settings | None = Field(None, description="Leave it out to switch Cin7 off")
    airbase: AirbaseSettings | None = Field(None, description="Leave it out to switch Airbase off")
    monday: MondaySettings | None = Field(None, description="Leave it out to switch monday.com off")
    hubspot: HubspotSettings | None = Field(None, description="Leave it out to switch HubSpot off")
    procurify: ProcurifySettings | None = Field(None, description="Leave it out to switch Procurify off")
    policies: Policies = Policies()
    schedules: Schedules = Schedules()
    guards: dict[str, GuardSettings] = Field(
        default_factory=dict, description="flow (cin7/purchases): when its run must stop before the first write"
    )
    web: WebSettings = WebSettings()
    alerts: AlertSettings | None = Field(None, description="Leave it out, and nobody is told of failed runs and holds")

    @field_validator("companies")
    @classmethod
    def _codes_are_text(cls, companies: dict[str, CompanySettings]) -> dict[str, CompanySettings]:
        if blank := [code for code in companies if not code.strip()]:
            raise ValueError(f"a company code is empty: {blank}")
        return companies

    @property
    def targets(self) -> dict[str, TargetSection]:
        """The SaaS that are switched on, by name."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: section for name, section in found.items() if isinstance(section, TargetSection)}

    def is_shadow(self, connection: str) -> bool:
        """Whether nothing may be written to it."""
        section = self.ifs if connection == "ifs" else self.targets.get(connection)
        return section is not None and section.mode == "shadow"

    def facts_for(self, target: str) -> Facts:
        """What the file says of a target; charts, books and deliveries are added when a partition is prepared."""
        section: TargetSection | None = getattr(self, target)
        if section is None:
            raise Misconfigured(f"{target} is switched off", cure=f"Add a section `{target}:` to mlc.yaml.")
        options = {**section.options(), "not_delivered_states": ",".join(self.policies.not_delivered_states)}
        return Facts(
            companies=self.company_mappings(),
            payment_terms=section.payment_terms,
            tax_rules=section.tax_rules,
            gl_accounts=section.gl_accounts,
            options=options,
            tables=section.tables(),
            extra_fields={f"{target}/{flow}": names for flow, names in section.extras.items()},
        )

    def company_mappings(self) -> dict[str, CompanyMapping]:
        """Company code -> its mapping, as rules and mappings know it."""
        return {
            code: CompanyMapping(
                code,
                company.currency,
                company.decimals,
                {
                    "cin7": company.cin7.model_dump(exclude_none=True),
                    "airbase": company.airbase.model_dump(exclude_none=True),
                },
                company.closed_until,
                company.open_until,
            )
            for code, company in self.companies.items()
        }


class Environment(BaseSettings):
    """Where things are, from the environment. Secrets are read where they are used, never here."""

    model_config = SettingsConfigDict(env_prefix="MLC_", extra="ignore", frozen=True)

    config: Path = Path("mlc.yaml")
    storage: str = ".mlc/storage"
    database_url: str = "sqlite:///.mlc/ledger.db"


def environment() -> Environment:
    """The environment, with .env where it says nothing; what it leaves out is set, for those that read it by name."""
    load_dotenv(".env")
    found = Environment()
    os.environ.setdefault("MLC_DATABASE_URL", found.database_url)
    return found


class _Reader(yaml.BaseLoader):
    """Scalars stay text; a name written twice is an error, where YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.value in names:
                raise Misconfigured(f"line {key_node.start_mark.line + 1}: {key_node.value!r} stands twice")
            names.add(key_node.value)
        return super().construct_mapping(node, deep)


def load(path: Path) -> Settings:
    """The settings in a file. Raises Misconfigured, with one line for each mistake."""
    if not path.is_file():
        raise Misconfigured(f"no settings at {path}", cure="Copy mlc.example.yaml to mlc.yaml, or set MLC_CONFIG.")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Reader) or {}  # noqa: S506 - BaseLoader makes text only
    except yaml.YAMLError as error:
        raise Misconfigured(f"{path} is not YAML: {error}") from error
    except Misconfigured as error:
        raise Misconfigured(f"{path}, {error.message}") from error
    return parse(content, str(path))


def parse(content: Any, where: str) -> Settings:
    """Settings from parsed YAML; `where` names the file in messages."""
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        lines = "\n".join(f"  {_path(mistake['loc'])}: {_sentence(mistake)}" for mistake in error.errors())
        raise Misconfigured(f"{where} has {error.error_count()} mistake(s):\n{lines}") from None


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"


def _sentence(mistake: Any) -> str:
    if mistake["type"] == "extra_forbidden":
        return "no setting of this name; see mlc.example.yaml, and never write secrets here"
    if mistake["type"] == "missing":
        return "is missing"
    if mistake["type"] == UNSHOWN:
        return str(mistake["msg"])
    return f"{mistake['msg']}; found {mistake['input']!r}"


def connections() -> tuple[str, ...]:
    """The sections of mlc.yaml that name a system to be written to: the ERP, then the SaaS that there are."""
    kinds = {name: field.annotation for name, field in Settings.model_fields.items()}
    saas = [name for name, kind in kinds.items() if any(_is_target(each) for each in get_args(kind))]
    return ("ifs", *saas)


def _is_target(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, TargetSection)


def json_schema() -> str:
    """The JSON schema of mlc.yaml, for editors."""
    return json.dumps(Settings.model_json_schema(), indent=2)
