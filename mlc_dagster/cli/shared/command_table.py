"""Commands that are imported when they are called: `mlc --help` costs their names and their help, and no more.

`mlc holds list` is `app` of the module `list` in the folder `cli/holds`, and a line in that folder's table. At the top
such a module imports what its own help needs (typer, core, cli.shared); whatever is large, it imports where it runs.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from keyword import iskeyword
from platform import python_version
from typing import Annotated, Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Command(NamedTuple):
    """A line of a table."""

    name: str
    help: str
    """The first paragraph of what the command says of itself; a test compares the two."""
    of_records: bool = False
    """It tells of records, and so of the demo's where there is nothing else."""
    room: str = ""
    """The folder in which its module stands, where that is not the table's own."""

    def module(self, folder: str) -> str:
        """Where it is: `same-account` in `mlc_dagster.cli.ledger` is `mlc_dagster.cli.ledger.same_account`; a word of
        Python's has an underscore behind it.
        """
        place = f"{folder}.{self.room}" if self.room else folder
        return f"{place}.{self.name.replace('-', '_')}{'_' * iskeyword(self.name)}"

    def load(self, folder: str) -> Any:
        """The command, or the group of commands, with all of its options."""
        found = typer.main.get_command(import_module(self.module(folder)).app)
        found.name = self.name
        return found


class Group(TyperGroup):
    """Shows what the table says of its commands, and loads the one that is called."""

    folder: ClassVar[str]
    table: ClassVar[dict[str, Command]]
    usual: ClassVar[str] = ""  # the command that is meant where none is named; empty: the help is shown

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and (not args[0].startswith("-") or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named or not self.usual else [self.usual, *args])

    def __init__(self, **options: Any) -> None:
        listed = {name: TyperCommand(name, help=each.help) for name, each in self.table.items()}
        super().__init__(**{**options, "commands": listed})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The way to a command that is called, or asked for its own help. Raises UsageError where there is none."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, self.table[name].load(self.folder) if name else None, rest


def group(folder: str, words: str, *commands: Command, usual: str = "", is_root: bool = False) -> typer.Typer:
    """The commands of a folder. `folder`: its dotted name; `words`: its help; `usual`: the one that is meant where none
    is named. `is_root`: the whole of them, which tells its version, and completes what is typed.
    """

    class Folder(Group):
        pass

    Folder.folder, Folder.table, Folder.usual = folder, {each.name: each for each in commands}, usual
    return typer.Typer(
        cls=Folder,
        callback=_version if is_root else _no_options,  # with one, a group of one command is a group all the same
        help=words,
        no_args_is_help=True,
        add_completion=is_root,
        pretty_exceptions_show_locals=False,  # they would hold secrets
    )


def _say_version(asked: bool) -> None:
    if asked:
        names = ("mlc_dagster", "dagster")
        typer.echo(f"{', '.join(f'{name} {version(name)}' for name in names)}, Python {python_version()}")
        raise typer.Exit


def _version(
    show: Annotated[
        bool,
        typer.Option("--version", help="Say which release this is, and stop.", is_eager=True, callback=_say_version),
    ] = False,
) -> None:
    """Beside its commands."""


def _no_options() -> None:
    """A group has none of its own."""
