"""Several documents in one change set: one that is refused takes no other along, and a lost answer doubles none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Begun, Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs.entry_records import ENTRIES, INVOICES, PROPOSALS, PayableLine
from mlc_dagster_tests.systems.ifs.writing.samples import draft, entry, invoice, live, proposal, put_books, save

Start = Callable[..., Sandbox]
MOST = 20


@pytest.fixture
def box(box: Sandbox) -> Sandbox:
    put_books(box)
    return box


def invoices(count: int, bad: Sequence[int] = ()) -> list[Draft]:
    """Bills 0 to count - 1; those that are bad are on an account that no company has."""
    wrong = (PayableLine(amount=Decimal("100.00"), account="9999"),)
    return [
        draft(invoice(f"INV-{n}", f"procurify-bill-{n}", **({"lines": wrong} if n in bad else {})))
        for n in range(count)
    ]


def together(box: Sandbox, target: Target, drafts: Sequence[Draft], most: int = MOST) -> list[Outcome]:
    box.forget_calls()
    return save(box, target, *drafts, documents_per_batch=most)


def batches(box: Sandbox) -> int:
    return sum(count for (method, path), count in box.calls("ifs").items() if path.endswith("$batch"))


def references(box: Sandbox, name: str = "SupplierInvoiceSet") -> list[str]:
    return sorted(row["ExternalRef"] for row in live(box, name))


KINDS = [
    pytest.param(INVOICES, invoices(5), "SupplierInvoiceSet", id="invoices"),
    pytest.param(
        PROPOSALS, [draft(proposal(f"procurify-po-{n}")) for n in range(5)], "PostingProposalHeadSet", id="proposals"
    ),
    pytest.param(ENTRIES, [draft(entry(f"airbase-request-{n}")) for n in range(5)], "VoucherSet", id="vouchers"),
]


@pytest.mark.parametrize("target, drafts, name", KINDS)
def test_new_documents_go_in_one_request_and_each_has_its_own_number(
    box: Sandbox, target: Target, drafts: list[Draft], name: str
) -> None:
    outcomes = together(box, target, drafts)
    assert [type(each) for each in outcomes] == [Saved] * 5 and batches(box) == 1
    saved = [each for each in outcomes if isinstance(each, Saved)]
    assert [each.draft.key for each in saved] == [each.key for each in drafts]
    by_reference = {row["ExternalRef"]: row for row in box.ifs.rows(name)}
    for each in saved:
        row = by_reference[each.draft.record.external_ref]
        lines = next(value for value in row.values() if isinstance(value, list))
        number = row.get("InvoiceId") or row.get("ProposalId") or row.get("VoucherNo")
        assert each.remote_id.endswith(f"/{number}") and len(lines) == len(each.draft.record.lines)


def test_no_more_go_together_than_mlc_yaml_says_and_by_default_each_alone(box: Sandbox) -> None:
    together(box, INVOICES, invoices(5), most=2)
    assert batches(box) == 3
    box.forget_calls()
    save(box, INVOICES, *(draft(invoice(f"J-{n}", f"procurify-bill-j{n}")) for n in range(3)))
    assert batches(box) == 3


@pytest.mark.parametrize("bad", [[0], [3], [9], [2, 7], list(range(10))], ids=str)
def test_one_that_is_refused_is_held_alone_in_its_own_words_and_the_others_are_entered(
    box: Sandbox, bad: list[int]
) -> None:
    """C11: a refusal costs a set, its own request and a look, and not eight calls more than that."""
    outcomes = together(box, INVOICES, invoices(10, bad))
    refused = {each.draft.key: each.reason for each in outcomes if isinstance(each, Refused)}
    assert sorted(refused) == sorted(f"procurify-bill-{n}" for n in bad)
    assert all("9999" in reason for reason in refused.values())
    assert references(box) == sorted(f"procurify-bill-{n}" for n in range(10) if n not in bad)
    assert batches(box) - 1 <= 8 * len(bad)


def test_where_ifs_does_not_say_which_one_it_refused_it_is_found_by_halving(start: Start) -> None:
    box = start(names_steps=False)
    put_books(box)
    outcomes = together(box, INVOICES, invoices(6, [4]), most=3)
    assert [each.draft.key for each in outcomes if isinstance(each, Refused)] == ["procurify-bill-4"]
    assert references(box) == [f"procurify-bill-{n}" for n in (0, 1, 2, 3, 5)]


def test_a_tenant_that_takes_fewer_elements_gets_each_alone(start: Start) -> None:
    box = start(batch_parts=5)
    put_books(box)
    outcomes = together(box, INVOICES, invoices(4))
    assert [type(each) for each in outcomes] == [Saved] * 4 and batches(box) == 6


def test_a_tenant_that_keeps_a_part_of_what_it_refused_is_found_out_and_nothing_is_entered_twice(start: Start) -> None:
    """A change set is all or nothing by OData; here it is not, and each document is told with its number."""
    box = start(keeps_parts=True)
    put_books(box)
    outcomes = together(box, INVOICES, invoices(4, [2]))
    reasons = {each.draft.key: each.reason for each in outcomes if isinstance(each, Refused)}
    assert sorted(reasons) == [f"procurify-bill-{n}" for n in range(4)]
    assert all("keeps 0010/" in reason and "documents_per_batch: 1" in reason for reason in reasons.values())
    assert references(box) == [f"procurify-bill-{n}" for n in range(4)], "each once"


def test_a_set_whose_answer_is_lost_half_way_is_looked_up_and_none_is_entered_twice(box: Sandbox) -> None:
    """C12: both when IFS kept it and when it did not."""
    drafts = invoices(6)
    box.faults.add(system="ifs", method="POST", path="$batch", drop="after", times=1)
    lost = together(box, INVOICES, drafts, most=3)
    assert [type(each) for each in lost] == [Unanswered] * 3 + [Saved] * 3
    assert references(box) == [f"procurify-bill-{n}" for n in range(6)], "the server did act"

    found = together(box, INVOICES, drafts[:3], most=3)

    assert [each.action for each in found if isinstance(each, Saved)] == ["adopted"] * 3
    assert references(box) == [f"procurify-bill-{n}" for n in range(6)]


def test_an_answer_that_ends_in_the_middle_of_a_set_proves_nothing_of_any_document(box: Sandbox) -> None:
    box.faults.add(system="ifs", method="POST", path="$batch", truncate=400, times=1)
    lost = together(box, INVOICES, invoices(3))
    assert [type(each) for each in lost] == [Unanswered] * 3
    found = together(box, INVOICES, invoices(3))
    assert [each.action for each in found if isinstance(each, Saved)] == ["adopted"] * 3
    assert len(live(box, "SupplierInvoiceSet")) == 3


def test_what_is_there_already_is_in_no_set(box: Sandbox) -> None:
    save(box, INVOICES, *invoices(2))
    outcomes = together(box, INVOICES, invoices(5))
    assert [each.action for each in outcomes if isinstance(each, Saved)] == ["adopted"] * 2 + ["created"] * 3
    assert batches(box) == 1 and len(live(box, "SupplierInvoiceSet")) == 5


def test_bills_that_go_together_each_end_the_proposal_of_their_own_order(box: Sandbox) -> None:
    save(box, PROPOSALS, *(draft(proposal(f"procurify-po-{n}")) for n in range(3)))
    bills = [
        draft(invoice(f"INV-{n}", f"procurify-bill-{n}", orders=(str(n),), proposals=(f"procurify-po-{n}",)))
        for n in range(3)
    ]
    outcomes = together(box, INVOICES, bills)
    assert [type(each) for each in outcomes] == [Begun, Saved] * 3 and batches(box) == 1
    assert live(box, "PostingProposalHeadSet") == [] and len(live(box, "SupplierInvoiceSet")) == 3


def test_a_cancelled_order_among_new_ones_gets_no_proposal(box: Sandbox) -> None:
    drafts = [draft(proposal(f"procurify-po-{n}", is_cancelled=n == 1)) for n in range(3)]
    outcomes = together(box, PROPOSALS, drafts)
    assert [type(each) for each in outcomes] == [Saved, Refused, Saved]
    assert references(box, "PostingProposalHeadSet") == ["procurify-po-0", "procurify-po-2"]


def test_a_document_that_a_person_wants_anew_goes_with_the_others(box: Sandbox) -> None:
    (first,) = save(box, INVOICES, *invoices(1))
    assert isinstance(first, Saved)
    (row,) = box.ifs.rows("SupplierInvoiceSet")
    box.ifs.put("SupplierInvoiceSet", {**row, "ObjState": "Cancelled"})
    again = replace(draft(invoice("INV-0", "procurify-bill-0"), first.remote_id, delivered=True), anew=True)
    outcomes = together(box, INVOICES, [again, *invoices(3)[1:]])
    assert [type(each) for each in outcomes] == [Saved] * 3 and batches(box) == 1
    assert references(box) == ["procurify-bill-0", "procurify-bill-1", "procurify-bill-2"]


# --- the limit of elements --------------------------------------------------------------------------------------------


def long(lines: int, n: int = 1, **changes: Any) -> Draft:
    amount = Decimal("1.00")
    return draft(
        invoice(
            f"INV-{n}",
            f"procurify-bill-{n}",
            net_amount=lines * amount,
            vat_amount=Decimal(0),
            gross_amount=lines * amount,
            lines=(PayableLine(amount=amount, account="4010"),) * lines,
            **changes,
        )
    )


def test_a_bill_of_6000_lines_is_held_with_the_reason_and_its_neighbours_are_entered(box: Sandbox) -> None:
    outcomes = together(box, INVOICES, [*invoices(2), long(6000, 7), *invoices(4)[2:]])
    (refused,) = [each for each in outcomes if isinstance(each, Refused)]
    assert refused.draft.key == "procurify-bill-7" and refused.rule == "fits_into_a_request"
    assert "6001 elements" in refused.reason and "5000" in refused.reason
    assert references(box) == [f"procurify-bill-{n}" for n in range(4)] and batches(box) == 2


def test_the_elements_of_a_set_are_no_more_than_ifs_takes(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlc_dagster.systems.ifs.writing.document_sets.MOST_STEPS", 12)
    together(box, INVOICES, [long(5, 1), long(5, 2), long(5, 3)])
    assert batches(box) == 2 and len(live(box, "SupplierInvoiceSet")) == 3


def test_a_bill_with_as_many_lines_as_ifs_takes_goes_in_whole_and_one_more_line_is_held(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a limit of 120 elements in place of 5,000, which take our sandbox three quarters of a minute."""
    for module in ("odata.changesets", "writing.row_writes", "writing.document_sets"):
        monkeypatch.setattr(f"mlc_dagster.systems.ifs.{module}.MOST_STEPS", 120)
    whole, too_long = together(box, INVOICES, [long(119, 1), long(120, 2)])
    assert isinstance(whole, Saved) and isinstance(too_long, Refused)
    (row,) = box.ifs.rows("SupplierInvoiceSet")
    assert len(row["SupplierInvoiceLines"]) == 119 and row["GrossAmount"] == Decimal("119.00")
