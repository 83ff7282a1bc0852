"""What the supplier master shows of the suppliers that were entered: many numbers with a request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mlc_dagster.core.outcomes import Delivered, Seen, Shown
from mlc_dagster.systems.ifs.supplier_records import SHARED
from mlc_dagster.systems.ifs.writing.read_back import Compared, FindsDocuments


def expected_supplier(compared: Compared, partner: Any) -> Shown:
    """What the SaaS has a value for."""
    said = {name: value for name in SHARED if (value := getattr(partner, name)) is not None}
    return compared.of(said)


class SuppliersReadBack:
    """The supplier master, many numbers with a request."""

    def __init__(self, client: FindsDocuments, compared: Compared) -> None:
        self._client, self.compared = client, compared

    def read_back(self, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        numbers = {one.remote_id for one in delivered}
        rows = self._client.find_many(self.compared.entity, "supplier_id", numbers) if numbers else []
        there = {str(row["supplier_id"]): row for row, _ in rows}
        for one in delivered:
            row = there.get(one.remote_id)
            if row is None:
                yield Seen(one.key, one.remote_id, "deleted")
            else:
                yield Seen(one.key, one.remote_id, "there", self.compared.of(row), detail=str(row["name"] or ""))

    def expected(self, partner: Any) -> Shown:
        return expected_supplier(self.compared, partner)
