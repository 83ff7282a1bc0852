"""Ten open items are solved by the keyboard alone, and again with the script switched off. Section 12, 2."""

from __future__ import annotations

from typing import Any

import pytest

from mlc_dagster_tests.web.review.browser.conftest import text
from mlc_dagster_tests.web.review.conftest import FLOW, REASON, hold

pytestmark = pytest.mark.slow
FOCUS = """() => { const at = document.activeElement;
    return at === document.body ? '' : at.tagName + ' ' + at.textContent.trim().slice(0, 40); }"""


def ten(ledger: Any) -> list[str]:
    keys = [f"P{number}" for number in range(10)]
    for key in keys:
        hold(ledger, key, rule="period_is_open")
    return keys


def focused(page: Any) -> str:
    found: str = page.evaluate(FOCUS)
    assert found, "focus is lost"
    return found


def tab_to(page: Any, name: str, most: int = 120) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if name in focused(page):
            return
    raise AssertionError(f"no Tab leads to {name}")


def test_ten_are_solved_by_keys(served, ledger):
    keys = ten(ledger)
    at = served()
    page = at.sign_in()
    page.keyboard.press("j")
    assert "closed period" in focused(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/items?*")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("input:checked").count() == 1 and focused(page).startswith("A ")
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    page.wait_for_url("**/record/**")
    for number in range(10):
        page.keyboard.press("d")
        assert focused(page).startswith("TEXTAREA")
        page.keyboard.type(REASON)
        page.keyboard.press("Tab")
        assert focused(page) == "BUTTON Release"
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert "Released: taken up by the next run" in text(page)
        if number < 9:
            assert focused(page) == "A The next item", "after an action focus is at what comes next"
            with page.expect_navigation():
                page.keyboard.press("Enter")
    assert ledger.open_holds() == [] and len(ledger.decisions.of(FLOW, keys)) == 10
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url(at.address + "/")
    assert "Open: 0 items" in text(page)
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/approvals")
    page.keyboard.press("/")
    assert focused(page).startswith("INPUT")


def test_without_the_script_the_same_ten_are_solved_by_tab_and_enter(served, ledger):
    keys = ten(ledger)
    page = served().sign_in(java_script_enabled=False)
    page.goto(page.url + "items")
    page.get_by_role("link", name="P0", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/record/**")
    for number in range(10):
        summary = page.locator("summary", has_text="Discard...")
        summary.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type(REASON)
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert "Discarded: it is never sent" in text(page)
        if number < 9:
            assert page.locator("a[rel=next]:focus").count() == 1
            with page.expect_navigation():
                page.keyboard.press("Enter")
    assert ledger.open_holds() == [] and len(ledger.decisions.of(FLOW, keys)) == 10


def test_every_control_is_reached_by_tab_in_the_order_of_the_page(served, ledger):
    hold(ledger, "P1", rule="period_is_open")
    page = served().sign_in()
    page.keyboard.press("Tab")
    assert focused(page) == "A To the content"
    for name in ("Search", "kari", "Sign out", "Causes", "Close", "Filter", "closed period", "Copy request"):
        tab_to(page, name)
