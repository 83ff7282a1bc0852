"""Documents are written whole or not at all, and what is not known of a write is never taken for a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mlc_dagster.core.errors import (
    AccessDenied,
    Misconfigured,
    MlcError,
    OutcomeUnknown,
    RecordRejected,
    StaleRecord,
    TransientError,
)
from mlc_dagster.core.vocabulary import Row
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.client import IfsClient, classify
from mlc_dagster.systems.ifs.odata.changesets import Step, StepAnswer, answers, written
from mlc_dagster.systems.ifs.odata.expressions import key_path
from mlc_dagster.systems.ifs.writing.document_steps import change, transition
from mlc_dagster.transport.client import ApiClient
from mlc_dagster_tests.systems.ifs.conftest import TEN, client_of

Start = Callable[..., Sandbox]

HOSTILE = [
    "--batch_1\r\n--changeset_1--\r\n",
    "\r\n\r\nHTTP/1.1 500 No\r\n",
    "🧾 Övertid – ½ “quoted”",
    """O'Neil; "50%" & co/ltd #?$1""",
    "$1",
    "\x00\x1f\t\u2028\u2029\ufeff",
    "multipart/mixed;boundary=x",
]


def chart(box: Sandbox, *accounts: str, company: str = "0010") -> None:
    for account in accounts or ("4010", "2440"):
        box.ifs.put("AccountSet", {"Company": company, "Account": account}, TEN)


def voucher(**header: Any) -> Row:
    lines = [
        {"account": "4010", "debit_amount": Decimal("10.10"), "text": "a"},
        {"account": "4010", "debit_amount": Decimal("0.2000"), "text": "b"},
        {"account": "2440", "credit_amount": Decimal("10.3"), "text": "c"},
    ]
    return {
        "company": "0010", "voucher_type": "M", "voucher_date": date(2026, 11, 5), "external_ref": "PR'77",
        "lines": lines, **header,
    }  # fmt: skip


def proposal(box: Sandbox, number: int = 7) -> tuple[dict[str, Any], str]:
    """(key, ETag) of a posting proposal that is there."""
    etag = box.ifs.put("PostingProposalHeadSet", {"Company": "0010", "ProposalId": number, "Text": "old"}, TEN)
    return {"company": "0010", "proposal_id": number}, etag


@pytest.fixture
def client(box: Sandbox) -> IfsClient:
    chart(box)
    return client_of(box)


# --- whole or not at all ----------------------------------------------------------------------------------------------


def test_a_document_is_written_with_one_request_and_answered_as_it_is_kept(box: Sandbox, client: IfsClient) -> None:
    created, etag = client.create_document(ifs.VOUCHERS, voucher())
    assert [path for (method, path), _ in box.calls("ifs").items() if method == "POST" and ".svc" in path] == [
        "/ifs/main/ifsapplications/projection/v1/VoucherHandling.svc/$batch"
    ]
    key = {name: created[name] for name in ifs.VOUCHERS.keys}
    assert (created, etag) == client.get(ifs.VOUCHERS, key)
    assert [line["row_no"] for line in created["lines"]] == [1, 2, 3]
    assert (created["accounting_year"], created["accounting_period"]) == (2026, 11)
    assert client.update(ifs.VOUCHERS, key, {"text": "later"}, etag)[0]["text"] == "later"


@pytest.mark.parametrize("refused", range(4))
def test_a_refusal_at_any_step_leaves_nothing(box: Sandbox, client: IfsClient, refused: int) -> None:
    """0: the step before the header; 1 to 3: the lines."""
    key, etag = proposal(box)
    row = proposal_row()
    also = [transition(ifs.POSTING_PROPOSALS, key, "Cancelled", etag if refused else 'W/"stale"')]
    if refused:
        row["lines"][refused - 1]["account"] = "9999"
    with pytest.raises(RecordRejected if refused else StaleRecord):
        client.create_document(ifs.POSTING_PROPOSALS, row, also)
    (left,) = box.ifs.rows("PostingProposalHeadSet")
    assert (left["@odata.etag"], left["ObjState"]) == (etag, None)
    assert box.journal("ifs") == []


