"""Whether the ERP's books have what mlc.yaml takes for granted: its companies, accounts and code part values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.settings import Settings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.shared.findings import Finding, refused, wrong
from mlc_dagster.transport.threads import in_order

WHAT = {
    ifs.ACCOUNTS.name: "account",
    ifs.CODE_PART_VALUES.name: "code part value",
    ifs.VOUCHERS.name: "voucher",
}
"""What shows that a company is there, for a user who may see it."""


def ask_books(
    client: IfsClient, readable: Sequence[EntitySet], settings: Settings, in_flight: int
) -> Iterator[Finding]:
    """Of the sets that read; nothing is said of the others a second time."""
    by_name = {entity.name: entity for entity in readable}
    accounts, values = by_name.get(ifs.ACCOUNTS.name), by_name.get(ifs.CODE_PART_VALUES.name)
    try:
        if seen := accounts or values or by_name.get(ifs.VOUCHERS.name):
            yield from _companies(client, seen, settings, in_flight)
        if accounts:
            named = [each for name, section in settings.targets.items() for each in section.erp_accounts(name)]
            yield from _named(client, accounts, "account", named, "account", settings)
        if values:
            named = [each for name, it in settings.targets.items() for each in it.erp_code_part_values(name)]
            yield from _named(client, values, "code_part_value", named, "code part value", settings)
    except MlcError as error:
        yield refused("ifs", "mlc.yaml", error)


def _companies(client: IfsClient, seen: EntitySet, settings: Settings, in_flight: int) -> Iterator[Finding]:
    """IFS shows nothing of a company that the service account may not see, and says 200."""
    codes, what = list(settings.companies), WHAT[seen.name]
    found = in_order(lambda code: client.find(seen, most=1, company=code), codes, in_flight)
    shown = {code: bool(rows) for code, rows in zip(codes, found, strict=True)}
    for code in (code for code, is_there in shown.items() if not is_there):
        fault = f"company {code}: IFS shows no {what} of it"
        cure = f"Correct companies.{code} in mlc.yaml, or let the service account see the company."
        yield wrong("ifs", "companies", fault, cure)
    if there := [code for code, is_there in shown.items() if is_there]:
        has = "have a chart of accounts" if what == "account" else f"have a {what}"
        yield Finding("ifs", "companies", True, f"{', '.join(there)} {has}")


def _named(
    client: IfsClient,
    entity: EntitySet,
    field: str,
    named: Iterable[tuple[str, str]],
    what: str,
    settings: Settings,
) -> Iterator[Finding]:
    """A line for each name that no company of mlc.yaml has."""
    wanted = list(named)
    rows = client.find_many(entity, field, [name for _, name in wanted]) if wanted else []
    known = {str(row[field]) for row, _ in rows if row["company"] in settings.companies}
    for words, name in wanted:
        if name not in known:
            cure = f"Correct it in mlc.yaml, or make the {what} in IFS."
            yield wrong("ifs", "mlc.yaml", f"{words}, and no company of mlc.yaml has that {what}", cure)
