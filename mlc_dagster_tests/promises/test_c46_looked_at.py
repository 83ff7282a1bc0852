"""C46: what was read a while ago, or on hold, is looked at in the source before it is delivered; by today's facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from mlc_dagster.core.arrow_columns import read_ready, records_of
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import fingerprint, record_key
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.pipeline import fresh
from mlc_dagster_tests.promises.journey import days
from mlc_dagster_tests.promises.kinds import KINDS, ON_POSTGRES, RECORDS, Kind, now, orders
from mlc_dagster_tests.promises.looked_at import (
    CANCELLED_ORDER,
    DELETED,
    TAKEN_BACK,
    Prepared,
    kind_of,
    prepared,
)

ORDERS = kind_of("cin7/purchases")


def test_every_kind_of_flow_is_tried() -> None:
    assert {kind.flow for kind in KINDS} == DELETED.keys()


@pytest.mark.promise("C46", "a record that is asked for by its key is the one that its day gives, of every source")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_c46_a_row_by_its_key_is_the_row_of_its_day(kind: Kind, sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with prepared(kind, sqlite_ledger, tmp_path) as there:
        flow = there.journey().flow
        batches = [batch for day in days() for batch in there.store.read(flow.source.key, day)]
        read = [record for batch in batches for record, _, _ in records_of(batch, flow.source.record) if record]
        by_day = {record_key(record, flow.source.keys): fingerprint(record) for record in read}
        since = datetime.now(UTC) - timedelta(days=1)
        again = [
            record for record, _, _ in there.journey().by_keys([*by_day, "999/1"[: 3 * len(flow.source.keys)]], since)
        ]
    assert len(by_day) == RECORDS
    assert {record_key(each, flow.source.keys): fingerprint(each) for each in again if each} == by_day


@pytest.mark.promise("C46", "deleted in the source between the read and the load: never created, and told, every flow")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_c46_what_was_deleted_meanwhile_is_not_delivered(kind: Kind, sqlite_ledger: Ledger, tmp_path: Path) -> None:
    _deleted(kind, sqlite_ledger, tmp_path)


@pytest.mark.promise("C46", "the same on PostgreSQL")
@pytest.mark.parametrize("flow", ON_POSTGRES)
def test_c46_the_same_on_postgresql(flow: str, postgres_url: str, tmp_path: Path) -> None:
    with Ledger.open(postgres_url) as ledger:
        _deleted(kind_of(flow), ledger, tmp_path)


def _deleted(kind: Kind, ledger: Ledger, tmp_path: Path) -> None:
    with prepared(kind, ledger, tmp_path) as there:
        key = DELETED[kind.flow](there.box)
        loaded = there.load()
        assert (loaded.gone, loaded.delivered) == (1, RECORDS - 1), (vars(loaded), there.holds())
        assert there.events(key) == ["gone"]
        assert there.ledger.differences.open(kind.flow) == [], "it was never delivered: there are no two sides"
        assert there.load().delivered == 0


@pytest.mark.promise("C46", "cancelled, voided, denied or deactivated between the read and the load: not delivered")
@pytest.mark.parametrize("flow", TAKEN_BACK)
def test_c46_what_was_taken_back_meanwhile_is_not_delivered(flow: str, sqlite_ledger: Ledger, tmp_path: Path) -> None:
    kind = kind_of(flow)
    with prepared(kind, sqlite_ledger, tmp_path) as there:
        key = TAKEN_BACK[flow](there.box)
        loaded = there.load()
        left = loaded.gone + loaded.held + loaded.out_of_scope
        assert (left, loaded.delivered) == (1, RECORDS - 1), (vars(loaded), there.holds())
        assert not {"sent", "created", "adopted"}.intersection(there.events(key))


@pytest.mark.promise("C46", "changed between the read and the load: what is there now is delivered")
def test_c46_what_was_changed_meanwhile_is_delivered_as_it_is_now(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with prepared(ORDERS, sqlite_ledger, tmp_path) as there:
        row = next(row for row in there.box.ifs.rows("PurchaseOrderSet") if row["OrderNo"] == "P1")
        (line,) = row["PurchaseOrderLines"]
        line = {**line, "BuyUnitPrice": Decimal(7), "LineAmount": Decimal(14)}
        row = {**row, "TotalAmount": Decimal(14), "PurchaseOrderLines": [line]}
        there.box.ifs.put("PurchaseOrderSet", row, modified=now())
        assert there.load().created == RECORDS
        assert ("0010/P1", "14.00") in there.held()


@pytest.mark.promise("C46", "an account is blocked between the read and the load: held, and nothing is posted to it")
@pytest.mark.parametrize("flow", ["cin7/purchases", "hubspot/invoices", "ifs/vouchers_from_airbase_payments"])
def test_c46_a_blocked_account_holds_what_was_ready(flow: str, sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with prepared(kind_of(flow), sqlite_ledger, tmp_path) as there:
        for account in ("4010", "2440"):
            row = {"Company": "0010", "Account": account, "Description": account, "ValidFrom": "2015-01-01"}
            there.box.ifs.put("AccountSet", {**row, "Blocked": True}, modified=now())
        loaded = there.load()
        assert (loaded.held, loaded.delivered) == (RECORDS, 0)
        assert set(there.holds().values()) == {"gl_accounts_exist"}


@pytest.mark.promise("C46", "rows that are young and were not on hold go as they are; what is unchanged costs nothing")
def test_c46_a_look_costs_only_what_would_be_sent(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with prepared(ORDERS, sqlite_ledger, tmp_path) as there:
        there.box.forget_calls()
        assert there.load(is_old=False).created == RECORDS
        assert not [path for _, path in there.box.calls("ifs") if "PurchaseOrderSet" in path]
        there.box.forget_calls()
        assert there.load(is_old=True).unchanged == RECORDS
        assert not there.box.calls("ifs") and set(there.box.calls("cin7")) <= {("GET", "/cin7/ExternalApi/v2/me")}


@pytest.mark.promise("C46", "young rows that were on hold, or that a person released, are looked at all the same")
def test_c46_what_was_on_hold_is_looked_at_whatever_its_age(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with prepared(ORDERS, sqlite_ledger, tmp_path) as there:
        journey = there.journey()
        ready = _stored(there)
        held = fresh.held_target(ready[0], (fresh.Problem("period_is_open", "it was closed"),), days()[1])
        sqlite_ledger.hold(ORDERS.flow, [held], run=fresh.Run("earlier", days()[1]))
        wanted = journey.second_read(days()[1], is_old=False).wanted(ready, frozenset({ready[1].key}))
        assert [one.key for one in wanted] == [ready[0].key, ready[1].key]


@pytest.mark.promise("C46", "an attempt without an answer whose record is gone is held, and never sent again")
def test_c46_in_doubt_and_gone_is_a_matter_for_a_person(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with prepared(ORDERS, sqlite_ledger, tmp_path) as there:
        one = next(each for each in _stored(there) if each.key == "P1")
        sqlite_ledger.begin(ORDERS.flow, [(one, None)], run=fresh.Run("killed", days()[1]))
        DELETED[ORDERS.flow](there.box)
        loaded = there.load()
        assert (loaded.gone, loaded.held) == (0, 1) and there.holds() == {"P1": fresh.THERE}
        assert "look in cin7" in loaded.reasons["P1"]
        assert "0010/P1" not in {key for key, _ in there.held()}


@pytest.mark.promise("C46", "more than twenty gone at once are no deletions: held, with the question that follows")
def test_c46_a_mass_of_absences_is_not_believed(
    sqlite_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "MOST_GONE", 3)
    with prepared(ORDERS, sqlite_ledger, tmp_path) as there:
        for n in range(1, RECORDS + 1):
            there.box.ifs.delete("PurchaseOrderSet", OrderNo=f"P{n}")
        loaded = there.load()
        assert (loaded.gone, loaded.held, loaded.delivered) == (0, RECORDS, 0)
        assert "have rights or a filter changed?" in loaded.reasons["P1"]
        orders(there.box)  # the rights are back
        assert there.load().created == RECORDS and there.holds() == {}


@pytest.mark.promise("C46", "delivered before, changed, and deleted before the change could go: a difference, once")
def test_c46_what_was_delivered_and_is_gone_is_a_difference(ledger: Ledger, tmp_path: Path) -> None:
    with prepared(ORDERS, ledger, tmp_path) as there:
        assert there.load().created == RECORDS
        CANCELLED_ORDER(there.box)  # a change of state that holds it
        row = next(row for row in there.box.ifs.rows("PurchaseOrderSet") if row["OrderNo"] == "P1")
        there.box.ifs.put(
            "PurchaseOrderSet", {**row, "ObjState": "Released", "OrderDate": "2026-11-03"}, modified=now()
        )
        there.prepare()
        DELETED[ORDERS.flow](there.box)
        for _ in range(2):
            assert there.load().gone == 1
        (difference,) = ledger.differences.open(ORDERS.flow)
        assert (difference.key, difference.kind) == ("P1", "gone_in_the_source")


def _stored(there: Prepared) -> list[Ready]:
    """What is ready in both days."""
    flow = there.journey().flow
    batches = [batch for day in days() for batch in there.store.read(prepared_key(flow), day)]
    return [one for batch in batches for one in read_ready(batch, flow.target.record)]
