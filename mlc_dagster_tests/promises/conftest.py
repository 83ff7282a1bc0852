"""What the promises share: a loader of processes to be killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlc_dagster_tests.orchestration.conftest import world as world
from mlc_dagster_tests.promises.victims import Victims


@pytest.fixture(scope="session")
def victims() -> Iterator[Victims]:
    """One loader for all tests of a worker."""
    with Victims("mlc_dagster_tests.promises.work") as loader:
        yield loader
