"""The figures of a month end: a voucher doubled by hand is named, and sums are equal wherever they are told."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from starlette.testclient import TestClient
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.flows import Problem
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Held, Ledger, Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.open_item_entries import Wanted
from mlc_dagster.ledger.records.open_items import summed
from mlc_dagster.pipeline.closing import filed, signing
from mlc_dagster.pipeline.closing.account_split import by_account, moved_to, of_postings
from mlc_dagster.pipeline.closing.figures import CompanyFigures
from mlc_dagster.pipeline.closing.gathering import Gathering
from mlc_dagster.pipeline.closing.month import Month
from mlc_dagster.pipeline.watching.conditions import Watch
from mlc_dagster.settings import Settings
from mlc_dagster.settings.alerts import AlertThresholds
from mlc_dagster.systems import configuration
from mlc_dagster.web.review.app import build
from mlc_dagster_tests.ledger.samples import saved
from mlc_dagster_tests.promises.journey import Journey, content_at, flow_of
from mlc_dagster_tests.promises.ledgered_room import Room, room_on
from mlc_dagster_tests.web.review.conftest import BASE, settings_with

PAYMENTS, PURCHASES = "ifs/vouchers_from_airbase_payments", "cin7/purchases"
RUN = Run("r1", "2026-11-05")


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(ledger_url, tmp_path) as made:
        yield made


def figures(room: Room, flow: str, month: str, company: str = "0010") -> tuple[Gathering, CompanyFigures]:
    named = flow_of(flow)
    client = Journey(named, room.settings, room.ledger, room.store, "close").client(named.target.system)
    gathering = Gathering(Month.of(month), room.settings, room.ledger, {named.target.system: client})
    (found,) = gathering.of([named], company)
    return gathering, found


def test_a_voucher_that_somebody_entered_a_second_time_is_named_and_counted_on_their_side_alone(room: Room) -> None:
    for number in (1, 2):
        room.box.airbase.add_entry(airbase_id=f"pay-{number}", total_amount="12.50", invoice_number=f"I-{number}")
    room.go(PAYMENTS)
    month = next(iter(room.ledger.close_rows.delivered(PAYMENTS))).content["voucher_date"][:7]
    room.look(PAYMENTS)
    _, before = figures(room, PAYMENTS, month)
    (flow,) = before.flows
    assert flow.delivered.number == 2 and not before.differences
    assert sum(each.ours for each in flow.sums.values()) == sum(each.theirs for each in flow.sums.values())
    assert all(account for account, _ in flow.sums), "each debit stands on its account"

    one = room.box.ifs.rows("VoucherSet")[0]
    lines = {name: [{**row, "VoucherNo": 7777} for row in each] for name, each in one.items() if isinstance(each, list)}
    room.box.ifs.put("VoucherSet", {**one, **lines, "VoucherNo": 7777})
    room.look(PAYMENTS)
    _, after = figures(room, PAYMENTS, month)
    (flow,) = after.flows
    (named,) = after.differences
    assert (named.kind, named.key) == ("extra_in_the_target", "pay-1") and "7777" in named.field + named.theirs
    assert sum(each.theirs - each.ours for each in flow.sums.values()) == Decimal("12.50") == Decimal(named.amount)
    assert after.fingerprint != before.fingerprint


# --- sums -------------------------------------------------------------------------------------------------------------

DECIMALS = {"SEK": 2, "EUR": 2, "JPY": 0, "KWD": 3}


@pytest.fixture
def commands(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content_at("http://127.0.0.1:9")))
    monkeypatch.setenv("MLC_CONFIG", str(tmp_path / "mlc.yaml"))
    monkeypatch.setenv("MLC_DATABASE_URL", ledger_url)


def test_sums_of_causes_items_export_lists_alerts_and_close_are_equal_by_currency(
    ledger: Ledger, commands: None
) -> None:
    """Twenty seeds, each on top of those before it."""
    settings = configuration.parse(content_at("http://127.0.0.1:9"), "mlc.yaml")
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for seed in range(20):
        dice = random.Random(seed)
        for number in range(dice.randint(1, 12)):
            currency = dice.choice(sorted(DECIMALS))
            amount = Decimal(dice.randint(-(10**12), 10**12)).scaleb(-DECIMALS[currency])
            _open(ledger, f"K{seed}-{number}", amount, currency, dice)
            expected[currency] += amount
        _equal_everywhere(ledger, settings, expected)


def _equal_everywhere(ledger: Ledger, settings: Settings, expected: dict[str, Decimal]) -> None:
    asked = ledger.open_items
    assert summed(asked.causes()) == expected
    assert _by_currency((each.currency, each.amount) for each in asked.items(Wanted(), limit=1000)) == expected
    assert _exported(ledger) == expected
    assert _listed("open") == expected
    held, differing = _listed("holds", "list"), summed(asked.causes(Wanted(differs=True)))
    assert {name: held.get(name, 0) + differing.get(name, 0) for name in held | differing} == expected
    assert _alerted(ledger) == expected
    gathering = Gathering(Month.of("2026-11"), settings, ledger, {})
    found = gathering.of([flow_of(PURCHASES)])
    both = [
        each
        for company in found
        for flow in company.flows
        for counted in (flow.held, flow.differing)
        for each in counted.amounts.items()
    ]
    assert _by_currency((currency, str(amount)) for currency, amount in both) == expected
    told: list[tuple[str, str]] = []
    for company in found:
        closed = signing.keep(gathering, company, RUN)
        rows = csv.DictReader(io.StringIO(filed.tables(closed)["figures"]))
        mine = [(row["currency"], row["amount"]) for row in rows if row["what"] in ("held", "differing")]
        page = filed.page(closed)
        assert all(f"{Decimal(amount):,f} {currency}" in page for currency, amount in mine if amount)
        told += [each for each in mine if each[1]]
    assert _by_currency(told) == expected


def _exported(ledger: Ledger) -> dict[str, Decimal]:
    """By the page's CSV."""
    browser = TestClient(build(settings_with(), ledger), base_url=BASE, follow_redirects=False)
    token = ledger.users.add("auditor", [("audit", "*")], 1)
    assert browser.post("/sign-in", data={"name": "auditor", "token": token, "next": "/"}).status_code == 303
    text = browser.get("/export.csv").content.decode("utf-8-sig")
    return _by_currency((row["currency"], row["amount"]) for row in csv.DictReader(io.StringIO(text)))


