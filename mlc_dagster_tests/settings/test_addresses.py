"""Addresses: whole, encrypted, without a password, and of the right thing."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from pydantic import TypeAdapter, ValidationError

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.orchestration.fixed_resources import resources
from mlc_dagster.orchestration.settings_check import plain_addresses
from mlc_dagster.settings import Environment
from mlc_dagster.settings.addresses import Address, Link, TenantAddress, is_this_machine
from mlc_dagster.systems.configuration import parse
from mlc_dagster_tests.orchestration.conftest import SECRETS

ANY: Any = TypeAdapter(Address)
TENANT: Any = TypeAdapter(TenantAddress)


def refusal(adapter: Any, value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    return str(caught.value.errors()[0]["ctx"]["error"])


@pytest.mark.parametrize(
    "address",
    [
        *("https://tenant.ifs.cloud", "https://tenant.test:8443/base", "http://127.0.0.1:8787/ifs"),
        *("http://localhost:8787", "http://[::1]:8787", "http://ifs.localhost", "http://127.8.0.1"),
    ],
)
def test_an_encrypted_address_or_one_of_this_machine_is_taken(address: str) -> None:
    assert ANY.validate_python(address) == address
    assert ANY.validate_python(f" {address}/ ") == address


@pytest.mark.parametrize(
    "host", ["erp.acme.test", "10.0.0.7", "192.168.1.9", "localhost.acme.test", "0.0.0.0", "[fe80::1]"]
)
def test_plain_http_is_for_this_machine_alone(host: str) -> None:
    said = refusal(ANY, f"http://{host}/path")
    assert f"found http://{host.strip('[]')}/path; expected https://" in said and "sign-in" in said


def test_what_people_only_look_at_may_be_plain_and_holds_no_password_either() -> None:
    assert TypeAdapter(Link).validate_python("http://dagster.acme.test:3000/") == "http://dagster.acme.test:3000"
    assert "take them out" in refusal(TypeAdapter(Link), "http://joe:hunter2@dagster.acme.test")


def test_a_password_in_an_address_is_never_shown() -> None:
    for address in (
        "https://joe:hunter2@erp.test/a?b=hunter2",
        "https://hunter2@erp.test",
        "http://joe:hunter2@127.0.0.1",
    ):
        said = refusal(ANY, address)
        assert "hunter2" not in said and "joe" not in said and "take them out" in said
    assert "found https://erp.test with a user or a password" in refusal(
        ANY, "https://joe:hunter2@erp.test/a?b=hunter2"
    )


@pytest.mark.parametrize(
    "value",
    ["", "erp.test", "https:/erp.test", "https://", "ftp://erp.test", "https://erp test", "https://erp.test:port", 7],
)
def test_what_is_no_address_is_told_with_one_that_is(value: Any) -> None:
    assert "expected an address such as https://acme.ifs.cloud" in refusal(ANY, value)


@pytest.mark.parametrize(
    "path, wanted",
    [
        ("/main/ifsapplications/projection/v1/PurchaseOrderHandling.svc", ""),
        ("/main/ifsapplications/projection/v1", ""),
        ("/main", ""),
        ("/int/ifsapplications/projection/v1/SupplierHandling.svc/SupplierSet", ""),
        ("/proxy/main/ifsapplications/web/lobby", "/proxy"),
    ],
)
def test_the_address_of_a_projection_is_told_with_what_to_take_off(path: str, wanted: str) -> None:
    said = refusal(TENANT, f"https://tenant.ifs.cloud{path}")
    assert f"expected https://tenant.ifs.cloud{wanted}: take off {path.removeprefix(wanted)}" in said


def test_an_address_below_a_proxy_is_the_tenants_too() -> None:
    for address in ("https://tenant.ifs.cloud", "https://gateway.test/erp/domain", "http://127.0.0.1:8787/ifs"):
        assert TENANT.validate_python(address) == address


def test_this_machine_is_what_no_other_can_listen_to() -> None:
    assert is_this_machine("127.0.0.53") and is_this_machine("::1") and not is_this_machine("example.localhost.test")


# --- with a reason ----------------------------------------------------------------------------------------------------

PLAIN = "http://gateway.acme.test:8080"
REASON = "inside the VPN, the gateway has no certificate yet"
SECTIONS: dict[str, dict[str, Any]] = {
    "ifs": {"base_url": PLAIN, "token_url": f"{PLAIN}/token"},
    "cin7": {"base_url": PLAIN},
    "airbase": {"base_url": PLAIN},
    "hubspot": {"base_url": PLAIN},
    "procurify": {"base_url": PLAIN, "token_url": f"{PLAIN}/token"},
    "monday": {"base_url": PLAIN, "boards": {"suppliers": {"board": "1", "columns": {"supplier_no": "No"}}}},
}


def content_with(system: str, **fields: Any) -> dict[str, Any]:
    ifs = {"base_url": "https://tenant.ifs.test", "token_url": "https://tenant.ifs.test/token"}
    return {"companies": {"0010": {"currency": "SEK"}}, "ifs": ifs, system: {**SECTIONS[system], **fields}}


@pytest.mark.parametrize("system", SECTIONS)
def test_plain_http_is_refused_unless_its_connection_says_why(
    system: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse(content_with(system), "mlc.yaml")
    told = str(refused.value)
    for name in SECTIONS[system].keys() & {"base_url", "token_url"}:
        assert f"{system}.{name}: found {SECTIONS[system][name]}; expected https://gateway.acme.test:8080" in told
    assert 'say why beside it: plain_http: "' in told
    found = parse(content_with(system, plain_http=f" {REASON} "), "mlc.yaml")
    assert list(plain_addresses(found)) == [(system, REASON)]
    for name, value in {**SECRETS, "MLC_DATABASE_URL": sqlite_url}.items():
        monkeypatch.setenv(name, value)
    with dg.build_resources(resources(found, Environment())) as built:
        assert getattr(built, system).client, "Dagster's resource knows the reason too"


@pytest.mark.parametrize("reason", ["", " ", "true", "yes", "on", "1", "false", "allowed", []])
def test_a_reason_is_words_and_no_switch(reason: Any) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse(content_with("hubspot", plain_http=reason), "mlc.yaml")
    assert "hubspot.plain_http: found" in str(refused.value) and "expected the reason, in words" in str(refused.value)
    assert "hubspot.base_url: found" in str(refused.value)
