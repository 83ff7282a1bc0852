"""$batch of the sandboxed IFS: what it takes, how it refers, and that a refused change set leaves nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Sandbox, Tenant
from mlc_dagster_tests.sandbox.conftest import SURFACE, ifs_client

BATCH = "/VoucherHandling.svc/$batch"
HEADER = {"Company": "0010", "VoucherType": "M", "VoucherDate": "2026-11-05"}
DEBIT, CREDIT = {"Account": "4010", "DebitAmount": 1}, {"Account": "4010", "CreditAmount": 1}
VOUCHER = [("POST", "VoucherSet", HEADER), ("POST", "$1/VoucherRows", DEBIT), ("POST", "$1/VoucherRows", CREDIT)]

Request = tuple[str, str, Any]


def part(number: int, method: str, url: str, body: Any = None, **headers: str) -> str:
    content = "" if body is None else json.dumps(body)
    own = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {number}\r\n\r\n"
        f"{method} {url} HTTP/1.1\r\nContent-Type: application/json\r\n{own}\r\n{content}"
    )


def joined(boundary: str, parts: list[str]) -> str:
    return "".join(f"--{boundary}\r\n{each}\r\n" for each in parts) + f"--{boundary}--\r\n"


def change_set(*requests: Request, **headers: str) -> str:
    parts = [part(number, *request, **headers) for number, request in enumerate(requests, 1)]
    return f'Content-Type: multipart/mixed; boundary="set 1"\r\n\r\n{joined("set 1", parts)}'


def send(ifs: httpx.Client, *parts: str, url: str = BATCH, **headers: str) -> httpx.Response:
    kind = {"Content-Type": "multipart/mixed;boundary=b", **headers}
    return ifs.post(url, content=joined("b", list(parts)).encode(), headers=kind)


def statuses(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [int(status) for status in re.findall(r"HTTP/1\.1 (\d+)", answer.text)]


@pytest.fixture
def ifs(box: Sandbox) -> Iterator[httpx.Client]:
    box.ifs.put("AccountSet", {"Company": "0010", "Account": "4010"})
    with ifs_client(box) as client:
        yield client


def test_a_change_set_is_answered_part_by_part_and_kept_whole(box: Sandbox, ifs: httpx.Client) -> None:
    answer = send(ifs, change_set(*VOUCHER))
    assert statuses(answer) == [201, 201, 201]
    assert re.findall(r"Content-ID: (\d)", answer.text) == ["1", "2", "3"]
    assert answer.headers["content-type"].startswith("multipart/mixed; boundary=batch_")
    (kept,) = box.ifs.rows("VoucherSet")
    assert [row["RowNo"] for row in kept["VoucherRows"]] == [1, 2]
    assert kept["@odata.etag"] in answer.text, "the version of the header is that of the whole"
    paths = [entry["path"].rpartition("/")[2] for entry in box.journal("ifs")]
    assert [re.sub(r"\(.*\)", "", path) for path in paths] == ["VoucherSet", "VoucherRows", "VoucherRows"]


@pytest.mark.parametrize("last", [("POST", "$1/VoucherRows", DEBIT), ("POST", "$1/VoucherRows", {"Nope": 1})])
def test_a_refused_change_set_is_answered_by_one_part_and_leaves_nothing(
    box: Sandbox, ifs: httpx.Client, last: Request
) -> None:
    before = box.ifs.remembered()
    answer = send(ifs, change_set(*VOUCHER, last))
    assert statuses(answer) == [400]
    assert "changeset_" not in answer.text
    assert box.ifs.remembered() == before and box.journal("ifs") == []
    assert statuses(send(ifs, change_set(*VOUCHER))) == [201, 201, 201], "and its number is free again"


def test_lines_of_an_unbalanced_voucher_may_come_in_any_order(ifs: httpx.Client) -> None:
    header, debit, credit = VOUCHER
    assert statuses(send(ifs, change_set(header, credit, debit))) == [201, 201, 201]
    assert statuses(send(ifs, change_set(header, debit))) == [400]


@pytest.mark.parametrize("root", ["", f"{SURFACE}/VoucherHandling.svc/", f"ORIGIN{SURFACE}/VoucherHandling.svc/"])
def test_a_url_may_be_relative_or_absolute(box: Sandbox, ifs: httpx.Client, root: str) -> None:
    root = root.replace("ORIGIN", box.url)
    assert statuses(send(ifs, change_set(("POST", f"{root}VoucherSet", HEADER), *VOUCHER[1:]))) == [201, 201, 201]


@pytest.mark.parametrize(
    "url",
    [
        f"{SURFACE}/SupplierHandling.svc/SupplierSet",
        "http://elsewhere.example/VoucherSet",
        "../SupplierHandling.svc/SupplierSet",
    ],
)
def test_one_batch_addresses_one_service(box: Sandbox, ifs: httpx.Client, url: str) -> None:
    assert send(ifs, change_set(("POST", url, {"Name": "a"}))).status_code == 400
    assert box.ifs.rows("SupplierSet") == []


def test_if_match_can_name_the_version_that_a_part_made(box: Sandbox, ifs: httpx.Client) -> None:
    parts = [part(1, *VOUCHER[0]), part(2, "PATCH", "$1", {"Text": "b"}, If_Match="$1")]
    body = f"Content-Type: multipart/mixed; boundary=s\r\n\r\n{joined('s', parts)}"
    assert statuses(send(ifs, body)) == [201, 200]
    assert box.ifs.rows("VoucherSet")[0]["Text"] == "b"


def test_a_stale_version_within_a_change_set_is_a_412_that_rolls_back(box: Sandbox, ifs: httpx.Client) -> None:
    parts = [part(1, *VOUCHER[0]), part(2, "PATCH", "$1", {"Text": "b"}, If_Match='W/"old"')]
    answer = send(ifs, f"Content-Type: multipart/mixed; boundary=s\r\n\r\n{joined('s', parts)}")
    assert statuses(answer) == [412] and "Content-ID: 2" in answer.text
    assert box.ifs.rows("VoucherSet") == []


def test_a_deletion_is_rolled_back_too(box: Sandbox, ifs: httpx.Client) -> None:
    key = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026, "VoucherNo": 7}
    box.ifs.put("VoucherSet", {**key, "VoucherRows": [DEBIT, CREDIT]})
    before = box.ifs.rows("VoucherSet")
    path = "VoucherSet(Company='0010',VoucherType='M',AccountingYear=2026,VoucherNo=7)"
    steps = change_set(("DELETE", path, None), ("POST", "VoucherSet", {}), If_Match="*")
    assert statuses(send(ifs, steps)) == [400]
    assert box.ifs.rows("VoucherSet") == before
    assert statuses(send(ifs, change_set(("DELETE", path, None), If_Match="*"))) == [204]
    assert box.ifs.rows("VoucherSet") == []


def test_a_get_stands_beside_change_sets_and_never_within(ifs: httpx.Client) -> None:
    get = part(9, "GET", "VoucherSet?$top=5")
    assert statuses(send(ifs, change_set(*VOUCHER), get)) == [201, 201, 201, 200]
    refused = send(ifs, change_set(*VOUCHER, ("GET", "VoucherSet", None)))
    assert (refused.status_code, "GET" in refused.text) == (400, True)


def test_what_follows_a_refusal_is_done_only_where_the_caller_prefers_that(box: Sandbox, ifs: httpx.Client) -> None:
    bad, good = change_set(("POST", "VoucherSet", {})), change_set(*VOUCHER)
    assert statuses(send(ifs, bad, good)) == [400]
    assert statuses(send(ifs, bad, good, Prefer="odata.continue-on-error")) == [400, 201, 201, 201]


def test_a_batch_holds_as_many_requests_as_its_tenant_takes() -> None:
    with Sandbox(tenant=Tenant(batch_parts=20)) as box, ifs_client(box) as ifs:
        box.ifs.put("AccountSet", {"Company": "0010", "Account": "4010"})
        rows = [("POST", "$1/VoucherRows", {**DEBIT, "DebitAmount": 0})] * 19
        assert statuses(send(ifs, change_set(VOUCHER[0], *rows))) == [201] * 20
        assert send(ifs, change_set(VOUCHER[0], *rows, rows[0])).status_code == 400
        assert len(box.ifs.rows("VoucherSet")) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--\r\n",
        b"--b\r\n" + change_set(*VOUCHER).encode(),
        joined("b", [change_set(*VOUCHER).replace('--set 1--', '')]).encode(),
        joined("b", [change_set(*VOUCHER).replace("Content-Transfer-Encoding: binary\r\n", "", 1)]).encode(),
        joined("b", [change_set(*VOUCHER).replace("Content-ID: 2", "Content-ID: 1")]).encode(),
        joined("b", [change_set(*VOUCHER).replace("HTTP/1.1", "", 1)]).encode(),
        joined("b", [change_set(*VOUCHER)]).replace("\r\n", "\n").encode(),
        joined("c", [change_set(*VOUCHER)]).encode(),
    ],
)  # fmt: skip
def test_a_malformed_batch_is_refused_as_a_whole(box: Sandbox, ifs: httpx.Client, body: bytes) -> None:
    answer = ifs.post(BATCH, content=body, headers={"Content-Type": "multipart/mixed;boundary=b"})
    assert answer.status_code == 400, answer.text
    assert box.ifs.rows("VoucherSet") == []
    assert ifs.post(BATCH, content=body, headers={"Content-Type": "application/json"}).status_code == 415


def test_text_that_looks_like_a_boundary_within_a_line_is_text(box: Sandbox, ifs: httpx.Client) -> None:
    text = "--b--\r\n--set 1\r\n"
    assert statuses(send(ifs, change_set(("POST", "VoucherSet", {**HEADER, "Text": text})))) == [201]
    assert box.ifs.rows("VoucherSet")[0]["Text"] == text


def test_a_tenant_without_batch_says_so(start: Callable[..., Sandbox]) -> None:
    with ifs_client(start(Tenant(batch=False))) as client:
        answer = send(client, change_set(*VOUCHER))
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "ODP_NOT_IMPLEMENTED")
