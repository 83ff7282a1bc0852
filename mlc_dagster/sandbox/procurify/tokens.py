"""Sign-in as Procurify answers it: a JSON body with its audience, never a form."""

from __future__ import annotations

from typing import Any

from mlc_dagster.sandbox.ifs.tokens import Tokens
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode

CLIENT_ID, CLIENT_SECRET = "sandbox-procurify", "sandbox-procurify-secret"
AUDIENCE = "https://api.procurify.com/"
PATH = "/procurify/oauth/token"
DAY = 86_400
_SCOPE = "urn:procurify-api:domain:~ urn:procurify-api:email:~"


class ProcurifyTokens(Tokens):
    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.credentials = (CLIENT_ID, CLIENT_SECRET)

    def grant(self, call: Call) -> Answer:
        if call.method != "POST":
            return _refused(405, "invalid_request", f"{call.method} is not allowed")
        body = _body(call)
        if body is None:
            return _refused(400, "invalid_request", "The body must be a JSON object, Content-Type: application/json")
        if missing := [name for name in ("client_id", "client_secret", "audience", "grant_type") if not body.get(name)]:
            return _refused(400, "invalid_request", f"Missing required parameter: {missing[0]}")
        if body["grant_type"] != "client_credentials":
            return _refused(400, "unsupported_grant_type", f"Unsupported grant type: {body['grant_type']}")
        if (body["client_id"], body["client_secret"]) != self.credentials:
            return _refused(401, "access_denied", "Unauthorized")
        if body["audience"] != AUDIENCE:
            return _refused(403, "access_denied", f"Service not enabled within domain: {body['audience']}")
        return answer_json(200, {**self.issue(), "scope": _SCOPE})


def _body(call: Call) -> dict[str, Any] | None:
    if "json" not in call.headers.get("content-type", ""):
        return None
    try:
        body = decode(call.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _refused(status: int, error: str, description: str) -> Answer:
    return answer_json(status, {"error": error, "error_description": description})
