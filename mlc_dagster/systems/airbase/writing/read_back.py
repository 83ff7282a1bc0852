"""What Airbase shows of what was delivered: by its lists; one by one only what they do not show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.outcomes import Delivered, Seen, Shown, Worth
from mlc_dagster.core.shown_values import Value, shown_otherwise, value_of
from mlc_dagster.systems.airbase.api import AirbaseApi, Document, amount_of, id_of, reference_of
from mlc_dagster.systems.airbase.records import OrderLine, PurchaseOrder, Vendor
from mlc_dagster.systems.airbase.spend.records import Acknowledgement
from mlc_dagster.systems.airbase.writing.record_index import FEW, RecordIndex

ENDED = frozenset({"cancelled", "canceled", "void", "voided", "archived", "deleted", "rejected"})
SUBSIDIARIES, LINES = "subsidiary_reference_ids", "line_items"
_VENDOR = ("erp_reference_id", "name", "is_active", "email", "payment_terms")
_ORDER = ("erp_reference_id", "po_number", "order_date", "notes")
_LINE = ("description", "quantity", "unit_price", "amount")
_NUMBERS = frozenset({"quantity", "unit_price", "amount", "total_amount"})


def ended(document: Document) -> str:
    """The status of a document that counts no more; empty where it does. Airbase's own words are not public: these are
    what such a status can be called (facts/airbase.md, section 9).
    """
    status = str(document.get("status") or "").strip().lower()
    return status if status in ENDED else ""


# --- as it was sent -------------------------------------------------------------------------------------------------


def expected(record: Vendor | PurchaseOrder | Acknowledgement, left_out: Collection[str] = ()) -> Shown:
    """`left_out`: fields of vendors that this tenant does not take."""
    if isinstance(record, Vendor):
        return {name: value for name, value in _expected_vendor(record).items() if name not in left_out}
    if isinstance(record, PurchaseOrder):
        return _expected_order(record)
    return {name: value_of(text) for name, text in record.body().items()}


def _expected_vendor(vendor: Vendor) -> Shown:
    """What IFS has a value for: the rest Airbase keeps as its own, and subsidiaries that people added."""
    said: dict[str, Value] = {"erp_reference_id": vendor.key, "name": value_of(vendor.name)}
    said["is_active"] = value_of(vendor.is_active)
    given = {"email": vendor.email, "payment_terms": vendor.payment_term}
    said |= {name: value_of(text) for name, text in given.items() if text is not None}
    return {**said, **{f"{SUBSIDIARIES}[{each}]": each for each in vendor.subsidiaries}}


def _expected_order(order: PurchaseOrder) -> Shown:
    lines = {f"{LINES}[{line.key}].{name}": each for line in order.lines for name, each in _line(line, order).items()}
    return {
        "erp_reference_id": order.key,
        "po_number": order.key,
        "vendor": order.supplier_id,
        "subsidiary": order.subsidiary or None,
        "currency": order.currency,
        "order_date": order.order_date.isoformat() if order.order_date else None,
        "total_amount": order.total(),
        "notes": value_of(order.remark),
        LINES: Decimal(len(order.lines)),
        **({"status": order.status} if order.status else {}),
        **lines,
    }


def _line(line: OrderLine, order: PurchaseOrder) -> Shown:
    return {
        "description": value_of(line.description),
        "quantity": line.quantity,
        "unit_price": line.price,
        "amount": line.total(order.decimals),
        "account": line.account,
        **{field.name: field.value for field in line.more},
    }


# --- as it is shown -------------------------------------------------------------------------------------------------


def shown_vendor(row: Document) -> Shown:
    subsidiaries = {reference_of(each) for each in row.get(SUBSIDIARIES) or ()}
    return {**_flat(row, _VENDOR), **{f"{SUBSIDIARIES}[{each}]": each for each in subsidiaries if each}}


def shown_order(row: Document, line_fields: Collection[str] = ()) -> Shown:
    """What people added to it has no key of ours: it is counted alone. `line_fields`: further ones of its lines."""
    lines: Sequence[Document] = row.get(LINES) or ()
    named = {
        f"{LINES}[{reference_of(line)}].{name}": value
        for line in lines
        if reference_of(line)
        for name, value in {
            **_flat(line, _LINE),
            "account": _reference(line.get("account")),
            **{name: _number_or_text(line[name]) for name in line_fields if name in line},
        }.items()
    }
    return {
        **_flat(row, (*_ORDER, "total_amount")),
        "order_date": str(row.get("order_date") or "")[:10] or None,
        "vendor": id_of(row.get("vendor") or {}) or None,
        "subsidiary": _reference(row.get("subsidiary")),
        "currency": value_of((row.get("currency") or {}).get("iso_code")),
        LINES: Decimal(len(lines)),
        **named,
    }


def otherwise(record: Vendor | PurchaseOrder, row: Document, left_out: Collection[str] = ()) -> Shown:
    """What an answer shows otherwise than it was sent: agreed from now on."""
    more = {field.name for line in record.lines for field in line.more} if isinstance(record, PurchaseOrder) else ()
    values = shown_vendor(row) if isinstance(record, Vendor) else shown_order(row, more)
    sent = expected(record, left_out)
    return shown_otherwise(sent, {**values, **_status(row, sent)})


def worth(values: Shown) -> Worth:
    """An order is worth its total; a vendor, and word of a voucher, nothing."""
    total = values.get("total_amount")
    return Worth(
        str(values.get("subsidiary") or ""),
        total if isinstance(total, Decimal) else None,
        str(values.get("currency") or ""),
    )


def _flat(row: Document, names: Iterable[str]) -> dict[str, Value]:
    return {name: _typed(name, row[name]) for name in names if name in row}


def _typed(name: str, value: Any) -> Value:
    found = amount_of(value) if name in _NUMBERS else None
    return value_of(value) if found is None else found


def _status(row: Document, wanted: Shown) -> Shown:
    """Of an order whose status follows the ERP's state: else it is Airbase's business."""
    return {"status": value_of(row.get("status"))} if "status" in wanted else {}


def _number_or_text(value: Any) -> Value:
    found = amount_of(value)
    return value_of(value) if found is None else found


def _reference(document: Any) -> Value:
    return reference_of(document) or None if isinstance(document, Mapping) else None


# --- what is there --------------------------------------------------------------------------------------------------


class RecordsReadBack:
    """Vendors, purchase orders or bills, by the list; few of them by their keys."""

    def __init__(
        self,
        api: AirbaseApi,
        path: str,
        shown: Callable[[Document], Shown],
        expected: Callable[[Any], Shown],
    ) -> None:
        """`shown`: what a document says; `expected`: the same of a record as it was sent."""
        self._api, self._path, self._shown, self._expected = api, path, shown, expected

    def read_back(self, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        index = RecordIndex(self._api, self._path)
        index.refresh({one.key for one in delivered}, None)
        for one in delivered:
            by_key = index.with_key(one.key)
            row = next((each for each in by_key if id_of(each) == one.remote_id), None)
            row = row or (None if by_key else index.with_id(one.remote_id))
            yield self._seen(one, row, by_key)

    def ours(self, known: AbstractSet[str]) -> Iterator[Seen]:
        """What carries a key of the ERP, and is not known: Airbase cannot be asked what was touched."""
        for row in self._api.pages(self._path):
            if reference_of(row) and id_of(row) not in known and not ended(row):
                link = str(row.get("airbase_url") or "")
                yield Seen(reference_of(row), id_of(row), "there", self._shown(row), detail=link)

    def _seen(self, one: Delivered, row: Document | None, by_key: Sequence[Document]) -> Seen:
        if row is None and not by_key:
            return Seen(one.key, one.remote_id, "deleted")
        if row is None:
            values = self._beside(one, by_key[0])
            return Seen(one.key, one.remote_id, "merged", values, id_of(by_key[0]))
        values, link = self._beside(one, row), str(row.get("airbase_url") or "")
        if (state := ended(row)) and state != self._wanted(one).get("status"):
            return Seen(one.key, one.remote_id, "voided", values, detail=f"{state} {link}".strip())
        return Seen(one.key, one.remote_id, "there", values, detail=link)

    def _beside(self, one: Delivered, row: Document) -> Shown:
        """With none for what was a row of a list and is not any more."""
        wanted = self._wanted(one)
        return {**{name: None for name in wanted if "[" in name}, **self._shown(row), **_status(row, wanted)}

    def _wanted(self, one: Delivered) -> Shown:
        """As it was agreed, else as it was sent."""
        if one.shown is not None:
            return one.shown
        return {} if one.record is None else self._expected(one.record)


class AcknowledgementsReadBack:
    """Word of vouchers, on requests and ledger entries. `paths`: of their lists, by the source's name."""

    def __init__(self, api: AirbaseApi, paths: Mapping[str, str]) -> None:
        self._api, self._paths = api, paths

    def read_back(self, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """A few by their ids; more of them by the list of each status that was sent, and the rest by id."""
        for path in dict.fromkeys(self._path(one) for one in delivered):
            some = [one for one in delivered if self._path(one) == path]
            listed = self._listed(path, some) if len(some) > FEW else {}
            for one in some:
                yield _word(one, listed.get(one.remote_id) or self._one(path, one.remote_id))

    def _path(self, one: Delivered) -> str:
        return self._paths[one.flow.source.name]

    def _listed(self, path: str, some: Sequence[Delivered]) -> dict[str, Document]:
        statuses = {str(status) for one in some if (status := _wanted(one).get("status"))}
        return {id_of(row): row for status in sorted(statuses) for row in self._api.pages(path, status=status)}

    def _one(self, path: str, which: str) -> Document | None:
        try:
            return self._api.one(f"{path}{quote(which, safe='')}/")
        except RecordRejected as error:
            if error.status != 404:
                raise
            return None


def _wanted(one: Delivered) -> Shown:
    if one.shown is not None:
        return one.shown
    return {} if one.record is None else expected(one.record)


def _word(one: Delivered, row: Document | None) -> Seen:
    """Word of a failure is over as soon as the entry is in the books: it is not compared."""
    if row is None:
        return Seen(one.key, one.remote_id, "deleted")
    link = str(row.get("airbase_url") or "")
    names = () if one.flow.tells else [name for name in _wanted(one) if not name.startswith("@")]
    return Seen(one.key, one.remote_id, "there", {name: value_of(row.get(name)) for name in names}, detail=link)
