"""What folders and installed packages declare: one object each, found without a list of them.

A package names its declaration in its own metadata: `[project.entry-points."<group>"]`, one line for each,
`name = "package.module:OBJECT"`.
"""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from mlc_dagster.core.errors import Misconfigured

Declaration = TypeVar("Declaration")


def in_folders(package: str, place: str, kind: type[Declaration]) -> Iterator[Declaration]:
    """What each folder of a package declares at `place` ("system:SYSTEM"). A folder without such a module is none."""
    module, _, name = place.partition(":")
    for folder in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        if folder.ispkg and importlib.util.find_spec(f"{folder.name}.{module}"):
            found = getattr(importlib.import_module(f"{folder.name}.{module}"), name)
            assert isinstance(found, kind), f"{folder.name}.{place} is a {type(found).__name__}"
            yield found


def installed(group: str, kind: type[Declaration]) -> Iterator[tuple[EntryPoint, Declaration]]:
    """What installed packages declare, by name. Raises Misconfigured for what cannot be loaded, or is none."""
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        try:
            found = entry.load()
        except Exception as error:
            raise wrong(entry, f"cannot be loaded: {type(error).__name__}: {error}") from error
        if not isinstance(found, kind):
            raise wrong(entry, f"is a {type(found).__name__}; expected a {kind.__module__}.{kind.__name__}")
        yield entry, found


def wrong(entry: EntryPoint, words: str) -> Misconfigured:
    """One sentence that names the package, and what to do."""
    package = entry.dist.name if entry.dist else "a package"
    return Misconfigured(
        f"{entry.name} of {package} ({entry.value}, in {entry.group}) {words}",
        cure=f"Correct the package, or uninstall it: pip uninstall {package}",
    )
