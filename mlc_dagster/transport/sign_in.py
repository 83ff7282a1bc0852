"""Sign-in as generators that httpx drives: no I/O of their own, so nothing to mock. Secrets are never shown."""

from __future__ import annotations

import math
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote_plus

import httpx

from mlc_dagster.core.errors import AccessDenied, Misconfigured, TransientError
from mlc_dagster.transport.responses import UNREADABLE, exact_json, retry_after
from mlc_dagster.transport.token_claims import issuer_of, lifetime_of

Flow = Generator[httpx.Request, httpx.Response, None]
Timeouts = dict[str, Any]  # as the call's own: httpx gives a request of a generator none, and it could hang for ever

RENEWED_AFTER = 5 / 6  # of the lifetime: 50 of 60 minutes, 150 of 180 seconds
UNTOLD_LIFETIME = 300.0  # seconds, where the server announces none: as Keycloak's default; a 401 heals what is shorter
REFUSAL_HOLDS = 30.0  # seconds without another sign-in after a refused one: Keycloak locks clients that insist
SIGN_INS_FOR_ONE_CALL = 4  # more 401s than this are no expiry

# RFC 6749, 5.2: the words of a refusal. Whatever else the endpoint answers may quote what was sent: it is not shown.
_REASONS = ("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type")
KNOWN_REASONS = frozenset((*_REASONS, "invalid_scope"))


class HeaderKeys(httpx.Auth):
    """Fixed headers on each call. Raises Misconfigured where a value cannot be one: empty, or with a line break."""

    def __init__(self, headers: Mapping[str, str], *, cure: str | None = None) -> None:
        self._headers = {name: fit_for_header(name, value) for name, value in headers.items()}
        self.cure = cure

    def auth_flow(self, request: httpx.Request) -> Flow:
        request.headers.update(self._headers)
        yield request

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(sorted(self._headers))})"


class Bearer(HeaderKeys):
    """Authorization: Bearer <token>."""

    def __init__(self, token: str, *, cure: str | None = None) -> None:
        super().__init__({"Authorization": f"Bearer {fit_for_header('token', token)}"}, cure=cure)


class TokenHeader(HeaderKeys):
    """Authorization: Token <token>."""

    def __init__(self, token: str, *, cure: str | None = None) -> None:
        super().__init__({"Authorization": f"Token {fit_for_header('token', token)}"}, cure=cure)


def fit_for_header(name: str, value: str) -> str:
    """The value without white space around it. Raises Misconfigured, never showing it, where no header fits."""
    value = value.strip()
    if not value:
        raise Misconfigured(f"the value of {name} is empty", cure="Set the secret that it is made of.")
    if not (value.isascii() and value.isprintable()):
        raise Misconfigured(
            f"the value of {name} holds a line break or a character that no header can", cure="Copy it again."
        )
    return value


@dataclass(frozen=True)
class AccessToken:
    """An access token and its times, on the clock of its ClientCredentials."""

    text: str
    renew_at: float
    expires_at: float

    def __repr__(self) -> str:
        return f"AccessToken(renew_at={self.renew_at}, expires_at={self.expires_at})"


