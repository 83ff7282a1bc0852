"""Reading from the sandboxed IFS: what the filter finds, what the caps refuse, and that numbers stay exact."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

import httpx
import pytest

from mlc_dagster.sandbox import Sandbox, Tenant
from mlc_dagster_tests.sandbox.conftest import ORDERS, ifs_client, json_of

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


def ask(client: httpx.Client, **options: str) -> httpx.Response:
    query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
    return client.get(f"{ORDERS}?{query}")


def numbers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["OrderNo"] for row in answer.json()["value"]]


@pytest.fixture
def few(box: Sandbox) -> Sandbox:
    """a: 10, 1 Nov; b: null amount, 5 Nov; c: 30.50, null timestamp; d's notes hold a quote."""
    box.ifs.put(
        "PurchaseOrderSet", {"OrderNo": "a", "TotalAmount": 10, "Company": "0010"}, datetime(2026, 11, 1, tzinfo=UTC)
    )
    box.ifs.put("PurchaseOrderSet", {"OrderNo": "b", "Company": "10", "OrderDate": "2026-11-02"}, NOON)
    box.ifs.put("PurchaseOrderSet", {"OrderNo": "c", "TotalAmount": Decimal("30.50"), "Company": "0010"}, None)
    box.ifs.put(
        "PurchaseOrderSet", {"OrderNo": "d", "TotalAmount": -1, "Notes": "O'Neil (50%) and Co", "Company": "20"}, NOON
    )
    return box


@pytest.mark.parametrize(
    "wanted, found",
    [
        ("Company eq '0010'", "ac"),
        ("TotalAmount ge 10", "ac"),
        ("TotalAmount ne 10", "cd"),  # null is not unequal to 10: it is unknown
        ("not (TotalAmount eq 10)", "cd"),
        ("not (TotalAmount gt 10 or Company eq '20')", "a"),
        ("TotalAmount eq null", "b"),
        ("TotalAmount ne null and TotalAmount lt 0", "d"),
        ("LastModified lt 2026-11-05T12:00:00Z", "a"),
        ("LastModified ge 2026-11-05T13:00:00+01:00", "bd"),
        ("LastModified eq null or LastModified lt 2026-11-02T00:00:00Z", "ac"),
        ("Notes eq 'O''Neil (50%) and Co'", "d"),
        ("contains(Notes,' and ') and startswith(Notes,'O''N')", "d"),
        ("Company in ('10','20')", "bd"),
        ("Company eq '0010' and TotalAmount eq 10 or OrderNo eq 'd'", "ad"),
        ("Company eq '0010' and (TotalAmount eq 10 or OrderNo eq 'd')", "a"),
        ("(OrderNo eq 'a' and Company eq '0010') or (OrderNo eq 'b' and Company eq '0010')", "a"),
        ("OrderDate eq 2026-11-02", "b"),
    ],
)
def test_a_filter_finds_the_rows_of_which_it_is_true(few: Sandbox, ifs: httpx.Client, wanted: str, found: str) -> None:
    assert numbers(ask(ifs, filter=wanted, orderby="OrderNo")) == list(found)
    assert ifs.get(f"{ORDERS}/$count?$filter={quote(wanted)}").text == str(len(found))


