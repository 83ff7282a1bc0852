"""C16: marked secrets of all six systems are found nowhere: logs, events, ledger, errors, GraphQL, rendered pages."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
import yaml
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, inspect, text

from mlc_dagster.core.loopback import bound_socket
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.location import build
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster_tests.web.conftest import serving

MARK = "Zq7mark"  # stands in every secret, and nowhere else
SECRETS = {
    "IFS_CLIENT_ID": f"{MARK}-ifs-id",
    "IFS_CLIENT_SECRET": f"{MARK}-ifs-secret",
    "CIN7_ACCOUNT_ID": f"{MARK}-cin7-account",
    "CIN7_APPLICATION_KEYS": f"{MARK}-cin7-key",
    "AIRBASE_TOKEN": f"{MARK}-airbase-token",
    "HUBSPOT_TOKEN": f"{MARK}-hubspot-token",
    "MONDAY_TOKEN": f"{MARK}-monday-token",
    "PROCURIFY_CLIENT_ID": f"{MARK}-procurify-id",
    "PROCURIFY_CLIENT_SECRET": f"{MARK}-procurify-secret",
    "AIRBASE_WEBHOOK_SECRET": f"{MARK}-airbase-webhook",
    "CIN7_WEBHOOK_SECRET": f"{MARK}-cin7-webhook",
    "MONDAY_WEBHOOK_SECRET": f"{MARK}-monday-webhook",
}
TOKEN = f"{MARK}-ifs-access-token"
ECHOES = {
    "ifs": f"{TOKEN} Bearer {TOKEN}",
    "cin7": f"{SECRETS['CIN7_ACCOUNT_ID']} {SECRETS['CIN7_APPLICATION_KEYS']}",
    "airbase": f"{SECRETS['AIRBASE_TOKEN']} Token",
    "hubspot": f"{SECRETS['HUBSPOT_TOKEN']} Bearer",
    "monday": f"{SECRETS['MONDAY_TOKEN']} ",
}
"""What each system was sent, as a careless one would quote it."""
SYSTEMS = ("cin7", "hubspot", "airbase", "monday")
PLENTY = Limits(
    cin7_calls_per_minute=10**6,
    ifs_requests_per_minute=10**6,
    hubspot_calls_per_10_seconds=10**6,
    airbase_requests_per_minute=10**6,
    monday_calls_per_minute=10**6,
    monday_calls_per_day=10**7,
    monday_points_per_minute=10**10,
)
TODAY = datetime.now(UTC).date()


@dataclass
class Place:
    """One company's installation, with its secrets in the environment and in the vault."""

    box: Sandbox
    folder: Path
    database: str

    @property
    def home(self) -> Path:
        return self.folder / "home"


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandboxed systems take these secrets, and no others; IFS gives a marked token for them."""
    monkeypatch.setattr("mlc_dagster.sandbox.ifs.tokens.secrets.token_urlsafe", lambda length: TOKEN)
    for place, value in {
        "ifs.tokens.CLIENT_ID": SECRETS["IFS_CLIENT_ID"],
        "ifs.tokens.CLIENT_SECRET": SECRETS["IFS_CLIENT_SECRET"],
        "cin7.api.ACCOUNT_ID": SECRETS["CIN7_ACCOUNT_ID"],
        "cin7.api.APPLICATION_KEYS": tuple(SECRETS["CIN7_APPLICATION_KEYS"].split(",")),
        "airbase.api.TOKEN": SECRETS["AIRBASE_TOKEN"],
        "hubspot.api.TOKEN": SECRETS["HUBSPOT_TOKEN"],
        "monday.api.TOKEN": SECRETS["MONDAY_TOKEN"],
    }.items():
        monkeypatch.setattr(f"mlc_dagster.sandbox.{place}", value)


@pytest.fixture
def place(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marked: None) -> Iterator[Place]:
    with Sandbox(seed="demo", today=TODAY, limits=PLENTY) as box:
        (tmp_path / "home").mkdir()
        shutil.copy(Path(__file__).parents[2] / "dagster.yaml", tmp_path / "home")
        content = demo_settings(box.url, TODAY)
        content["ifs"]["requests_per_minute"] = content["cin7"]["calls_per_minute"] = "1000000"
        content["airbase"]["requests_per_minute"] = content["hubspot"]["calls_per_10_seconds"] = "1000000"
        content["monday"].update(calls_per_minute="1000000", calls_per_day="1000000", points_per_minute="10000000000")
        (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content))
        where = {
            "MLC_CONFIG": str(tmp_path / "mlc.yaml"),
            "MLC_STORAGE": str(tmp_path / "storage"),
            "MLC_DATABASE_URL": sqlite_url,
            "MLC_MASTER_KEY": Fernet.generate_key().decode(),
            "DAGSTER_HOME": str(tmp_path / "home"),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        for name, value in {**SECRETS, **where}.items():
            monkeypatch.setenv(name, value)
        with Ledger.open(sqlite_url) as ledger:
            for name, value in SECRETS.items():
                ledger.vault(where["MLC_MASTER_KEY"]).set(name, value)
        yield Place(box, tmp_path, sqlite_url)


def everything(place: Place) -> list[str]:
    """All jobs of a day, well and badly: every system echoes what it was sent, in errors of several kinds."""
    environment = settings_file.environment()
    defs = build(settings_file.load(environment.config), environment)
    said = []
    with dg.DagsterInstance.get() as instance:
        for job, partition in [(name, None) for name in ("chart_of_accounts", "day", *SYSTEMS)]:
            if job != "day":
                said += _run(defs, instance, job, partition or _partition(job, place))
        for status, systems in ((401, SYSTEMS), (400, SYSTEMS), (500, ("hubspot",))):
            place.box.faults.clear()
            for system in ("ifs", *systems):
                body = json.dumps({"error": "bad", "message": f"you sent {ECHOES[system]}"})
                fault = {"status": status, "body": body, "headers": {"x-echo": ECHOES[system].split()[0]}}
                place.box.faults.add(system=system, times=2, **fault)
            for job in systems:
                said += _run(defs, instance, job, TODAY.isoformat())
    return said


def _partition(job: str, place: Place) -> str:
    return (
        TODAY.isoformat() if job in SYSTEMS else sorted({row["Company"] for row in place.box.ifs.rows("AccountSet")})[0]
    )


def _run(defs: dg.Definitions, instance: dg.DagsterInstance, job: str, partition: str) -> list[str]:
    """The errors of one run, with all that hangs on them."""
    tags = {"dagster/asset_partition_range_start": partition, "dagster/asset_partition_range_end": partition}
    result = defs.resolve_job_def(job).execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    failures = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    return [f"{each.error_display_string} {each.user_failure_data} {each.error}" for each in failures]


# --- where to look --------------------------------------------------------------------------------------------------


def ledger_text(url: str) -> str:
    """Every column of every table, as text."""
    engine, found = create_engine(url.replace("postgresql://", "postgresql+psycopg2://", 1)), []
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            found += [f"{table} {tuple(row)}" for row in connection.execute(text(f'SELECT * FROM "{table}"'))]
    engine.dispose()
    return "\n".join(found)


def files_text(folder: Path) -> str:
    """Every byte below a folder: Dagster's databases, logs, and what it keeps of errors."""
    return "\n".join(path.read_bytes().decode("latin-1") for path in sorted(folder.rglob("*")) if path.is_file())


