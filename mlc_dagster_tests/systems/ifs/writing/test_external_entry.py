"""Vouchers and invoices by external loads: one document a load, each answer looked at, nothing entered twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.ifs.api import SURFACE
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.entry_records import ENTRIES, INVOICES, JournalEntryLine, PayableLine
from mlc_dagster.systems.ifs.external_records import INVOICE_LOADS, VOUCHER_LOADS, ExternalWay
from mlc_dagster.systems.ifs.schema.presets import preset
from mlc_dagster.systems.ifs.writing.external_entry import load_ids
from mlc_dagster_tests.promises.test_c32_proves_nothing import ANSWERS
from mlc_dagster_tests.systems.ifs.writing.samples import draft, entry, invoice, put_books
from mlc_dagster_tests.systems.ifs.writing.samples import save as saved_by

NO_GATEWAY = ("ifs.gateway_loses=0", "ifs.gateway_grants=0")
WAYS = {each.name: ExternalWay(each) for each in (VOUCHER_LOADS, INVOICE_LOADS)}
CHECK, CREATE = "LoadInfo_Check", "LoadInfo_Create"


def opened(*traits: str) -> Sandbox:
    limits = Limits(ifs_requests_per_minute=100_000)
    return Sandbox(profiles=("ifs.load-only", *traits), limits=limits)


@pytest.fixture
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with opened(*NO_GATEWAY, *getattr(request, "param", ())) as box:
        put_books(box)
        yield box


BY_HAND = pytest.mark.parametrize("box", [("ifs.loads_approved=by hand",)], indirect=True)


def save(box: Sandbox, target: Target, *drafts: Draft) -> list[Outcome]:
    return saved_by(box, target, *drafts, catalogue=ifs.catalogue({}, "cloud"), external=WAYS)


KINDS = [
    pytest.param(ENTRIES, entry(), "VoucherSet", "ExternalVoucherLoads", id="voucher"),
    pytest.param(INVOICES, invoice(), "SupplierInvoiceSet", "ExternalInvoiceLoads", id="invoice"),
]


def wrong(record: Any) -> Any:
    """On an account that IFS does not have."""
    if isinstance(record, type(entry())):
        lines: Any = (JournalEntryLine(account="9999", debit_amount=Decimal("10.05")), record.lines[1])
    else:
        lines = (PayableLine(amount=Decimal("100.00"), account="9999"),)
    return msgspec.structs.replace(record, lines=lines)


def loads(box: Sandbox, kind: str) -> list[tuple[str, str]]:
    return [(row["LoadId"], row["ObjState"]) for row in box.ifs.rows(kind)]


@pytest.mark.parametrize("target, record, name, kind", KINDS)
def test_a_document_is_loaded_checked_created_and_its_number_read(
    box: Sandbox, target: Target, record: Any, name: str, kind: str
) -> None:
    (outcome,) = save(box, target, draft(record))
    assert isinstance(outcome, Saved), outcome
    (made,) = box.ifs.rows(name)
    keys = ("VoucherType", "AccountingYear", "VoucherNo") if name == "VoucherSet" else ("InvoiceId",)
    assert outcome.remote_id == "/".join(["0010", *(str(made[key]) for key in keys)])
    assert made["ExternalRef"] == record.external_ref and loads(box, kind) == [
        (load_ids(record.external_ref)[0], "Created")
    ]
    lines = next(value for value in made.values() if isinstance(value, list))
    assert [line["Account"] for line in lines] == [line.account for line in record.lines]


@BY_HAND
@pytest.mark.parametrize("target, record, name, kind", KINDS)
def test_what_waits_for_another_user_is_told_and_is_looked_up_until_its_number_is_there(
    box: Sandbox, target: Target, record: Any, name: str, kind: str
) -> None:
    for _ in range(2):
        (waits,) = save(box, target, draft(record))
        assert isinstance(waits, Refused) and waits.in_doubt and waits.rule == "target_answered"
        assert "waits for another user to approve" in waits.reason and box.ifs.rows(name) == []
    assert len(loads(box, kind)) == 1, "nothing is loaded twice"
    box.ifs.approve()
    (outcome,) = save(box, target, draft(record))
    assert isinstance(outcome, Saved) and len(box.ifs.rows(name)) == 1


@pytest.mark.parametrize("target, record, name, kind", KINDS)
def test_errors_are_told_by_row_with_the_codes_of_ifs_and_a_corrected_one_is_another_load(
    box: Sandbox, target: Target, record: Any, name: str, kind: str
) -> None:
    (refused,) = save(box, target, draft(wrong(record)))
    assert isinstance(refused, Refused) and not refused.in_doubt
    assert (
        "Account.NOTEXIST" in refused.reason
        and "row " in refused.reason
        and load_ids(record.external_ref)[0] in refused.reason
    )
    (again,) = save(box, target, draft(wrong(record)))
    assert isinstance(again, Refused) and len(loads(box, kind)) == 1, "the same is checked again, not loaded again"
    (outcome,) = save(box, target, draft(record))
    assert isinstance(outcome, Saved) and len(box.ifs.rows(name)) == 1
    first, second = load_ids(record.external_ref)[:2]
    assert loads(box, kind) == [(first, "CheckedWithErrors"), (second, "Created")]


@pytest.mark.parametrize("target, record, name, kind", KINDS)
def test_what_ifs_was_mended_for_is_created_from_the_load_that_is_there(
    box: Sandbox, target: Target, record: Any, name: str, kind: str
) -> None:
    save(box, target, draft(wrong(record)))
    box.ifs.put("AccountSet", {"Company": "0010", "Account": "9999"})
    (outcome,) = save(box, target, draft(wrong(record)))
    assert isinstance(outcome, Saved) and len(loads(box, kind)) == 1 and len(box.ifs.rows(name)) == 1


@pytest.mark.parametrize("place", ["$batch", CHECK, CREATE])
@pytest.mark.parametrize("fault", [{"drop": "after"}, {"acts": True, "status": 503, "headers": {"Retry-After": "0"}}])
@pytest.mark.parametrize("target, record, name, kind", KINDS)
def test_an_answer_that_is_lost_at_any_step_doubles_nothing(
    box: Sandbox, target: Target, record: Any, name: str, kind: str, place: str, fault: dict[str, Any]
) -> None:
    box.faults.add(system="ifs", method="POST", path=place, **fault)
    outcomes = save(box, target, draft(record))
    assert isinstance(outcomes[-1], Unanswered | Saved)
    doubtful = replace(draft(record), look_since=draft(record).look_since)
    (outcome,) = save(box, target, doubtful)
    assert isinstance(outcome, Saved)
    assert len(box.ifs.rows(name)) == 1 and len(loads(box, kind)) == 1


@BY_HAND
def test_a_load_of_an_earlier_version_that_may_still_be_created_holds_the_new_one(box: Sandbox) -> None:
    save(box, ENTRIES, draft(entry()))
    (held,) = save(box, ENTRIES, draft(entry(amount="11.00")))
    assert isinstance(held, Refused) and load_ids(entry().external_ref)[0] in held.reason
    assert "Delete what is not to be created" in held.reason and len(loads(box, "ExternalVoucherLoads")) == 1


def test_what_was_delivered_and_changes_is_held(box: Sandbox) -> None:
    (first,) = save(box, INVOICES, draft(invoice()))
    assert isinstance(first, Saved)
    (again,) = save(box, INVOICES, draft(invoice(text="another"), first.remote_id, delivered=True))
    assert isinstance(again, Refused) and again.rule == "not_changed_after_posting"
    assert len(box.ifs.rows("SupplierInvoiceSet")) == 1


def test_a_reference_that_is_longer_than_a_row_keeps_is_found_all_the_same(box: Sandbox) -> None:
    long = entry("airbase-payment-75ea2e21-eb3b-41f0-983a-54a19fad1b34")
    (first,) = save(box, ENTRIES, draft(long))
    assert isinstance(first, Saved)
    (row,) = box.ifs.rows("VoucherSet")
    assert len(row["ExternalRef"]) == 50
    (again,) = save(box, ENTRIES, draft(long))
    assert isinstance(again, Saved) and (again.action, again.remote_id) == ("adopted", first.remote_id)


def test_many_documents_are_a_load_each_and_one_that_is_wrong_does_not_stop_the_others(box: Sandbox) -> None:
    drafts = [
        draft(wrong(entry(f"airbase-request-{n}")) if n == 3 else entry(f"airbase-request-{n}")) for n in range(6)
    ]
    outcomes = save(box, ENTRIES, *drafts)
    assert [type(each) for each in outcomes] == [Saved] * 3 + [Refused] + [Saved] * 2
    assert len(box.ifs.rows("VoucherSet")) == 5 and len(loads(box, "ExternalVoucherLoads")) == 6


def test_the_gateway_of_the_profile_loses_answers_and_nothing_is_doubled_or_lost() -> None:
    """As the profile stands: every 7th write is answered 503 after it was done."""
    with opened() as box:
        put_books(box)
        left = {n: draft(entry(f"airbase-request-{n}", f"{n + 1}.00")) for n in range(9)}
        for _ in range(4):
            done = [each for each in save(box, ENTRIES, *left.values()) if isinstance(each, Saved)]
            left = {n: each for n, each in left.items() if each.key not in {one.draft.key for one in done}}
        assert left == {} and len(box.ifs.rows("VoucherSet")) == 9


def test_a_check_that_does_nothing_names_its_settings(box: Sandbox) -> None:
    way = ExternalWay(VOUCHER_LOADS, checked="Geprüft")
    known = ifs.catalogue({}, "cloud")
    (refused,) = saved_by(box, ENTRIES, draft(entry()), catalogue=known, external={VOUCHER_LOADS.name: way})
    assert isinstance(refused, Refused) and "ifs.external_loads.external_voucher_load.checked" in refused.reason
    assert box.ifs.rows("VoucherSet") == []


def test_load_ids_fit_and_are_the_same_tomorrow() -> None:
    assert SURFACE and preset("cloud")
    assert load_ids("airbase-request-1") == load_ids("airbase-request-1") != load_ids("airbase-request-2")
    assert max(map(len, load_ids("airbase-request-1"))) <= 20


@pytest.mark.promise("C32", "an external load, six answers that prove nothing, to each of its writes")
@pytest.mark.parametrize("place", ["$batch", CHECK, CREATE])
@pytest.mark.parametrize("acts", [True, False], ids=["it acted", "it did not act"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_c32_an_answer_that_proves_nothing_doubles_no_load(
    box: Sandbox, answer: dict[str, Any], acts: bool, place: str
) -> None:
    fault = box.faults.add(system="ifs", method="POST", path=place, acts=acts, **answer)
    tried: list[Outcome] = []
    while not (tried and isinstance(tried[-1], Saved)) and len(tried) < 4:
        tried += save(box, ENTRIES, draft(entry()))
    assert isinstance(tried[-1], Saved) and fault.hits == 1, tried
    assert len(box.ifs.rows("VoucherSet")) == len(loads(box, "ExternalVoucherLoads")) == 1
