"""Addresses: whole, encrypted, without a password, and of the right thing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mlc_dagster.settings.addresses import Address, Link, TenantAddress, is_this_machine

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