def proposal_row() -> Row:
    lines = [{"account": "4010", "amount": Decimal(n), "code_b": None} for n in (1, 2, 3)]
    return {"company": "0010", "invoice_no": "F-1", "invoice_date": date(2026, 11, 5), "lines": lines}


def test_the_proposal_that_is_replaced_is_cancelled_with_it(box: Sandbox, client: IfsClient) -> None:
    key, etag = proposal(box)
    also = [transition(ifs.POSTING_PROPOSALS, key, "Cancelled", etag)]
    created, _ = client.create_document(ifs.POSTING_PROPOSALS, proposal_row(), also)
    old, new = box.ifs.rows("PostingProposalHeadSet")
    assert (old["ObjState"], new["ProposalId"]) == ("Cancelled", created["proposal_id"])
    assert [line["RowId"] for line in new["PostingProposalLines"]] == [1, 2, 3]
    assert [entry["method"] for entry in box.journal("ifs")] == ["POST", "POST", "POST", "POST", "POST"]


def test_an_unbalanced_voucher_is_refused_in_the_words_of_the_database(box: Sandbox, client: IfsClient) -> None:
    row = voucher()
    row["lines"].pop()
    with pytest.raises(RecordRejected, match=r"NOTBALANCED.*debit 10\.3000 and credit 0 differ") as refused:
        client.create_document(ifs.VOUCHERS, row)
    assert (refused.value.status, box.ifs.rows("VoucherSet")) == (400, [])


def test_a_refusal_that_comes_as_a_500_is_a_refusal(start: Start) -> None:
    box = start(closed_until={"0010": "2026-10-31"})
    chart(box)
    with pytest.raises(RecordRejected, match="closed until 2026-10-31") as refused:
        client_of(box).create_document(ifs.VOUCHERS, voucher(voucher_date=date(2026, 10, 31)))
    assert (refused.value.status, box.ifs.rows("VoucherSet")) == (500, [])
    client_of(box).create_document(ifs.VOUCHERS, voucher(voucher_date=date(2026, 11, 1)))


def test_a_refused_step_is_named_in_the_message(client: IfsClient) -> None:
    steps = [
        Step("POST", "VoucherSet", {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026}),
        Step("POST", "$1/VoucherRows", {"Nope": 1}),
    ]
    with pytest.raises(RecordRejected, match=r"VoucherHandling\.svc/\$1/VoucherRows: 400 .*Nope"):
        client.change_set("VoucherHandling", steps)


def test_lines_never_travel_alone(client: IfsClient) -> None:
    with pytest.raises(ValueError, match="create_document"):
        client.create(ifs.VOUCHERS, voucher())


def test_a_change_without_an_etag_would_insert_and_is_no_step() -> None:
    with pytest.raises(ValueError, match="ETag"):
        Step("PATCH", "VoucherSet(1)", {})


def test_nothing_to_write_is_no_request(box: Sandbox, client: IfsClient) -> None:
    assert client.change_set(ifs.VOUCHERS, []) == []
    assert not any("$batch" in path for _, path in box.calls("ifs"))


def test_a_step_changes_the_version_that_an_earlier_step_made(client: IfsClient) -> None:
    header = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026}
    made, changed = client.change_set(
        ifs.VOUCHERS, [Step("POST", "VoucherSet", header), Step("PATCH", "$1", {"Text": "b"}, "$1")]
    )
    assert (made.status, changed.status, changed.body["Text"]) == (201, 200, "b")
    assert changed.etag is not None


# --- what is sent comes back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_comes_back_as_it_was_sent(client: IfsClient, text: str) -> None:
    row = voucher(text=text, external_ref=text, voucher_type=text)
    row["lines"][0]["text"] = text
    created, _ = client.create_document(ifs.VOUCHERS, row)
    assert {created["text"], created["external_ref"], created["voucher_type"]} == {text}
    kept, _ = client.get(ifs.VOUCHERS, {name: created[name] for name in ifs.VOUCHERS.keys})
    assert kept == created
    assert kept["lines"][0]["text"] == text


