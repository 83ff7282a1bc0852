"""C41: two keys that lead to one document: two documents, or the second held; never one over the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.difference_kinds import PROBABLE_DOUBLE
from mlc_dagster.core.outcomes import OWNED, Begun, Draft, Outcome, Ready, Refused, Saved, owned_words
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import load
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster_tests.promises.journey import flow_of
from mlc_dagster_tests.promises.kinds import KINDS, Kind, books, now, suppliers
from mlc_dagster_tests.promises.looked_at import Prepared, empty

RUN = Run("r", "2026-11-05")
DOCUMENTS = [kind for kind in KINDS if not flow_of(kind.flow).target.shares]
MASTERS = [kind for kind in KINDS if flow_of(kind.flow).target.shares and "acknowledged" not in kind.flow]


class OneForAll:
    """A target that has one document, whatever it is sent; it asks whose that is only if it `asks`."""

    traffic = (0, 0.0)

    def __init__(self, *, asks: bool) -> None:
        self.asks, self.written = asks, list[str]()

    def save(self, target: Any, drafts: Any) -> Iterator[Outcome]:
        for draft in drafts:
            if self.asks and draft.owner("d-1"):
                yield _refused(draft)
                continue
            self.written.append(draft.key)
            yield Begun(draft, "d-1")
            yield Saved(draft, "d-1", "updated", "PO-1")


def _refused(draft: Draft) -> Outcome:
    return Refused(draft, owned_words(draft.key, draft.owner("d-1"), "PO-1", "the target"), OWNED)


def ready(*keys: str) -> list[Ready]:
    record: Any = flow_of("airbase/vendors").target.record(key="S1", name="North")
    return [Ready(key, "2026-11-05T10:00:00.000000Z", f"f-{key}", record) for key in keys]


@pytest.mark.promise("C41", "one document of the target is delivered for one key; the second is held, with both keys")
@pytest.mark.parametrize("batch", [1, 10], ids=["one by one", "in one batch"])
@pytest.mark.parametrize("asks", [True, False], ids=["asked before the write", "found by its answer"])
@pytest.mark.parametrize("kind", DOCUMENTS, ids=str)
def test_c41_the_ledger_gives_a_document_to_one_key(kind: Kind, asks: bool, batch: int, sqlite_ledger: Ledger) -> None:
    _one_owner(kind, asks, batch, sqlite_ledger)


@pytest.mark.promise("C41", "the same on PostgreSQL")
@pytest.mark.parametrize("asks", [True, False], ids=["asked before the write", "found by its answer"])
def test_c41_one_owner_on_postgresql(asks: bool, postgres_url: str) -> None:
    with Ledger.open(postgres_url) as ledger:
        _one_owner(DOCUMENTS[0], asks, 10, ledger)


def _one_owner(kind: Kind, asks: bool, batch: int, ledger: Ledger) -> None:
    flow = flow_of(kind.flow)
    parts: dict[str, Any] = {
        "supersedes": None,
        "document": None,
        "twin": None,
    }  # these records are vendors, whatever the flow
    flow = replace(flow, target=replace(flow.target, batch=batch), **parts)
    client = OneForAll(asks=asks)
    there: Any = client
    loaded = load(flow, ready("0010/1", "0010/2"), there, ledger, RUN)
    assert (loaded.updated, loaded.held) == (1, 1)
    assert client.written == (["0010/1"] if asks else ["0010/1", "0010/2"])
    (hold,) = ledger.open_holds(flow.name)
    assert (hold.key, hold.rules) == ("0010/2", (OWNED,))
    assert "PO-1" in hold.problems[0].reason and "0010/1" in hold.problems[0].reason
    assert ledger.remote_ids(flow.name) == {"0010/1": "d-1"}
    again = load(flow, ready("0010/1", "0010/2"), there, ledger, RUN)
    assert (again.unchanged, again.held) == (1, 1), "the second one finds no way by a replay"


@pytest.mark.promise("C41", "master data may be one record of the target for two of ours: told, with who wrote first")
@pytest.mark.parametrize("batch", [1, 10], ids=["one by one", "in one batch"])
@pytest.mark.parametrize("kind", MASTERS, ids=str)
def test_c41_masters_may_be_shared_and_it_is_told(kind: Kind, batch: int, sqlite_ledger: Ledger) -> None:
    flow = flow_of(kind.flow)
    flow, client = replace(flow, target=replace(flow.target, batch=batch)), OneForAll(asks=True)
    there: Any = client
    loaded = load(flow, ready("S1", "S2"), there, sqlite_ledger, RUN)
    assert (loaded.updated, loaded.held) == (2, 0)
    (told,) = sqlite_ledger.differences.open(flow.name)
    assert (told.key, told.kind) == ("S2", PROBABLE_DOUBLE) and "S1" in (told.theirs or "")


# --- through the real clients -----------------------------------------------------------------------------------------


def proposal(box: Sandbox, n: int, net: str, number: str, order: str | None, dated: str = "2026-11-04") -> None:
    keys = {"Company": "0010", "ProposalId": n}
    amount = {"Amount": Decimal(net), "CurrencyAmount": Decimal(net), "Quantity": Decimal(1)}
    line = {**keys, "RowId": 1, **amount, "TaxCode": "V0", "Account": "4010", "Text": "Service"}
    money = {"CurrencyCode": "SEK", "CurrencyRate": Decimal(1), "VatAmount": Decimal(0)}
    sums = {"NetAmount": Decimal(net), "GrossAmount": Decimal(net), "InvoiceDate": dated, "DueDate": "2026-12-04"}
    names = {"InvoiceId": 900 + n, "InvoiceNo": number, "SupplierId": "S1", "ObjState": "Balanced"}
    row = {**keys, **names, **money, **sums, "PoReference": order, "PostingProposalLines": [line]}
    box.ifs.put("PostingProposalHeadSet", row, modified=now())


def order(box: Sandbox, number: str, total: str) -> None:
    keys = {"OrderNo": number, "LineNo": "1", "ReleaseNo": "1", "Company": "0010"}
    amount = {"BuyQtyDue": Decimal(1), "BuyUnitPrice": Decimal(total), "LineAmount": Decimal(total)}
    line = {**keys, "Description": "Service", **amount, "TaxCode": "V0", "Account": "4010"}
    header = {"OrderNo": number, "Company": "0010", "Contract": "A", "VendorNo": "S1", "CurrencyCode": "SEK"}
    rest = {"OrderDate": "2026-11-04", "CurrencyRate": Decimal(1), "TotalAmount": Decimal(total)}
    row = {**header, **rest, "ObjState": "Released", "PurchaseOrderLines": [line]}
    box.ifs.put("PurchaseOrderSet", row, modified=now())


TWINS = {
    "same number": ("F-1", "2026-11-04"),
    "other case": ("f-1", "2026-11-04"),
    "blanks": (" F-1 ", "2026-11-04"),
    "other year": ("F-1", "2025-11-04"),
}


@pytest.mark.promise("C41", "two invoices of one number, in other case, with blanks, of another year: two, or one held")
@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("on_order", [True, False], ids=["on an order", "alone"])
@pytest.mark.parametrize(
    ("flow", "first"),
    [
        ("cin7/purchase_invoices", ("cin7/suppliers", "cin7/purchases")),
        ("hubspot/invoices", ("hubspot/supplier_companies",)),
        ("monday/invoices", ("monday/suppliers",)),
    ],
)
def test_c41_two_invoices_of_one_number(
    flow: str, first: tuple[str, ...], on_order: bool, twin: str, sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    number, dated = TWINS[twin]
    with empty(flow, sqlite_ledger, tmp_path) as there:
        books(there.box)
        suppliers(there.box, [1])
        order(there.box, "P1", "150")
        proposal(there.box, 1, "100", "F-1", "P1" if on_order else None)
        proposal(there.box, 2, "50", number, "P1" if on_order else None, dated)
        for name in (*first, flow):
            there.journey(name).make()
        _two_or_one_held(there)


@pytest.mark.promise("C41", "two orders whose numbers differ in case or blanks: two, or one held")
@pytest.mark.parametrize("twin", ["p1", "P1 "])
@pytest.mark.parametrize(
    ("flow", "first"),
    [
        ("cin7/purchases", ("cin7/suppliers",)),
        ("airbase/purchase_orders", ("airbase/vendors",)),
        ("monday/purchase_orders", ("monday/suppliers",)),
    ],
)
def test_c41_two_orders_of_one_number(
    flow: str, first: tuple[str, ...], twin: str, sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    with empty(flow, sqlite_ledger, tmp_path) as there:
        books(there.box)
        suppliers(there.box, [1])
        order(there.box, "P1", "100")
        order(there.box, twin, "50")
        for name in (*first, flow):
            there.journey(name).make()
        _two_or_one_held(there)


@pytest.mark.promise("C41", "two bills of one number, and the invoice that a person entered by hand: it is one bill's")
def test_c41_two_bills_and_one_invoice_by_hand(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    flow, vendors = "ifs/supplier_invoices_from_procurify", "ifs/suppliers_from_procurify"
    with empty(flow, sqlite_ledger, tmp_path) as there:
        books(there.box)
        there.box.procurify.put_vendor(id=81, name="Vendor 1", country="Sweden", currency="SEK", dateModified=now())
        there.journey(vendors).make()
        (supplier,) = there.box.ifs.rows("SupplierSet")
        dated = {"invoice_date": "2026-11-04T00:00:00Z", "due_date": "2026-12-04T00:00:00Z"}
        for _ in range(2):
            line = Line("100.00", "4010", "Operations")
            there.box.procurify.put_bill(81, [line], last_modified_datetime=now(), invoice_number="B-1", **dated)
        by_hand = {"Company": "0010", "InvoiceId": 88001, "SupplierId": supplier["SupplierId"], "InvoiceNo": "B-1"}
        money = {"CurrencyCode": "SEK", "GrossAmount": Decimal(100), "NetAmount": Decimal(100), "ObjState": "Posted"}
        there.box.ifs.put("SupplierInvoiceSet", {**by_hand, **money}, modified=now())
        there.journey(flow).make()
        ids = sqlite_ledger.remote_ids(flow)
        assert len(set(ids.values())) == len(ids), f"one invoice of the books counts for two bills: {ids}"
        assert len(ids) + len(sqlite_ledger.open_holds(flow)) == 2


def _two_or_one_held(there: Prepared) -> None:
    flow = there.kind.flow
    ids = there.ledger.remote_ids(flow)
    assert len(set(ids.values())) == len(ids), f"one document counts for two records: {ids}"
    assert len(ids) + len(there.holds()) == 2, (ids, there.holds())