def _listed(*words: str) -> dict[str, Decimal]:
    """By the shell."""
    answer = CliRunner().invoke(app, [*words, "--json"])
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    by_cause = [each for cause in told["causes"] for each in cause["amounts"].items()]
    assert _by_currency(by_cause) == _by_currency(told["totals"]["amounts"].items())
    return _by_currency(told["totals"]["amounts"].items())


def _alerted(ledger: Ledger) -> dict[str, Decimal]:
    """By the words of the messages, one for a cause."""
    limits = AlertThresholds(open_amounts=dict.fromkeys(DECIMALS, Decimal(0)))
    alerts = Watch(ledger, [flow_of(PURCHASES)], limits, ledger.looks.now()).alerts()
    told = [each.text.partition(": ")[2] for each in alerts if each.kind == "open_amount"]
    return _by_currency(tuple(reversed(sum_.split())) for text in told for sum_ in text.split(", "))


def _open(ledger: Ledger, key: str, amount: Decimal, currency: str, dice: random.Random) -> None:
    if dice.random() < 0.5:
        problem = Problem("gl_accounts_exist", "no such account", dice.choice(("4O10", "4999")))
        row = {"company": "0010", "total_amount": f"{amount:f}", "currency_code": currency, "order_date": "2026-11-04"}
        ledger.hold(PURCHASES, [Held(key, "v1", (problem,), row, "2026-11-05")], run=RUN)
    else:
        found = Found(key, "extra_in_the_target", "total", None, "x", f"{amount:f}", currency)
        ledger.differences.see(PURCHASES, [found])


def _by_currency(rows: object) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in rows:  # type: ignore[attr-defined]
        found[currency] += Decimal(amount)
    return {currency: total for currency, total in found.items() if currency}


