"""One request: who asks, what a form says, and whether it may be believed that he meant it."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.ledger.records.users import Role, User
from mlc_dagster.web.review.callers import ForgedHeader, named_by_proxy, peer
from mlc_dagster.web.review.freshness import freshness
from mlc_dagster.web.review.preferences import COOKIE, Preferences, preferences_of
from mlc_dagster.web.review.site import Site, access_log

MOST_BYTES, MOST_FIELDS = 64 * 1024, 200
SECONDS = 10.0  # for what is asked of the ledger; it would wait for thirty
AT_ONCE = 8
LONG = 60.0  # for what walks all that a month has moved

Serve = Callable[["Visit"], Response]


class Refused(Exception):
    """An answer that is not the page: its words say what was found, and what to do."""

    def __init__(self, status: int, headline: str, words: str = "", link: str = "", **headers: str) -> None:
        super().__init__(headline)
        self.status, self.headline, self.words, self.link = status, headline, words, link
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class Visit:
    """Somebody who is signed in asks for a page, or sends a form."""

    site: Site
    request: Request
    user: User
    session: str  # what the cookie holds
    form: dict[str, str] = field(default_factory=dict)
    chosen: list[str] = field(default_factory=list)  # the items that are ticked
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def ledger(self) -> Ledger:
        return self.site.ledger

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query_params)

    @property
    def preferences(self) -> Preferences:
        return preferences_of(self.request.cookies.get(COOKIE, ""))

    @property
    def csrf(self) -> str:
        return csrf_of(self.session)

    @property
    def wants_json(self) -> bool:
        return "application/json" in self.request.headers.get("accept", "")

    def may(self, role: Role, company: str = "") -> bool:
        return self.user.may(role, company)

    def expect(self, role: Role, company: str) -> None:
        """Raises Refused: 403, with the role and the company."""
        if not self.may(role, company):
            tell("refused", self.request, who=self.user.name, role=role, company=company)
            of = f" for company {company}" if company else " for all companies"
            words = "Ask whoever runs `mlc users` to give it to you."
            raise Refused(403, f"You need the role {role}{of} for that.", words)

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        waiting = [one for one in self.ledger.proposals.standing() if self.sees(one.company)]
        common = {"visit": self, "user": self.user, "csrf": self.csrf, "now": self.now, "me": self.preferences}
        common |= {"fresh": freshness(self.site.ledger, self.site.connections, self.site.settings, self.now)}
        told = self.site.render(template, **common, waiting=len(waiting), once=secrets.token_hex(16), **values)
        return HTMLResponse(told, status)

    def sees(self, company: str) -> bool:
        return self.user.companies is None or company in self.user.companies

    def back(self, path: str, said: str = "") -> Response:
        """After a form: a page that can be loaded again. What came of it is shown once, by its own key."""
        joined = f"{path}{'&' if '?' in path else '?'}done={quote(said)}" if said else path
        return RedirectResponse(joined, 303)


def csrf_of(session: str) -> str:
    return hmac.digest(session.encode(), b"forms of this session", "sha256").hex()


def tell(what: str, request: Request, **more: str) -> None:
    """A line of the access log: no query, no body, no cookie."""
    access_log.info("%s", json.dumps({"what": what, "path": request.url.path[:200], "from": peer(request), **more}))


class Serving(NamedTuple):
    """In which threads a page is made: who asks is looked up in the first, what he asks for is done in the second."""

    limiter: list[anyio.CapacityLimiter]
    own: list[anyio.CapacityLimiter] | None = None  # None: the same
    at_once: int = AT_ONCE
    seconds: float = SECONDS


def signed_in_page(site: Site, serve: Serve, threads: Serving) -> Callable[[Request], Any]:
    """The endpoint of a page, for those who are signed in alone."""

    limiter = threads.limiter
    own = limiter if threads.own is None else threads.own

    async def endpoint(request: Request) -> Response:
        named = _named_by_proxy(site, request)
        session = f"{site.key} {named}" if named else request.cookies.get(site.cookie, "")
        form, chosen = await form_of(request) if request.method == "POST" else ({}, [])
        by_itself = request.headers.get("x-by-itself") == "1"  # a page that looks again keeps no session alive
        if named:
            user = await in_thread(limiter, site.ledger.users.of, named)
            _expect_known(request, user, named)
        else:
            user = await in_thread(limiter, site.ledger.users.signed_in, session, not by_itself) if session else None
        if user is None:
            return _sign_in_first(site, request, form)
        if request.method == "POST":
            expect_meant(site, request, form, csrf_of(session))
        visit = Visit(site, request, user, session, form, chosen)
        answer: Response = await in_thread(own, serve, visit, at_once=threads.at_once, seconds=threads.seconds)
        return answer

    return endpoint


def _named_by_proxy(site: Site, request: Request) -> str:
    """Raises Refused."""
    try:
        return named_by_proxy(request, site.own)
    except ForgedHeader:
        tell("refused", request, why="a sign-in header from elsewhere", peer=peer(request))
        words = "Its sign-in header was not believed. Ask whoever runs the proxy, or sign in by a token without it."
        raise Refused(403, "Who sent this is not a proxy that is trusted.", words) from None


def _expect_known(request: Request, user: User | None, named: str) -> None:
    if user is None:
        tell("refused", request, who=named[:80], why="unknown here")
        raise Refused(403, f"{named[:80]} is not known here.", "Whoever runs `mlc users add` adds you under this name.")


def _sign_in_first(site: Site, request: Request, form: dict[str, str]) -> Response:
    here = f"{request.url.path}{f'?{request.url.query}' if request.url.query else ''}"
    here = here.removeprefix(site.root) if request.method == "GET" else "/"
    if request.method == "GET":
        return RedirectResponse(site.url("/sign-in", next=here), 303)
    typed = form.get("reason", "") or form.get("note", "")
    return HTMLResponse(site.render("sign_in.html", said="Your session has ended.", typed=typed, next=here), 401)


async def in_thread(
    limiter: list[anyio.CapacityLimiter],
    call: Callable[..., Any],
    *args: Any,
    at_once: int = AT_ONCE,
    seconds: float = SECONDS,
) -> Any:
    """The ledger blocks; a question that takes too long is left alone."""
    if not limiter:
        limiter.append(anyio.CapacityLimiter(at_once))
    try:
        with anyio.fail_after(seconds):
            return await anyio.to_thread.run_sync(call, *args, abandon_on_cancel=True, limiter=limiter[0])
    except TimeoutError:
        raise LedgerUnavailable(f"the ledger gave no answer within {seconds:g} s") from None


async def form_of(request: Request) -> tuple[dict[str, str], list[str]]:
    """Raises Refused where it is no form of ours, or too large."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/x-www-form-urlencoded":
        raise Refused(415, "Only the page's own forms are taken.")
    body = await _body(request)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refused(400, "The form cannot be read.", f"At most {MOST_FIELDS} fields, in UTF-8.") from None
    return dict(pairs), [value for name, value in pairs if name == "item"]


