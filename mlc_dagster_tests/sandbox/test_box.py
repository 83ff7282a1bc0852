"""Faults, control endpoints, the demo seed, and the command."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.sandbox import Limits, Sandbox, serve
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems import configuration as settings
from mlc_dagster_tests.sandbox.cin7.test_cin7 import SUPPLIER
from mlc_dagster_tests.sandbox.conftest import ORDERS, Cin7

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def demo() -> Sandbox:
    """The demo seed, not served."""
    return Sandbox(seed="demo", today=TODAY)


def test_a_call_dropped_after_has_acted_and_one_dropped_before_has_not(box: Sandbox, cin7: Cin7) -> None:
    for drop, kept in (("before", 0), ("after", 1)):
        box.faults.add(system="cin7", method="POST", path="supplier", drop=drop)
        with pytest.raises(httpx.RemoteProtocolError):
            cin7("POST", "supplier", SUPPLIER)
        assert len(box.cin7.suppliers) == kept


def test_faults_go_as_they_came_and_only_for_the_calls_they_name(box: Sandbox, ifs: httpx.Client) -> None:
    box.faults.add(
        system="ifs", path="PurchaseOrderSet", times=2, status=503, headers={"Retry-After": "7"}, body="busy"
    )
    assert ifs.get("/SupplierHandling.svc/SupplierSet").status_code == 200
    answers = [ifs.get(ORDERS) for _ in range(3)]
    assert [(answer.status_code, answer.headers.get("retry-after")) for answer in answers] == [
        (503, "7"),
        (503, "7"),
        (200, None),
    ]
    box.faults.add(system="ifs", truncate=True)
    with pytest.raises(httpx.RemoteProtocolError):
        ifs.get(ORDERS)


def test_another_process_can_steer_it(box: Sandbox, ifs: httpx.Client, cin7: Cin7) -> None:
    control = httpx.Client(base_url=f"{box.url}/_sandbox")
    assert control.get("/health").json()["status"] == "ok"
    assert control.put("/ifs/PurchaseOrderSet", json={"OrderNo": "P1", "TotalAmount": 1.1}).status_code == 200
    assert ifs.get(f"{ORDERS}('P1')").json()["TotalAmount"] == 1.1
    assert control.post("/cin7/accounts", json={"Code": "4711", "Name": "New"}).status_code == 200
    assert cin7("GET", "ref/account", Code="4711").json()["AccountsList"][0]["Status"] == "ACTIVE"
    assert control.post("/faults", json={"system": "ifs", "status": 500}).status_code == 200
    assert control.post("/faults", json={"sytsem": "ifs"}).status_code == 400
    assert control.delete("/faults").status_code == 200 and ifs.get(ORDERS).status_code == 200
    cin7("POST", "supplier", SUPPLIER)
    assert [entry["path"] for entry in control.get("/journal/cin7").json()] == ["/cin7/ExternalApi/v2/supplier"]
    assert control.get("/state/cin7").json()["suppliers"][0]["Name"] == "Acme"
    assert control.get("/nope").status_code == 404


def test_a_limit_that_no_system_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(Misconfigured, match="the sandbox has no limit cin7_calls; nearest: cin7_calls_per_minute"):
        Sandbox(limits=Limits(cin7_calls=6))


@pytest.mark.parametrize(
    "word, said",
    [
        ("cin7.calls_per_minute=many", "found --limit cin7.calls_per_minute=many; expected such as"),
        ("cin7.calls=6", "the sandbox has no limit cin7_calls; nearest: cin7_calls_per_minute"),
    ],
)
def test_the_command_takes_limits_by_name_and_refuses_what_is_none(word: str, said: str) -> None:
    command = [sys.executable, "-m", "mlc_dagster.sandbox", "--port", "0", "--limit", word]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and said in " ".join(done.stderr.split())


def test_a_name_that_is_no_system_is_no_attribute(box: Sandbox) -> None:
    with pytest.raises(AttributeError, match="the sandbox has no cin8; there is: ifs, airbase, cin7"):
        _ = box.cin8


def test_the_demo_is_the_same_each_time_and_fills_thirty_days(demo: Sandbox) -> None:
    again, later = Sandbox(seed="demo", today=TODAY), Sandbox(seed="demo", today=TODAY + timedelta(days=1))
    for name in ("PurchaseOrderSet", "SupplierSet", "PostingProposalHeadSet", "VoucherSet"):
        assert [_without_etags(row) for row in demo.ifs.rows(name)] == [
            _without_etags(row) for row in again.ifs.rows(name)
        ]
    assert demo.flaws == again.flaws == later.flaws
    days = Counter((row["LastModified"] or "null")[:10] for row in demo.ifs.rows("PurchaseOrderSet"))
    assert {(TODAY - timedelta(days=back)).isoformat() for back in range(30)} <= days.keys()
    assert days["null"] >= 1 and days["2999-12-31"] >= 1
    counts = {name: len(rows.by_key) for name, rows in demo.ifs.sets.items()}
    assert (counts["PurchaseOrderSet"], counts["PostingProposalHeadSet"], counts["VoucherSet"]) == (600, 400, 300)


def _without_etags(row: dict[str, Any]) -> dict[str, Any]:
    lines = {name: [_without_etags(line) for line in rows] for name, rows in row.items() if isinstance(rows, list)}
    return {**{name: value for name, value in row.items() if name != "@odata.etag"}, **lines}


def test_all_but_the_flawed_orders_add_up_and_fit_cin7(demo: Sandbox) -> None:
    suppliers = {row["SupplierId"]: row for row in demo.ifs.rows("SupplierSet")}
    flawed = {key for flaw, keys in demo.flaws.items() if "hostile" not in flaw for key in keys}
    books, good, cent = demo.cin7.books, 0, Decimal("0.01")
    for order in demo.ifs.rows("PurchaseOrderSet"):
        if order["OrderNo"] in flawed:
            continue
        good += 1
        lines = order["PurchaseOrderLines"]
        assert order["CurrencyCode"] == suppliers[order["VendorNo"]]["CurrencyCode"]
        for each in lines:
            assert each["LineAmount"] == (each["BuyQtyDue"] * each["BuyUnitPrice"]).quantize(cent, ROUND_HALF_UP)
            assert each["PartNo"] is None or each["PartNo"] in books.products
            assert each["Account"] in books.accounts or each["Account"] == "6110"
        assert order["TotalAmount"] == sum(each["LineAmount"] for each in lines)
    assert 0.03 <= 1 - good / 600 <= 0.09


def test_proposals_agree_with_their_orders_and_vouchers_balance(demo: Sandbox) -> None:
    orders = {row["OrderNo"]: row for row in demo.ifs.rows("PurchaseOrderSet")}
    flawed = {key for keys in demo.flaws.values() for key in keys}
    referring = list[str]()
    for proposal in demo.ifs.rows("PostingProposalHeadSet"):
        if f"{proposal['Company']}/{proposal['ProposalId']}" in flawed:
            continue
        assert proposal["GrossAmount"] == proposal["NetAmount"] + proposal["VatAmount"]
        assert proposal["NetAmount"] == sum(each["CurrencyAmount"] for each in proposal["PostingProposalLines"])
        if order := orders.get(proposal["PoReference"]):
            referring.append(order["OrderNo"])
            assert (order["Company"], order["VendorNo"], order["CurrencyCode"]) == (
                proposal["Company"],
                proposal["SupplierId"],
                proposal["CurrencyCode"],
            )
    assert 150 < len(referring) == len(set(referring)) < 220, "an order is billed once"
    for voucher in demo.ifs.rows("VoucherSet"):
        rows = voucher["VoucherRows"]
        assert sum(row["DebitAmount"] or 0 for row in rows) == sum(row["CreditAmount"] or 0 for row in rows)


def test_the_demo_settings_are_good_settings() -> None:
    found = settings.parse(demo_settings("http://127.0.0.1:8787", TODAY), "demo")
    assert found.partitions_start == date(2026, 10, 23)
    assert {code: company.decimals for code, company in found.companies.items()} == {"0010": 2, "20": 0, "0030": 3}


def test_a_saved_state_is_served_again_with_its_etags(tmp_path: Path) -> None:
    first = Sandbox(seed="demo", today=TODAY, state=tmp_path / "state")
    supplier = first.cin7.add_supplier(**SUPPLIER)
    first.save()
    second = Sandbox(seed="demo", state=tmp_path / "state")
    assert second.today == TODAY and supplier in second.cin7.suppliers
    assert second.ifs.rows("PurchaseOrderSet") == first.ifs.rows("PurchaseOrderSet")
    assert second.cin7.books.accounts == first.cin7.books.accounts
    assert second.profiles == ()
    (tmp_path / "other").write_text("{}")
    with pytest.raises(Misconfigured, match="Delete it"):
        Sandbox(state=tmp_path / "other")


def test_a_saved_state_is_served_as_the_tenants_it_was_saved_of_unless_others_are_asked_for(tmp_path: Path) -> None:
    Sandbox(state=tmp_path / "state", profiles=("ifs.pages", "cin7.measured")).save()
    again = Sandbox(state=tmp_path / "state")
    assert again.profiles == ("ifs.pages", "cin7.measured") and again.tenant.view == "pages"
    assert Sandbox(state=tmp_path / "state", profiles=("ifs.seed",)).tenant.view == "seed"


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Misconfigured, match=f"(?s)port {taken.getsockname()[1]} .*another --port"):
            serve(port=taken.getsockname()[1], seed="empty")


def test_the_command_prints_its_address_and_stops_on_sigterm(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "mlc_dagster.sandbox",
        "--port",
        "0",
        "--seed",
        "empty",
        "--state",
        str(tmp_path / "state"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    words = process.stdout.readline()
    url = next(word for word in words.split() if word.startswith("http"))
    for _ in range(100):
        try:
            assert httpx.get(f"{url}/_sandbox/health").is_success
            break
        except httpx.ConnectError:
            continue
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert (tmp_path / "state").exists()
