"""A sandboxed HubSpot that nobody has set up yet."""

from collections.abc import Iterator

import pytest

from mlc_dagster.sandbox import Limits, Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=Limits(hubspot_calls_per_10_seconds=100_000)) as sandbox:
        yield sandbox
