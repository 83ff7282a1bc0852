"""Vouchers that a person may have typed in already: of the same amount, within five days, and not entered by us.

One that names our document too is held before the write (`may_be_there_already`); the amount alone is told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from mlc_dagster.core.facts import AlikeDocument
from mlc_dagster.core.vocabulary import EntitySet, Row, key_text
from mlc_dagster.systems.ifs.entry_records import JournalEntry
from mlc_dagster.systems.ifs.origins import is_ours
from mlc_dagster.systems.ifs.writing.document_references import FindsRows, Found, find_by_reference, rows_as_set

NEAR = timedelta(days=5)
LEAST = 3  # letters and digits of a word that names a document
_WORD = re.compile(r"[\w./-]+")


class FindsKeys(FindsRows, Protocol):
    def find_keys(self, entity: EntitySet, keys: Sequence[Sequence[object]]) -> list[Found]: ...


def alike_vouchers(
    client: FindsKeys, vouchers: EntitySet, entries: Sequence[JournalEntry]
) -> dict[str, tuple[AlikeDocument, ...]]:
    """External reference of an entry -> the vouchers that may be it; of entries that are not there themselves."""
    rows = None if vouchers.is_off else rows_as_set(vouchers)
    if rows is None or not entries:
        return {}
    by_amount = _rows_by_amount(client, rows, entries)
    near = [(entry, row) for entry in entries for row in by_amount.get((entry.company, total(entry)), ())]
    keys = {_key(vouchers, row) for _, row in near}
    headers = {_key(vouchers, row): row for row, _ in client.find_keys(vouchers, sorted(keys))} if keys else {}
    found: dict[str, dict[str, AlikeDocument]] = defaultdict(dict)
    for entry, row in near:
        header = headers.get(_key(vouchers, row))
        if header and _is_near(entry, header):
            number = key_text(*_key(vouchers, row))
            named = _names(entry, header, row) or (
                number in found[entry.external_ref] and found[entry.external_ref][number].named
            )
            found[entry.external_ref][number] = AlikeDocument(number, header["voucher_date"], total(entry), named or "")
    there = find_by_reference(client, vouchers, found) if found else {}
    return {ref: tuple(alike.values()) for ref, alike in found.items() if alike and not there.get(ref)}


def total(entry: JournalEntry) -> Decimal:
    """What it comes to, in the company's currency."""
    return sum((line.debit_amount or Decimal(0) for line in entry.lines), Decimal(0))


def _rows_by_amount(
    client: FindsRows, rows: EntitySet, entries: Sequence[JournalEntry]
) -> Mapping[tuple[str, Decimal], list[Row]]:
    """(company, amount) -> rows that have it in debit or credit: one side of a voucher is mostly one row.

    Asked for by company and accounting year, which are keys: a tenant gives up on a filter without an index.
    """
    wanted: dict[tuple[str, int], set[Decimal]] = defaultdict(set)
    for entry in entries:
        for year in _years(entry):
            wanted[entry.company, year].add(total(entry))
    found: dict[tuple[str, Decimal], list[Row]] = defaultdict(list)
    for (company, year), amounts in sorted(wanted.items()):
        for side in ("debit_amount", "credit_amount"):
            of = {"company": company, "accounting_year": year}
            for row, _ in client.find_many(rows, side, sorted(amounts), **of):
                found[company, row[side]].append(row)
    return found


def _years(entry: JournalEntry) -> set[int]:
    """The accounting years in which a voucher of these days may lie; none where nothing is posted."""
    if not entry.company or entry.voucher_date is None or not total(entry):
        return set()
    on, days = entry.voucher_date, NEAR.days
    before, after = on.timetuple().tm_yday <= days, on.month == 12 and on.day > 31 - days
    return {on.year, entry.year() or on.year, on.year - before, on.year + after}


def _key(vouchers: EntitySet, row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in vouchers.keys)


def _is_near(entry: JournalEntry, header: Row) -> bool:
    on = header["voucher_date"]
    is_live = header["obj_state"] != "Cancelled" and not is_ours(header["external_ref"])
    return is_live and on is not None and entry.voucher_date is not None and abs(on - entry.voucher_date) <= NEAR


def _names(entry: JournalEntry, header: Row, row: Row) -> str:
    """The word by which a voucher that was typed in names the same document: an invoice or request number, an id."""
    theirs = {word for text in (header["text"], header["external_ref"], row["text"]) for word in _words(text)}
    ours = (word for text in (entry.text, entry.external_ref) for word in _words(text))
    return next((word for word in ours if word in theirs), "")


def _words(text: str | None) -> Iterator[str]:
    """Those with a digit: others name no document."""
    for word in _WORD.findall(text or ""):
        plain = word.strip("./-_").casefold()
        if len(plain) >= LEAST and any(sign.isdigit() for sign in plain):
            yield plain
