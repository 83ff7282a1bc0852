import subprocess
import sys
import traceback
from subprocess import PIPE
from urllib.parse import quote

import psycopg2
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger.database import parse
from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster.ledger.opening import HEAD, VERSION_TABLE, alembic_config
from mlc_dagster.ledger.tables import TABLES
from mlc_dagster_tests.ledger.samples import FLOW, deliver, ready

SECRET = "s3cr3t-marked"

OPEN_AND_DELIVER = """
import sys
from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster_tests.ledger.samples import deliver, ready
url, number = sys.argv[1:]
print(flush=True)
input()
with Ledger.open(url) as ledger:
    for each in range(20):
        deliver(ledger, ready(f"P{number}-{each}"))
"""


def test_the_migrations_lead_to_the_tables_of_this_release(ledger):
    with ledger._database.reading() as connection:
        opts = {
            "version_table": VERSION_TABLE,
            "compare_type": False,
            "include_object": _is_of(connection.dialect.name),
        }
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, TABLES) == []
        assert (
            context.get_current_revision() == HEAD == ScriptDirectory.from_config(alembic_config()).get_current_head()
        )


def _is_of(dialect):
    """What a table of this release has on one of the databases alone is not looked for on the other."""
    return lambda item, name, kind, reflected, other: getattr(item, "info", {}).get("only", dialect) == dialect


def test_several_processes_open_and_write_one_new_ledger_at_once(ledger_url):
    arguments = [sys.executable, "-c", OPEN_AND_DELIVER, ledger_url]
    processes = [
        subprocess.Popen([*arguments, str(number)], stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)
        for number in range(4)
    ]
    for process in processes:
        process.stdout.readline()  # all have imported what they need, and start within a millisecond
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    failures = [error for process in processes if (error := process.communicate(timeout=60)[1])]
    assert failures == []
    with Ledger.open(ledger_url) as ledger:
        assert len(ledger.remote_ids(FLOW)) == 80


def test_a_ledger_of_a_newer_release_is_left_alone(ledger_url):
    with Ledger.open(ledger_url) as ledger:
        deliver(ledger, ready())
        with ledger._database.writing() as connection:
            connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(Misconfigured, match=rf"'9999'.*'{HEAD}'"):
        Ledger.open(ledger_url)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://mlc:{SECRET}@db.test/ledger",
        f"postgresql+asyncpg://mlc:{SECRET}@db.test/ledger",
        f"postgresql://mlc:{SECRET}@{SECRET}@db.test/ledger",
        f"postgresql://mlc:{SECRET}/{SECRET}@db.test/ledger",
        f"postgresql://mlc:{SECRET}@127.0.0.1:1/ledger",
        f"postgresql://mlc:{SECRET}@127.0.0.1:port/ledger",
        f"mlc:{SECRET}",
        "sqlite://",
        "sqlite:///:memory:",
        "",
    ],
)
def test_an_address_that_no_ledger_can_be_kept_at_is_named_without_its_password(url):
    with pytest.raises(Misconfigured, match="MLC_DATABASE_URL") as caught:
        Ledger.open(url)
    assert SECRET not in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "POSTGRESQL", "postgresql+psycopg2", "postgresql+psycopg"]
)
@pytest.mark.parametrize("form", ["{scheme}://{user}@/{name}?host={folder}", "{scheme}://{user}@{encoded}/{name}"])
def test_a_ledger_on_postgresql_opens_at_its_address_as_people_write_it(postgres_url, scheme, form):
    asked = parse(postgres_url)
    folder = asked.query["host"]
    address = form.format(
        scheme=scheme, user=asked.username, name=asked.database, folder=folder, encoded=quote(folder, safe="")
    )
    for options in ("", "sslmode=prefer&connect_timeout=5&application_name=mlc"):
        with Ledger.open(f" {address}{'&' if '?' in address else '?'}{options}\n" if options else address) as ledger:
            deliver(ledger, ready())
            assert ledger.remote_ids(FLOW) == {"0010/P1": "c-1"}


def test_a_file_that_is_no_database_is_not_touched(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("These are my notes. " * 100)
    with pytest.raises(Misconfigured, match=r"notes\.txt: file is not a database"):
        Ledger.open(f"sqlite:///{file}")
    assert file.read_text() == "These are my notes. " * 100


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match=r"file/ledger\.db"):
        Ledger.open(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")


def test_a_read_only_ledger_is_refused_when_it_opens_not_when_it_is_needed(postgres_url):
    Ledger.open(postgres_url).close()
    name = psycopg2.extensions.parse_dsn(postgres_url)["dbname"]
    with psycopg2.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(Misconfigured, match="read-only"):
        Ledger.open(postgres_url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_postgresql_by_any_name_is_spoken_to_by_psycopg2(scheme):
    url = parse(f"{scheme}://user:a%40b@db.test:5433/ledger")
    assert url.drivername == "postgresql+psycopg2"
    assert (url.password, url.host, url.port, url.database) == ("a@b", "db.test", 5433, "ledger")


def test_dagster_may_keep_its_own_storage_in_the_same_database(postgres_url):
    with psycopg2.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE alembic_version (version_num text)")
        cursor.execute("INSERT INTO alembic_version VALUES ('of dagster')")
    with Ledger.open(postgres_url) as ledger:
        deliver(ledger, ready())
    with psycopg2.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT version_num FROM alembic_version")
        assert cursor.fetchall() == [("of dagster",)]