@pytest.mark.parametrize(
    "options",
    [
        "$filter=Company%20eq%2010",  # text against a number
        "$filter=Company+eq+'10'",  # a plus sign is no space
        "$filter=Nope%20eq%20'1'",
        "$filter=Company%20eq%20'10",
        "$filter=LastModified%20ge%202026-11-05T10:00:00.5Z",
        "$select=Nope",
        "$orderby=Nope",
        "$top=5001",
        "$top=-1",
        "$tpo=5",
    ],
)
def test_what_makes_no_sense_is_400_with_the_servers_envelope(few: Sandbox, ifs: httpx.Client, options: str) -> None:
    answer = ifs.get(f"{ORDERS}?{options}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] and answer.json()["error"]["message"]


def test_keyset_paging_meets_every_row_of_one_timestamp_once_and_quickly(box: Sandbox, ifs: httpx.Client) -> None:
    box.ifs.put_many("PurchaseOrderSet", ({"OrderNo": f"P{number:05d}"} for number in range(25_000)), modified=NOON)
    seen, last, slowest = [], "", 0.0
    while True:
        condition = (
            f"LastModified gt 2026-11-05T12:00:00Z or (LastModified eq 2026-11-05T12:00:00Z and OrderNo gt '{last}')"
        )
        started = time.perf_counter()
        page = numbers(ask(ifs, filter=condition, orderby="LastModified,OrderNo", top="5000", select="OrderNo"))
        slowest = max(slowest, time.perf_counter() - started)
        seen += page
        if len(page) < 5000:
            break
        last = page[-1]
    assert seen == [f"P{number:05d}" for number in range(25_000)]
    assert slowest < 1.0, "a page of 5,000 takes about 0.05 s on an idle machine"


def test_without_top_a_page_is_cut_silently(box: Sandbox, ifs: httpx.Client) -> None:
    box.ifs.put_many("PurchaseOrderSet", ({"OrderNo": str(number)} for number in range(101)))
    content = ask(ifs, count="true").json()
    assert (len(content["value"]), content["@odata.count"], "@odata.nextLink" in content) == (100, 101, False)


def test_expanded_lines_count_as_elements(box: Sandbox, ifs: httpx.Client) -> None:
    lines = [{"LineNo": str(number), "PartNo": "A"} for number in range(1, 50)]
    box.ifs.put_many(
        "PurchaseOrderSet", ({"OrderNo": str(number), "PurchaseOrderLines": lines} for number in range(101))
    )
    whole = ask(ifs, expand="PurchaseOrderLines($select=PartNo)", select="Company", top="100")
    assert len(whole.json()["value"][0]["PurchaseOrderLines"]) == 49
    assert whole.json()["value"][0]["PurchaseOrderLines"][0].keys() == {
        "@odata.etag",
        "OrderNo",
        "LineNo",
        "ReleaseNo",
        "PartNo",
    }
    refused = ask(ifs, expand="PurchaseOrderLines", top="101")
    assert refused.status_code == 500 and refused.json()["error"]["code"].startswith("ODP")


def test_amounts_are_exact_as_numbers_and_as_texts(box: Sandbox, ifs: httpx.Client) -> None:
    box.ifs.put(
        "PurchaseOrderSet",
        {"OrderNo": "a", "TotalAmount": Decimal("123456789012345678.1234"), "CurrencyRate": Decimal("1.0000000001")},
    )
    answer = ask(ifs)
    assert b'"TotalAmount":123456789012345678.1234' in answer.content
    assert json_of(answer)["value"][0]["CurrencyRate"] == Decimal("1.0000000001")
    texts = ifs.get(ORDERS, headers={"Accept": "application/json;IEEE754Compatible=true"}).json()["value"][0]
    assert texts["TotalAmount"] == "123456789012345678.1234"


@pytest.mark.parametrize("key", ["O'NEIL", "A/B 100%", "50%25", "ÅÄÖ 注文", "a#?&=+b", "a,b;(c)", "0001"])
def test_any_key_can_be_asked_for_by_its_url(box: Sandbox, ifs: httpx.Client, key: str) -> None:
    box.ifs.put("PurchaseOrderSet", {"OrderNo": key, "Notes": "this one"})
    box.ifs.put("PurchaseOrderSet", {"OrderNo": "1", "Notes": "another"})
    literal = quote("'" + key.replace("'", "''") + "'", safe="")
    assert ifs.get(f"{ORDERS}(OrderNo={literal})").json()["Notes"] == "this one"
    assert numbers(ask(ifs, filter="OrderNo eq '" + key.replace("'", "''") + "'")) == [key]


def test_lines_are_a_set_of_their_own_and_follow_their_header(box: Sandbox, ifs: httpx.Client) -> None:
    lines = [{"LineNo": "1", "PartNo": "A"}, {"LineNo": "2", "PartNo": None}]
    box.ifs.put("PurchaseOrderSet", {"OrderNo": "a", "Company": "0010", "PurchaseOrderLines": lines}, NOON)
    found = ifs.get(
        "/PurchaseOrderHandling.svc/PurchaseOrderLineSet?$filter=OrderNo%20eq%20'a'&$orderby=LineNo"
    ).json()["value"]
    assert [(line["LineNo"], line["ReleaseNo"], line["PartNo"], line["Company"]) for line in found] == [
        ("1", "1", "A", "0010"),
        ("2", "1", None, "0010"),
    ]
    assert {line["LastModified"] for line in found} == {"2026-11-05T12:00:00Z"}
    box.ifs.delete("PurchaseOrderSet", OrderNo="a")
    assert ifs.get("/PurchaseOrderHandling.svc/PurchaseOrderLineSet").json()["value"] == []


def test_a_tenant_renames_everything_and_lacks_things(start: Callable[..., Sandbox]) -> None:
    tenant = Tenant(
        projections={"PurchaseOrderSet": "PoHandling"},
        sets={"PurchaseOrderSet": "PoSet", "PurchaseOrderLineSet": "PoLineSet"},
        fields={
            "PurchaseOrderSet": {"OrderNo": "PoNo", "ObjState": "Objstate"},
            "PurchaseOrderLineSet": {"OrderNo": "PoNo"},
        },
        navigations={"PurchaseOrderLines": "PoLines"},
        expand=False,
        count=False,
        modified=False,
    )
    box = start(tenant)
    box.ifs.put("PurchaseOrderSet", {"OrderNo": "a", "ObjState": "Released", "PurchaseOrderLines": [{"PartNo": "A"}]})
    with ifs_client(box) as ifs:
        row = ifs.get("/PoHandling.svc/PoSet?$filter=PoNo%20eq%20'a'&$count=true").json()
        assert (row["value"][0]["PoNo"], row["value"][0]["Objstate"], "@odata.count" in row) == ("a", "Released", False)
        assert "LastModified" not in row["value"][0]
        assert ifs.get("/PoHandling.svc/PoLineSet?$filter=PoNo%20eq%20'a'").json()["value"][0]["PartNo"] == "A"
        assert ifs.get("/PoHandling.svc/PoSet/$count").status_code == 501
        assert ifs.get("/PoHandling.svc/PoSet?$expand=PoLines").json()["error"]["code"] == "ODP_NOT_IMPLEMENTED"
        assert ifs.get("/PoHandling.svc/PoSet?$filter=LastModified%20ge%202026-01-01T00:00:00Z").status_code == 400
        missing = ifs.get(ORDERS)
        assert missing.status_code == 404 and missing.json()["error"]["code"] == "ODP_RESOURCE_NOTFOUND"
        assert 'Name="PoNo"' in ifs.get("/PoHandling.svc/$metadata").text


def test_a_next_link_leads_to_the_rest(start: Callable[..., Sandbox]) -> None:
    box = start(Tenant(next_link=True))
    box.ifs.put_many("PurchaseOrderSet", ({"OrderNo": f"{number:03d}", "Company": "A & B"} for number in range(250)))
    with ifs_client(box) as ifs:
        seen, url = [], f"{ORDERS}?$orderby=OrderNo&$filter=Company%20eq%20'A%20%26%20B'"
        while url:
            content = ifs.get(url).json()
            seen += [row["OrderNo"] for row in content["value"]]
            url = content.get("@odata.nextLink", "")
    assert seen == [f"{number:03d}" for number in range(250)]


def test_a_test_can_change_rows_between_two_pages(box: Sandbox, ifs: httpx.Client) -> None:
    box.ifs.put("PurchaseOrderSet", {"OrderNo": "a"}, NOON)
    box.ifs.on_request = lambda path, reads: (
        box.ifs.put("PurchaseOrderSet", {"OrderNo": "b"}, NOON) if reads == 1 else None
    )
    assert numbers(ask(ifs)) == ["a"]
    assert numbers(ask(ifs)) == ["a", "b"]


def test_the_clock_of_the_server_shows_in_its_date_header(start: Callable[..., Sandbox]) -> None:
    from email.utils import parsedate_to_datetime

    with ifs_client(start(Tenant(clock_skew_seconds=300))) as ifs:
        ahead = parsedate_to_datetime(ifs.get(ORDERS).headers["date"]) - datetime.now(UTC)
    assert 295 < ahead.total_seconds() < 305
