"""`mlc init`: from granted credentials to settings that work, without a file edited by hand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.core import commands
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import plain, say, terminal

if TYPE_CHECKING:
    from mlc_dagster.cli.setting_up.questions import Questions
    from mlc_dagster.cli.setting_up.written import Draft
    from mlc_dagster.settings import Settings

EXAMPLES = """Examples: mlc init · mlc init --with hubspot --with cin7 ·
mlc init --with cin7 --answer ifs.base_url=https://acme.ifs.cloud --answer companies=0010"""

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def init(
    beside: Annotated[
        list[str] | None, typer.Option("--with", help="A SaaS beside IFS Cloud: hubspot, cin7, ...; several times.")
    ] = None,
    address: Annotated[
        list[str] | None, typer.Option(help="A system's other address: cin7=http://127.0.0.1:8787/cin7.")
    ] = None,
    answer: Annotated[
        list[str] | None, typer.Option(help="What would be asked, known beforehand: companies=0010,0020.")
    ] = None,
) -> None:
    """Ask what to connect, sign in to it, look at what is there, and write mlc.yaml and .env. Changes no system.

    Nothing is guessed: what matched by name is shown and confirmed, the rest is asked, and what stays open is held
    until mlc.yaml says more.
    """
    from mlc_dagster.cli.setting_up.guide import Guide, first_of_the_month
    from mlc_dagster.cli.setting_up.questions import Questions
    from mlc_dagster.cli.setting_up.written import Draft

    path, began = Path("mlc.yaml"), time.monotonic()
    _refuse_to_overwrite(path)
    settings_file.environment()  # reads .env
    given = {**_pairs(answer, "--answer"), **({"with": ",".join(beside)} if beside else {})}
    guide = Guide(Questions(given), Draft(first_of_the_month()), _pairs(address, "--address"))
    chosen = guide.choose_systems()
    codes = guide.begin_with_the_erp()
    for name in chosen:
        guide.add(name, codes)
    settings = _write(path, guide.draft, guide.questions)
    minutes = (time.monotonic() - began) / 60
    typer.echo()
    say(f"Written: {path} and .env, after {guide.questions.asked} questions and {minutes:.1f} minutes.")
    _say_what_next(settings)


def _refuse_to_overwrite(path: Path) -> None:
    if path.exists():
        cure = "Move it away to begin anew; or take in what another system has: mlc discover cin7."
        raise Misconfigured(f"{path} is there already, and it is yours", cure=cure)


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """Raises Misconfigured for one that is none."""
    found = {}
    for each in given or ():
        name, equals, value = each.partition("=")
        if not equals:
            raise Misconfigured(f"found {option} {each!r}", cure=f"Written {option} name=value.")
        found[name.strip()] = value.strip()
    return found


def _write(path: Path, draft: Draft, questions: Questions) -> Settings:
    """Both files, once the settings read as they should. Raises Misconfigured: then neither is written."""
    from mlc_dagster.cli.setting_up.written import env_text
    from mlc_dagster.settings import file_modes
    from mlc_dagster.systems import configuration

    env, trial = Path(".env"), path.with_suffix(".yaml.new")
    file_modes.write_text(trial, draft.text())
    try:
        settings = configuration.load(trial)
    except Misconfigured:
        say(f"What was chosen does not fit together; it is kept in {trial}.", err=True)
        raise
    before = env.read_text(encoding="utf-8") if env.exists() else ""
    if questions.secrets:
        file_modes.write_text(env, env_text(before, questions.secrets))
    trial.replace(path)
    return settings


def _say_what_next(settings: Settings) -> None:
    """The flows that are on, and the first record."""
    from mlc_dagster.orchestration.automation.replaying import flows_on

    on = list(flows_on(settings))
    out = terminal()
    out.print(
        f"Flows that are on: {plain(', '.join(on)) or 'none yet: mlc flows says what each lacks'}", soft_wrap=True
    )
    first = next((name for name in on if name.endswith(("suppliers", "vendors", "companies"))), next(iter(on), ""))
    for command, why in (
        ("ping", "asks every system whether all is there"),
        (commands.offered("try", flow=first).removeprefix("mlc "), "takes one record there, step by step"),
        ("ui", "opens Dagster; schedules start there"),
    ):
        out.print(f"  [bold]mlc {plain(command)}[/]  {why}", highlight=False)
