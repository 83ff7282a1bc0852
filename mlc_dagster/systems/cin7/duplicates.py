"""Looks in Cin7 for purchases with one marker and invoices with one number, and for headers that never got lines.

Cin7 cannot search for a marker. The list tells what was changed; which of those purchases are ours the ledger knows,
and only the others are read, a call for each. What carries the marker of a known purchase is compared with that one,
however old it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from mlc_dagster.core.duplicates import Crosswalk, TargetDocument, TargetScan, folded
from mlc_dagster.core.flows import Target
from mlc_dagster.core.logs import logger
from mlc_dagster.systems.cin7.api import PAGE, Cin7Api, Document, says
from mlc_dagster.systems.cin7.purchases.purchase_lookup import OVERLAP, SIMPLE, markers, read
from mlc_dagster.systems.cin7.purchases.purchase_writer import is_empty
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES, PURCHASES
from mlc_dagster.systems.shared.json_values import moment_or_none

log = logger("mlc_dagster.cin7")

MOST_READ = 240
"""Purchases that one look reads: four minutes of one key's calls."""

AT_WORK = timedelta(minutes=15)
"""A header younger than that may still get its lines."""

OWN = "proposal/"
"""What the marker of an invoice's own purchase begins with."""

NOTHING_YET = ("", "NOT AVAILABLE")


@dataclass
class _Scan:
    """One look: the list, what was read of it, and how much may still be read."""

    since: datetime
    rows: Mapping[str, Document]  # id in one case -> row of the list, newest last
    read: dict[str, Document] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    of_supplier: dict[str, list[str]] = field(default_factory=dict)  # its name -> ids of all its live purchases


