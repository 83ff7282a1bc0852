"""The month end: figures as they are now, what was signed, and who signs. A figure that changes voids a signature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Run
from mlc_dagster.ledger.credentials import bank_keys, secret
from mlc_dagster.ledger.records.closes import Signature
from mlc_dagster.ledger.replaced_secrets import replaced
from mlc_dagster.pipeline.closing import signing
from mlc_dagster.pipeline.closing.figures import CompanyFigures
from mlc_dagster.pipeline.closing.gathering import Gathering, clients_of
from mlc_dagster.pipeline.closing.month import Month
from mlc_dagster.systems import configuration
from mlc_dagster.web.review.bulk_run import REVIEW
from mlc_dagster.web.review.open_record import nothing_there
from mlc_dagster.web.review.visits import Refused, Visit, tell


def now(visit: Visit) -> Response:
    """Leads to the month that finance closes: until the tenth the last one."""
    return visit.back(visit.site.url(f"/close/{visit.now - timedelta(days=10):%Y-%m}"))


def month(visit: Visit) -> Response:
    """Of each company that he may see: what is open, and whether it is signed. Raises Refused."""
    period = _period(visit)
    with _gathering(visit, period) as (gathering, flows):
        found = [one for one in gathering.of(flows) if visit.sees(one.books.company)]
        listed = [(one, one.open_in_words(), *_signed(gathering, one)) for one in found]
    if visit.wants_json:
        companies = [_as_json(one, signature, changed) for one, _, signature, changed in listed]
        return JSONResponse({"period": str(period), "companies": companies})
    return visit.page("close.html", period=period, companies=listed, before=_other(period, -1), after=_other(period, 1))


def company(visit: Visit) -> Response:
    """One company's month: every figure leads to its items. Raises Refused."""
    with _gathering(visit, _period(visit)) as (gathering, flows):
        return _shown(visit, gathering, _only(gathering, flows, _company(visit)))


def act(visit: Visit) -> Response:
    """Sign, as the figures were shown. Raises Refused."""
    code = _company(visit)
    visit.expect("sign", code)
    reason, here = visit.form.get("reason", "").strip()[:2000], visit.site.url(f"/close/{_period(visit)}/{code}")
    with _gathering(visit, _period(visit)) as (gathering, flows):
        one = _only(gathering, flows, code)
        if visit.form.get("mark") != one.fingerprint:
            said = "A figure has changed since you loaded the page: look at it again. Your reason is kept."
            return _shown(visit, gathering, one, 409, said, reason)
        try:
            signing.sign(gathering, one, visit.user.name, reason, Run(REVIEW))
        except Misconfigured as error:
            return _shown(visit, gathering, one, 409, f"{error.message}. {error.cure}", reason)
    tell("signed", visit.request, who=visit.user.name, company=code)
    return visit.back(here)


def _shown(
    visit: Visit, gathering: Gathering, one: CompanyFigures, status: int = 200, problem: str = "", reason: str = ""
) -> Response:
    signature, changed = _signed(gathering, one)
    if visit.wants_json:
        return JSONResponse(_as_json(one, signature, changed), status)
    period = Month.of(one.books.period)
    ends_at = period.ends_at(gathering.zone(one.books.company))
    return visit.page(
        "close_company.html",
        status,
        one=one.as_json(),
        period=period,
        ends_at=ends_at,
        is_over=visit.ledger.looks.now() >= ends_at,
        signature=signature,
        changed=changed,
        earlier=[each for each in visit.ledger.closes.signatures(one.books) if each.voided_at],
        still=one.open_in_words(),
        heads=visit.ledger.close_rows.heads(),
        problem=problem,
        typed=reason,
    )


def _as_json(one: CompanyFigures, signature: Signature | None, changed: str) -> dict[str, Any]:
    return {**one.as_json(), "signed_by": signature.who if signature and not changed else None, "changed": changed}


def _signed(gathering: Gathering, one: CompanyFigures) -> tuple[Signature | None, str]:
    """The signature that stands, and which figures are others than it was given for, and who changed them: then it is
    void, though the ledger says so with the next look of the month end only: looking at a page writes nothing.
    """
    closes = gathering.ledger.closes
    valid = closes.valid(one.books)
    if valid is None or valid.fingerprint == one.fingerprint:
        return valid, ""
    return valid, signing.because(gathering, one, closes.version(one.books, valid.version))


def _only(gathering: Gathering, flows: Sequence[Flow], code: str) -> CompanyFigures:
    found = gathering.of(flows, code)
    if not found:
        raise nothing_there()
    return found[0]


@contextmanager
def _gathering(visit: Visit, period: Month) -> Iterator[tuple[Gathering, Sequence[Flow]]]:
    """Clients are asked what they know by themselves of what was sent; none of them calls a system."""
    site, ledger = visit.site, visit.ledger
    with ExitStack() as open_clients:
        try:
            flows = site.flows()
            clients = {name: _client(visit, name) for name in clients_of(flows)}
        except Misconfigured as error:
            raise Refused(503, "The month end cannot be counted here.", f"{error.message}. {error.cure}") from None
        for each in clients.values():
            open_clients.callback(each.api.close)
        yield Gathering(period, site.settings, ledger, clients), flows


def _client(visit: Visit, name: str) -> Any:
    ledger, settings = visit.ledger, visit.site.settings
    known, bank = (lambda each: secret(each, lambda: ledger)), bank_keys(ledger, settings)
    return configuration.client(settings, name, known, ledger.budget, kept=replaced, **bank)


def _period(visit: Visit) -> Month:
    try:
        return Month.of(str(visit.request.path_params["period"]))
    except Misconfigured as error:
        raise Refused(404, f"{error.message}.", "Such as 2026-11.") from None


def _company(visit: Visit) -> str:
    code = str(visit.request.path_params["company"])
    if not visit.sees(code) or code not in visit.site.settings.companies:
        raise nothing_there()
    return code


def _other(period: Month, by: int) -> str:
    day = period.first - timedelta(days=1) if by < 0 else period.last + timedelta(days=1)
    return f"{day:%Y-%m}"
