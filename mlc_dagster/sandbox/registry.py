"""The systems that the sandbox serves: a folder each, and those that installed packages bring by entry point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from mlc_dagster.core.plugins import in_folders, installed, wrong
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.sandbox.part import Part
from mlc_dagster.sandbox.profiles import Choice, Usual, chosen

GROUP = "mlc_dagster.sandbox"


@cache
def parts() -> dict[str, Part]:
    """Name -> part, the ERP first. Raises Misconfigured for a package's declaration that is none, or stands twice."""
    found = {part.name: part for part in in_folders("mlc_dagster.sandbox", "part:PART", Part)}
    for entry, part in installed(GROUP, Part):
        if part.name in found:
            raise wrong(entry, f"serves {part.name}, and the sandbox has one already")
        found[part.name] = part
    return dict(sorted(found.items(), key=lambda pair: (pair[0] != ERP, pair[0])))


def usual(given: Mapping[str, Any] | None = None) -> Usual:
    """What each system is like, and its profiles. `given`: system -> the traits that it has instead."""
    return {name: ((given or {}).get(name, part.traits), part.profiles) for name, part in parts().items()}


def nearest() -> tuple[str, ...]:
    """The profiles of all systems that are nearest to what is recorded of real tenants: `mlc demo` shows them."""
    return tuple(f"{name}.{profile}" for name, part in parts().items() for profile in part.nearest)


def choices_of(profiles: Iterable[str], given: Mapping[str, Any] | None = None) -> dict[str, Choice]:
    """System -> what the profiles make of it. Raises Misconfigured for a name that no system has."""
    return chosen(profiles, usual(given))
