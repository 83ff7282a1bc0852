"""`mlc init`: from granted credentials to the first record, and no file edited by hand."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from mlc_dagster.cli.app import app
from mlc_dagster.core.errors import AccessDenied, Misconfigured
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.ifs.tokens import PATH as TOKEN
from mlc_dagster.sandbox.seed.start import demo_secrets

PLENTY = {"ifs_requests_per_minute": 100_000, "cin7_calls_per_minute": 100_000}
SECRETS = demo_secrets()
TOGETHER = ("cin7", "hubspot")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="demo", days=5, limits=Limits(**PLENTY)) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty, and nobody has set a secret."""
    monkeypatch.chdir(tmp_path)
    for name in (*SECRETS, "MLC_CONFIG", "MLC_DATABASE_URL", "MLC_STORAGE"):
        monkeypatch.setenv(name, "")  # so that what a run sets is taken back
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def init(box: Sandbox, *words: str, says: list[str]) -> Result:
    address = ["--address", f"cin7={box.url}/cin7/ExternalApi/v2", "--address", f"hubspot={box.url}/hubspot"]
    return CliRunner().invoke(app, ["init", *address, *words], input="\n".join([*says, ""]))


def erp(box: Sandbox) -> list[str]:
    """Addresses, credentials; the first day; three companies with the currencies that were seen."""
    sign_in = [f"{box.url}/ifs", f"{box.url}{TOKEN}", SECRETS["IFS_CLIENT_ID"], SECRETS["IFS_CLIENT_SECRET"]]
    return [*sign_in, "", "", "", "", ""]


CIN7 = [SECRETS["CIN7_ACCOUNT_ID"], SECRETS["CIN7_APPLICATION_KEYS"], "y", "y", "", "", "Cash on delivery", "", ""]
HUBSPOT = [SECRETS["HUBSPOT_TOKEN"], "y", ""]


def test_from_credentials_to_a_first_record_and_no_file_is_edited(box: Sandbox, folder: Path) -> None:
    box.forget_calls()
    done = init(box, says=["cin7, hubspot", *erp(box), *CIN7, *HUBSPOT])
    assert done.exit_code == 0, done.output
    assert "Written: mlc.yaml and .env, after " in done.output
    questions = int(done.output.split("and .env, after ")[1].split()[0])
    assert questions <= 26
    assert not any(box.journal(system) for system in ("ifs", "cin7", "hubspot"))

    said = yaml.load((folder / "mlc.yaml").read_text(), Loader=yaml.BaseLoader)
    assert said["companies"]["0010"] == {"currency": "SEK"}
    assert "0099" in done.output and "0099" not in said["companies"]  # it has a chart and no document: nobody chose it
    assert said["cin7"]["tax_rules"]["V25"] == "Tax on Purchases" and said["cin7"]["payment_terms"]["30"] == "30 days"
    assert said["cin7"]["payment_terms"]["0"] == "Cash on delivery" and "90" not in said["cin7"]["payment_terms"]
    assert said["hubspot"]["portal_id"] == "147000001"
    sets = said["ifs"]["entity_sets"]
    assert "code_part_value_set" not in sets and sets["supplier_set"]["constants"]["CreationDate"] == "today"  # its own

    assert CliRunner().invoke(app, ["check"]).exit_code == 0
    first = CliRunner().invoke(app, ["try", "--flow", "cin7/suppliers", "--yes"])
    assert first.exit_code == 0 and "Delivered: " in first.output, first.output


def test_secrets_are_kept_in_the_env_file_alone_and_never_shown(box: Sandbox, folder: Path) -> None:
    done = init(box, says=["hubspot", *erp(box), *HUBSPOT])
    assert done.exit_code == 0, done.output
    env = folder / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert f"HUBSPOT_TOKEN='{SECRETS['HUBSPOT_TOKEN']}'" in env.read_text()
    for secret in (SECRETS["HUBSPOT_TOKEN"], SECRETS["IFS_CLIENT_SECRET"]):
        assert secret not in done.output and secret not in (folder / "mlc.yaml").read_text()


def test_who_only_reads_names_no_system(box: Sandbox, folder: Path) -> None:
    done = init(box, says=["", *erp(box)])
    assert done.exit_code == 0 and "none yet" in done.output, done.output
    said = yaml.safe_load((folder / "mlc.yaml").read_text())
    assert set(said) == {"partitions_start", "companies", "ifs"}


def test_wrong_credentials_are_told_and_asked_for_again(box: Sandbox, folder: Path) -> None:
    wrong = [f"{box.url}/ifs", f"{box.url}{TOKEN}", "sandbox", "not-it"]
    done = init(box, says=["", *wrong, *erp(box)])
    assert done.exit_code == 0 and "401 unauthorized_client" in done.output
    assert "not-it" not in done.output + (folder / ".env").read_text()


def test_after_three_wrong_tries_nothing_is_written(box: Sandbox, folder: Path) -> None:
    wrong = [f"{box.url}/ifs", f"{box.url}{TOKEN}", "sandbox", "not-it"]
    done = init(box, says=["", *wrong, *wrong, *wrong])
    assert isinstance(done.exception, AccessDenied) and list(folder.iterdir()) == []


def test_what_was_settled_before_is_never_written_over(box: Sandbox, folder: Path) -> None:
    (folder / "mlc.yaml").write_text("mine\n")
    done = init(box, says=[])
    assert isinstance(done.exception, Misconfigured) and "is there already" in str(done.exception)
    assert (folder / "mlc.yaml").read_text() == "mine\n"


def test_answers_may_be_given_beforehand_and_one_that_is_none_is_refused(box: Sandbox, folder: Path) -> None:
    known = [
        "--with",
        "hubspot",
        "--answer",
        f"ifs.base_url={box.url}/ifs",
        "--answer",
        f"ifs.token_url={box.url}{TOKEN}",
    ]
    known += ["--answer", "companies=0010", "--answer", "currency.0010=SEK", "--answer", "partitions_start=2026-11-01"]
    done = init(box, *known, says=[SECRETS["IFS_CLIENT_ID"], SECRETS["IFS_CLIENT_SECRET"], *HUBSPOT])
    assert done.exit_code == 0, done.output
    assert list(yaml.safe_load((folder / "mlc.yaml").read_text())["companies"]) == ["0010"]
    (folder / "mlc.yaml").unlink()
    wrong = init(box, "--with", "hubpsot", says=[])
    assert isinstance(wrong.exception, Misconfigured) and "hubpsot" in str(wrong.exception)


@pytest.mark.parametrize("profile", ["ifs.entity", pytest.param("ifs.pages", marks=pytest.mark.slow)])
def test_a_tenant_with_other_names_is_read_by_them(folder: Path, profile: str) -> None:
    with Sandbox(seed="demo", days=2, limits=Limits(**PLENTY), profiles=[profile]) as box:
        done = init(box, says=["", *erp(box), "", "", "", "", ""])
        assert done.exit_code == 0, done.output[-2000:]
        ping = CliRunner().invoke(app, ["ping", "--json"])
    wrong = [each for each in json.loads(ping.stdout) if not each["ok"]]
    assert len(json.loads(ping.stdout)) > 5 and not [each for each in wrong if "cannot" in each["answer"]], wrong
    orders = yaml.safe_load((folder / "mlc.yaml").read_text())["ifs"]["entity_sets"]["purchase_order_set"]
    assert orders["set"] != "PurchaseOrderSet" or orders["projection"] != "PurchaseOrderHandling" or orders["surface"]
