"""A tenant is discovered, its proposal pasted into a mlc.yaml, and what is there is read by the real way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.sandbox import Limits, Sandbox, Tenant
from mlc_dagster.sandbox.ifs.tokens import CLIENT_ID, CLIENT_SECRET, PATH
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.discover.discovery import discover_ifs
from mlc_dagster.systems.shared.discovery import Discovery
from mlc_dagster.systems.shared.findings import Finding, Question

COMPANIES = ("0010", "20")
Start = Callable[..., Sandbox]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a sandbox with the demo's records and a tenant of its own."""
    boxes: list[Sandbox] = []

    def started(seed: Any = "demo", **tenant: Any) -> Sandbox:
        limits = Limits(ifs_requests_per_minute=100_000)
        boxes.append(Sandbox(seed=seed, days=3, tenant=Tenant(**tenant), limits=limits))
        return boxes[-1].__enter__()

    yield started
    for box in boxes:
        box.__exit__(None, None, None)


def section(url: str, **ifs: Any) -> str:
    """The beginning of `ifs:` in a mlc.yaml, and all that stands above it."""
    own = "".join(f"  {name}: {value}\n" for name, value in ifs.items())
    companies = "".join(f'  "{code}": {{currency: EUR}}\n' for code in COMPANIES)
    return (
        f"partitions_start: 2026-01-01\ncompanies:\n{companies}"
        f"ifs:\n  base_url: {url}/ifs\n  token_url: {url}{PATH}\n  requests_per_minute: 100000\n{own}"
    )


def settings_of(text: str, folder: Path) -> Settings:
    """As `mlc` reads them: from a file."""
    path = folder / "mlc.yaml"
    path.write_text(text, encoding="utf-8")
    return configuration.load(path)


def discovered(settings: Settings, secret: str = CLIENT_SECRET) -> Discovery:
    flows = list(configuration.known_flows().values())
    return discover_ifs(Question("ifs", settings, (CLIENT_ID, secret)), flows)


def pasted(box: Sandbox, folder: Path, **ifs: Any) -> tuple[Discovery, Settings]:
    """What was proposed, and the settings of a mlc.yaml into which it was put unchanged."""
    begin = section(box.url, **ifs)
    found = discovered(settings_of(begin, folder))
    return found, settings_of(begin + found.proposal, folder)


def line_of(found: Discovery, what: str) -> Finding:
    return next(each for each in found.findings if each.what == what)
