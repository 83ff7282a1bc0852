"""`tenant:` of mlc.yaml: whose ledger entries, rows and secrets these are."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.settings.tenant import tenant_of
from mlc_dagster.systems import configuration

FILE = """
tenant: acme
companies: {0010: {currency: SEK}}
ifs: {base_url: https://acme.ifs.cloud, token_url: https://acme.ifs.cloud/token}
hubspot: {base_url: https://api.hubapi.com}
hubspot_us: {system: hubspot, base_url: https://api.hubapi.com}
web: {sources: [airbase]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mlc.yaml"
    path.write_text(FILE)
    return path


def test_a_tenant_that_is_named_has_secrets_of_its_own(file: Path) -> None:
    settings = configuration.load(file)
    assert settings.tenant == tenant_of(file) == "acme"
    needed = configuration.needed_secrets(settings)
    assert needed["ifs"] == ("ACME_IFS_CLIENT_ID", "ACME_IFS_CLIENT_SECRET")
    assert needed["hubspot_us"] == ("ACME_HUBSPOT_US_TOKEN",)
    assert "ACME_AIRBASE_WEBHOOK_SECRET_NEXT" in configuration.optional_secrets(settings)["webhooks"]
    assert configuration.known_secret("ACME_HUBSPOT_TOKEN", settings) == "ACME_HUBSPOT_TOKEN"


def test_without_a_name_secrets_are_called_as_ever(file: Path) -> None:
    file.write_text(FILE.replace("tenant: acme", ""))
    assert tenant_of(file) == ""
    assert configuration.needed_secrets(configuration.load(file))["hubspot"] == ("HUBSPOT_TOKEN",)


def test_a_secret_that_is_missing_is_told_by_the_name_of_its_tenant(file: Path) -> None:
    settings = configuration.load(file)
    with pytest.raises(Misconfigured, match="ACME_HUBSPOT_US_TOKEN is not set"):
        configuration.client(settings, "hubspot_us", lambda name: "", lambda *_: None)  # type: ignore[arg-type, return-value]


def test_the_tenant_is_known_whatever_else_is_wrong_in_the_file(file: Path) -> None:
    file.write_text("tenant: acme\ncompanies: 7\nnonsense: true\n")
    assert tenant_of(file) == "acme"


def test_without_a_file_there_is_no_name(tmp_path: Path) -> None:
    assert tenant_of(tmp_path / "mlc.yaml") == ""


@pytest.mark.parametrize("name", ["Acme", "a b", "9a", "../x", "a" * 33, "[a]", "{b: c}"])
def test_what_cannot_name_a_tenant_is_refused_with_its_line(file: Path, name: str) -> None:
    file.write_text(FILE.replace("tenant: acme", f"tenant: {name}"))
    for read in (tenant_of, configuration.load):
        with pytest.raises(Misconfigured, match=r"line 2, tenant: .*expected (at most 32 small letters|a text)"):
            read(file)


def test_a_file_that_cannot_be_read_names_nobody_silently(file: Path) -> None:
    file.write_text("tenant: acme\n  companies: [")
    with pytest.raises(Misconfigured, match="is not YAML"):
        tenant_of(file)
