"""Which codes the tenant's records name: of its latest documents, and of a page of its suppliers. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.vocabulary import EntitySet, Pull, Scope, Window, key_parts
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.shared.discovery import CodesInUse

BACK = (2, 7, 31)  # days: the latest documents are looked at, and older ones where those are few
DOCUMENTS, SUPPLIERS, ACCOUNTS = (
    25,
    500,
    100_000,
)  # records of each set: where lines are asked for one by one, each costs its requests


def codes_in_use(client: IfsClient, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> CodesInUse:
    """What can be read of it: a set that is off or refused adds nothing. Raises AccessDenied for the sign-in alone."""
    today = now()
    suppliers = list(islice(_rows(client, ifs.SUPPLIERS, Window.until(today.date())), SUPPLIERS))
    documents = [*_latest(client, ifs.PURCHASE_ORDERS, today), *_latest(client, ifs.POSTING_PROPOSALS, today)]
    lines = [line for document in documents for line in document.lines]
    return CodesInUse(
        _companies(documents, _with_a_chart(client)),
        _counted([*suppliers, *documents], "payment_terms"),
        _counted(lines, "tax_code"),
        _counted(lines, "account"),
        _counted(documents, "contract"),
    )


def _latest(client: IfsClient, entity: EntitySet, today: datetime) -> list[Any]:
    """Of as few days as have enough."""
    found: list[Any] = []
    for days in BACK:
        window = Window(today - timedelta(days=days), today + timedelta(days=1))
        found = list(islice(_rows(client, entity, window), DOCUMENTS))
        if len(found) >= DOCUMENTS:
            break
    return found


def _rows(client: IfsClient, entity: EntitySet, window: Window) -> Iterator[Any]:
    entity = client.catalogue.get(entity.name, entity)
    if entity.is_off:
        return
    scope = Scope(window.last_day.isoformat(), window)
    try:
        batches = client.read(entity, scope, Pull("/".join(entity.key), scope.partition))
        read = (record for batch in batches for record, _, _ in records_of(batch, entity.record))
        yield from (record for record in read if record is not None)
    except MlcError:
        return  # ping says what is wrong with it


def _counted(records: list[Any], name: str) -> Counter[str]:
    return Counter(value for record in records if (value := getattr(record, name, None)))


def _companies(documents: list[Any], charted: set[str]) -> dict[str, str]:
    """Company -> the currency of most of its documents, which is mostly its own: a person confirms it."""
    named = Counter((document.company, document.currency_code or "") for document in documents if document.company)
    found: dict[str, str] = {}
    for (company, currency), _ in named.most_common():
        found.setdefault(company, currency)
    return {code: found.get(code, "") for code in sorted({*found, *charted})}


def _with_a_chart(client: IfsClient) -> set[str]:
    """Those whose accounts this service user may see: by the keys alone, thousands in a request."""
    entity = client.catalogue.get(ifs.ACCOUNTS.name, ifs.ACCOUNTS)
    if entity.is_off:
        return set()
    try:
        return {key_parts(key, len(entity.keys))[0] for key in islice(client.keys_of(entity), ACCOUNTS)}
    except MlcError:
        return set()
