"""The systems there are: a folder each in `systems/`, and those that installed packages bring by entry point.

A package names its declaration in its own metadata: `[project.entry-points."mlc_dagster.systems"]`, one line for each
system, `name = "package.system:SYSTEM"`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from mlc_dagster import systems as rooms
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.settings.sections import Sections
from mlc_dagster.systems.system import System

GROUP = "mlc_dagster.systems"


@cache
def systems() -> dict[str, System]:
    """Name -> system, the ERP first. Raises Misconfigured for a package's declaration that is none, or stands twice."""
    found = {system.name: system for system in _ours()}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        system = _loaded(entry)
        if system.name in found:
            raise _wrong(entry, f"declares {system.name}, and there is one already")
        found[system.name] = system
    return dict(sorted(found.items(), key=lambda pair: (not pair[1].is_erp, pair[0])))


def sections() -> Sections:
    """What the systems add to mlc.yaml."""
    return {name: system.section for name, system in systems().items()}


def _ours() -> Iterator[System]:
    for room in pkgutil.iter_modules(rooms.__path__, f"{rooms.__name__}."):
        if room.ispkg and not room.name.endswith(".shared"):
            yield importlib.import_module(f"{room.name}.system").SYSTEM


def _loaded(entry: EntryPoint) -> System:
    try:
        found = entry.load()
    except Exception as error:
        raise _wrong(entry, f"cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(found, System):
        raise _wrong(entry, f"is a {type(found).__name__}; expected a mlc_dagster.systems.system.System")
    if strange := [name for name in found.secrets if not name.startswith(f"{found.name.upper()}_")]:
        raise _wrong(entry, f"names the secret {strange[0]}; expected {found.name.upper()}_... for each")
    if strange := [flow.name for flow in found.flows if flow.spoke != found.name]:
        raise _wrong(entry, f"has the flow {strange[0]}, which is not one of {found.name} with the ERP")
    return found


def _wrong(entry: EntryPoint, words: str) -> Misconfigured:
    package = entry.dist.name if entry.dist else "a package"
    return Misconfigured(
        f"the system {entry.name} of {package} ({entry.value}) {words}",
        cure=f"Correct the package, or uninstall it: pip uninstall {package}",
    )
