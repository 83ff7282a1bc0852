"""The systems there are: a folder each in `systems/`, and those that installed packages bring by entry point."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from mlc_dagster.core.plugins import in_folders, installed, wrong
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.settings.section import OUR_NAME, SHAPES, TargetSection
from mlc_dagster.settings.sections import Sections, is_taken
from mlc_dagster.systems.system import System

GROUP = "mlc_dagster.systems"


@cache
def systems() -> dict[str, System]:
    """Name -> system, the ERP first. Raises Misconfigured for a package's declaration that is none, or stands twice."""
    found = {system.name: system for system in in_folders("mlc_dagster.systems", "system:SYSTEM", System)}
    for entry, system in installed(GROUP, System):
        if fault := next(_faults(system), ""):
            raise wrong(entry, fault)
        if system.name in found:
            raise wrong(entry, f"declares {system.name}, and there is one already")
        found[system.name] = system
    return dict(sorted(found.items(), key=lambda pair: (not pair[1].is_erp, pair[0])))


def sections() -> Sections:
    """What the systems add to mlc.yaml."""
    return {name: system.section for name, system in systems().items()}


def _faults(system: System) -> Iterator[str]:
    """What would go wrong later, and elsewhere, with a system that a package brings."""
    name = system.name
    if not re.fullmatch(OUR_NAME.rstrip("$"), name):
        yield f"has the name {name!r}; expected {SHAPES[OUR_NAME]}"
    if is_taken(name):
        yield f"has the name {name}, which mlc.yaml uses for something else; expected another one"
    if not (isinstance(system.settings, type) and issubclass(system.settings, TargetSection)):
        yield f"has the settings {system.settings!r}; expected a class made of {_named(TargetSection)}"
    other = system.other_sign_in
    for secret in (*system.secrets, *(other.secrets if other else ())):
        if not secret.startswith(f"{name.upper()}_"):
            yield f"names the secret {secret}; expected {name.upper()}_... for each"
    for flow in system.flows:
        if not {flow.source.system, flow.target.system} <= {ERP, name} or flow.spoke != name:
            yield f"has the flow {flow.name}, which is not one of {name} with the ERP"
        if flow.under(f"{name}_us").name == flow.name:
            yield f"has the flow {flow.name}, which does not hold {name}: a second connection could not have its own"


def _named(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
