"""`mlc.yaml` and the environment become typed, frozen settings. A mistake is named with its path in the file.

Every scalar of the file is read as text first: `0010` stays a company code, `NO` stays a country.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from dotenv import load_dotenv
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.settings import crossing, document, sentences
from mlc_dagster.settings.alerts import AlertSettings
from mlc_dagster.settings.document import Document
from mlc_dagster.settings.guards import GuardSettings
from mlc_dagster.settings.mistakes import Mistake, misconfigured
from mlc_dagster.settings.section import CURRENCY, Section, TargetSection
from mlc_dagster.settings.web import WebSettings
from mlc_dagster.systems.airbase.settings import AirbaseSettings as AirbaseSettings
from mlc_dagster.systems.airbase.settings import CompanyInAirbase
from mlc_dagster.systems.cin7.settings import Cin7Settings as Cin7Settings
from mlc_dagster.systems.cin7.settings import CompanyInCin7
from mlc_dagster.systems.hubspot.settings import HubspotSettings as HubspotSettings
from mlc_dagster.systems.ifs.settings import IfsSettings as IfsSettings
from mlc_dagster.systems.monday.settings import MondaySettings as MondaySettings
from mlc_dagster.systems.procurify.settings import ProcurifySettings as ProcurifySettings


class CompanySettings(Section):
    """One ERP company. A company that is not listed is not loaded: its records are held."""

    currency: str = Field(pattern=CURRENCY)
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
    slice_minutes: float = Field(
        10,
        gt=0,
        description="A run's loads give way after so long; what is left is loaded by the next, newest day first",
    )
    not_delivered_states: tuple[str, ...] = Field(("Cancelled",), description="ObjState values that are held")


class Schedules(Section):
    running_day: str = Field("*/15 * * * *", description="Cron, UTC: reads and loads the running day")
    yesterday: str = Field("15 0 * * *", description="Cron, UTC: reads yesterday once more")
    chart_of_accounts: str = Field("5 */6 * * *", description="Cron, UTC: refreshes accounts and code parts")
    duplicates: str = Field("20 * * * *", description="Cron, UTC: looks for documents that stand twice in a target")
    purge_runs: str = Field("40 2 * * *", description="Cron, UTC: deletes runs as retention says; on from the start")


class RetentionSettings(Section):
    """How long Dagster's own storage keeps runs. The ledger's trail is not touched: it is kept for ever."""

    runs_days: int = Field(
        30,
        ge=0,
        description="Runs that ended well or were canceled, and their events, are deleted so long after; 0: never",
    )
    failed_runs_days: int = Field(90, ge=0, description="The same of runs that failed; 0: never")


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
    retention: RetentionSettings = RetentionSettings()
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

    @field_validator("partitions_start")
    @classmethod
    def _has_begun(cls, day: date) -> date:
        if day > datetime.now(UTC).date():
            raise ValueError(f"found {day}, which is still to come: no day could be read; expected today, or before")
        return day

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


DEMO_FOLDER = Path(".mlc-demo")
"""Where the demo keeps its state: apart from what is real."""


class Environment(BaseSettings):
    """Where things are, from the environment. Secrets are read where they are used, never here."""

    model_config = SettingsConfigDict(env_prefix="MLC_", env_ignore_empty=True, extra="ignore", frozen=True)

    config: Path = Path("mlc.yaml")
    storage: str = ".mlc/storage"
    database_url: str = "sqlite:///.mlc/ledger.db"


def environment() -> Environment:
    """The environment, with .env where it says nothing; what it leaves out is set, for those that read it by name.

    Raises Misconfigured where MLC_CONFIG names no file: what is asked for is never the usual one in its stead.
    """
    load_dotenv(".env")
    found = Environment()
    if "config" in found.model_fields_set and not found.config.exists():
        raise Misconfigured(
            f"MLC_CONFIG names {found.config}, and there is no such file",
            cure="Correct it (in the environment or .env), or take it out: then mlc.yaml in this folder is meant.",
        )
    if not os.environ.get("MLC_DATABASE_URL"):
        os.environ["MLC_DATABASE_URL"] = found.database_url
    return found


def is_chosen() -> bool:
    """Whether the environment, .env or an mlc.yaml here says where things are."""
    load_dotenv(".env")
    config, database = (Environment.model_fields[name].default for name in ("config", "database_url"))
    elsewhere = os.environ.get("MLC_DATABASE_URL") not in (None, "", database)  # `environment` sets the usual one
    return bool(os.environ.get("MLC_CONFIG")) or elsewhere or config.is_file()


def load(path: Path) -> Settings:
    """The settings in a file. Raises Misconfigured, with one line for each mistake."""
    return settled(document.read(path))


def parse(content: Any, where: str) -> Settings:
    """Settings from parsed YAML; `where` names the file in messages."""
    return settled(Document(where, content))


def settled(text: Document, also: Iterable[Mistake] = ()) -> Settings:
    """The settings of a document. Raises Misconfigured with all mistakes: its own, and those that others found."""
    wrong = [*text.mistakes, *crossing.mistakes(text.content), *also]
    try:
        found = Settings.model_validate(text.content)
    except ValidationError as error:
        raise misconfigured(text, [*wrong, *sentences.told(error, Settings)]) from None
    if wrong:
        raise misconfigured(text, wrong)
    return found


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
