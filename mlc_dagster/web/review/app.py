"""The review page as an ASGI application: its addresses, and what it says where something is refused."""

from __future__ import annotations

from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.settings import Settings
from mlc_dagster.settings.review import ReviewSettings
from mlc_dagster.web.review import (
    approvals,
    bulk,
    closing,
    exports,
    lists,
    mailed_links,
    me,
    record,
    record_acts,
    reports,
    saved_filters,
    selecting,
    stopped_run,
)
from mlc_dagster.web.review.callers import is_loopback, is_trusted
from mlc_dagster.web.review.security_headers import SecurityHeaders
from mlc_dagster.web.review.signing_in import SigningIn
from mlc_dagster.web.review.site import Flows, Site, no_flows
from mlc_dagster.web.review.stylesheet import ICON, SCRIPT, STYLESHEET
from mlc_dagster.web.review.visits import LONG, Refused, Serve, Serving, in_thread, signed_in_page, tell

log = logger(__name__)
AGAIN = "10"  # seconds after which a page is tried again that the ledger did not answer


def build(settings: Settings, ledger: Ledger, flows: Flows = no_flows) -> ASGIApp:
    """The page of `review:` in mlc.yaml, on this ledger."""
    site = Site(settings, ledger, flows)
    _ = site.translate  # it is said at the start where it cannot be read
    limiter: list[anyio.CapacityLimiter] = []
    walks: list[anyio.CapacityLimiter] = []
    signing = SigningIn(site, limiter)

    def page(path: str, serve: Serve, method: str = "GET") -> Route:
        return Route(path, signed_in_page(site, serve, Serving(limiter)), methods=[method])

    def long(path: str, serve: Serve, method: str = "GET") -> Route:
        """It walks what a month has moved: two at once, and no other page waits for them."""
        return Route(path, signed_in_page(site, serve, Serving(limiter, walks, 2, LONG)), methods=[method])

    async def health(_: Request) -> Response:
        await in_thread(limiter, ledger.users.any)
        return PlainTextResponse("ok")

    async def style(_: Request) -> Response:
        return FileResponse(STYLESHEET, media_type="text/css")

    async def script(_: Request) -> Response:
        return FileResponse(SCRIPT, media_type="text/javascript")

    async def icon(_: Request) -> Response:
        return FileResponse(ICON, media_type="image/svg+xml")

    of_record = "/record/{connection}/{flow}"
    routes = [
        Route("/health", health, methods=["GET"]),
        Route("/review.css", style, methods=["GET"]),
        Route("/review.js", script, methods=["GET"]),
        Route("/review.svg", icon, methods=["GET"]),
        Route("/sign-in", signing.show, methods=["GET"]),
        Route("/sign-in", signing.take, methods=["POST"]),
        page("/sign-out", signing.sign_out, "POST"),
        page("/", lists.causes),
        page("/items", lists.items),
        page("/items", bulk.act, "POST"),
        page(of_record, record.record),
        page(of_record, record_acts.act, "POST"),
        page("/approvals", approvals.approvals),
        page("/approvals/{number:int}", approvals.one),
        page("/approvals/{number:int}", approvals.approve, "POST"),
        page("/selections/{name}", selecting.selection),
        page("/selections/{name}", selecting.act, "POST"),
        long("/stopped/{connection}/{flow}", stopped_run.stopped),
        long("/stopped/{connection}/{flow}", stopped_run.act, "POST"),
        page("/item/{number}", mailed_links.item),
        page("/cause/{mark}", mailed_links.cause),
        page("/close", closing.now),
        long("/close/{period}", closing.month),
        long("/close/{period}/{company}", closing.company),
        long("/close/{period}/{company}", closing.act, "POST"),
        page("/filters", saved_filters.act, "POST"),
        page("/me", me.me),
        page("/me", me.act, "POST"),
        page("/decisions", reports.decisions),
        page("/due", reports.due),
        page("/export.csv", exports.as_csv),
        page("/export.xlsx", exports.as_xlsx),
    ]
    under = [Mount(site.root, routes=routes)] if site.root else routes
    app = Starlette(routes=under, exception_handlers=_handlers(site))
    app.router.redirect_slashes = False
    return SecurityHeaders(_KnownHost(app, site), site.own.is_https)


class _KnownHost:
    """Asked for under another name, a page of another site may be what asks: nothing is told."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if not _may_ask(scope, self._site.own):
            words = "This page answers to the proxies of review.trusted_proxies alone.\n"
            tell("refused", Request(scope), why="no trusted proxy")
            await PlainTextResponse(words, 403)(scope, receive, send)
            return
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if _without_port(host) not in self._site.own.hosts:
            words = "This page is not served under this name: set review.address in mlc.yaml.\n"
            await PlainTextResponse(words, 421)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _may_ask(scope: Scope, own: ReviewSettings) -> bool:
    """Where others reach it nobody signs in by a token that a network may read: a proxy with TLS comes first."""
    who = scope["client"][0] if scope.get("client") else ""
    return is_loopback(own.host) or is_loopback(who) or is_trusted(who, own)


def _without_port(host: str) -> str:
    return host.rpartition(":")[0].casefold() if host.rpartition(":")[2].isdigit() else host.casefold()


def _handlers(site: Site) -> Any:
    """In words, with where to go on; never a traceback."""

    def told(status: int, headline: str, words: str, headers: dict[str, str] | None = None, link: str = "") -> Response:
        page = site.render("refused.html", status=status, headline=headline, words=words, link=link)
        return HTMLResponse(page, status, headers)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return told(error.status, error.headline, error.words, error.headers, error.link)

    async def unavailable(_: Request, error: Exception) -> Response:
        log.error("the review page was not served: %s", error)
        return told(503, "The ledger does not answer.", f"{error} This page is tried again.", {"Refresh": AGAIN})

    async def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404 and request.url.path == f"{site.root}":
            return RedirectResponse(site.url("/"), 303)
        return told(error.status_code, "There is nothing here.", "Look whether the address is whole.")

    async def broken(request: Request, error: Exception) -> Response:
        log.error("a page broke: %s %s", request.url.path[:200], type(error).__name__, exc_info=error)
        tell("broke", request)
        return told(500, "The page broke; nothing was decided.", "An engineer finds why in the log of `mlc serve`.")

    return {Refused: refused, LedgerUnavailable: unavailable, HTTPException: unknown, Exception: broken}
