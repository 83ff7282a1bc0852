"""Each screen by axe-core, in light, dark, on 360 px and at 400 %: nothing serious. Section 12, 11."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.looks import Remembered
from mlc_dagster.ledger.records.proposals import mark_of
from mlc_dagster.ledger.records.ways_back import Said
from mlc_dagster_tests.ledger.samples import deliver, ready
from mlc_dagster_tests.web.review.browser.conftest import csrf, text
from mlc_dagster_tests.web.review.conftest import FLOW, INVOICES, REASON, hold, path_of

pytestmark = pytest.mark.slow
TWO = {"two_people": {"limits": {"SEK": 500, "EUR": 100_000}}}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "360 px": {"viewport": {"width": 360, "height": 740}, "color_scheme": "light"},
    "400 %": {"viewport": {"width": 320, "height": 256}, "color_scheme": "dark"},  # 1280 x 1024 at four times the size
}
RUN_AXE = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})"
TOO_SMALL = """() => [...document.querySelectorAll('button, summary, input:not([type=hidden]), nav a, .button')]
    .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 24).map(each => each.outerHTML)"""


@pytest.fixture(scope="module")
def axe() -> str:
    package = pytest.importorskip("axe_playwright_python")
    return next(Path(package.__file__).parent.rglob("axe.min.js")).read_text("utf-8")


def filled(ledger: Any) -> None:
    """Something on each screen."""
    hold(ledger, "P1")
    hold(ledger, "P2", amount="600", rule="period_is_open")
    hold(ledger, "P3", rule="period_is_open")
    hold(ledger, "I1", amount="3", currency_code="EUR", flow=INVOICES, lines=[{"line_no": "1", "account": "4O10"}])
    hold(ledger, "G1", rule="guards_allow_it", amount="5")
    deliver(ledger, ready("P9"))
    ledger.differences.see(FLOW, [Found("P9", "edited_in_the_target", "total", "100", "90.50", "-9.50", "SEK")])
    ledger.looks.saw(FLOW, {"P9": Remembered({"total": Decimal(100)})}, ledger.looks.now())
    seen = ledger.differences.open(FLOW, "P9")
    ledger.explanations.explain(seen, date(2999, 12, 31), Said("kari", REASON))
    ledger.tags.put(ledger.open_items.of(FLOW, "P9"), ["urgent"])
    ledger.saved_filters.keep("kari", "mine", "company=20")
    ledger.action_requests.ask(FLOW, "P9", "restore", "", mark_of(*seen), ("kari, confirmed by ola", REASON))
    ledger.proposals.propose(FLOW, "P9", "relink", mark_of(*seen), "", ("kari", REASON), argument="x", shown={"a": "b"})
    ledger.work.ask(FLOW, ["2026-11-05"], "asked for")
    ledger.pauses.pause("cin7", "ola", "stock count")


@pytest.mark.parametrize("look", LOOKS)
def test_no_screen_has_a_serious_fault(served, ledger, axe, look):
    filled(ledger)
    at = served(TWO)
    page = at.sign_in(path=path_of("P2"), **LOOKS[look])
    page.get_by_text("Release...", exact=True).click()
    assert faults(page, axe) == [], "a record with an open form"
    page.locator("details[open] textarea").first.fill(REASON)
    page.get_by_role("button", name="Propose: Release").click()
    sent = {"csrf": csrf(page), "action": "discard", "all": "1"}
    chosen = page.request.post(at.address + "/items", form=sent, max_redirects=0).headers["location"]
    cause = ledger.open_items.causes()[0].cause.mark
    paths = (
        "/",
        "/?company=none",
        "/items",
        f"/items?cause={cause}",
        path_of("P9"),
        f"{path_of('P9')}&to=x",
        path_of("I1", INVOICES),
    )
    screens = (
        f"/stopped/{FLOW}",
        f"/stopped/{FLOW}?partition=2026-11-05",
        "/items?tag=urgent",
        "/approvals/1",
        "/approvals",
        "/due",
        "/decisions",
        "/close/2026-11",
        "/close/2026-11/20",
        "/me",
        chosen,
        "/nowhere",
    )
    for path in (*paths, *screens):
        page.goto(at.address + path)
        assert faults(page, axe) == [], path
        assert page.evaluate(TOO_SMALL) == [], path
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), f"{path}: sideways"
    page.goto(at.address + "/")
    if page.locator("#help").count():
        page.evaluate("() => document.getElementById('help').showModal()")
        assert faults(page, axe) == [], "help"
    outside = at.visitor(**LOOKS[look])
    outside.goto(at.address)
    assert faults(outside, axe) == [], "sign-in"
    at.complaints[:] = [line for line in at.complaints if "unload" not in line]


def faults(page: Any, axe: str) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate(RUN_AXE, TAGS)["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}" for each in serious for node in each["nodes"]
    ]


def test_single_keys_that_are_off_do_nothing(served, ledger):
    """Section 12, 11, its last words; and in a field they never act."""
    hold(ledger, "P1")
    page = served().sign_in()
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("gj?")
    assert page.get_by_label("Search key").input_value() == "gj?" and page.locator("dialog[open]").count() == 0
    page.get_by_role("link", name="kari").click()
    page.get_by_label("Single keys act").uncheck()
    page.get_by_role("button", name="Keep").click()
    before = page.url
    for key in ("?", "/", "j", "u", "d", "g", "c"):
        page.keyboard.press(key)
    assert page.url == before and page.locator("dialog[open]").count() == 0
    assert page.evaluate("() => document.activeElement.tagName") == "BODY"

    page.get_by_label("Single keys act").check()
    page.get_by_text("Keys: each its own").click()
    page.get_by_label("to the search").fill("s")
    page.get_by_role("button", name="Keep").click()
    page.keyboard.press("/")
    assert page.evaluate("() => document.activeElement.id") != "search"
    page.keyboard.press("s")
    assert page.evaluate("() => document.activeElement.id") == "search" and text(page)