QUERIES = {
    "runs": "{runsOrError{...on Runs{results{runId status tags{key value} runConfigYaml "
    "eventConnection(limit:1000){events{__typename ...on MessageEvent{message stepKey} "
    "...on ExecutionStepFailureEvent{error{message stack errorChain{error{message stack}}} "
    "failureMetadata{metadataEntries{label description}}} "
    "...on MaterializationEvent{label description "
    "metadataEntries{label description ...on TextMetadataEntry{text}}}}}}}}}",
    "repositories": "{repositoriesOrError{...on RepositoryConnection{nodes{name "
    "allTopLevelResourceDetails{name description configFields{name} configuredValues{key value}} "
    "jobs{name description} sensors{name description} schedules{name}}}...on PythonError{message stack}}}",
    "assets": "{assetNodes{assetKey{path} description metadataEntries{label description ...on TextMetadataEntry{text} "
    "...on JsonMetadataEntry{jsonString}}}}",
    "instance": "{instance{info executablePath daemonHealth{id}}}",
}


def asked_of_the_ui(place: Place) -> str:
    """What a real dagster-webserver on this instance answers: pages, and all that its GraphQL tells of runs."""
    with bound_socket(0) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("dagster-webserver")), "-h", "127.0.0.1", "-p", str(port)]
    log = (place.folder / "webserver.log").open("wb")
    server = subprocess.Popen([*command, "-m", "mlc_dagster.definitions"], stdout=log, stderr=log, env=dict(os.environ))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            return _answers(client, server)
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def _answers(client: httpx.Client, server: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 120
    while True:
        try:
            client.get("/server_info")
            break
        except httpx.TransportError:
            assert server.poll() is None and time.monotonic() < deadline, "dagster-webserver did not start"
            time.sleep(0.2)
    found = [client.get(page).text for page in ("/", "/server_info", "/assets", "/runs")]
    for name, query in QUERIES.items():
        answer = client.post("/graphql", json={"query": query})
        assert answer.status_code == 200 and "errors" not in answer.json(), f"{name}: {answer.text[:600]}"
        found.append(answer.text)
    return "\n".join(found)


def pages(place: Place) -> str:
    """What the webhooks' server says to those who know no secret, and to those who send it something odd."""
    with (
        Ledger.open(place.database) as ledger,
        serving(ledger, {k: v for k, v in SECRETS.items() if "WEBHOOK" in k}) as client,
    ):
        answers: list[Any] = [client.get(page) for page in ("/", "/health", "/webhooks/airbase", "/nowhere")]
        for source in ("airbase", "cin7", "monday"):
            secret = SECRETS[f"{source.upper()}_WEBHOOK_SECRET"]
            answers += [
                client.post(f"/webhooks/{source}", content=b"not json", headers={"X-Webhook-Secret": secret}),
                client.post(f"/webhooks/{source}/{secret}", content=b"[1]"),
                client.post(f"/webhooks/{source}", json={"id": "1"}, headers={"X-Webhook-Secret": secret + "x"}),
            ]
    return "\n".join(f"{answer.status_code} {answer.headers} {answer.text}" for answer in answers)


@pytest.mark.slow
@pytest.mark.promise(
    "C16",
    "a day of the demo into four systems; 401, 400 and 500 that quote what was sent; nine places searched",
)
def test_c16_no_secret_is_in_logs_events_ledger_errors_graphql_or_pages(
    place: Place, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)  # at DEBUG, httpcore shows the headers of answers: nobody runs books like that
    caplog.set_level(logging.DEBUG, logger="mlc_dagster")
    errors = everything(place)
    haystacks = {
        "errors": "\n".join(errors),
        "pages": pages(place),
        "GraphQL": asked_of_the_ui(place),
        "log": "\n".join(_line(record) for record in caplog.records if not _is_ours(record)),
        "Dagster's files": files_text(place.home),
        "ledger": ledger_text(place.database),
        "rows": files_text(place.folder / "storage"),
        "webserver's log": (place.folder / "webserver.log").read_text(),
        "stdout and stderr": "".join(capfd.readouterr()),
    }
    assert errors, "the echoes were heard"
    assert "IFS_CLIENT_SECRET" in haystacks["GraphQL"], "names are shown: the search would have found the values"
    assert "SupplierSet" in haystacks["errors"] + haystacks["log"]
    assert "deliveries" in haystacks["ledger"]
    found = {name: around(content) for name, content in haystacks.items() if MARK in content}
    assert found == {}


def _line(record: logging.LogRecord) -> str:
    return logging.Formatter("%(name)s %(message)s").format(record)


def _is_ours(record: logging.LogRecord) -> bool:
    """The client of this test logs what it asks of the webhooks' server; the server's own lines are searched."""
    return record.name == "httpx" and "/webhooks/" in record.getMessage()


def around(content: str) -> str:
    at = content.index(MARK)
    return content[max(0, at - 200) : at + 60]
