"""A filter is kept under a name, for this person alone, and stands above his lists from then on."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.responses import Response

from mlc_dagster.ledger.records.saved_filters import TooMany
from mlc_dagster.web.review.filters import FilterMistake, address, wanted
from mlc_dagster.web.review.visits import Refused, Visit

LONGEST = 60


def act(visit: Visit) -> Response:
    """Keep or remove. Raises Refused."""
    name, path = " ".join(visit.form.get("name", "").split()), visit.form.get("list", "/")
    if not name or len(name) > LONGEST or not name.isprintable():
        raise Refused(422, f"A filter has a name of {LONGEST} signs at most.", "Go back and name it.")
    if visit.form.get("action") == "remove":
        visit.ledger.saved_filters.remove(visit.user.name, name)
        return visit.back(visit.site.url("/me"))
    query = dict(parse_qsl(visit.form.get("query", "")[:2000]))
    try:
        wanted(query, visit.user.companies, visit.site.connections)
        kept = address(query)
        visit.ledger.saved_filters.keep(visit.user.name, name, kept)
    except FilterMistake as error:
        raise Refused(422, f"This filter cannot be asked for: {error}.") from None
    except TooMany as error:
        raise Refused(409, error.message, "Remove one on your own page.") from None
    return visit.back(visit.site.url(f"{'/items' if path == '/items' else '/'}?{kept}"))
