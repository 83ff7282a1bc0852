"""What a person may do here, and what he sets for this browser: keyboard, time zone."""

from __future__ import annotations

from starlette.responses import Response

from mlc_dagster.web.review.preferences import COOKIE, KEYS, Preferences, zone_of
from mlc_dagster.web.review.visits import Refused, Visit

YEAR = 366 * 86_400  # seconds


def me(visit: Visit) -> Response:
    return _shown(visit)


def act(visit: Visit) -> Response:
    """Raises Refused."""
    form = visit.form
    zone = form.get("zone", "").strip() or "UTC"
    if zone_of(zone) is None:
        raise Refused(422, "There is no time zone of that name.", "Such as Europe/Stockholm; go back and correct it.")
    remapped = {name: form.get(f"key-{name}", "").strip()[:1] for name in KEYS if f"key-{name}" in form}
    own = {name: key for name, key in remapped.items() if key != KEYS[name][0]}
    taken = [key for key in (own.get(name, KEYS[name][0]) for name in KEYS) if key]
    if len(set(taken)) != len(taken):
        raise Refused(422, "Two shortcuts have the same key.", "Go back and give each its own, or none.")
    answer = visit.back(visit.site.url("/me"))
    wanted = Preferences(form.get("keys") == "on", zone, own)
    path, secure = visit.site.root or "/", visit.site.own.is_https
    answer.set_cookie(COOKIE, wanted.as_cookie(), YEAR, path=path, secure=secure, httponly=True, samesite="lax")
    return answer


def _shown(visit: Visit) -> Response:
    return visit.page("me.html", keys=KEYS, saved=visit.ledger.saved_filters.of(visit.user.name))
