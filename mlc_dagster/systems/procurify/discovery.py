"""`mlc discover procurify`: departments and locations beside the ERP's companies and code parts. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.procurify.connect import procurify_client
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster.systems.shared.discovery import Choice, CodesInUse, Discovery, Setting, discovered
from mlc_dagster.systems.shared.findings import Finding, Question, budget

TITLE = (
    "Proposed by `mlc discover procurify`; nothing was changed. A line with a question mark is for a person to decide."
)
Rows = Sequence[Mapping[str, Any]]


def discover_procurify(question: Question, flows: Sequence[Flow], codes: CodesInUse) -> Discovery:
    """Raises AccessDenied where the sign-in is refused, or the role may not see the lists."""
    section, (client_id, client_secret) = question.section(ProcurifySettings), question.secrets
    client = procurify_client(section, client_id, client_secret, budget, tries=2)
    me = client.me()
    departments, locations = client.listed(section.paths.departments), client.listed(section.paths.locations)
    found = [*_companies(locations, codes), *_cost_centers(departments), *_terms(codes)]
    findings = [
        Finding("procurify", "sign-in", True, f"as {me.get('email')}, role {me.get('role')}"),
        _listed("locations", locations),
        _listed("departments", departments),
    ]
    settings = [each for each in found if isinstance(each, Setting)]
    return discovered("procurify", settings, [each for each in found if isinstance(each, Choice)], findings)


def _companies(locations: Rows, codes: CodesInUse) -> Iterator[Setting | Choice]:
    """The company of a location: its external id where that is one; else a person says."""
    sure = {_name(row): _external(row) for row in locations if _external(row) in codes.companies}
    if sure:
        yield Setting("companies_by_location", sure, "their external ids are companies of the ERP")
    for row in locations:
        if _name(row) not in sure:
            yield Choice(
                f"companies_by_location.{_name(row)}", f"The company of location {_name(row)}", tuple(codes.companies)
            )


def _cost_centers(departments: Rows) -> Iterator[Setting | Choice]:
    """The cost centre of a department: its external id, which rules compare with the ERP's code parts."""
    sure = {_name(row): _external(row) for row in departments if _external(row)}
    if sure:
        yield Setting("cost_centers", sure, "their external ids; what is no code part value of the ERP is held")
    for row in departments:
        if not _external(row):
            yield Choice(f"cost_centers.{_name(row)}", f"The cost centre of department {_name(row)}", ())


def _terms(codes: CodesInUse) -> Iterator[Choice]:
    for code, number in codes.payment_terms.most_common():
        yield Choice(f"payment_terms.{code}", f"Procurify's name of payment term {code} ({number} records)", ())


def _listed(what: str, rows: Rows) -> Finding:
    without = [_name(row) for row in rows if not _external(row)]
    words = f"{len(rows)}, without an external id: {', '.join(without) or 'none'}"
    return Finding("procurify", what, bool(rows), words)


def _name(row: Mapping[str, Any]) -> str:
    return str(row.get("name") or row.get("id"))


def _external(row: Mapping[str, Any]) -> str:
    return str(row.get("external_id") or "")
