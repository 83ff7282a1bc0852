"""What a person is asked. Each question says what it is for; an empty answer takes what stands in brackets."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import typer

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.inert import inert
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.terminal import plain, terminal
from mlc_dagster.systems.shared.discovery import Choice, Setting

LISTED = 15
"""Options that are listed; of more, the number."""


@dataclass
class Questions:
    """`answers`: given beforehand, by the name that `ask` knows them by; what is there is not asked."""

    answers: Mapping[str, str] = field(default_factory=dict)
    asked: int = 0
    secrets: dict[str, str] = field(default_factory=dict)  # those that a person typed

    def ask(self, name: str, words: str, usual: str = "") -> str:
        """A text; empty where it may be left out and was."""
        if name in self.answers:
            return self.answers[name]
        self.asked += 1
        return str(typer.prompt(inert(words), default=usual, show_default=bool(usual))).strip()

    def needed(self, name: str, words: str, usual: str = "") -> str:
        while not (said := self.ask(name, words, usual)):
            typer.echo("  It is needed to go on.", err=True)
        return said

    def yes(self, words: str) -> bool:
        self.asked += 1
        return typer.confirm(inert(words), default=True)

    def secret(self, name: str) -> str:
        """From the environment, or typed unseen; it is kept for the .env file alone."""
        if value := os.environ.get(name):
            return value
        self.asked += 1
        value = str(typer.prompt(f"  {name} (is not shown)", hide_input=True)).strip()
        self.secrets[name] = os.environ[name] = value
        return value

    def forget(self, names: Collection[str]) -> None:
        """They were wrong: they are asked for again."""
        for name in names:
            if self.secrets.pop(name, None) is not None:
                os.environ.pop(name, None)

    def some_of(
        self, name: str, words: str, there: Sequence[str], usual: Sequence[str], *, may_be_none: bool = False
    ) -> list[str]:
        """Names, with commas between them. `there`: those that there are; empty: any will do."""
        ask = self.ask if may_be_none else self.needed
        while True:
            said = [each.strip() for each in ask(name, words, ", ".join(usual)).split(",") if each.strip()]
            if not (wrong := [each for each in said if there and each not in there]):
                return list(dict.fromkeys(said))
            self._refuse(name, wrong[0], there)

    def _refuse(self, name: str, said: str, there: Sequence[str]) -> None:
        """Raises Misconfigured where nobody can be asked again: it was given beforehand."""
        words = f"{said!r} is none of: {', '.join(there)}{offered(said, there)}"
        if name in self.answers:
            raise Misconfigured(f"{name}: {words}")
        typer.echo(f"  {inert(words)}", err=True)

    # --- what a discovery leaves to a person --------------------------------------------------------------------------

    def taken(self, settings: Sequence[Setting]) -> list[Setting]:
        """What is sure, shown; a table that was matched is taken as a whole, or left out."""
        out, kept = terminal(130), []
        for each in settings:
            out.print(
                f"  [green]{plain(each.path)}[/]: {plain(_shown(each.value))}  [dim]{plain(each.why)}[/]",
                soft_wrap=True,
            )
        for each in settings:
            if not isinstance(each.value, Mapping) or self.yes(f"  Take {each.path} as it stands above?"):
                kept.append(each)
        return kept

    def decided(self, choices: Sequence[Choice]) -> list[Setting]:
        """What a person chose; what he leaves open is left out, and what it is about is held."""
        made = [(choice, self._choice(choice)) for choice in choices]
        return [Setting(choice.path, said, "chosen") for choice, said in made if said]

    def _choice(self, choice: Choice) -> str:
        listed = f" [{'/'.join(choice.options)}]" if 0 < len(choice.options) <= LISTED else ""
        while True:
            said = self.ask(choice.path, f"  {choice.words}{listed} (empty: later)", choice.usual)
            if not said or not choice.options or said in choice.options:
                return said
            self._refuse(choice.path, said, choice.options)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_shown(each)}" for name, each in value.items())
    return str(value)