async def _body(request: Request) -> bytes:
    too_large = Refused(413, f"A form has {MOST_BYTES // 1024} KiB at most.", connection="close")
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit() or int(announced[:20]) > MOST_BYTES:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise too_large
    except ClientDisconnect:
        raise Refused(400, "The form ended early.") from None
    return bytes(body)


def expect_meant(site: Site, request: Request, form: dict[str, str], csrf: str | None) -> None:
    """That the page itself sent the form, and no other site: raises Refused."""
    origin, fetched = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    own = f"{'https' if site.own.is_https else request.url.scheme}://{request.headers.get('host', '')}"
    told = {urlsplit(str(site.own.address)).netloc} if site.own.address else set()
    here = origin is None or origin == own or (urlsplit(origin).netloc in told and origin.startswith("https:"))
    if origin == "null":  # without a referrer browsers name no origin in a form; a sandboxed frame is cross-site here
        here = fetched == "same-origin"
    if not here or fetched not in (None, "same-origin", "none"):
        tell("refused", request, why="another site")
        raise Refused(403, "This form came from another site.", "Open the page itself, and send it from there.")
    if csrf is not None and not hmac.compare_digest(form.get("csrf", "").encode(), csrf.encode()):
        tell("refused", request, why="no token of this session")
        raise Refused(403, "This form is not of your session.", "Load the page again, and send it from there.")


def fingerprint(*parts: object) -> str:
    """Of what a form was about: another content, another fingerprint."""
    return hashlib.blake2b(json.dumps([str(each) for each in parts]).encode(), digest_size=16).hexdigest()
