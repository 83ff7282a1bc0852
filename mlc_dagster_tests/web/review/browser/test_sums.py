"""One figure everywhere: causes, items, export, `mlc holds list`, alert and close, to the cent. Section 12, 13."""

import csv
import io
import json
import random
import re
import zipfile
from collections import defaultdict
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.amounts import currency_decimals
from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.entries import Held
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.pipeline.watching.conditions import Watch
from mlc_dagster.settings.alerts import AlertThresholds
from mlc_dagster_tests.conftest import copied
from mlc_dagster_tests.web.review.conftest import FLOW, INVOICES, RUN, settings_with

pytestmark = pytest.mark.slow
CURRENCIES = ("SEK", "EUR", "JPY", "KWD", "TND", "CLP")
RULES = ("gl_accounts_exist", "period_is_open", "supplier_is_delivered", "amounts_add_up")


def amount(dice, currency):
    most = dice.choice((10, 10_000, 10**9, 10**13))
    return Decimal(dice.randint(-most, most)).scaleb(-currency_decimals(currency, None))


def filled(ledger, dice):
    """Holds of November, and differences; (holds, differences) by currency, summed here by hand."""
    holds, differences = defaultdict(Decimal), defaultdict(Decimal)
    for number in range(dice.randint(20, 120)):
        currency = dice.choice(CURRENCIES)
        worth = amount(dice, currency)
        flow, rule = dice.choice((FLOW, INVOICES)), dice.choice(RULES)
        row = {"company": "20", "vendor_no": "4711", "gross_amount": f"{worth:f}", "currency_code": currency}
        row |= {"invoice_date": "2026-11-05", "order_date": "2026-11-05"}
        problem = Problem(rule, "see", dice.choice(("4O10", "4711", "")))
        ledger.hold(flow, [Held(f"K{number}", "", (problem,), row, "2026-11-05", f"c{number}")], run=RUN)
        holds[currency] += worth
    for number in range(dice.randint(0, 20)):
        currency = dice.choice(CURRENCIES)
        worth = amount(dice, currency)
        found = Found(f"D{number}", "gone_in_the_source", amount=f"{worth:f}", currency=currency)
        ledger.differences.see(FLOW, [found])
        differences[currency] += worth
    return dict(holds), dict(differences)


def numbers(sums):
    return {currency: Decimal(text) for currency, text in sums.items() if Decimal(text)}


def nonzero(sums):
    return {currency: number for currency, number in sums.items() if number}


def added(*many):
    total = defaultdict(Decimal)
    for sums in many:
        for currency, number in sums.items():
            total[currency] += number
    return nonzero(total)


def of_causes(page, at):
    told = page.request.get(at.address + "/", headers={"accept": "application/json"}).json()
    assert numbers(told["sums"]) == added(
        *({c: Decimal(a) for c, a in one["amounts"].items()} for one in told["causes"])
    )
    return numbers(told["sums"])


def as_shown(page, at, path):
    """What a person reads at the top: each sum is one element with its exact number."""
    page.goto(at.address + path)
    found = {}
    for each in page.locator(".headed .sum").all():
        words, value = each.inner_text(), each.get_attribute("value")
        shown, _, currency = words.rpartition(" ")
        assert Decimal(shown.replace(",", "")) == Decimal(value), words
        found[currency] = Decimal(value)
    return nonzero(found)


def of_items(page, at):
    path, total, seen = "/items", defaultdict(Decimal), 0
    while path:
        told = page.request.get(at.address + path, headers={"accept": "application/json"}).json()
        for one in told["items"]:
            total[one["currency"]] += Decimal(one["amount"])
            seen += 1
        assert numbers(told["sums"]) is not None
        path, count = told["next"], told["count"]
    assert seen == count
    return nonzero(total)


def of_csv(page, at):
    body = page.request.get(at.address + "/export.csv").body().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(body, newline="")))
    return added(*({row["currency"]: Decimal(row["amount"])} for row in rows))


def of_workbook(page, at):
    body = page.request.get(at.address + "/export.xlsx").body()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    rows = [["".join(cell.itertext()) for cell in row.findall(f"{main}c")] for row in sheet.iter(f"{main}row")]
    named = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    return added(*({row["currency"]: Decimal(row["amount"])} for row in named))


def of_shell(url, monkeypatch):
    monkeypatch.setenv("MLC_DATABASE_URL", url)
    answer = CliRunner().invoke(app, ["holds", "list", "--json", "--limit", "500"])
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def of_alerts(ledger):
    limits = AlertThresholds(open_amounts=dict.fromkeys(CURRENCIES, Decimal(0)))
    told = [one for one in Watch(ledger, (), limits, ledger.looks.now()).alerts() if one.kind == "open_amount"]
    found = [re.findall(r"(-?[\d.]+) ([A-Z]{3})\b", one.text.partition(": ")[2]) for one in told]
    return added(*({currency: Decimal(number)} for sums in found for number, currency in sums))


def of_close(page, at, what):
    told = page.request.get(at.address + "/close/2026-11", headers={"accept": "application/json"}).json()
    amounts = [flow[what]["amounts"] for one in told["companies"] for flow in one["flows"]]
    return added(*(numbers(each) for each in amounts))


@pytest.mark.parametrize("seed", range(20))
def test_every_place_tells_the_same_sums_to_the_last_digit(serving, sqlite_url, migrated, seed, monkeypatch):
    expect_the_same(serving, copied(migrated, sqlite_url), seed, monkeypatch)


@pytest.mark.parametrize("seed", range(3))
def test_and_so_on_postgresql(serving, postgres_url, seed, monkeypatch):
    expect_the_same(serving, postgres_url, seed, monkeypatch)


def expect_the_same(serving, url, seed, monkeypatch):
    with Ledger.open(url) as ledger:
        holds, differences = filled(ledger, random.Random(seed))
        expected = added(holds, differences)
        at = serving(ledger, settings_with())
        page = at.sign_in()
        assert of_causes(page, at) == expected
        assert as_shown(page, at, "/") == expected == as_shown(page, at, "/items")
        assert of_items(page, at) == expected == of_csv(page, at)
        assert of_workbook(page, at) == expected == of_alerts(ledger)
        shell = of_shell(url, monkeypatch)
        assert numbers(shell["totals"]["amounts"]) == nonzero(holds)
        assert of_close(page, at, "held") == nonzero(holds)
        assert of_close(page, at, "differing") == nonzero(differences)
