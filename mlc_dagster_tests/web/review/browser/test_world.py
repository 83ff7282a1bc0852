"""The page beside real loads: the sandbox, Dagster's runs and sensors, and a browser that is left alone meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mlc_dagster.ledger import Run
from mlc_dagster.settings.review import ReviewSettings
from mlc_dagster_tests.cli.test_close import later, off_by_a_cent
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.orchestration.conftest import world as world
from mlc_dagster_tests.orchestration.test_healing import PURCHASES, carry_out, tick
from mlc_dagster_tests.orchestration.test_stock import shown
from mlc_dagster_tests.web.review.browser.conftest import Served, text
from mlc_dagster_tests.web.review.browser.test_decisions import decide
from mlc_dagster_tests.web.review.conftest import REASON

pytestmark = pytest.mark.slow
Beside = Callable[..., Any]


@pytest.fixture
def beside() -> Iterator[Beside]:
    """Dagster in a thread of its own: the browser's loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda call, *args, **more: pool.submit(call, *args, **more).result(300)


@pytest.fixture
def at(world: World, serving: Callable[..., Served]) -> Served:
    settings = world.settings.model_copy(update={"review": ReviewSettings(port=0, title="ACME production")})
    return serving(world.ledger, settings)


def ten_held(world: World) -> None:
    """By four causes: 4 for an account, 3 for a supplier, 2 that are stopped, 1 in another currency."""
    world.chart()
    for number in range(4):
        world.put_order(f"A{number}", account="4711")
    for number in range(3):
        world.put_order(f"S{number}", VendorNo="S9")
    for number in range(2):
        world.put_order(f"T{number}", ObjState="Stopped")
    world.put_order("C0", CurrencyCode="EUR")
    assert world.run("cin7").success and world.order_markers() == []


def test_ten_holds_are_four_causes_and_one_that_is_cured_goes_by_itself(
    world: World, at: Served, beside: Beside
) -> None:
    """Section 12, 1."""
    beside(ten_held, world)
    page = at.sign_in()
    told = text(page)
    assert "Open: 10 items of 4 causes" in told and "189.00 SEK" in told and "21.00 EUR" in told
    rows = {row.locator(".headline").inner_text(): row for row in page.locator("tr[data-row]").all()}
    account = next(row for name, row in rows.items() if '"4711"' in name)
    assert "84.00 SEK" in account.inner_text() and "4 in 1 flow" in account.inner_text()
    for row in rows.values():
        cells = row.locator("td").all_inner_texts()
        assert "Fix:" in row.inner_text() and all(cells), "each has number, sum, oldest, who and owner"

    page.evaluate("() => { window.never = 'loaded again' }")
    beside(cure, world)
    page.get_by_text("Open: 6 items of 3 causes").wait_for(timeout=60_000)
    assert '"4711"' not in text(page) and page.evaluate("() => window.never") == "loaded again"
    ticked = beside(tick, world, sensor="checks_follow_the_stock")
    assert ticked is not None and shown(world) is True
    assert world.order_markers() == [f"0010/A{number}" for number in range(4)]


def cure(world: World) -> None:
    world.put_account("4711")
    world.box.cin7.add_account("4711", "Services")
    world.chart()
    for request in tick(world).run_requests:
        assert carry_out(world, request).success


def test_a_release_that_a_run_took_says_so_and_offers_what_is_left(world: World, at: Served, beside: Beside) -> None:
    """Section 12, 7, its last third."""
    beside(ten_held, world)
    page = at.sign_in(path="/record/cin7/purchases?key=T0")
    decide(page, "Release")
    assert "Not taken up yet" in text(page)

    def taken() -> None:
        for request in tick(world).run_requests:
            carry_out(world, request)

    beside(taken)
    assert world.order_markers() == ["0010/T0"]
    page.reload()
    told = text(page)
    assert "It cannot be taken back any more: a run has taken it up" in told and "What is left:" in told
    assert "PO-" in told, "the document in the other system is named"


