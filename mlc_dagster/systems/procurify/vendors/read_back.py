"""What Procurify shows of the vendors that were delivered: by the list of active ones, by id only what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from mlc_dagster.core.outcomes import Delivered, Seen, Shown
from mlc_dagster.core.shown_values import Value, value_of
from mlc_dagster.systems.procurify.api import Document
from mlc_dagster.systems.procurify.records import Vendor
from mlc_dagster.systems.shared.countries import country_code

Currencies = Mapping[str, str]
"""Id -> ISO code: Procurify names a currency by its id."""


def expected_vendor(vendor: Vendor) -> Shown:
    """What IFS has a value for: the rest Procurify keeps as its own."""
    said: dict[str, str | None] = {
        "external_id": vendor.key,
        "name": vendor.name,
        "country": vendor.country,
        "email": vendor.email,
        "currency": vendor.currency_code,
    }
    return {name: value_of(text) for name, text in said.items() if text}


def shown_vendor(row: Document, currencies: Currencies) -> Shown:
    """The first mail address is ours; countries by their ISO code, in whatever words they stand there."""
    mails = row.get("email") or []
    country = row.get("country")
    values: dict[str, Value] = {
        "external_id": value_of(row.get("external_id")),
        "name": value_of(row.get("name")),
        "country": country_code(country) or value_of(country),
        "email": value_of(mails if isinstance(mails, str) else next(iter(mails), None)),
        "currency": currencies.get(str(row.get("currency"))),
    }
    return values


def seen_vendors(
    rows: Sequence[Document],
    by_id: Callable[[str], Document | None],
    currencies: Currencies,
    delivered: Sequence[Delivered],
) -> Iterator[Seen]:
    """A deactivated vendor is in no list, and has lost its external id."""
    listed = {str(row["id"]): row for row in rows}
    for one in delivered:
        row = listed.get(one.remote_id) or by_id(one.remote_id)
        if row is None:
            yield Seen(one.key, one.remote_id, "deleted")
        elif row.get("active") is False:
            yield Seen(one.key, one.remote_id, "deleted", detail="deactivated in Procurify")
        else:
            detail = f"vendor {one.remote_id}"
            yield Seen(one.key, one.remote_id, "there", shown_vendor(row, currencies), detail=detail)