def test_a_key_of_anything_is_changed_within_a_change_set(box: Sandbox, client: IfsClient) -> None:
    for text in HOSTILE:
        etag = box.ifs.put("SupplierSet", {"SupplierId": text, "Name": "a"}, TEN)
        client.change_set(ifs.SUPPLIERS, [change(ifs.SUPPLIERS, {"supplier_id": text}, {"name": "b"}, etag)])
    assert {row["Name"] for row in box.ifs.rows("SupplierSet")} == {"b"}


def test_amounts_are_exact_in_both_directions(box: Sandbox, client: IfsClient) -> None:
    amounts = [Decimal("90071992547409.9301"), Decimal("0.0001"), Decimal("-12.5")]
    row = voucher()
    row["lines"] = [{"account": "4010", "debit_amount": amount} for amount in amounts]
    row["lines"].append({"account": "2440", "credit_amount": sum(amounts)})
    created, _ = client.create_document(ifs.VOUCHERS, row)
    assert [line["debit_amount"] for line in created["lines"][:3]] == amounts
    (kept,) = box.ifs.rows("VoucherSet")
    assert [line["DebitAmount"] for line in kept["VoucherRows"][:3]] == amounts


def test_what_json_cannot_say_is_refused_before_it_is_sent(box: Sandbox, client: IfsClient) -> None:
    for bad in ({"text": "\ud800"}, {"lines": [{"account": "4010", "debit_amount": Decimal("NaN")}]}):
        with pytest.raises(RecordRejected, match="no number, or half a character"):
            client.create_document(ifs.VOUCHERS, voucher(**bad))
    assert not any("$batch" in path for _, path in box.calls("ifs"))


def test_a_path_or_an_etag_that_would_break_the_request_is_refused(client: IfsClient) -> None:
    for step in (
        Step("POST", "VoucherSet HTTP/1.1\r\nX: y", {}),
        Step("PATCH", "VoucherSet(1)", {}, 'W/"a"\r\nX: y'),
    ):
        with pytest.raises(RecordRejected):
            client.change_set(ifs.VOUCHERS, [step])


def test_a_tenant_has_its_own_names_for_sets_fields_and_lines(start: Start) -> None:
    box = start(
        projections={"VoucherSet": "ManualVoucher"},
        sets={"VoucherSet": "Vouchers", "VoucherRowSet": "Rows"},
        fields={"VoucherSet": {"ExternalRef": "Cf_Ref"}, "VoucherRowSet": {"RowNo": "LineNumber", "Text": "Memo"}},
        navigations={"VoucherRows": "RowArray"},
    )
    chart(box)
    assert ifs.VOUCHERS.lines
    lines = replace(
        ifs.VOUCHERS.lines, navigation="RowArray", path="Rows", wire={"row_no": "LineNumber", "text": "Memo"}
    )
    entity = replace(
        ifs.VOUCHERS, projection="ManualVoucher", path="Vouchers", wire={"external_ref": "Cf_Ref"}, lines=lines
    )
    client = client_of(box)
    created, _ = client.create_document(entity, voucher())
    assert (created["external_ref"], [line["text"] for line in created["lines"]]) == ("PR'77", ["a", "b", "c"])
    assert [row["external_ref"] for row, _ in client.find_many(entity, "external_ref", ["PR'77"])] == ["PR'77"]


# --- what did not come back -------------------------------------------------------------------------------------------


def test_a_lost_answer_is_an_unknown_outcome_and_the_document_is_there(box: Sandbox, client: IfsClient) -> None:
    box.faults.add(system="ifs", method="POST", path="$batch", drop="after")
    with pytest.raises(OutcomeUnknown):
        client.create_document(ifs.VOUCHERS, voucher())
    ((row, _),) = client.find_many(ifs.VOUCHERS, "external_ref", ["PR'77"], company="0010")
    assert len(client.get(ifs.VOUCHERS, row)[0]["lines"]) == 3


