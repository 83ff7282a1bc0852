"""Webhooks in: who is not let in leaves no trace, and who hears 200 knows that the event is on the disk."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mlc_dagster.core.bank_details import without_in_text
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import Inbox, Ledger
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.settings import Settings
from mlc_dagster.settings.web import WebhookSource
from mlc_dagster.systems.configuration import connections
from mlc_dagster.systems.shared.webhooks import WebhookEvent, parsed
from mlc_dagster.systems.system import Webhooks
from mlc_dagster.web.repeated_warnings import Tally
from mlc_dagster.web.senders import Door, Doors, Secrets

LEDGER_SECONDS = 8.0  # Cin7 and monday.com give up after ten and more; the ledger itself would wait for thirty
RETRY_SECONDS = 30
LOOK_AGAIN = 10.0  # seconds after which the vault is asked again: a rotated secret needs no restart
REFUSED = "webhooks in the name of {} were refused, their secret or signature missing or wrong"
WRITERS = 8  # SQLite writes one by one, and PostgreSQL's pool has fifteen connections

log = logger(__name__)


class Refusal(Exception):
    """An answer that is not 200. Its words hold nothing of what was sent."""

    def __init__(self, status: int, words: str, **headers: str) -> None:
        super().__init__(words)
        self.answer = JSONResponse({"error": words}, status, {k.replace("_", "-"): v for k, v in headers.items()})


def build(settings: Settings, ledger: Ledger, secrets: Secrets, tally: Tally, again: float = LOOK_AGAIN) -> Starlette:
    """The ASGI application for the sources in `web.sources`; `secrets` gives a secret by its name, "" for none, and is
    asked anew after `again` seconds.

    Raises Misconfigured where a source is on and nobody has a secret for it.
    """
    known = {name: system.webhooks for name, system in connections(settings).items() if system.webhooks}
    hooks = _Webhooks(known, ledger.inbox, Doors(settings, secrets), settings.web.max_body_kib * 1024, tally, again)
    routes = [
        Route("/webhooks/{source}", hooks.receive, methods=["POST"]),
        Route("/webhooks/{source}/{secret:path}", hooks.receive, methods=["POST"]),
        Route("/health", hooks.health, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={Refusal: _refused, LedgerUnavailable: _unavailable})
    app.router.redirect_slashes = False  # a sender does not follow
    return app


class _Webhooks:
    def __init__(
        self, known: Mapping[str, Webhooks], inbox: Inbox, doors: Doors, most: int, tally: Tally, again: float
    ) -> None:
        self._known = known
        self._inbox, self._doors, self._most, self._tally = inbox, doors, most, tally
        self._again, self._due = again, time.monotonic() + again
        self._writers: anyio.CapacityLimiter | None = None

    async def receive(self, request: Request) -> Response:
        source = request.path_params["source"]
        if self._doors.of(source) is None:
            raise Refusal(404, "no webhooks are taken here")
        await self._look_again()
        door = self._doors.of(source) or Door(WebhookSource())
        self._admit(door.lets_in(request.headers, request.path_params.get("secret") or None), source, request)
        body = await _body(request, self._most)
        self._admit(door.believes(request.headers, body), source, request)
        try:
            payload = parsed(body)
        except ValueError as error:
            raise Refusal(400, str(error)) from None
        sender = self._known[source]
        if (asked := sender.challenge(payload)) is not None:
            return JSONResponse({"challenge": asked})
        new = await self._ask(self._keep, source, sender.read(payload, body), without_in_text(body.decode()))
        return JSONResponse({"stored": "now" if new else "before"})

    async def health(self, request: Request) -> Response:
        await self._ask(partial(self._inbox.waiting, limit=1), "")
        return JSONResponse({"status": "ok"})

    def _admit(self, right: bool, source: str, request: Request) -> None:
        if not right:
            self._tally.count(REFUSED.format(source), request.client.host if request.client else "?")
            raise Refusal(401, "secret or signature missing or wrong")

    async def _look_again(self) -> None:
        """One request does, and the others go on with what is known; a ledger that is busy keeps nobody waiting."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._again
        with suppress(LedgerUnavailable):
            await self._ask(self._doors.look_again)

    def _keep(self, source: str, told: WebhookEvent, body: str) -> bool:
        """Whether it is new. On the disk on return, either way."""
        if self._inbox.store(source, told.event_id, told.kind, told.subject, body):
            return True
        first = self._inbox.read(source, told.event_id)
        if first is not None and not first.says(body):
            log.warning("%s sent event %.80r again with another body: the first one is kept", source, told.event_id)
        return False

    async def _ask(self, call: Any, *args: Any) -> Any:
        """In a thread; one that takes too long is left alone: what it stores late is known when it is sent again."""
        self._writers = self._writers or anyio.CapacityLimiter(WRITERS)
        try:
            with anyio.fail_after(LEDGER_SECONDS):
                return await anyio.to_thread.run_sync(call, *args, abandon_on_cancel=True, limiter=self._writers)
        except TimeoutError:
            raise LedgerUnavailable(f"the ledger gave no answer within {LEDGER_SECONDS:g} s") from None


async def _body(request: Request, most: int) -> bytes:
    """All of it, unless it is larger than allowed: a length that is announced is not waited for."""
    too_large = Refusal(413, f"a webhook has {most} bytes at most", connection="close")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise too_large
    except ClientDisconnect:
        raise Refusal(400, "the body ended early") from None
    return bytes(body)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.answer


async def _unavailable(_: Request, error: Exception) -> Response:
    """The sender tries again."""
    log.error("a webhook was not stored, and its sender asked to send it again: %s", error)
    words = {"error": "it cannot be stored now; send it again"}
    return JSONResponse(words, 503, {"retry-after": str(RETRY_SECONDS)})
