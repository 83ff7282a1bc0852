"""A statement, what keeps it, and what shows it. Pure: whether all of that exists is asked in `keepers` and `tests`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

Names = tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """What keeps a statement, by kind, and the tests that show it. `a + b` is both."""

    flows: Names = ()
    """Of loaded assets: `cin7/purchases`."""
    rules: Names = ()
    """By which a record is held: `gl_accounts_exist`."""
    settings: Names = ()
    """Paths in mlc.yaml without its keys of a person's own: `cin7.gl_accounts`, `companies.closed_until`."""
    secrets: Names = ()
    """As the environment and the vault name them: `IFS_CLIENT_ID`."""
    commands: Names = ()
    """As they are typed: `mlc audit show`."""
    code: Names = ()
    """Below mlc_dagster/, with what is meant in it: `transport/sign_in.py::ClientCredentials`."""
    tests: Names = ()
    """Below mlc_dagster_tests/: `web/test_proof.py::test_...`."""

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(
            **{each.name: _both(getattr(self, each.name), getattr(other, each.name)) for each in fields(self)}
        )

    def keepers(self) -> Iterator[tuple[str, str]]:
        """(kind, name) of each thing that keeps it."""
        for each in fields(self):
            if each.name != "tests":
                yield from ((each.name, name) for name in getattr(self, each.name))


def _both(ours: Names, theirs: Names) -> Names:
    return tuple(dict.fromkeys((*ours, *theirs)))


@dataclass(frozen=True)
class InPart:
    """Something of the statement is missing: what, in a sentence."""

    reason: str


@dataclass(frozen=True)
class Otherwise:
    """Nothing is missing, but it is done otherwise than was said: what the remote system has instead, or why off."""

    reason: str


@dataclass(frozen=True)
class Statement:
    """One thing that was asked for or said of a system, in our own words. `but` is None where it holds as it stands."""

    says: str
    by: Evidence
    but: InPart | Otherwise | None = None


@dataclass(frozen=True)
class Chapter:
    """The statements of one description, in its order, under the headings of its parts."""

    system: str
    parts: dict[str, tuple[Statement, ...]]

    def statements(self) -> tuple[Statement, ...]:
        return tuple(each for part in self.parts.values() for each in part)


def shown(path: str, *tests: str, **kept_by: Names) -> Evidence:
    """Evidence by tests of one file: their names without `test_`."""
    return Evidence(tests=tuple(f"{path}::test_{name}" for name in tests), **kept_by)
