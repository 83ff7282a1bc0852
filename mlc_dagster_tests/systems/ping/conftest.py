"""A sandbox with the demo's records, settings that fit it, and what a ping finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems.configuration import parse
from mlc_dagster.systems.ping import Finding, ping_all
from mlc_dagster_tests.orchestration.conftest import SECRETS

Ask = Callable[[dict[str, Any]], list[Finding]]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(
        seed="demo",
        limits=Limits(
            cin7_calls_per_minute=100_000, ifs_requests_per_minute=100_000, procurify_requests_per_second=100_000
        ),
    ) as made:
        yield made


@pytest.fixture
def content(box: Sandbox) -> dict[str, Any]:
    """mlc.yaml, without a mistake."""
    made = demo_settings(box.url)
    made["procurify"]["requests_per_second"] = "1000"
    return made


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """What a ping of these settings finds wrong."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def asked(content: dict[str, Any]) -> list[Finding]:
        return [finding for finding in ping_all(parse(content, "mlc.yaml"), sealed, within=60) if not finding.ok]

    return asked


def only(content: dict[str, Any], *systems: str) -> dict[str, Any]:
    """The same with IFS and these systems alone."""
    off = {"cin7", "airbase", "monday", "hubspot", "procurify"} - set(systems)
    return {name: section for name, section in content.items() if name not in off}
