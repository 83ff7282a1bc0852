"""The systems that the sandbox serves: a folder each, and those that installed packages bring by entry point."""

from __future__ import annotations

from functools import cache

from mlc_dagster.core.plugins import in_folders, installed, wrong
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.sandbox.part import Part

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
