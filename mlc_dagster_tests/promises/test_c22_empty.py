"""C22: a source that is suddenly empty, or nearly so, takes nothing away from anybody."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.orchestration.test_hubspot import with_hubspot
from mlc_dagster_tests.promises.days import begin, run

ROWS = 20
NOW = datetime.now(UTC).replace(microsecond=0)


def fill(world: World) -> None:
    for number in range(ROWS):
        world.put_supplier(f"S{number}")
        row = next(row for row in world.box.ifs.rows("SupplierSet") if row["SupplierId"] == f"S{number}")
        world.box.ifs.put("SupplierSet", row, modified=NOW)
        world.put_order(f"P{number}", at=NOW)


def thin_out(world: World, left: int) -> None:
    for number in range(left, ROWS):
        world.box.ifs.delete("SupplierSet", SupplierId=f"S{number}")
        world.box.ifs.delete("PurchaseOrderSet", OrderNo=f"P{number}")


def kept(world: World) -> dict[str, Any]:
    with world.box.lock:
        box = world.box
        return copy.deepcopy({"cin7": box.cin7.state(), "hubspot": box.hubspot.live("companies")})


@pytest.mark.promise(
    "C22", "nothing left, and 2 of 20 left, in a day that was loaded into Cin7 and HubSpot; nothing removed"
)
@pytest.mark.parametrize("left", [0, 2])
@pytest.mark.parametrize("target", ["cin7", "hubspot"])
def test_c22_a_source_that_shrinks_removes_and_archives_nothing(world: World, target: str, left: int) -> None:
    if target == "hubspot":
        with_hubspot(world)
    begin(world)
    fill(world)
    run(world, job=target)
    before, delivered = kept(world), len(world.ledger.remote_ids(f"{target}/{FLOW[target]}"))
    assert delivered >= ROWS
    world.box.forget_calls()
    thin_out(world, left)

    run(world, job=target)

    assert kept(world) == before
    assert world.box.journal(target) == []
    verbs = {method for method, path in world.box.calls(target) if "archive" in path or method == "DELETE"}
    assert verbs == set()
    assert len(world.ledger.remote_ids(f"{target}/{FLOW[target]}")) == delivered


FLOW = {"cin7": "suppliers", "hubspot": "supplier_companies"}
