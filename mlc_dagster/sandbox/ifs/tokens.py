"""Sign-in as Keycloak answers it: client credentials in, tokens that really expire out."""

from __future__ import annotations

import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import unquote_plus

from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode, encode, query_of

CLIENT_ID, CLIENT_SECRET = "sandbox", "sandbox-secret"
REALM = "sandbox"
PATH = f"/ifs/auth/realms/{REALM}/protocol/openid-connect/token"


class Tokens:
    """The tokens given out, and until when each is good."""

    def __init__(self, seconds: float, realm: str = "") -> None:
        """`realm`: that signs them, as Keycloak's are; empty: they are opaque."""
        self.seconds, self.realm = seconds, realm
        self.credentials = (CLIENT_ID, CLIENT_SECRET)
        self._until: dict[str, float] = {}
        self.granted = 0

    def expire_all(self) -> None:
        self._until.clear()

    def grant(self, call: Call) -> Answer:
        if call.method != "POST":
            return answer_json(405, {"error": "HTTP 405 Method Not Allowed"})
        try:
            form = _form(call)
        except ValueError as error:
            return answer_json(400, {"error": "invalid_request", "error_description": str(error)})
        if form.get("grant_type") != "client_credentials":
            return answer_json(400, {"error": "unsupported_grant_type", "error_description": "Unsupported grant_type"})
        if (form.get("client_id"), form.get("client_secret")) != self.credentials:
            text = "Invalid client or Invalid client credentials"
            return answer_json(401, {"error": "unauthorized_client", "error_description": text})
        return self._granted(form.get("scope", ""), call.origin)

    def _granted(self, scope: str, origin: str) -> Answer:
        refresh = {"refresh_expires_in": 1800, "refresh_token": secrets.token_urlsafe(24)}
        content = {**self.issue(origin), **refresh, "not-before-policy": 0, "session_state": secrets.token_hex(16)}
        return answer_json(200, {**content, "scope": scope or "microprofile-jwt profile email"})

    def issue(self, origin: str = "") -> dict[str, Any]:
        """A new token, as every OAuth 2.0 answer has it."""
        token = secrets.token_urlsafe(24)
        if self.realm:
            claims = encode({"iss": f"{origin}/ifs/auth/realms/{self.realm}", "jti": token})
            token = f"{_part(encode({'alg': 'RS256', 'typ': 'JWT'}))}.{_part(claims)}.{token}"
        self._until[token] = time.monotonic() + self.seconds
        self.granted += 1
        seconds = int(self.seconds) if self.seconds == int(self.seconds) else self.seconds
        return {"access_token": token, "expires_in": seconds, "token_type": "Bearer"}

    def accepts(self, authorization: str) -> bool:
        kind, _, token = authorization.partition(" ")
        return kind.lower() == "bearer" and self._until.get(token.strip(), 0.0) > time.monotonic()


def _part(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _form(call: Call) -> dict[str, str]:
    """The parameters, from a form or from JSON; client id and secret may also come as Basic authorization."""
    if "json" in call.headers.get("content-type", ""):
        body = decode(call.body)
        form = {str(name): str(value) for name, value in body.items()} if isinstance(body, dict) else {}
    else:
        form = query_of(call.body.decode("utf-8", "replace"), plus_is_space=True)
    kind, _, text = call.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        name, _, secret = b64decode(text).decode().partition(":")
        form = {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret), **form}
    return form
