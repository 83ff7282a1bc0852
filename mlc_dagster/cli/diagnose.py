"""`mlc diagnose`: one file to attach to a question."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.terminal import beside, say

if TYPE_CHECKING:
    from mlc_dagster.settings import Settings

PACKAGES = (
    *("mlc_dagster", "dagster", "dagster-postgres", "dagster-celery", "httpx", "msgspec", "pydantic", "pyarrow"),
    *("sqlalchemy", "alembic", "cryptography", "typer", "starlette", "universal-pathlib"),
)
LEAST = 4  # signs of a secret that are looked for
TASKS, MOST = 50, 300  # of what failed, and characters of what each says
HIDDEN = "(a secret)"
EXAMPLES = "Examples: mlc diagnose · mlc diagnose --out ours.json --without-asking"

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def diagnose(
    out: Annotated[Path | None, typer.Option(help="The file. Left out: mlc-diagnose-<time>.json.")] = None,
    without_asking: Annotated[
        bool, typer.Option("--without-asking", help="Ask no system: what is here alone.")
    ] = False,
) -> None:
    """Write one file to attach to a question: versions, settings, the shape of what systems answer, last errors.

    No secret, and no value of a record: names and types alone. Read it before you send it; addresses and the names in
    mlc.yaml are in it. Changes nothing.
    """
    from mlc_dagster.settings import file_modes
    from mlc_dagster.systems import configuration

    config = settings_file.environment().config
    found: dict[str, Any] = {"made_at": datetime.now(UTC).isoformat(timespec="seconds"), "versions": _versions()}
    found["settings"] = config.read_text(encoding="utf-8") if config.is_file() else f"there is no {config}"
    settings = _tried(found, "mistakes", lambda: configuration.load(config))
    found["ledger"] = _tried(found, "ledger_error", _ledger)
    if settings is not None:
        _about(found, settings, asks=not without_asking)
    path = out or Path(f"mlc-diagnose-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json")
    if path.exists():
        raise Misconfigured(f"{path} is there already", cure="Give another name with --out.")
    file_modes.write_text(
        path, _without_secrets(json.dumps(found, ensure_ascii=False, indent=2, default=str), settings)
    )
    say(f"Written: {path}. Read it before you send it.")


def _tried(found: dict[str, Any], name: str, ask: Callable[[], Any]) -> Any:
    """What it gives; where it raises, its words stand under this name."""
    try:
        return ask()
    except MlcError as error:
        found[name] = str(error)
        return None


def _versions() -> dict[str, str]:
    found = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _ledger() -> dict[str, Any]:
    """Which database, how much is in it, what failed last. Raises MlcError where there is none."""
    from mlc_dagster.cli.shared.lookup import ledger

    with ledger() as opened:
        return {
            "about": asdict(opened.keeping.about()),
            "open_holds": {f"{flow} {rule}": number for (flow, rule), number in opened.count_holds().items()},
            "failed": [
                {"flow": task.flow, "partition": task.partition, "attempts": task.attempts, "says": task.why[:MOST]}
                for task in opened.work.all()
                if task.failed
            ][:TASKS],
        }


def _about(found: dict[str, Any], settings: Settings, *, asks: bool) -> None:
    from mlc_dagster.ledger.credentials import sealed
    from mlc_dagster.orchestration.automation.replaying import flows_on
    from mlc_dagster.systems import configuration
    from mlc_dagster.systems.ping import ping_all

    off = {name: configuration.switched_off(settings, name) for name in settings.targets}
    found["flows"] = {
        "on": list(flows_on(settings)),
        "off": {flow: why for each in off.values() for flow, why in each.items()},
    }
    if asks:
        beside("asking each system ...")
        found["ping"] = [asdict(each) for each in ping_all(settings, sealed)]
        found["shapes"] = _shapes(settings)


def _shapes(settings: Settings) -> dict[str, Any]:
    """One row of each set that a flow reads; none of a system that cannot be signed in to."""
    from mlc_dagster.cli.diagnosing.shapes import shape_of
    from mlc_dagster.cli.shared.clients import client_of
    from mlc_dagster.cli.trying.record import Sources
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.orchestration.automation.replaying import flows_on

    here, shapes = settings_file.environment(), {}
    with ExitStack() as stack:
        opened = stack.enter_context(Ledger.open(here.database_url, here.tenant))
        for flow in flows_on(settings).values():
            name = "/".join(flow.source.key)
            if name in shapes:
                continue
            try:
                with client_of(flow.source.system, settings, opened) as client:
                    shapes[name] = shape_of(Sources(flow, settings, client, client, client))
            except MlcError as error:
                shapes[name] = {"error": f"{type(error).__name__}: {error.message[:300]}"}
    return shapes


def _without_secrets(text: str, settings: Settings | None) -> str:
    """Whatever names a secret's value by mistake does not leave: a token in mlc.yaml, an error that quotes one."""
    from mlc_dagster.systems import configuration

    names = {*configuration.all_secrets(), *(configuration.all_secrets(settings) if settings else ()), "MLC_MASTER_KEY"}
    values = {os.environ.get(name, "") for name in names}
    parts = {part for value in values for part in (value, *value.split(",")) if len(part) >= LEAST}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(json.dumps(part, ensure_ascii=False)[1:-1], HIDDEN)
    return text
