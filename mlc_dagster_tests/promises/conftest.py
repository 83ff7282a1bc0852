"""What the promises share: a loader of processes to be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlc_dagster_tests.orchestration.conftest import world as world
from mlc_dagster_tests.promises.kinds import Kind
from mlc_dagster_tests.promises.rooms import Rooms
from mlc_dagster_tests.promises.victims import Victims

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What breaks things twenty times takes long: `make promises` runs it, and `make test` all that is quick."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def victims() -> Iterator[Victims]:
    """One loader for all tests of a worker."""
    with Victims("mlc_dagster_tests.promises.work", "mlc_dagster_tests.promises.journey", "pandas") as loader:
        yield loader


@pytest.fixture(scope="session")
def rooms_of(victims: Victims, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind], Rooms]:
    """What comes before a flow is delivered once for all that try it; its ledger is kept on SQLite."""
    made: dict[str, Rooms] = {}

    def rooms(kind: Kind) -> Rooms:
        if kind.flow not in made:
            made[kind.flow] = Rooms(kind, victims, tmp_path_factory.mktemp("rooms"))
        return made[kind.flow]

    return rooms
