"""Of a token its issuer and its lifetime are read, and what is no JSON Web Token has none."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode

import pytest

from mlc_dagster.transport.token_claims import issuer_of, lifetime_of


def token(claims: object) -> str:
    parts = (json.dumps(each).encode() for each in ({"alg": "RS256"}, claims))
    return ".".join([*(urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "signature"])


def test_the_issuer_of_a_json_web_token_is_read() -> None:
    assert issuer_of(token({"iss": "https://erp.test/auth/realms/acme1", "sub": "x"})).endswith("/realms/acme1")


@pytest.mark.parametrize(
    "text", ["opaque", "a.b", "a.%%%.c", "a.bm90IGpzb24.c", token(["iss"]), token({"iss": 7}), token({"sub": "x"}), ""]
)
def test_what_does_not_say_its_issuer_has_none(text: str) -> None:
    assert issuer_of(text) == ""


def test_the_lifetime_is_told_by_the_issuers_own_clock_or_from_now() -> None:
    assert lifetime_of(token({"iat": 1000, "exp": 4600})) == 3600, "whatever our clock says"
    found = lifetime_of(token({"exp": time.time() + 60}))
    assert found is not None and 55 < found <= 60


@pytest.mark.parametrize(
    "text", ["opaque", "a.bm90IGpzb24.c", token({"iat": 1}), token({"exp": "soon"}), token({"exp": True}), token([1])]
)
def test_what_does_not_say_when_it_ends_has_no_lifetime(text: str) -> None:
    assert lifetime_of(text) is None
