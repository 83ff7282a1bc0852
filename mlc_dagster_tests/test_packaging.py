"""The wheel has all that the product needs: what is not Python, too; and it works where there is no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import mlc_dagster
from mlc_dagster.settings import file_modes
from mlc_dagster.shipped import NAMES, here_or_shipped

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
PACKAGE = Path(mlc_dagster.__file__).parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy, so that nothing is left in the checkout; pip fetches what builds it, as `make` does."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    copied = [ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE")]
    source.mkdir()
    for path in copied:
        (source / path.name).write_bytes(path.read_bytes())
    subprocess.run(["cp", "-r", str(PACKAGE), str(source)], check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", str(folder), "."]
    subprocess.run(command, cwd=source, check=True, timeout=300)
    [built] = folder.glob("*.whl")
    return built


def packed(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if name.startswith("mlc_dagster/")}


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    there = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert there == packed(wheel)
    assert {"mlc_dagster/py.typed", *(f"mlc_dagster/shipped/{name}" for name in NAMES)} <= packed(wheel)


def test_installed_without_a_checkout_it_lays_out_a_demo_and_serves_its_sandbox(wheel: Path, tmp_path: Path) -> None:
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(site)
    script = (
        "import mlc_dagster, pathlib\n"
        f"assert mlc_dagster.__file__.startswith({str(site)!r}), mlc_dagster.__file__\n"
        "from mlc_dagster.shipped import here_or_shipped\n"
        "from mlc_dagster.demo.place import Place\n"
        "place = Place(pathlib.Path('demo').resolve())\n"
        "taken = place.lay_out(1, here_or_shipped('dagster.yaml').read_text(), [])\n"
        "place.enter()\n"
        "with place.sandbox(1, [], taken):\n"
        "    from mlc_dagster.definitions import defs\n"
        "    print(len(list(defs.assets)), 'assets')\n"
    )
    known = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=empty, env=known, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[0]) > 60


def test_a_file_of_this_folder_counts_before_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert here_or_shipped("dagster.yaml") == PACKAGE / "shipped" / "dagster.yaml"
    file_modes.write_text(tmp_path / "dagster.yaml", "telemetry: {enabled: false}\n")
    assert here_or_shipped("dagster.yaml").resolve() == tmp_path / "dagster.yaml"
