"""Sign-in of an app at monday.com as published (OAuth 2.1): access tokens that end, refresh tokens that rotate."""

from __future__ import annotations

import secrets
import time
from base64 import urlsafe_b64encode
from typing import Any

from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode, encode

PATH = "/monday/oauth_ms/oauth/token"
CLIENT_ID, CLIENT_SECRET = "sandbox-monday-app", "sandbox-monday-app-secret"
REFRESH_TOKEN = "sandbox-monday-refresh-token"  # noqa: S105 - the first one: the sandbox's, and known to everybody


class AppTokens:
    """The tokens of one app: its refresh token, of which there is one at a time, and the access tokens given for it."""

    def __init__(self, seconds: float, *, tells_lifetime: bool) -> None:
        """`seconds`: that an access token is good; `tells_lifetime`: by `expires_in`, beside what the token says."""
        self.seconds, self.tells_lifetime = seconds, tells_lifetime
        self.refresh_token = REFRESH_TOKEN
        self.spent: list[str] = []  # refresh tokens that were used, oldest first
        self._until: dict[str, float] = {}

    def expire_all(self) -> None:
        """As if the access tokens' hour were over."""
        self._until.clear()

    def accepts(self, token: str) -> bool:
        return self._until.get(token, 0.0) > time.monotonic()

    def grant(self, call: Call) -> Answer:
        if call.method != "POST":
            return _refused(405, "invalid_request")
        body = _body(call)
        if body is None:
            return _refused(400, "invalid_request")
        if body.get("grant_type") != "refresh_token":
            return _refused(400, "unsupported_grant_type")
        if (body.get("client_id"), body.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _refused(401, "invalid_client")
        if body.get("refresh_token") != self.refresh_token:
            return _refused(400, "invalid_grant")
        self.spent.append(self.refresh_token)
        self.refresh_token = secrets.token_urlsafe(24)
        return answer_json(200, self._answer())

    def _answer(self) -> dict[str, Any]:
        now = time.time()
        claims = {"iat": int(now), "exp": int(now + self.seconds), "jti": secrets.token_hex(8)}
        token = ".".join(_part(encode(each)) for each in ({"alg": "HS256", "typ": "JWT"}, claims)) + ".signature"
        self._until[token] = time.monotonic() + self.seconds
        told = {"expires_in": int(self.seconds)} if self.tells_lifetime else {}
        given = {"access_token": token, "refresh_token": self.refresh_token, "token_type": "Bearer"}
        return {**given, "scope": "me:read boards:read boards:write account:read", **told}


def _body(call: Call) -> dict[str, Any] | None:
    if "json" not in call.headers.get("content-type", ""):
        return None
    try:
        body = decode(call.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _refused(status: int, error: str) -> Answer:
    return answer_json(status, {"error": error, "error_description": f"The request was refused: {error}"})


def _part(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