# --- whose it is, and when --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flow, sent",
    [
        (PURCHASES, {"company": "0010", "supplier_no": "4711"}),
        ("hubspot/invoices", {"company": "0010"}),
        ("hubspot/supplier_companies", {"company_code": "0010"}),
        ("airbase/purchase_orders", {"company": "0010"}),
        (PAYMENTS, {"company": "0010"}),
        ("monday/invoices", {"cells": [{"field": "company", "values": ["0010"]}]}),
        ("monday/purchase_orders", {"cells": [], "company": "0010"}),  # no column of the board has it
    ],
)
def test_a_difference_knows_its_company_in_every_flow(flow: str, sent: dict[str, object], ledger: Ledger) -> None:
    one = Ready("K1", "2026-11-05T10:00:00.000000Z", "f1", sent)  # type: ignore[arg-type]
    ledger.begin(flow, [(one, None)], run=RUN)
    ledger.finish(flow, [saved(one)], run=RUN)
    ledger.differences.see(flow, [Found("K1", "edited_in_the_target", "total", "1", "2", "1.000", "KWD")])
    assert [each.company for each in ledger.differences.open(flow)] == ["0010"]
    assert [each.cause.company for each in ledger.open_items.causes()] == ["0010"]


def test_a_company_in_sydney_closes_its_month_by_its_own_clock(sqlite_ledger: Ledger) -> None:
    content = content_at("http://127.0.0.1:9")
    content["companies"]["0010"]["time_zone"] = "Australia/Sydney"
    gathering = Gathering(Month.of("2026-11"), configuration.parse(content, "mlc.yaml"), sqlite_ledger, {})
    assert gathering.month.ends_at(gathering.zone("0010")) == datetime(2026, 11, 30, 13, tzinfo=UTC)
    assert gathering.month.ends_at(gathering.zone("0099")) == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "partition", "months"),
    [
        ("2026-10-31T12:59:59.000000Z", "2026-10-31", ["2026-10"]),  # 23:59:59 in Sydney, still October
        ("2026-10-31T13:00:00.000000Z", "2026-10-31", ["2026-11"]),  # midnight there
        ("2026-11-30T13:00:00.000000Z", "2026-11-30", ["2026-12"]),
        ("", "2026-11-30", ["2026-11"]),  # its source does not say when: the day that it was read from
    ],
)
def test_what_is_held_and_has_no_date_is_of_the_month_of_the_companys_own_clock(
    changed: str, partition: str, months: list[str], ledger: Ledger
) -> None:
    content = content_at("http://127.0.0.1:9")
    content["companies"]["0010"]["time_zone"] = "Australia/Sydney"
    settings = configuration.parse(content, "mlc.yaml")
    held = Held("S1", changed, (Problem("rule", "why"),), {"supplier_id": "S1", "company": "0010"}, partition)
    ledger.hold("cin7/suppliers", [held], run=Run("r1", partition))

    def number(month: str) -> int:
        found = Gathering(Month.of(month), settings, ledger, {}).of([flow_of("cin7/suppliers")], "0010")
        return sum(flow.held.number for each in found for flow in each.flows)

    assert [month for month in ("2026-10", "2026-11", "2026-12") if number(month)] == months


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_a_document_is_split_by_the_accounts_of_its_rows_and_what_is_on_none_is_the_rest() -> None:
    rows = {
        "AdditionalCharges[1].Account": "4010",
        "AdditionalCharges[1].Price": Decimal("33.335"),
        "AdditionalCharges[1].Quantity": Decimal(3),
        "AdditionalCharges[1].Discount": Decimal(10),
        "Lines[a.b].Account": "5010",
        "Lines[a.b].Price": Decimal(7),
        "Lines[a.b].Quantity": Decimal(1),
    }
    assert by_account(rows, Decimal("100.00"), 2) == {
        "4010": Decimal("90.00"), "5010": Decimal("7.00"), "": Decimal("3.00")
    }  # fmt: skip