class ClientCredentials(httpx.Auth):
    """OAuth 2 client credentials (IFS IAM is Keycloak): one token for all threads, renewed once for each expiry.

    It is renewed at five sixths of the lifetime that the server announced, and after a 401: that answer came before the
    call was processed, so even a write is sent again. A fresh token that is refused is AccessDenied. `token_url` may be
    on another host than the system. `authentication`: the id and the secret in the body (client_secret_post), or in the
    Authorization header (client_secret_basic). `cure` names the secrets, `address_cure` the setting of `token_url`.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str = "",
        audience: str = "",
        body: Literal["form", "json"] = "form",
        authentication: Literal["post", "basic"] = "post",
        extra_headers: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        cure: str = "Check the client id and the client secret.",
        address_cure: str = "Check token_url in mlc.yaml.",
    ) -> None:
        if not client_id.strip() or not client_secret.strip():
            raise Misconfigured("the client id or the client secret is empty", cure=cure)
        self._url = httpx.URL(token_url)
        self._grant = _grant(client_id.strip(), client_secret.strip(), scope, audience)
        self._body, self._extra, self._clock = body, dict(extra_headers or {}), clock
        if authentication == "basic":
            self._extra["Authorization"] = _basic(self._grant.pop("client_id"), self._grant.pop("client_secret"))
        self.cure, self.address_cure = cure, address_cure
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._refused: tuple[float, AccessDenied] | None = None  # until when, and why
        self.renewals = 0

    @property
    def issuer(self) -> str:
        """Who issued the token in use, an address; empty before the first call, and where the token does not say."""
        token = self._token
        return "" if token is None else issuer_of(token.text)

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        patience = {"timeout": request.extensions["timeout"]} if "timeout" in request.extensions else {}
        token = yield from self._current(patience)
        for attempt in range(SIGN_INS_FOR_ONE_CALL):
            request.headers["Authorization"] = self._header(token.text)
            response = yield request
            if response.status_code != 401:
                return
            response.read()  # gives its connection back before this thread waits for others
            if attempt and self._clock() < token.expires_at:
                return  # not an expiry: ApiClient makes AccessDenied of the 401
            token = yield from self._current(patience, refused=token)

    def _current(
        self, patience: Timeouts, refused: AccessToken | None = None
    ) -> Generator[httpx.Request, httpx.Response, AccessToken]:
        """The token that all threads use; a new one where it is due, or is the one that was refused."""
        token = self._token
        if token is not None and self._is_good(token, refused):
            return token
        with self._lock:  # httpx closes this generator on any error, and so the lock is free again
            token = self._token
            if token is None or not self._is_good(token, refused):
                token = yield from self._renew(patience)
            return token

    def _header(self, token: str) -> str:
        return f"Bearer {token}"

    def _is_good(self, token: AccessToken, refused: AccessToken | None) -> bool:
        return token is not refused and self._clock() < token.renew_at

    def _renew(self, patience: Timeouts) -> Generator[httpx.Request, httpx.Response, AccessToken]:
        self._raise_refused()
        asked_at = self._clock()
        response = yield self._request(patience)
        response.read()
        try:
            self._token = self._accept(response, asked_at)
        except AccessDenied as error:
            self._refused = (self._clock() + REFUSAL_HOLDS, error)
            raise
        self.renewals += 1
        return self._token

    def _raise_refused(self) -> None:
        if self._refused and self._clock() < self._refused[0]:
            raise AccessDenied(self._refused[1].message, cure=self.cure)

    def _request(self, patience: Timeouts) -> httpx.Request:
        content: dict[str, Any] = {"data": self._grant} if self._body == "form" else {"json": self._grant}
        return httpx.Request(
            "POST", self._url, headers={"Accept": "application/json", **self._extra}, extensions=patience, **content
        )

    def _accept(self, response: httpx.Response, asked_at: float) -> AccessToken:
        granted = parsed_grant(response)
        self._judge(response, granted)
        token = granted.get("access_token")
        try:
            text = fit_for_header("access_token", token if isinstance(token, str) else "")
        except Misconfigured as error:
            said = self._says(f"{response.status_code} without a usable token")
            raise Misconfigured(said, cure=self.address_cure) from error
        lifetime = _seconds(granted.get("expires_in", lifetime_of(text)))
        return AccessToken(text, asked_at + lifetime * RENEWED_AFTER, asked_at + lifetime)

    def _judge(self, response: httpx.Response, granted: Mapping[str, Any]) -> None:
        """Raises what an answer without a grant means."""
        status, reason = response.status_code, granted.get("error")
        said = self._says(f"{status} {_reason(reason)}".rstrip())
        if status in (400, 401, 403) or (status < 300 and reason):
            raise AccessDenied(said, cure=self.cure)
        if status in (408, 429) or status >= 500:
            raise TransientError(said, retry_after=retry_after(response.headers, time.time()), cure=self.address_cure)
        if status >= 300:
            raise Misconfigured(said, cure=self.address_cure)
        if not granted:
            kind = response.headers.get("content-type", "no content type").split(";")[0]
            raise TransientError(self._says(f"expected a token as JSON, got {kind}"), cure=self.address_cure)

    def _says(self, text: str) -> str:
        return f"sign-in at {self._place()}: {text}"

    def _place(self) -> str:
        """Without who signs in, and without a query: neither belongs into a message."""
        return f"{self._url.scheme}://{self._url.netloc.decode()}{self._url.path}"

    def __repr__(self) -> str:
        return f"ClientCredentials({self._place()})"


def _grant(client_id: str, client_secret: str, scope: str, audience: str) -> dict[str, str]:
    asked = {"scope": scope, "audience": audience}
    return {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
        **{name: value for name, value in asked.items() if value},
    }


def _basic(client_id: str, client_secret: str) -> str:
    """RFC 6749, 2.3.1: both are encoded as in a form before they are joined, so that a colon divides nothing else."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def parsed_grant(response: httpx.Response) -> Mapping[str, Any]:
    """The answer's JSON object; empty where it is none."""
    try:
        found = exact_json(response.content)
    except UNREADABLE:
        return {}
    return found if isinstance(found, dict) else {}


def _reason(error: object) -> str:
    """Why a grant was refused, as far as it may be shown: OAuth's own word. A gateway before the endpoint says it
    otherwise: by an object with a code, a list, a number.
    """
    if error is None or isinstance(error, str):
        return error if error in KNOWN_REASONS else ""
    code = str(error.get("code")) if isinstance(error, dict) else ""
    told = f" with code {code}" if re.fullmatch(r"\d{1,6}", code) else ""
    shape = "an object" if isinstance(error, dict) else "a list" if isinstance(error, list) else "a number"
    return f"(its error is {shape}{told}, not a word of OAuth: perhaps a gateway before the endpoint answered)"


def _seconds(announced: object) -> float:
    try:
        seconds = float(str(announced))
    except ValueError:
        return UNTOLD_LIFETIME
    return seconds if math.isfinite(seconds) and seconds > 0 else UNTOLD_LIFETIME
