"""A sandboxed Airbase with the books that the samples need."""

from collections.abc import Iterator

import pytest

from mlc_dagster.sandbox import Limits, Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=Limits(airbase_requests_per_minute=100_000)) as sandbox:
        sandbox.airbase.add_subsidiary("0010", "Plant 1", "SEK")
        sandbox.airbase.add_account("4010", "Material")
        sandbox.airbase.add_account("4200", "Training")
        yield sandbox