def test_half_an_answer_is_an_unknown_outcome(box: Sandbox, client: IfsClient) -> None:
    box.faults.add(system="ifs", method="POST", path="$batch", truncate=True)
    with pytest.raises(OutcomeUnknown):
        client.create_document(ifs.VOUCHERS, voucher())
    assert len(box.ifs.rows("VoucherSet")) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_gateway_that_fails_is_an_unknown_outcome(box: Sandbox, client: IfsClient, status: int) -> None:
    box.faults.add(system="ifs", path="$batch", status=status, body="<html>")
    with pytest.raises(OutcomeUnknown):
        client.create_document(ifs.VOUCHERS, voucher())


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "headers": {"retry-after": "0"}},
        {"status": 503, "headers": {"retry-after": "0"}},
        {"status": 503, "body": '{"error": {"code": "MI_MODIFIED_ERROR", "message": "again"}}'},
    ],
)
def test_what_may_have_been_kept_is_not_sent_again(box: Sandbox, client: IfsClient, fault: dict[str, Any]) -> None:
    box.faults.add(system="ifs", path="$batch", acts=True, **fault)
    with pytest.raises(OutcomeUnknown):
        client.create_document(ifs.VOUCHERS, voucher())
    assert len(box.ifs.rows("VoucherSet")) == 1


def test_a_tenant_that_cannot_be_reached_is_a_passing_fault() -> None:
    api = ApiClient("ifs", "http://127.0.0.1:9/v1", classify=classify, max_attempts=1)
    with pytest.raises(TransientError):
        IfsClient(api).create_document(ifs.VOUCHERS, voucher())


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_tenant_without_batch_is_named_with_its_cure(box: Sandbox, client: IfsClient, status: int) -> None:
    body = '{"error": {"code": "ODP_NOT_IMPLEMENTED", "message": "no"}}'
    box.faults.add(system="ifs", path="$batch", status=status, body=body)
    with pytest.raises(Misconfigured, match=r"no /VoucherHandling\.svc/\$batch") as wrong:
        client.create_document(ifs.VOUCHERS, voucher())
    assert wrong.value.cure and "mlc.yaml" in wrong.value.cure


def test_a_tenant_whose_release_has_no_batch_gets_nothing_by_halves(start: Start) -> None:
    box = start(batch=False)
    chart(box)
    with pytest.raises(Misconfigured):
        client_of(box).create_document(ifs.VOUCHERS, voucher())
    assert box.ifs.rows("VoucherSet") == []


def answered(*parts: str, nested: bool = False, close: bool = True, end: str = "\r\n") -> bytes:
    lines = [f"--b\nContent-Type: application/http\nContent-Transfer-Encoding: binary\n\n{part}\n" for part in parts]
    text = "".join(lines) + ("--b--\n" if close else "")
    if nested:
        text = f"--outer\nContent-Type: multipart/mixed; boundary=b\n\n{text}\n--outer--\n"
    return text.replace("\n", end).encode()


def ok(body: str = "{}", status: str = "201 Created", headers: str = "") -> str:
    return f"HTTP/1.1 {status}\nContent-Type: application/json\n{headers}\n{body}"


STEPS = [Step("POST", "VoucherSet", {}), Step("POST", "$1/VoucherRows", {})]


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("nested", [True, False])
def test_answers_are_read_with_either_line_end_and_in_either_nesting(end: str, nested: bool) -> None:
    content = answered(
        ok('{"A": 1.10, "@odata.etag": "e1"}'), ok("", "204 No Content", "ETag: e2\n"), nested=nested, end=end
    )
    found = answers("https://erp.test/V.svc", STEPS, content)
    assert found == [StepAnswer(201, {"A": Decimal("1.10"), "@odata.etag": "e1"}, "e1"), StepAnswer(204, None, "e2")]


