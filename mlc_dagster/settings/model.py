"""What mlc.yaml says beside its connections: companies, policies, schedules, retention."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from mlc_dagster.core.company_calendar import CompanyCalendar
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.facts import CompanyMapping, Facts, SiteMapping
from mlc_dagster.core.near_names import offered
from mlc_dagster.settings.alerts import AlertSettings
from mlc_dagster.settings.guards import USUAL, GuardSettings
from mlc_dagster.settings.later_life import LaterLifeSettings
from mlc_dagster.settings.review import ReviewSettings, TwoPeople
from mlc_dagster.settings.schedules import Schedules
from mlc_dagster.settings.section import CURRENCY, TENANT, Section, SystemConnection, TargetSection
from mlc_dagster.settings.verify import Policy, VerifySettings
from mlc_dagster.settings.web import WebSettings


class SiteSettings(Section):
    """A site (plant) of a company: what connections call it."""

    def names_in(self, connection: str) -> dict[str, str]:
        """What a connection calls the site, by what it is: {"location": "Plant A", "groups.invoices": "topics"}."""
        own = getattr(self, connection, None)
        said = own.model_dump(exclude_none=True) if isinstance(own, Section) else {}
        plain = {name: value for name, value in said.items() if isinstance(value, str)}
        below = {
            f"{name}.{each}": text
            for name, table in said.items()
            if isinstance(table, dict)
            for each, text in table.items()
        }
        return {**plain, **below}


class CompanySettings(Section):
    """One ERP company. A company that is not listed is not loaded: its records are held."""

    currency: str = Field(pattern=CURRENCY)
    decimals: int = Field(2, ge=0, le=4)
    closed_until: date | None = Field(None, description="Last day of the last closed period: nothing is posted before")
    open_until: date | None = Field(None, description="Nothing is posted after this day")
    time_zone: str | None = Field(None, description="Europe/Stockholm: in which day of its a moment lies")
    accounting_year_starts: int | None = Field(None, ge=1, le=12, description="The month in which its year begins")
    accounting_year_named_by: Literal["end", "start"] = Field("end", description="The calendar year that names it")
    sites: dict[str, SiteSettings] = Field(
        default_factory=dict,
        description="site (plant): what connections call it. Where a connection is named here, an order of a site that "
        "is not in the table is held",
    )

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError(f"no time zone of this name{offered(value, available_timezones())}")
        return value

    def names_in(self, connection: str) -> dict[str, str]:
        """What a connection calls the company, by what it is: {"location": "Main Warehouse"}."""
        own = getattr(self, connection, None)
        return own.model_dump(exclude_none=True) if isinstance(own, Section) else {}

    def sites_in(self, connection: str) -> dict[str, SiteMapping]:
        """All sites, where at least one of them is something else to this connection than its company; else none."""
        found = {site: said.names_in(connection) for site, said in self.sites.items()}
        if not any(found.values()):
            return {}
        return {site: SiteMapping(names, names.get("cost_center")) for site, names in found.items()}


class Policies(Section):
    gl_policy: Literal["hold", "block_partition"] = Field(
        "hold", description="block_partition: one record with a wrong account stops its partition"
    )
    accounts_max_age_hours: float = Field(26, gt=0, description="An older chart of accounts counts as stale")
    prepared_max_age_minutes: float = Field(
        60,
        ge=0,
        description="What was read longer ago is read again by key before its first delivery; 0: always",
    )
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
    verify: Policy = Field(
        "report",
        description="What differs in a target is told; hold: its next load is held until a person decides; restore: "
        "what was delivered is sent again, once for each value",
    )
    may_authorise: bool = Field(
        False, description="Approvals elsewhere may lead an invoice of the ERP to a state in which it can be paid"
    )
    two_people: TwoPeople | None = Field(
        None, description="Decisions on the review page that a second person confirms; left out: bank details alone"
    )
    dated_days_ahead: int = Field(366, ge=0, description="A document that is dated further ahead is held")
    due_days_ahead: int = Field(1830, ge=0, description="What is due or wanted further ahead is held")

    def options(self) -> dict[str, str]:
        """What rules may know of them, as text."""
        ahead = {name: str(getattr(self, name)) for name in ("dated_days_ahead", "due_days_ahead")}
        flags = {"may_authorise": str(self.may_authorise).lower()}
        return {"not_delivered_states": ",".join(self.not_delivered_states), **ahead, **flags}


class RetentionSettings(Section):
    """How long Dagster's own storage keeps runs. The ledger's trail is not touched: it is kept for ever."""

    runs_days: int = Field(
        30,
        ge=0,
        description="Runs that ended well or were canceled, and their events, are deleted so long after; 0: never",
    )
    failed_runs_days: int = Field(90, ge=0, description="The same of runs that failed; 0: never")


class Settings(Section):
    """The whole of mlc.yaml, but for the sections of its connections: those are fields that `sections` adds."""

    systems: ClassVar[Mapping[str, str]] = {}
    """SystemConnection -> the system that it leads to: {"hubspot": "hubspot", "hubspot_us": "hubspot"}."""

    tenant: str = Field(
        "",
        pattern=TENANT,
        description="Whose records these are, where several ERP tenants share one ledger: its entries, stored rows and "
        "secrets (ACME_IFS_CLIENT_ID) are apart from the others'. Leave it out for the only one",
    )
    partitions_start: date = Field(date(2026, 1, 1), description="The first day that can be read")
    companies: dict[str, CompanySettings] = Field(min_length=1)
    policies: Policies = Policies()
    schedules: Schedules = Schedules()
    retention: RetentionSettings = RetentionSettings()
    guards: dict[str, GuardSettings] = Field(
        default_factory=dict, description="flow (cin7/purchases): when its run must stop before the first write"
    )
    cut_over: dict[str, date] = Field(
        default_factory=dict,
        description="flow (cin7/purchases): documents that are dated before this day are never sent; those that it has"
        " delivered already stay its own",
    )
    later_life: dict[str, LaterLifeSettings] = Field(
        default_factory=dict, description="flow: what follows when its source takes back what was delivered"
    )
    verify: VerifySettings = VerifySettings()
    web: WebSettings = WebSettings()
    review: ReviewSettings | None = Field(None, description="Leave it out, and there is no review page")
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

    def guards_of(self, flow: str) -> GuardSettings:
        """What guards a flow, also where the file says nothing of it."""
        return self.guards.get(flow, USUAL)

    def secret(self, name: str) -> str:
        """What a secret is called in the environment and the vault: ACME_HUBSPOT_TOKEN of the tenant acme."""
        return f"{self.tenant.upper()}_{name}" if self.tenant else name

    @property
    def connections(self) -> dict[str, SystemConnection]:
        """What is switched on, by name, the ERP first."""
        found = {name: getattr(self, name) for name in self.systems}
        return {name: section for name, section in found.items() if section is not None}

    @property
    def targets(self) -> dict[str, TargetSection]:
        """The SaaS that are switched on, by the name of their connection."""
        return {name: section for name, section in self.connections.items() if isinstance(section, TargetSection)}

    def reverses(self, flow: str) -> bool:
        """Whether what the source of a flow takes back is reversed in the target."""
        said = self.later_life.get(flow)
        return said is not None and said.on_taken_back == "reverse"

    def section(self, connection: str) -> SystemConnection:
        """What the file says of a connection. Raises Misconfigured where it is switched off."""
        if (section := self.connections.get(connection)) is None:
            raise Misconfigured(f"{connection} is switched off", cure=f"Add a section `{connection}:` to mlc.yaml.")
        return section

    def target(self, connection: str) -> TargetSection:
        """The same of a SaaS."""
        section = self.section(connection)
        assert isinstance(section, TargetSection), f"{connection} is the ERP"
        return section

    def system_of(self, connection: str) -> str:
        """The system that a connection leads to: "hubspot" for hubspot_us."""
        return self.systems.get(connection, connection)

    def is_shadow(self, connection: str) -> bool:
        """Whether nothing may be written to it."""
        section = self.connections.get(connection)
        return section is not None and section.mode == "shadow"

    def verify_policy(self, flow: str) -> Policy:
        """What follows where a delivered record of the flow differs in its target."""
        return self.verify.flows.get(flow, self.policies.verify)

    def facts_for(self, connection: str) -> Facts:
        """What the file says of a target; charts, books and deliveries are added when a partition is prepared."""
        section, system = self.target(connection), self.system_of(connection)
        options = {**section.options(), **self.policies.options()}
        return Facts(
            connection=connection if connection != system else "",
            companies=self.company_mappings(connection),
            payment_terms=section.payment_terms,
            tax_rules=section.tax_rules,
            gl_accounts=section.gl_accounts,
            options=options,
            tables=section.tables(),
            extra_fields={f"{system}/{flow}": names for flow, names in section.extras.items()},
        )

    def company_mappings(self, connection: str) -> dict[str, CompanyMapping]:
        """Company code -> its mapping, as rules and mappings know it, with the connection's own names for it."""
        return {
            code: CompanyMapping(
                code,
                company.currency,
                company.decimals,
                company.names_in(connection),
                company.closed_until,
                company.open_until,
                CompanyCalendar(company.time_zone, company.accounting_year_starts, company.accounting_year_named_by),
                company.sites_in(connection),
            )
            for code, company in self.companies.items()
        }
