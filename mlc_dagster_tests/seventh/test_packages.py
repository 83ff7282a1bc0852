"""Packages that bring a system: none is named in the house, and a broken one is told in a sentence that names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlc_dagster.cli.shared import lookup
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.sandbox.registry import parts
from mlc_dagster.systems import configuration
from mlc_dagster.systems.registry import systems
from mlc_dagster_tests.seventh.conftest import HERE, ROOT, forget, lay_out

NAMES_IT = re.compile(r"""tally_books|Tally Books|TALLY_|["'`/]tally\b|\btally/|from_tally""")
"""The package, the section, the asset, the secret; what counts in the house may be a tally."""
DECLARATION = """
from dataclasses import replace
from mlc_dagster.settings.section import SystemConnection
from tally_books.system import SYSTEM as TALLY
from tally_books.sandbox import PART as PART
from mlc_dagster.systems.cin7.flows import FLOWS as CIN7
from mlc_dagster.core.vocabulary import ERP

class Bare(SystemConnection):
    pass

WORLDS = TALLY.flows[1]
SYSTEM = replace(TALLY, {changes})
"""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Install a package whose declaration is that of Tally Books with something changed."""
    with monkeypatch.context() as patched:

        def install(changes: str, text: str = DECLARATION) -> None:
            site = lay_out(tmp_path / "site", "[mlc_dagster.systems]\nodd = odd_package:SYSTEM\n", "odd-package")
            (site / "odd_package.py").write_text(text.replace("{changes}", changes))
            patched.syspath_prepend(str(HERE))
            patched.syspath_prepend(str(site))
            forget()

        yield install
    forget()


@pytest.mark.parametrize(
    "changes, said",
    [
        ('name="companies"', "has the name companies, which mlc.yaml uses for something else"),
        ('name="web"', "has the name web, which mlc.yaml uses for something else"),
        ('name="ledger"', "has the name ledger, which mlc.yaml uses for something else"),
        ('name="Tally-Books"', "has the name 'Tally-Books'; expected a name of small letters, digits and _"),
        ("settings=Bare", "expected a class made of mlc_dagster.settings.section.TargetSection"),
        ("settings=dict", "expected a class made of mlc_dagster.settings.section.TargetSection"),
        ('secrets=("TOKEN",)', "names the secret TOKEN; expected TALLY_... for each"),
        ("flows=CIN7", "has the flow cin7/suppliers, which is not one of tally with the ERP"),
        (
            'flows=(replace(WORLDS, name="ifs/vouchers_of_ours"),)',
            "has the flow ifs/vouchers_of_ours, which does not hold tally",
        ),
        ('name="cin7", secrets=(), flows=()', "declares cin7, and there is one already"),
    ],
)
def test_a_declaration_that_would_go_wrong_later_is_refused(
    broken: Callable[[str], None], changes: str, said: str
) -> None:
    broken(changes)
    with pytest.raises(Misconfigured) as error:
        systems()
    assert said in error.value.message and error.value.message.startswith("odd of odd-package (odd_package:SYSTEM, in ")
    assert error.value.message.count("\n") == 0 and error.value.cure is not None
    assert error.value.cure.endswith("pip uninstall odd-package")


def test_a_package_that_cannot_be_loaded_is_named_and_the_settings_are_not_blamed(
    broken: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken("", "import there_is_no_such_module\n")
    (tmp_path / "mlc.yaml").write_text("companies: {}\n")
    monkeypatch.setenv("MLC_CONFIG", str(tmp_path / "mlc.yaml"))
    with pytest.raises(Misconfigured, match=r"odd of odd-package .* cannot be loaded: ModuleNotFoundError"):
        lookup.settings_here()
    assert "has mistakes" not in capsys.readouterr().err


def test_a_sandbox_part_that_is_served_already_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        site = lay_out(tmp_path / "site", "[mlc_dagster.sandbox]\nmine = mine:PART\n", "mine")
        (site / "mine.py").write_text("from mlc_dagster.sandbox.cin7.part import PART as PART\n")
        patched.syspath_prepend(str(site))
        forget()
        with pytest.raises(Misconfigured, match=r"mine of mine .* serves cin7, and the sandbox has one already"):
            parts()
    forget()
    assert "cin7" in parts()


def test_its_flows_are_listed_with_those_of_the_others(site: Path) -> None:
    listed = configuration.known_flows()
    assert {"tally/suppliers", "ifs/vouchers_from_tally", "cin7/purchases"} <= listed.keys()
    assert (listed["tally/suppliers"].title, listed["cin7/purchases"].title) == ("Tally Books", "Cin7")


def test_no_file_of_the_house_names_the_seventh_system() -> None:
    sources = [path for path in (ROOT / "mlc_dagster").rglob("*") if path.suffix in (".py", ".yaml", ".toml", ".mako")]
    assert len(sources) > 300
    assert not [str(path) for path in sources if NAMES_IT.search(path.read_text(encoding="utf-8"))]
    others = ("mlc.example.yaml", "dagster.yaml", "workspace.yaml")
    assert not [name for name in others if NAMES_IT.search((ROOT / name).read_text(encoding="utf-8"))]


def test_the_package_with_its_sandbox_part_has_less_than_300_lines() -> None:
    sources = list((HERE / "tally_books").glob("*.py"))
    assert sum(path.read_text(encoding="utf-8").count("\n") for path in sources) < 300