def test_answers_go_to_their_steps_by_content_id() -> None:
    content = answered(ok('{"n": 2}', headers="Content-ID: 2\n"), ok('{"n": 1}', headers="Content-ID: 1\n"))
    found = answers("https://erp.test/V.svc", STEPS, content)
    assert isinstance(found, list) and [one.body["n"] for one in found] == [1, 2]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"<html>maintenance</html>",
        b"--",
        answered(ok(), ok(), close=False),
        answered(ok()),
        answered(ok(), ok(), ok()),
        answered(ok(), ok(status="400 Bad")),
        answered(ok(), ok('{"A": 1')),
        answered(ok(), ok("{}", headers="Content-Length: 40\n")),
        answered(ok(), "nothing like it"),
        answered(ok(headers="Content-ID: 1\n"), ok(headers="Content-ID: 1\n")),
        answered(ok(), ok(), nested=True)[:-14],
    ],
)
def test_what_is_no_whole_answer_is_no_answer(content: bytes) -> None:
    with pytest.raises(ValueError):
        answers("https://erp.test/V.svc", STEPS, content)
    headers = {"content-type": "multipart/mixed;boundary=b"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content, headers=headers))
    client = IfsClient(ApiClient("ifs", "https://erp.test", classify=classify, transport=transport))
    with pytest.raises(OutcomeUnknown, match="multipart/mixed"):
        client.change_set(ifs.VOUCHERS, STEPS)


def test_every_cut_of_an_answer_is_noticed() -> None:
    """A body is cut by a proxy at any place: never fewer answers, never a refusal, never a shorter one."""
    whole = answered(ok('{"A": 1}'), ok('{"B": "--b--"}'), nested=True)
    assert isinstance(answers("https://erp.test/V.svc", STEPS, whole), list)
    end = whole.index(b"--outer--")
    for cut in range(end):
        with pytest.raises(ValueError):
            answers("https://erp.test/V.svc", STEPS, whole[:cut])


@pytest.mark.parametrize(
    "status, error",
    [
        ("400 Bad Request", RecordRejected),
        ("404 Not Found", RecordRejected),
        ("409 Conflict", RecordRejected),
        ("403 Forbidden", AccessDenied),
        ("412 Precondition Failed", StaleRecord),
        ("428 Precondition Required", StaleRecord),
        ("504 Gateway Timeout", OutcomeUnknown),
        ("500 Error", OutcomeUnknown),
    ],
)
def test_a_refused_part_means_what_it_means_alone(status: str, error: type[MlcError]) -> None:
    steps = [Step("PATCH", "VoucherSet(1)", {}, "e")]
    found = answers("https://erp.test/V.svc", steps, answered(ok("{}", status)))
    assert type(found) is error


LOCKED = '{"error": {"code": "FND_LOCKED", "message": "The record is currently locked."}}'


@pytest.mark.parametrize(
    "part", [ok(LOCKED, "500 Error"), ok("", "503 Busy"), ok("", "429 Many", "Retry-After: 0\n"), ok("", "423 Locked")]
)
def test_a_part_that_says_busy_proves_nothing(box: Sandbox, client: IfsClient, part: bytes) -> None:
    body, headers = answered(part).decode(), {"content-type": "multipart/mixed"}
    box.faults.add(system="ifs", path="$batch", status=200, body=body, headers=headers, acts=True)
    with pytest.raises(OutcomeUnknown):
        client.create_document(ifs.VOUCHERS, voucher())
    assert len(box.ifs.rows("VoucherSet")) == 1


def test_a_part_that_was_refused_for_a_lock_is_sent_again(box: Sandbox, client: IfsClient) -> None:
    body, headers = answered(ok(LOCKED, "400 Bad")).decode(), {"content-type": "multipart/mixed"}
    box.faults.add(system="ifs", path="$batch", status=200, body=body, headers=headers)
    client.create_document(ifs.VOUCHERS, voucher())
    assert len(box.ifs.rows("VoucherSet")) == 1


