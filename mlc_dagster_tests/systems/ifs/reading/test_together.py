"""What many small readings ask goes in a few batches, and finds what it found one by one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.errors import AccessDenied, MlcError, RecordRejected, TransientError
from mlc_dagster.core.vocabulary import Row
from mlc_dagster.systems.ifs.odata import batch_reads
from mlc_dagster.systems.ifs.odata.batch_reads import Question
from mlc_dagster.systems.ifs.odata.error_responses import PageTooLarge
from mlc_dagster.systems.ifs.reading.queries import Connection
from mlc_dagster.systems.ifs.reading.together import Together
from mlc_dagster.transport.client import ApiClient
from mlc_dagster_tests.systems.ifs.conftest import Memory
from mlc_dagster_tests.systems.ifs.reading.test_profiles import CLOUD, order, reading, tenant

MANY = 120


def read_orders(*profiles: str) -> tuple[dict[str, Row], int, int]:
    """(orders by number, requests as the pull counts them, calls as the tenant does) of many orders."""
    with tenant(*profiles) as box:
        for number in range(MANY):
            box.ifs.put("PurchaseOrderSet", order(f"P{number:03}", *["2.50", "7", "1"][: number % 4]))
        rows, pull = reading(box, CLOUD["purchase_order_set"], Memory())
        return {row["order_no"]: row for row in rows}, pull.requests, sum(box.calls("ifs").values()) - 1


def test_the_arrays_below_many_orders_take_a_few_calls_and_are_what_they_are_one_by_one() -> None:
    together, counted, calls = read_orders("ifs.pages", "ifs.modified_every=0")
    apart, counted_apart, calls_apart = read_orders("ifs.pages", "ifs.batch=false", "ifs.modified_every=0")
    assert {key: row["lines"] for key, row in together.items()} == {key: row["lines"] for key, row in apart.items()}
    assert together["P003"]["total_amount"] == Decimal("10.5") and together["P000"]["lines"] == []
    assert counted == calls < 30 and counted_apart == calls_apart > 3 * MANY


def test_a_part_that_is_refused_for_the_moment_is_asked_for_again_alone() -> None:
    """The server's model changes now and then: the part is answered 503, and the batch is not."""
    found, _, calls = read_orders("ifs.pages", "ifs.modified_every=50")
    assert [row["total_amount"] for row in list(found.values())[:4]] == list(map(Decimal, ("0", "2.5", "9.5", "10.5")))
    assert calls < MANY


def test_terms_below_many_suppliers_take_a_few_calls() -> None:
    with tenant("ifs.pages", "ifs.modified_every=0") as box:
        for number in range(MANY):
            terms = {"PaymentTerms": str(number % 3), "CurrencyCode": "EUR"} if number % 2 else {}
            box.ifs.put("SupplierSet", {"SupplierId": f"S'{number:03}", "Name": "One", **terms})
        rows, pull = reading(box, CLOUD["supplier_set"], Memory())
        assert [row["payment_terms"] for row in rows][:6] == [None, "1", None, "0", None, "2"]
        assert pull.requests == sum(box.calls("ifs").values()) - 1 < 10


# --- what batches are answered ----------------------------------------------------------------------------------------


def body(*parts: tuple[str, int, bytes]) -> bytes:
    found = b""
    for number, status, content in parts:
        named = f"Content-ID: {number}\r\n" if number else ""
        answer = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n"
        found += f"--b\r\nContent-Type: application/http\r\n{named}\r\n{answer}".encode() + content + b"\r\n"
    return found + b"--b--\r\n"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (body(("2", 200, b"two"), ("1", 200, b"one")), [b"one", b"two"]),
        (body(("", 200, b"one"), ("", 200, b"two")), [b"one", b"two"]),
        (body(("1", 200, b"one"), ("2", 404, b"gone")), [b"one", None]),
        (body(("1", 503, b"busy")), [None, None]),  # it stopped there
        (body(("", 200, b"two")), [None, None]),  # whose it is cannot be told
        (body(("1", 200, b"one"), ("", 200, b"two")), [None, None]),
        (body(("1", 200, b"one"), ("1", 200, b"two")), [None, None]),
        (b"<html>", [None, None]),
    ],
)
def test_an_answer_is_its_questions_or_nobodys(content: bytes, found: list[bytes | None]) -> None:
    assert batch_reads.answers(2, content) == found


def test_a_question_is_below_its_service_and_percent_encoded() -> None:
    asked = Question.of("/A.svc/Set(No=%27%C3%96%27)/Lines", {"$select": "No,Text", "$filter": None})
    kind, content = batch_reads.written("/A.svc", [asked])
    assert kind.startswith("multipart/mixed;boundary=")
    assert b"GET Set(No=%27%C3%96%27)/Lines?$select=No%2CText HTTP/1.1\r\n" in content
    with pytest.raises(RecordRejected):
        batch_reads.written("/A.svc", [Question.of("/A.svc/Set(No='Ö')", {})])


class Told(Connection):
    """Answers of its own: `batched` to each batch, the path itself to what is asked alone."""

    def __init__(self, batched: Callable[[int], list[bytes | None]]) -> None:
        super().__init__(ApiClient("ifs", "http://127.0.0.1:1"))
        self.batched, self.sizes, self.alone = batched, list[int](), list[str]()

    def batch(self, service: str, asked: Any) -> list[bytes | None]:
        self.sizes.append(len(asked))
        return self.batched(len(asked))

    def value(self, path: str, params: Any, decode: Any, accept: str | None = None) -> Any:
        self.alone.append(path)
        return decode(path.encode())


def values(connection: Told, many: int) -> list[bytes]:
    readings = [lambda get, path=f"/A.svc/{number}": get(path, {}, bytes) for number in range(many)]
    return list(Together[bytes](connection, "/A.svc").read(readings))


def refusing(error: MlcError) -> Callable[[int], list[bytes | None]]:
    def refuse(many: int) -> list[bytes | None]:
        raise error

    return refuse


@pytest.mark.parametrize("error", [RecordRejected("501"), AccessDenied("403"), TransientError("500")], ids=repr)
def test_a_tenant_that_refuses_batches_is_read_one_by_one_and_not_asked_again(error: MlcError) -> None:
    connection = Told(refusing(error))
    assert values(connection, 4) == [b"/A.svc/0", b"/A.svc/1", b"/A.svc/2", b"/A.svc/3"]
    assert len(connection.sizes) == 1 and len(connection.alone) == 4
    values(connection, 4)
    assert len(connection.sizes) == 1


def test_a_batch_that_is_too_much_is_halved() -> None:
    def answer(many: int) -> list[bytes | None]:
        if many > 2:
            raise PageTooLarge("500")
        return [b"x"] * many

    connection = Told(answer)
    assert values(connection, 8) == [b"x"] * 8
    assert connection.sizes == [8, 4, 2, 2, 4, 2, 2] and connection.alone == []


def test_readings_that_ask_twice_are_answered_in_two_rounds() -> None:
    connection = Told(lambda many: [b"x"] * many)
    readings = [
        lambda get, number=number: get(f"/A.svc/{number}", {}, bytes) + get(f"/A.svc/{number}", {"$skip": "1"}, bytes)
        for number in range(3)
    ]
    together = Together[bytes](connection, "/A.svc")
    assert list(together.read(readings)) == [b"xx"] * 3
    assert (connection.sizes, connection.alone, together.requests) == ([3, 3], [], 2)
