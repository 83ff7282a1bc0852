"""What a system is: one declaration in its folder, `SYSTEM` in system.py, is all that the house asks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from mlc_dagster.core.accounts import Account, Delivered
from mlc_dagster.core.facts import Facts, LedgerAccount
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, EntitySet, Record
from mlc_dagster.rules.chart_agreement import Missing
from mlc_dagster.settings.section import Section, SystemConnection
from mlc_dagster.settings.sections import SystemSection
from mlc_dagster.settings.web import WebhookSource
from mlc_dagster.systems.shared.connections import Budgets, Kept, kept_nowhere, required_secrets, secret_name
from mlc_dagster.systems.shared.discovery import CodesInUse, Discovery
from mlc_dagster.systems.shared.findings import Finding, Question
from mlc_dagster.systems.shared.setting_names import ConnectionClient, names_of
from mlc_dagster.systems.shared.webhooks import WebhookEvent

Chart = Mapping[tuple[str, str], LedgerAccount]
"""(company, account) -> the account, of the ERP."""


class BankVault(Protocol):
    """Bank details, sealed by their marks: `ledger.vault.Vault`."""

    def keep_bank_details(self, values: Mapping[str, str]) -> None: ...
    def bank_details(self, mark: str) -> str | None: ...


@dataclass(frozen=True)
class ReferenceCheck:
    """A check of a reference list beside the ERP's chart of accounts: a line in the UI."""

    name: str
    words: str
    missing: Callable[[Chart, Sequence[Any], Facts, date], list[Missing]]
    counts_the_chart: bool = False  # what was asked: the ERP's accounts, else the list's entries
    asks_the_chart: bool = True  # False: of the list alone, which may be empty


@dataclass(frozen=True)
class Reference:
    """A list that a SaaS keeps of its own, read whole by the client's method of this name: an asset."""

    name: str
    record: type[Record]
    is_on: Callable[[Any], bool]  # of its section of mlc.yaml
    checks: tuple[ReferenceCheck, ...] = ()
    shown: bool = False  # a short list, whose rows stand in the asset's metadata


@dataclass(frozen=True)
class Comparison:
    """What was read last of a SaaS beside what was read last of the ERP: a report, without a call and without a write.

    `find` gives a row for each record, with the attributes `columns`, a `kind` that `checks` names, and a `why` where
    the two differ: (theirs, ours, the flow's {key: remote id}, facts) -> rows.
    """

    name: str
    description: str
    theirs: EntitySet
    ours: EntitySet
    flow: str
    is_on: Callable[[Any], bool]
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    checks: Mapping[str, tuple[str, str]]  # name of a check -> (its words, the kind that fails it)
    find: Callable[..., Iterator[Any]]
    also: tuple[str, ...] = ()  # further flows, whose {key: remote id} stand in facts.delivered


@dataclass(frozen=True)
class Webhooks:
    """What a system tells by webhook, and how it proves itself."""

    settings: type[WebhookSource]
    read: Callable[[Mapping[str, Any], bytes], WebhookEvent]  # (parsed body, body)
    challenge: Callable[[Mapping[str, Any]], str | None] = field(default=lambda payload: None)
    """What it wants to hear again when a webhook is made; None in an event."""
    concerns: Callable[[str], str] = field(default=lambda kind: "")
    """The kind of an event -> the name of the list of which its subject is a record that can be read by itself (the
    client's `read_records`); empty: it is no more than a hint that something changed."""


@dataclass(frozen=True)
class OtherSignIn:
    """A second way to sign in, by other secrets, which a connection chooses in mlc.yaml."""

    secrets: tuple[str, ...]
    is_chosen: Callable[[Any], bool]  # of its section of mlc.yaml
    replaced: str  # the one of them that each sign-in replaces: `connect` takes `kept=` for it, a transport KeptToken


