"""Sign-in by a personal token, and sign-out: the session ends on the server."""

from __future__ import annotations

from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mlc_dagster.web.review.callers import address_of
from mlc_dagster.web.review.site import Site
from mlc_dagster.web.review.visits import Visit, expect_meant, form_of, in_thread, tell

WRONG = "Name and token do not go together, or the token has ended. `mlc users add` makes a new one."
SLOW_DOWN = "Too many tries: wait ten minutes."


class SigningIn:
    """The two pages that need no session."""

    def __init__(self, site: Site, limiter: list[anyio.CapacityLimiter]) -> None:
        self._site, self._limiter = site, limiter

    async def show(self, request: Request) -> Response:
        return self._form(next=local_path(request.query_params.get("next", "/")))

    async def take(self, request: Request) -> Response:
        form, _ = await form_of(request)
        expect_meant(self._site, request, form, None)
        name, token, back = form.get("name", "")[:200], form.get("token", "")[:200], local_path(form.get("next", "/"))
        address = address_of(request, self._site.own)
        if not self._site.slowed.take(name, address):
            tell("sign-in slowed", request, who=name[:80])
            return self._form(429, said=SLOW_DOWN, next=back)
        value = await in_thread(self._limiter, self._site.ledger.users.sign_in, name, token.strip())
        if value is None:
            tell("sign-in refused", request, who=name[:80])
            return self._form(401, said=WRONG, next=back)
        self._site.slowed.forget(name, address)
        tell("signed in", request, who=name)
        answer = RedirectResponse(f"{self._site.root}{back}", 303)
        answer.set_cookie(self._site.cookie, value, **self._cookie())
        return answer

    def sign_out(self, visit: Visit) -> Response:
        visit.ledger.users.sign_out(visit.session)
        tell("signed out", visit.request, who=visit.user.name)
        answer = RedirectResponse(self._site.url("/sign-in"), 303)
        answer.delete_cookie(self._site.cookie, **self._cookie())
        return answer

    def _cookie(self) -> dict[str, Any]:
        path = self._site.root or "/"
        return {"path": path, "httponly": True, "samesite": "lax", "secure": self._site.own.is_https}

    def _form(self, status: int = 200, **values: str) -> Response:
        told = {"said": "", "typed": "", "next": "/", **values}
        return HTMLResponse(self._site.render("sign_in.html", **told), status)


def local_path(text: str) -> str:
    """A path of this page, never another host's: //evil, /\\evil and the like become the first page."""
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and text.isascii()
    return text if is_ours and len(text) < 2000 and "\\" not in text else "/"
