"""The way from addresses and credentials to a mlc.yaml: sign in, look, ask, one system after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import typer

from mlc_dagster.cli.setting_up.questions import Questions
from mlc_dagster.cli.setting_up.written import Draft, as_read, merged, without_the_usual
from mlc_dagster.core.errors import AccessDenied, Misconfigured, MlcError
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.terminal import paragraph, plain, terminal
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.discover import codes_of_the_erp
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.registry import systems
from mlc_dagster.systems.shared.discovery import CodesInUse, Discovery, Setting
from mlc_dagster.systems.shared.findings import Question
from mlc_dagster.systems.system import System

TRIES = 3
"""So often wrong credentials or addresses are asked for again."""
CURRENCY = re.compile(r"[A-Z]{3}")
NOT_YET = {"NOT-YET": {"currency": "XTS"}}
"""Stands for a company as long as none is known: settings have one at least. XTS is ISO 4217's code for trials."""


@dataclass
class Guide:
    """One walk. `addresses`: connection -> base_url, where it is not the system's own."""

    questions: Questions
    draft: Draft
    addresses: Mapping[str, str]

    def choose_systems(self) -> list[str]:
        others = [name for name in systems() if name != ERP]
        words = f"What runs beside IFS Cloud? {', '.join(others)}; several with commas (empty: IFS is only read)"
        return self.questions.some_of("with", words, others, (), may_be_none=True)

    def begin_with_the_erp(self) -> CodesInUse:
        """Addresses, sign-in, its sets, its companies. Raises MlcError where it cannot be signed in to."""
        _head("IFS Cloud", "what its administrator grants: docs/first-contact.md")
        found = self._tried(ERP, self._erp_addresses)
        _show(found)
        self.draft.proposals[ERP] = without_the_usual(found.proposal, self._settings())
        self._partitions_start()
        codes = codes_of_the_erp(self._settings(), self.questions.secret)
        self._companies(codes)
        return codes

    def add(self, name: str, codes: CodesInUse) -> None:
        """One SaaS. Raises MlcError where it cannot be signed in to."""
        _head(systems()[name].title, systems()[name].settings.__doc__ or "")
        found = self._tried(name, lambda: self._addresses(name), codes)
        _show(found)
        settings = self.questions.taken(found.settings)
        said = merged(settings, self.questions.decided(found.choices))
        fields = systems()[name].settings.model_fields
        self.draft.say(name, [each for each in said if not _is_usual(each, fields)])

    # --- signing in ---------------------------------------------------------------------------------------------------

    def _tried(self, name: str, addresses: Any, codes: CodesInUse | None = None) -> Discovery:
        """Its discovery; what is wrong is said, and asked for again."""
        system = systems()[name]
        for last in (*[False] * (TRIES - 1), True):
            self.draft.sections[name] = addresses()
            names = configuration.secrets(name, system)
            try:
                return self._discovered(name, system, [self.questions.secret(each) for each in names], codes)
            except (AccessDenied, Misconfigured, MlcError) as error:
                terminal(130).print(f"  [red]✗[/] {paragraph(str(error))}", soft_wrap=True)
                self.questions.forget(names)
                if last or not self.questions.asked:
                    raise
        raise AssertionError

    def _discovered(self, name: str, system: System, values: Sequence[str], codes: CodesInUse | None) -> Discovery:
        settings = self._settings()
        assert system.discover is not None, f"{name} cannot be asked what it has"
        question = Question(name, settings, tuple(values))
        return system.discover(question, _flows(settings), codes or CodesInUse())

    def _erp_addresses(self) -> list[Setting]:
        fields = IfsSettings.model_fields
        base = self.questions.needed("ifs.base_url", f"  Address ({fields['base_url'].description})")
        token = self.questions.needed("ifs.token_url", f"  Where it signs in ({fields['token_url'].description})")
        return [Setting("base_url", base), Setting("token_url", token)]

    def _addresses(self, name: str) -> list[Setting]:
        """Only where the system has none of its own, or somebody named another."""
        field = systems()[name].settings.model_fields["base_url"]
        if name in self.addresses:
            return [Setting("base_url", self.addresses[name])]
        if not field.is_required():
            return []
        return [Setting("base_url", self.questions.needed(f"{name}.base_url", f"  Address ({field.description})"))]

    def _settings(self) -> Settings:
        """As the draft stands, read as a file would be."""
        draft = replace(self.draft, companies=self.draft.companies or NOT_YET)
        return configuration.parse(as_read(draft.text()), "mlc.yaml")

    # --- companies ----------------------------------------------------------------------------------------------------

    def _partitions_start(self) -> None:
        usual = self.draft.partitions_start.isoformat()
        while True:
            said = self.questions.needed("partitions_start", "  The first day that is read", usual)
            try:
                self.draft.partitions_start = date.fromisoformat(said)
            except ValueError:
                typer.echo("  A day is written 2026-11-05.", err=True)
            else:
                return

    def _companies(self, codes: CodesInUse) -> None:
        seen = ", ".join(f"{code} ({currency or 'no document'})" for code, currency in codes.companies.items())
        usual = tuple(code for code, currency in codes.companies.items() if currency)
        words = "  Which companies are loaded?" + (f" Its user sees {seen}" if seen else "")
        for code in self.questions.some_of("companies", words, (), usual):
            self.draft.companies[code] = {"currency": self._currency(code, codes.companies.get(code, ""))}

    def _currency(self, code: str, seen: str) -> str:
        while True:
            said = self.questions.needed(f"currency.{code}", f"  The currency of company {code}'s books", seen)
            if CURRENCY.fullmatch(said) or f"currency.{code}" in self.questions.answers:
                return said
            typer.echo("  Three capital letters, such as SEK.", err=True)


def _is_usual(said: Setting, fields: Mapping[str, Any]) -> bool:
    """What has the value that it has anyway need not stand in the file."""
    return said.path in fields and str(fields[said.path].default).casefold() == str(said.value).casefold()


def first_of_the_month() -> date:
    return datetime.now(UTC).date().replace(day=1)


def _flows(settings: Settings) -> tuple[Flow, ...]:
    return tuple(configuration.known_flows(settings).values())


def _head(title: str, words: str) -> None:
    terminal(130).print(f"\n[bold]{plain(title)}[/]  [dim]{plain(' '.join(words.split()))}[/]", soft_wrap=True)


def _show(found: Discovery) -> None:
    """What is not sure comes last: it stands next to the questions."""
    out = terminal(130)
    for each in sorted(found.findings, key=lambda each: not each.ok):
        mark = "[green]ok[/]" if each.ok else "[yellow]? [/]"
        out.print(f"  {mark} {plain(each.what)}: {paragraph(each.answer)}", soft_wrap=True, highlight=False)
