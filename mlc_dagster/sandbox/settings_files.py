"""What a location needs to know of the sandbox: a mlc.yaml, and a .env with its secrets, which everybody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.sandbox.seed.start import demo_secrets, demo_settings
from mlc_dagster.settings import file_modes


def settings_files(port: int, days: int, profiles: Sequence[str] = ()) -> dict[str, str]:
    """Name -> content, of a sandbox at this port of 127.0.0.1. Raises Misconfigured for a profile that there is not."""
    content = demo_settings(f"http://127.0.0.1:{port}", days=days, profiles=profiles)
    serve = " ".join(["mlc sandbox", f"--port {port}", *(f"--profile {name}" for name in profiles)])
    return {
        "mlc.yaml": f"# Of `{serve}`.\n{yaml.safe_dump(content, sort_keys=False, allow_unicode=True)}",
        ".env": "".join(f"{name}={value}\n" for name, value in demo_secrets().items()),
    }


def as_text(files: Mapping[str, str]) -> str:
    """One after the other, each under its name."""
    return "\n".join(f"# --- {name} ---\n{content}" for name, content in files.items())


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Raises Misconfigured where one of them is there already: nothing is written then."""
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise Misconfigured(f"{folder / there[0]} is there already", cure="Give another folder, or move it away.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        file_modes.write_text(folder / name, content)