@dataclass(frozen=True)
class System:
    """All that the house asks of a remote system."""

    name: str  # "hubspot": its section of mlc.yaml, the first part of its flows' names
    title: str  # "HubSpot", as people write it
    settings: type[SystemConnection]
    secrets: tuple[str, ...]  # their names in the environment and the vault, each beginning with NAME_
    connect: Callable[..., Any]
    """(section, *secrets, budgets, tries=8, name=connection) -> a client (outcomes.Client). Nothing is sent before its
    first use. Raises Misconfigured for a secret that nobody has set.
    """
    ping: Callable[[Question], Iterator[Finding]]
    flows: tuple[Flow, ...] = ()
    identity: Callable[[Any], Account | None] | None = None
    """client -> the account that its credentials lead to; None where it is not told. Few requests. Raises MlcError."""
    has: Callable[[Any, Delivered], bool] | None = None
    """(client, what the ledger says of a record) -> whether the account has that very record. Raises MlcError."""
    reads_back: bool = False  # its client shows what it has of what was delivered: outcomes.ReadsBack
    company: type[Section] | None = None  # what mlc.yaml may say of a company: its name there
    site: type[Section] | None = None  # likewise of a site (plant) of a company
    webhooks: Webhooks | None = None
    holds_by: tuple[str, ...] = ()  # rules that its client asks by itself, at the load
    other_sign_in: OtherSignIn | None = None
    references: tuple[Reference, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    package: str = ""  # in which its columns.json stands (systems.columns); empty: its columns have no words
    discover: Callable[[Question, Sequence[Flow], CodesInUse], Discovery] | None = None
    """(question, the flows of the house, the codes that the ERP's records name) -> a proposal for mlc.yaml, from what
    the system tells. Reads only.
    """

    @property
    def section(self) -> SystemSection:
        """What it adds to mlc.yaml."""
        webhooks = self.webhooks.settings if self.webhooks else None
        return SystemSection(self.title, self.settings, self.company, webhooks, self.site)

    def secrets_of(self, section: SystemConnection | None) -> tuple[str, ...]:
        """The secrets of its sign-in as the section chooses it; None: the usual one's."""
        other = self.other_sign_in
        return other.secrets if other and section is not None and other.is_chosen(section) else self.secrets

    def keeps(self, section: SystemConnection, names: Sequence[str], kept: Kept) -> dict[str, Any]:
        """What `connect` takes beside the values of the secrets, where one of them is replaced at each sign-in."""
        own = self.secrets_of(section)
        if self.other_sign_in is None or own != self.other_sign_in.secrets:
            return {}
        return {"kept": kept(names[own.index(self.other_sign_in.replaced)])}

    def client(
        self,
        section: SystemConnection,
        secrets: Mapping[str, str],
        budgets: Budgets,
        connection: str,
        tries: int = 8,
        *,
        kept: Kept = kept_nowhere,
        bank_salt: Callable[[], bytes] | None = None,
        bank_vault: BankVault | None = None,
    ) -> Any:
        """The client of a connection; its messages name the settings and secrets as they are called here.

        `secrets`: name here -> value, in the order of `secrets_of`. `bank_salt`: of the ledger, for the marks that it
        makes of bank details; `bank_vault`: where they are sealed, where a SaaS gets them. Raises as `connect`.
        """
        own = self.secrets_of(section)
        names, usual = tuple(secrets), [secret_name(name, self.name, connection) for name in own]
        required_secrets(tuple(secrets.values()), names)
        made = self.connect(
            section, *secrets.values(), budgets, tries=tries, name=connection, **self.keeps(section, names, kept)
        )
        if bank_salt is not None and hasattr(made, "bank_salt"):
            made.bank_salt = bank_salt
        if bank_vault is not None and hasattr(made, "keep_bank_details"):
            made.keep_bank_details = bank_vault.keep_bank_details
        if bank_vault is not None and hasattr(made, "open_bank_details"):
            made.open_bank_details = bank_vault.bank_details
        if connection == self.name and names == own:
            return made
        said = {**dict(zip(own, names, strict=True)), **dict(zip(usual, names, strict=True))}
        return ConnectionClient(made, names_of(self.name, connection, self.settings.model_fields, said))

    @property
    def is_erp(self) -> bool:
        return self.name == ERP