class Duplicates:
    """Looks of one client: purchases that one target's look has read are not read again for the other."""

    def __init__(
        self,
        api: Cin7Api,
        slot: str,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`slot`: the attribute that holds our marker."""
        self._api, self._slot, self._clock, self._wall = api, slot, clock, wall
        self._kept: tuple[float, _Scan] | None = None

    def scan(self, target: Target, since: datetime, known: Crosswalk) -> TargetScan:
        """Raises MlcError."""
        scan = self._listed(since)
        ids = {name: _ids(known(f"cin7/{name}")) for name in (PURCHASES.name, PURCHASE_INVOICES.name)}
        found = self._invoices(scan, ids) if target.name == PURCHASE_INVOICES.name else []
        found += [each for each in self._purchases(scan, ids) if _is_of(target, each)]
        return TargetScan(found, len(scan.rows), len(scan.unread))

    def _listed(self, since: datetime) -> _Scan:
        """What was changed since then, read at most once a minute."""
        if self._kept is None or self._kept[1].since != since or self._clock() - self._kept[0] > 60:
            text = (since - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.000")
            rows = [row for row in self._api.pages("/purchaseList", "PurchaseList", UpdatedSince=text) if _is_live(row)]
            self._kept = (self._clock(), _Scan(since, {_one_case(row["ID"]): row for row in rows}))
        return self._kept[1]

    # --- by marker ----------------------------------------------------------------------------------------------------

    def _purchases(self, scan: _Scan, ids: Mapping[str, Mapping[str, str]]) -> Iterator[TargetDocument]:
        """Strangers, what is known under a stranger's marker, and headers that may be empty."""
        ours = {number for names in ids.values() for number in names}
        asked = [number for number, row in scan.rows.items() if number not in ours or _may_be_empty(row)]
        strangers = [number for number in self._read(scan, asked) if number not in ours]
        partners = [other for number in strangers for other in self._others(scan, number, ids)]
        for number in dict.fromkeys([*asked, *self._read(scan, partners)]):
            if number in scan.read:
                yield from self._carried(scan.read[number])

    def _others(self, scan: _Scan, number: str, ids: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
        """Ids of purchases that may carry this one's marker: the one that the ledger knows; where it knows none, those
        of the same supplier that it does not know either.
        """
        stranger = scan.read[number]
        for marker in markers(stranger, self._slot):
            name = PURCHASE_INVOICES.name if marker.startswith(OWN) else PURCHASES.name
            there = [other for other, key in ids[name].items() if key == marker.partition("/")[2]]
            yield from there or self._unknown(scan, str(stranger.get("Supplier") or ""), ids)

    def _unknown(self, scan: _Scan, supplier: str, ids: Mapping[str, Mapping[str, str]]) -> list[str]:
        if supplier not in scan.of_supplier:
            rows = self._api.pages("/purchaseList", "PurchaseList", Search=supplier)
            scan.of_supplier[supplier] = [_one_case(row["ID"]) for row in rows if _is_live(row)]
        return [number for number in scan.of_supplier[supplier] if not any(number in names for names in ids.values())]

    def _carried(self, purchase: Document) -> Iterator[TargetDocument]:
        touched = moment_or_none(purchase.get("LastUpdatedDate"))
        for marker in dict.fromkeys(markers(purchase, self._slot)):
            yield TargetDocument(
                id=_one_case(purchase["ID"]),
                number=str(purchase["OrderNumber"]),
                reference=marker,
                at=touched,
                amount=_amount((purchase.get("Order") or {}).get("Total")),
                currency=str(purchase.get("SupplierCurrency") or ""),
                is_live=not says(purchase.get("Status"), "VOIDED"),
                is_empty=is_empty(purchase) and (touched is None or touched < self._wall() - AT_WORK),
            )

    # --- what the ledger does not know --------------------------------------------------------------------------------

    def unknown(self, target: Target, since: datetime, known: AbstractSet[str]) -> Iterator[tuple[str, Document]]:
        """(marker, purchase) of the live ones that carry a marker of this target, and that nobody delivered; of which
        some are not looked at, that is logged. Raises as `scan`.
        """
        scan, ours = self._listed(since), {_one_case(number.partition("/")[0]) for number in known}
        for number in self._read(scan, [number for number in scan.rows if number not in ours]):
            purchase = scan.read[number]
            for marker in dict.fromkeys(markers(purchase, self._slot)):
                if marker.startswith(OWN) == (target.name == PURCHASE_INVOICES.name):
                    yield marker, purchase
        if scan.unread:
            log.warning("%d of Cin7's purchases were not looked at: a look reads %d", len(scan.unread), MOST_READ)

    # --- by number ----------------------------------------------------------------------------------------------------

    def _invoices(self, scan: _Scan, ids: Mapping[str, Mapping[str, str]]) -> list[TargetDocument]:
        """Invoices on our purchases, and whatever else stands under their numbers."""
        ours = {number for names in ids.values() for number in names}
        billed = [number for number, row in scan.rows.items() if number in ours and _has_invoice(row)]
        found = [each for number in self._read(scan, billed) for each in _on(scan.read[number])]
        numbers = {folded(each.invoice[2]): each.invoice[2].strip() for each in found if each.invoice}
        listed = (_on_list(row) for row in self._under(numbers) if _one_case(row["ID"]) not in scan.read)
        return [*found, *(each for each in listed if each.invoice and folded(each.invoice[2]) in numbers)]

    def _under(self, numbers: Mapping[str, str]) -> Iterator[Document]:
        """Rows of the list, of whatever age: by a search for each number, or all, whichever takes fewer calls."""
        if len(numbers) > 2 and len(numbers) > 1 + self._pages():
            yield from filter(_is_live, self._api.pages("/purchaseList", "PurchaseList"))
            return
        for number in numbers.values():
            yield from filter(_is_live, self._api.pages("/purchaseList", "PurchaseList", Search=number))

    def _pages(self) -> int:
        """Of the whole list."""
        return -(-int(self._api.get("/purchaseList", Page=1, Limit=1).get("Total", 0)) // PAGE)

    # --- calls --------------------------------------------------------------------------------------------------------

    def _read(self, scan: _Scan, numbers: Sequence[str]) -> list[str]:
        """Those that were read, the newest first; more than a look may read are left, and counted."""
        for number in reversed(list(dict.fromkeys(numbers))):
            if number in scan.read:
                continue
            if len(scan.read) >= MOST_READ:
                scan.unread.add(number)
            else:
                scan.read[number] = read(self._api, number)
        return [number for number in dict.fromkeys(numbers) if number in scan.read]


def _ids(known: Mapping[str, str]) -> dict[str, str]:
    """Purchase's id in one case -> the ledger's key; of an invoice it is the part before its task."""
    return {_one_case(remote.partition("/")[0]): key for key, remote in known.items()}


def _one_case(number: Any) -> str:
    return str(number).casefold()


def _is_of(target: Target, each: TargetDocument) -> bool:
    return each.reference.startswith(OWN) == (target.name == PURCHASE_INVOICES.name)


def _is_live(row: Document) -> bool:
    """Not voided, and of the kind that we make."""
    return not says(row.get("Status"), "VOIDED") and row.get("Type") != SIMPLE


def _may_be_empty(row: Document) -> bool:
    return str(row.get("OrderStatus") or "") in NOTHING_YET and not _has_invoice(row)


def _has_invoice(row: Document) -> bool:
    return bool(row.get("InvoiceNumber")) or str(row.get("InvoiceStatus") or "") not in NOTHING_YET


def _on(purchase: Document) -> Iterator[TargetDocument]:
    """The invoices of a purchase; of a simple one it is no list."""
    there = purchase.get("Invoice") or []
    for place, invoice in enumerate(there if isinstance(there, list) else [there], 1):
        if number := str(invoice.get("InvoiceNumber") or "").strip():
            yield TargetDocument(
                id=f"{_one_case(purchase['ID'])}/{_one_case(invoice.get('TaskID'))}",
                number=f"invoice {place} of {purchase['OrderNumber']}",
                invoice=("", _one_case(purchase.get("SupplierID")), number),
                party=str(purchase.get("Supplier") or ""),
                at=moment_or_none(purchase.get("LastUpdatedDate")),
                amount=_amount(invoice.get("Total")),
                currency=str(purchase.get("SupplierCurrency") or ""),
                is_live=not says(invoice.get("Status"), "VOIDED"),
            )


def _on_list(row: Document) -> TargetDocument:
    number = str(row.get("InvoiceNumber") or "").strip()
    return TargetDocument(
        id=_one_case(row["ID"]),
        number=f"the invoice of {row['OrderNumber']}",
        invoice=("", _one_case(row.get("SupplierID")), number) if number else None,
        party=str(row.get("Supplier") or ""),
        at=moment_or_none(row.get("LastUpdatedDate")),
        amount=_amount(row.get("InvoiceAmount")),
        currency=str(row.get("SupplierCurrency") or ""),
    )


def _amount(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, Decimal | int) else None