def test_a_journal_entry_is_split_by_its_debits_and_what_came_since_is_on_no_account_we_know() -> None:
    lines = [{"account": "6010", "debit_amount": "10.00"}, {"account": "2440", "credit_amount": "10.00"}]
    parts = of_postings({"lines": lines}, Decimal("10.00"))
    assert parts == {"6010": Decimal("10.00")}
    assert moved_to(parts, Decimal("10.01")) == {"6010": Decimal("10.00"), "": Decimal("0.01")}


def test_a_month_ends_with_its_last_day() -> None:
    assert Month.of("2028-02").last == date(2028, 2, 29)
    assert Month.of("2026-12").ends_at().isoformat() == "2027-01-01T00:00:00+00:00"


def test_a_month_opens_its_own_documents_alone_and_none_that_may_be_of_it_is_left_out(room: Room) -> None:
    from datetime import date

    from sqlalchemy import delete, update

    from mlc_dagster.ledger.tables import contents

    ledger = room.ledger
    for key in ("own", "other", "older release", "erased", "erased elsewhere", "undated"):
        told = {"order_date": "2026-10-31" if key == "other" else "2026-11-05"}
        record = {} if key in ("undated", "erased elsewhere") else told
        version = "2026-09-05T10:00:00.000000Z" if key == "erased elsewhere" else "2026-11-05T10:00:00.000000Z"
        one = Ready(key, version, f"content of {key}", record)
        ledger.begin(PURCHASES, [(one, None)], run=RUN)
        ledger.finish(PURCHASES, [saved(one)], run=RUN)
    with ledger._database.writing() as connection:
        old, erased = contents.c.key == "older release", contents.c.key.startswith("erased")
        connection.execute(update(contents).where(old).values(dated=None))
        connection.execute(delete(contents).where(erased))
    rows = ledger.close_rows.delivered(PURCHASES, date(2026, 11, 1), date(2026, 11, 30))
    assert [row.key for row in rows] == ["erased", "older release", "own", "undated"]
    assert len(list(ledger.close_rows.delivered(PURCHASES))) == 6


def test_the_link_of_a_figure_leads_to_as_many_items_and_as_much_money(room: Room) -> None:
    from mlc_dagster.web.review.filters import wanted

    ledger, problem = room.ledger, (Problem("amounts_add_up", "they do not", ""),)
    for key, told, day in (
        ("H1", {"order_date": "2026-11-05"}, "2026-10-31"),
        ("H2", {"order_date": "2026-10-31"}, "2026-11-05"),
        ("H3", {}, "2026-11-06"),
        ("H4", {}, "2026-10-06"),
        ("H5", {}, "0010"),
    ):
        row = {"company": "0010", "gross_amount": "10.10", "currency_code": "SEK", **told}
        ledger.hold(PURCHASES, [Held(key, "v", problem, row, day, "c")], run=Run("r1", day))
    for number, (day, version) in enumerate(
        [("2026-11-05", "2026-10-01"), ("2026-10-31", "2026-11-01"), ("", "2026-11-30"), ("", "2026-10-05")]
    ):
        record = {"company": "0010", **({"order_date": day} if day else {})}
        one = Ready(f"D{number}", f"{version}T10:00:00.000000Z", f"content {number}", record)
        ledger.begin(PURCHASES, [(one, None)], run=RUN)
        ledger.finish(PURCHASES, [saved(one)], run=RUN)
    found = [Found(f"D{number}", "gone_in_the_source", amount="3.03", currency="SEK") for number in range(4)]
    ledger.differences.see(PURCHASES, found)
    (figure,) = next(
        one.flows for one in Gathering(Month.of("2026-11"), room.settings, ledger, {}).of([flow_of(PURCHASES)], "0010")
    )
    for kind, counted in (("hold", figure.held), ("difference", figure.differing)):
        query = {"company": "0010", "flow": PURCHASES, "kind": kind, "month": "2026-11"}
        linked = ledger.open_items.totals(wanted(query, None, {}))
        assert (linked.items, linked.amounts) == (counted.number, dict(counted.amounts)), kind
        assert counted.number == (3 if kind == "hold" else 2)
