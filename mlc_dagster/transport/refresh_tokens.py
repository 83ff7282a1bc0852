"""OAuth 2 sign-in by a refresh token that the server replaces each time it is used."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import httpx

from mlc_dagster.core.errors import AccessDenied
from mlc_dagster.transport.sign_in import AccessToken, ClientCredentials, Timeouts, parsed_grant


class HeldToken(Protocol):
    """The refresh token, while nobody else uses it."""

    @property
    def value(self) -> str: ...

    @property
    def doubt(self) -> str:
        """Who used the same one before and did not keep what came in its place; empty: nobody."""

    def leaves(self) -> None:
        """It is about to be sent: until `keep` or `stays`, the next one to hold it is told. Raises MlcError."""

    def keep(self, value: str) -> None:
        """Another one counts from now on. Raises MlcError where that is not kept."""

    def stays(self) -> None:
        """The server took nothing from it."""


class KeptToken(Protocol):
    """Where the refresh token is kept."""

    def alone(self) -> AbstractContextManager[HeldToken]:
        """One holder at a time, of all processes and machines. Raises Misconfigured: there is none, or it could not be
        replaced there.
        """


class RefreshTokens(ClientCredentials):
    """OAuth 2.1 refresh tokens (RFC 6749, 6): an access token for all threads, as ClientCredentials renews it.

    Each use may replace the refresh token. The new one is kept before the access token is used for anything; who is
    stopped between the answer and that leaves a doubt, which a refusal of the next sign-in tells.
    `scheme` is the word before the token in the Authorization header, "" where the system takes none.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        kept: KeptToken,
        *,
        scheme: str = "Bearer",
        clock: Callable[[], float] = time.monotonic,
        cure: str = "Check the client id, the client secret and the refresh token.",
        address_cure: str = "Check token_url in mlc.yaml.",
    ) -> None:
        super().__init__(
            token_url, client_id, client_secret, body="json", clock=clock, cure=cure, address_cure=address_cure
        )
        self._grant["grant_type"] = "refresh_token"
        self._kept, self._scheme = kept, scheme
        self._held: HeldToken | None = None  # while it is renewed, under the lock of ClientCredentials

    def _header(self, token: str) -> str:
        return f"{self._scheme} {token}".lstrip()

    def _renew(self, patience: Timeouts) -> Generator[httpx.Request, httpx.Response, AccessToken]:
        self._raise_refused()
        with self._kept.alone() as self._held:
            try:
                return (yield from super()._renew(patience))
            finally:
                self._held = None

    def _request(self, patience: Timeouts) -> httpx.Request:
        assert self._held is not None
        content: dict[str, Any] = {**self._grant, "refresh_token": self._held.value}
        self._held.leaves()
        return httpx.Request(
            "POST", self._url, headers={"Accept": "application/json"}, extensions=patience, json=content
        )

    def _accept(self, response: httpx.Response, asked_at: float) -> AccessToken:
        assert self._held is not None
        try:
            token = super()._accept(response, asked_at)
        except AccessDenied as error:
            doubt = self._held.doubt
            self._held.stays()
            why = f"; {doubt} sent this refresh token before and did not keep the answer: it may be void by that"
            raise AccessDenied(error.message + (why if doubt else ""), cure=self.cure) from None
        replaced = parsed_grant(response).get("refresh_token")
        if isinstance(replaced, str) and replaced.strip():
            self._held.keep(replaced.strip())
        else:
            self._held.stays()
        return token

    def __repr__(self) -> str:
        return f"RefreshTokens({self._place()})"
