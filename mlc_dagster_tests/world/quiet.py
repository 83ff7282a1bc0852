"""What must be true when it is quiet: nothing doubled, nothing lost, nothing silently otherwise, all of it told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from mlc_dagster_tests.promises.later_life import World
from mlc_dagster_tests.world.deeds import People, marker

SUPPLIERS, PURCHASES = "cin7/suppliers", "cin7/purchases"
COMPANIES, INVOICES = "hubspot/supplier_companies", "hubspot/invoices"
FLOWS = (SUPPLIERS, PURCHASES, COMPANIES, INVOICES)
DEAD = ("Cancelled",)


def faults(world: World) -> list[str]:
    """A sentence for each thing that is not as it must be."""
    with world.box.lock:
        return [*_doubled(world), *_orders(world), *_invoices(world), *_companies(world), *_told(world)]


def _doubled(world: World) -> Iterator[str]:
    live = [marker(each) for each in People(world.box).purchases()]
    yield from (f"cin7: {many} purchases for {key}" for key, many in Counter(live).items() if many > 1)
    for kind in ("companies", "invoices"):
        keys = [row["properties"].get("ifs_external_key") for row in world.box.hubspot.live(kind).values()]
        yield from (f"hubspot: {many} {kind} for {key}" for key, many in Counter(keys).items() if key and many > 1)


def _excused(world: World, flow: str) -> dict[str, list[str]]:
    """Key -> the holds and differences that are open: it is told that both sides are not alike."""
    found: dict[str, list[str]] = {}
    for hold in world.ledger.open_holds(flow, limit=None):
        found.setdefault(hold.key, []).append(f"hold {','.join(hold.rules)}")
    for one in world.ledger.differences.open(flow, limit=None):
        found.setdefault(one.key, []).append(f"difference {one.kind} {one.field}")
    return found


def _alike(
    flow: str, source: dict[str, Decimal], target: dict[str, Decimal], dead: set[str], told: dict[str, list[str]]
) -> Iterator[str]:
    """Each record of either side: there on both and equal, or told."""
    for key in sorted({*source, *target}):
        here, there = source.get(key), target.get(key)
        is_alike = here == there and key not in dead
        never_sent = there is None and (here is None or key in dead)
        if not (is_alike or never_sent or told.get(key)):
            state = " (cancelled)" if key in dead else ""
            yield f"{flow} {key}: the source has {here}{state}, the target {there}, and nothing is told"


def _orders(world: World) -> Iterator[str]:
    rows = world.box.ifs.rows("PurchaseOrderSet")
    source = {row["OrderNo"]: Decimal(row["TotalAmount"]) for row in rows}
    dead = {row["OrderNo"] for row in rows if row["ObjState"] in DEAD}
    target = {marker(each): Decimal(str(each["Order"]["Total"])) for each in People(world.box).purchases()}
    yield from _alike(PURCHASES, source, target, dead, _excused(world, PURCHASES))


def _invoices(world: World) -> Iterator[str]:
    rows = world.box.ifs.rows("PostingProposalHeadSet")
    source = {f"{row['Company']}/{row['ProposalId']}": Decimal(row["GrossAmount"]) for row in rows}
    target = {}
    for row in world.box.hubspot.live("invoices").values():
        key = str(row["properties"].get("ifs_external_key") or "").removeprefix("INVOICE/")
        target[key] = _money(row["properties"].get("hs_amount_billed"))
    yield from _alike(INVOICES, source, target, set(), _excused(world, INVOICES))


def _companies(world: World) -> Iterator[str]:
    """By their names: a company without an amount."""
    told = _excused(world, COMPANIES)
    rows = {row["SupplierId"]: row["Name"] for row in world.box.ifs.rows("SupplierSet")}
    live = world.box.hubspot.live("companies").values()
    there = {row["properties"].get("ifs_number"): row["properties"].get("name") for row in live}
    for key in sorted({*rows, *filter(None, there)}):
        if rows.get(key) != there.get(key) and not told.get(key):
            yield f"{COMPANIES} {key}: the ERP has {rows.get(key)}, HubSpot {there.get(key)}, and nothing is told"


def _money(value: Any) -> Decimal:
    return Decimal(str(value or 0))


def _told(world: World) -> Iterator[str]:
    """The trail is whole, and tells of every row that stands beside it."""
    yield from (f"trail: {fault}" for fault in world.ledger.history.verify())
    yield from (f"beside the trail: {one.flow} {one.key} {one.what}" for one in world.ledger.audit.differing())
