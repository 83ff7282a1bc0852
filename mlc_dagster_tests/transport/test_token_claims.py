"""Of a token only its issuer is read, and what is no JSON Web Token has none."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from mlc_dagster.transport.token_claims import issuer_of


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
