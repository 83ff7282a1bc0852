"""The options and arguments of `mlc holds`."""

from __future__ import annotations

from typing import Annotated

import typer

FlowOption = Annotated[str | None, typer.Option("--flow", help="Such as cin7/purchases.")]
RuleOption = Annotated[str | None, typer.Option("--rule", help="Such as gl_accounts_exist.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON, and no table.")]
KeyArgument = Annotated[str | None, typer.Argument(help="The record's key, as the list shows it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why. It stays in the trail.")]
WhoOption = Annotated[str, typer.Option("--who", help="Who decides. Default: the login name.", show_default=False)]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask before many records are decided on at once.")]