def test_a_document_that_is_kept_without_being_told_is_an_unknown_outcome() -> None:
    """A tenant that answers 204 has made it, and only a look tells under which number."""
    content = answered(*[ok("", "204 No Content")] * 4)
    headers = {"content-type": "multipart/mixed"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content, headers=headers))
    client = IfsClient(ApiClient("ifs", "https://erp.test", classify=classify, transport=transport))
    with pytest.raises(OutcomeUnknown, match="created, but"):
        client.create_document(ifs.VOUCHERS, voucher())


def test_a_secret_that_a_part_echoes_is_in_no_message() -> None:
    class Auth(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Any:
            request.headers["Authorization"] = "Bearer very-secret-token"
            yield request

    body = answered(ok('{"error": {"code": "X", "message": "Bearer very-secret-token"}}', "400 Bad"))
    headers = {"content-type": "multipart/mixed"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body, headers=headers))
    client = IfsClient(ApiClient("ifs", "https://erp.test", auth=Auth(), classify=classify, transport=transport))
    with pytest.raises(RecordRejected) as refused:
        client.change_set(ifs.VOUCHERS, STEPS)
    assert "very-secret" not in f"{refused.value} {refused.value.body}"


def test_no_text_of_a_record_is_taken_for_a_boundary() -> None:
    """JSON has no line end within a text, and a boundary is new each time."""
    kind, body = written("/V.svc", [Step("POST", "VoucherSet", {"Text": "".join(HOSTILE)})] * 2)
    boundary = kind.partition("boundary=")[2].encode()
    assert len(re.findall(rb"(?m)^--" + re.escape(boundary), body)) == 2
    assert kind != written("/V.svc", STEPS)[0]


# --- looking up -------------------------------------------------------------------------------------------------------


def test_many_values_are_found_with_few_requests(box: Sandbox, client: IfsClient) -> None:
    values = [f"{HOSTILE[n % len(HOSTILE)]}{n}'" for n in range(500)]
    header = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026}
    rows = [{**header, "VoucherNo": n, "ExternalRef": value} for n, value in enumerate(values) if n % 2]
    box.ifs.put_many("VoucherSet", [*rows, {**header, "Company": "20", "VoucherNo": 1, "ExternalRef": values[0]}], TEN)
    box.forget_calls()
    found = client.find_many(ifs.VOUCHERS, "external_ref", [*values, *values, "\ud800"], company="0010")
    assert sorted(row["external_ref"] for row, _ in found) == sorted(values[1::2])
    assert {etag for _, etag in found} == {
        row["@odata.etag"] for row in box.ifs.rows("VoucherSet") if row["Company"] == "0010"
    }
    assert sum(count for (_, path), count in box.calls("ifs").items() if path.endswith("/VoucherSet")) < 40


def test_no_values_are_no_request(box: Sandbox, client: IfsClient) -> None:
    assert client.find_many(ifs.VOUCHERS, "external_ref", []) == []
    assert not box.calls("ifs")


def test_all_rows_of_a_value_are_found_however_many_pages_they_take(box: Sandbox) -> None:
    header = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026, "ExternalRef": "x"}
    box.ifs.put_many("VoucherSet", [{**header, "VoucherNo": n} for n in range(25)], TEN)
    found = client_of(box, page_size=10).find_many(ifs.VOUCHERS, "external_ref", ["x"])
    assert sorted(row["voucher_no"] for row, _ in found) == list(range(25))


def test_a_set_that_the_tenant_lacks_is_named_by_its_setting(client: IfsClient) -> None:
    with pytest.raises(Misconfigured, match="entity_sets"):
        client.find_many(replace(ifs.VOUCHERS, path="Nope"), "external_ref", ["a"])


def test_the_path_of_a_row_below_its_service_is_that_of_the_row() -> None:
    assert key_path(ifs.SUPPLIERS, {"supplier_id": "a/b'"}) == "SupplierSet(SupplierId=%27a%2Fb%27%27%27)"
