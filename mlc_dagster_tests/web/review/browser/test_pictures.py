"""The pictures of the page in README and docs: `MLC_PICTURES=docs/pictures pytest <this file>` makes them anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from mlc_dagster.ledger.tables import differences, holds
from mlc_dagster.settings.review import ReviewSettings, TwoPeople
from mlc_dagster_tests.cli.test_close import off_by_a_cent
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.orchestration.conftest import world as world
from mlc_dagster_tests.web.review.browser.conftest import Served, text
from mlc_dagster_tests.web.review.browser.test_decisions import decide
from mlc_dagster_tests.web.review.browser.test_world import Beside
from mlc_dagster_tests.web.review.browser.test_world import beside as beside

pytestmark = pytest.mark.slow
LARGEST = 150_000  # bytes
SIZE = {"width": 1180, "height": 680}


def a_month(world: World) -> None:
    """Orders that are delivered, and some that are not."""
    world.chart()
    world.put_supplier("S1", Name="Nordic Timber AB")
    for number, price in (
        ("P100288", "18200.00"),
        ("P100290", "960.50"),
        ("P100301", "4410.00"),
        ("P100305", "720.25"),
    ):
        world.put_order(number, price=price)
    for number, price in (("P100311", "206450.00"), ("P100298", "90000.00"), ("P100307", "12840.00")):
        world.put_order(number, account="4O10", price=price)
    world.put_order("P100314", VendorNo="S9", price="6150.00")
    world.put_order("P100316", ObjState="Stopped", price="31000.00")
    world.put_order("P100317", ObjState="Stopped", price="2600.00")
    assert world.run("cin7").success
    assert world.run("cin7_verified", "2026-11-04", "2026-11-05").success
    off_by_a_cent(world, "P100305")
    world.run("cin7_verified", "2026-11-04", "2026-11-05")
    for flow in world.ledger.loads.latest():
        world.ledger.loads.ended(flow, "2026-11-05", "run")
    world.ledger.loads.sensors_look()


def aged(world: World) -> None:
    """As if it had come over some days."""
    now = datetime.now(UTC)
    for number, hold in enumerate(world.ledger.open_holds()):
        at = now - timedelta(days=9 - number, hours=2 * number)
        with world.ledger._database.writing() as connection:
            connection.execute(update(holds).where(holds.c.id == hold.id).values(opened_at=at, owner="team:ap"))
    with world.ledger._database.writing() as connection:
        connection.execute(update(differences).values(first_seen=now - timedelta(hours=20)))


def test_pictures_are_made_and_small(
    world: World, serving: Callable[..., Served], beside: Beside, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("MLC_PICTURES", tmp_path))
    beside(a_month, world)
    beside(aged, world)
    policies = world.settings.policies.model_copy(update={"two_people": TwoPeople(limits={"SEK": 50_000})})
    review = ReviewSettings(port=0, title="ACME production")
    at = serving(world.ledger, world.settings.model_copy(update={"review": review, "policies": policies}))
    page = at.sign_in("kari", viewport=SIZE)
    made = [taken(page, folder, "causes")]
    page.goto(at.address + "/record/cin7/purchases?key=P100316")
    page.get_by_label("Note").fill("the buyer has stopped it by mistake, he starts it again today")
    page.get_by_role("button", name="Note").click()
    page.goto(at.address + "/record/cin7/purchases?key=P100316")
    made.append(taken(page, folder, "record"))
    decide(page, "Release", "agreed with the buyer, ticket 4711", "Propose: Release")
    other = at.sign_in("ola", path="/approvals", viewport=SIZE)
    made.append(taken(other, folder, "approvals"))
    page.goto(at.address + "/close/2026-11/0010")
    made.append(taken(page, folder, "close"))
    assert all(1_000 < path.stat().st_size < LARGEST for path in made)


def taken(page: Any, folder: Path, name: str) -> Path:
    assert "The page broke" not in text(page)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    height = page.evaluate(
        "() => Math.ceil(document.querySelector('main > :last-child').getBoundingClientRect().bottom)"
    )
    page.screenshot(
        path=path, clip={"x": 0, "y": 0, "width": SIZE["width"], "height": min(SIZE["height"], height + 24)}
    )
    return path
