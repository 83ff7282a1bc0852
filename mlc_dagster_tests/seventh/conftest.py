"""The seventh system as pip would leave it: its package on sys.path, and its metadata beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from mlc_dagster.sandbox import registry as sandboxed
from mlc_dagster.systems import configuration, registry
from mlc_dagster_tests.orchestration.conftest import PLENTY, World
from mlc_dagster_tests.orchestration.conftest import world as world

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOKEN, KEY = "sandbox-tally-token", Fernet.generate_key().decode()
OURS = ("tally_books", "odd_package", "mine")
ENTRY_POINTS = """\
[mlc_dagster.systems]
tally = tally_books.system:SYSTEM

[mlc_dagster.sandbox]
tally = tally_books.sandbox:PART
"""


def lay_out(site: Path, entry_points: str = ENTRY_POINTS, name: str = "tally-books") -> Path:
    """What pip lays beside a package that it installs; the folder that goes on sys.path."""
    metadata = site / f"{name.replace('-', '_')}-0.1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (metadata / "entry_points.txt").write_text(entry_points)
    return site


def forget() -> None:
    """Packages are looked for once in a process."""
    registry.systems.cache_clear()
    sandboxed.parts.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package is installed in this process, and can be in others: `python_path`."""
    made = lay_out(tmp_path / "site-packages")
    with monkeypatch.context() as patched:
        patched.syspath_prepend(str(HERE))
        patched.syspath_prepend(str(made))
        patched.setenv("TALLY_TOKEN", TOKEN)
        forget()
        yield made
    forget()


@pytest.fixture
def books(site: Path, request: pytest.FixtureRequest) -> World:
    """The small world of orchestration's tests with Tally Books in it: two accounts of company 0010, one supplier."""
    found: World = request.getfixturevalue("world")
    found.put_account("1930")
    connect(found, tally={})
    found.chart()
    return found


def connect(world: World, **sections: dict[str, Any]) -> None:
    """The ERP, and Tally Books under these names; each at the sandbox unless its section says another address."""
    usual = {"base_url": f"{world.box.url}/tally", "calls_per_minute": "100000"}
    world.settings = configuration.parse(
        {
            "partitions_start": "2026-11-01",
            "companies": {"0010": {"currency": "SEK"}},
            "ifs": world.settings.section("ifs").model_dump(mode="json", exclude_none=True),
            **{name: {**usual, **section} for name, section in sections.items()},
        },
        "mlc.yaml",
    )


def journal(number: str, amount: str = "250.00", **fields: Any) -> dict[str, Any]:
    """A closed journal of 5 November, as Tally Books answers it."""
    lines = [{"account": "4010", "debit": amount}, {"account": "1930", "credit": amount}]
    row = {"id": number, "company": "0010", "posted_on": "2026-11-04", "currency": "SEK", "status": "closed"}
    return {**row, "updated_at": "2026-11-05T09:00:00Z", "lines": lines, **fields}


def command(
    world: World, folder: Path, *words: str, site: Path | None, says: str = ""
) -> subprocess.CompletedProcess[str]:
    """`mlc` in a process of its own. `site`: where packages are installed; None: they are not. `says`: its stdin."""
    (folder / "home").mkdir(exist_ok=True)
    (folder / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    config = folder / "mlc.yaml"
    if not config.exists():
        content = world.settings.model_dump(mode="json", exclude_none=True)
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
    known = {
        **os.environ,
        "MLC_CONFIG": str(config),
        "MLC_STORAGE": world.environment.storage,
        "MLC_DATABASE_URL": world.environment.database_url,
        "PYTHONPATH": os.pathsep.join(map(str, [ROOT, *([HERE, site] if site else [])])),
        "DAGSTER_HOME": str(folder / "home"),
        "MLC_MASTER_KEY": KEY,
        "COLUMNS": "200",
    }
    asked = [sys.executable, "-m", "mlc_dagster", *words]
    return subprocess.run(
        asked, env=known, cwd=folder, capture_output=True, text=True, input=says, timeout=120, check=False
    )


__all__ = ["PLENTY", "World", "books", "site", "world"]