def test_a_difference_stays_through_runs_and_closes_when_both_sides_are_equal(
    world: World, at: Served, beside: Beside
) -> None:
    """Section 12, 8."""
    beside(deliver, world)
    beside(edited_and_looked_at, world)
    page = at.sign_in(path="/items?kind=difference")
    before = page.locator("tr[data-row]").count()
    assert before and "P3" in text(page)
    for _ in range(3):
        assert beside(world.run, "cin7").success
        page.reload()
        assert page.locator("tr[data-row]").count() == before, "an unchanged load closes no difference"
    beside(mended_and_looked_at, world)
    page.reload()
    assert "P3" not in page.locator("main").inner_text()
    page.goto(at.address + "/record/cin7/purchases?key=P3")
    assert "not open any more" in text(page) and "agrees" in text(page)


def deliver(world: World) -> None:
    for number in ("P1", "P2", "P3"):
        world.put_order(number)
    world.chart()
    assert world.run("cin7").success
    assert world.run("cin7_verified", "2026-11-04", "2026-11-05").success


def edited_and_looked_at(world: World) -> None:
    off_by_a_cent(world, "P3")
    world.run("cin7_verified", "2026-11-04", "2026-11-05")


def mended_and_looked_at(world: World) -> None:
    from datetime import UTC, datetime, timedelta
    from decimal import Decimal

    from mlc_dagster_tests.cli.test_close import of_key

    with world.box.lock:
        (purchase,) = of_key(world, "P3")
        (charge,) = purchase["Order"]["AdditionalCharges"]
        charge["Price"], charge["Quantity"] = Decimal("10.50"), Decimal(2)
        charge["Total"] = purchase["Order"]["TotalBeforeTax"] = purchase["Order"]["Total"] = Decimal("21.00")
        purchase["LastUpdatedDate"] = (datetime.now(UTC) + timedelta(seconds=4)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    world.run("cin7_verified", "2026-11-04", "2026-11-05")


def test_a_signature_is_void_as_soon_as_one_cent_changes(
    world: World, at: Served, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Section 12, 15."""
    beside(deliver, world)
    page = at.sign_in(path="/close/2026-11/0010")
    assert (
        "can be signed from 2026-12-01" in text(page)
        and page.get_by_role("button", name="Sign", exact=True).count() == 0
    )
    later(monkeypatch)
    page.reload()
    assert "63.00 SEK" in text(page) and "Not signed." in text(page)
    page.get_by_label("Why").fill(REASON)
    page.get_by_role("button", name="Sign", exact=True).click()
    assert "Signed by kari" in text(page)

    beside(edited_and_looked_at, world)
    page.reload()
    told = text(page)
    assert "VOID: kari signed on" in told and "63.00 -> 63.01" in told and "P3 differs" in told
    page.goto(at.address + "/close/2026-11")
    assert "void it was signed by kari; figures have changed since" in text(page)
    page.goto(at.address + "/close/2026-11/0010")
    page.get_by_label("Why").fill("the cent is asked for")
    page.get_by_role("button", name="Sign", exact=True).click()
    assert "Signed by kari" in text(page) and "Void since" in text(page) and "the cent is asked for" in text(page)
    printed(page)


def printed(page: Any) -> None:
    """On paper: what filter, who printed it, sums, chain head; no control; and as PDF on A4 portrait."""
    page.emulate_media(media="print")
    told = text(page)
    assert "printed by kari" in told and "63.01" in told and "Ends of the trails" in told and "cin7/purchases: " in told
    assert not page.locator("button:visible, nav:visible, header:visible").count()
    body = page.pdf(prefer_css_page_size=True)
    assert body.startswith(b"%PDF-") and b"/MediaBox [0 0 594" in body.replace(b"595", b"594")
    page.emulate_media(media="screen")


def test_a_release_that_is_withdrawn_between_prepare_and_load_is_not_sent(world: World, beside: Beside) -> None:
    """What is ready already is read again by its key, and judged anew, as long as it is on hold."""
    beside(ten_held, world)
    hold = next(one for one in world.ledger.open_holds(PURCHASES) if one.key == "T0")
    world.ledger.decisions.release(hold, "kari", REASON, Run("review", hold.partition))
    prepared, loaded = ["cin7/purchases_prepared"], [PURCHASES]
    assert beside(world.run, "cin7", only=prepared).success
    seen = world.ledger.taking_back.last(PURCHASES, "T0")
    assert seen is not None and not seen.why_not
    world.ledger.taking_back.take_back(PURCHASES, "T0", seen, ("ola", REASON), Run("review"))
    assert beside(world.run, "cin7", only=loaded).success
    assert world.order_markers() == []
    assert "T0" in {one.key for one in world.ledger.open_holds(PURCHASES)}
