"""C33: a double that slipped through between the check and the first byte is told with both numbers within the hour."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster_tests.orchestration.conftest import QUIET, World, check
from mlc_dagster_tests.promises.seeds import seed

REPEATS = 20
SYSTEMS = ("ifs", "cin7", "monday", "procurify")
NAME = "no_duplicates"


@pytest.fixture
def net(world: World) -> World:
    """Everything on that takes a document twice; beside good documents of various ages."""
    box = world.box
    box.monday.add_board("1", "Purchase orders", {"IFS key": "text"})
    boards = {"purchase_orders": {"board": "1"}}
    more = {
        "monday": MondaySettings(base_url=f"{box.url}/monday", calls_per_day=100_000, boards=boards),  # type: ignore[arg-type]
        "procurify": ProcurifySettings(
            base_url=f"{box.url}/procurify", requests_per_second=100_000, vendor_writeback=True
        ),
        "airbase": AirbaseSettings(
            base_url=f"{box.url}/airbase", payments_into_ifs=True, types={"bill_payment": "payment"}
        ),
    }
    found = replace(world, settings=world.settings.model_copy(update=more))
    box.cin7.add_supplier(
        Name="Acme", Currency="SEK", PaymentTerm="30 days", AccountPayable="800", TaxRule="Tax Exempt", Status="Active"
    )
    for kind in KINDS:
        for number in range(30):
            KINDS[kind](found, f"good-{number}", ago(number))
    return found


def ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


def row(world: World, name: str, key: str, reference: str, at: datetime, **fields: object) -> str:
    number = len(world.box.ifs.rows(name)) + 1
    keys = {"Company": "0010", key: number, "ExternalRef": reference, "ObjState": "Open", **fields}
    world.box.ifs.put(name, keys, modified=at)
    return "/".join(str(value) for name, value in keys.items() if name in ("Company", *fields) or name == key)


def voucher(world: World, mark: str, at: datetime) -> str:
    row(world, "VoucherSet", "VoucherNo", f"airbase-payment-{mark}", at, VoucherType="M", AccountingYear=2026)
    return f"0010/M/2026/{len(world.box.ifs.rows('VoucherSet'))}"


def invoice(world: World, mark: str, at: datetime) -> str:
    return row(world, "SupplierInvoiceSet", "InvoiceId", f"procurify-bill-{mark}", at)


def proposal(world: World, mark: str, at: datetime) -> str:
    return row(world, "PostingProposalHeadSet", "ProposalId", f"procurify-po-{mark}", at)


def supplier(world: World, mark: str, at: datetime) -> str:
    number = f"S{len(world.box.ifs.rows('SupplierSet')) + 1}"
    made = {"SupplierId": number, "Name": f"Vendor {mark}", "Country": "SE", "CreationDate": f"{at:%Y-%m-%d}"}
    world.box.ifs.put("SupplierSet", made, modified=at)
    return number


def purchase(world: World, mark: str, at: datetime) -> str:
    (acme,) = world.box.cin7.suppliers
    note = f"IFS 0010/{mark}"
    charge = {"Quantity": 1, "Price": 120, "Discount": 0, "Tax": 0, "Total": 120, "TaxRule": "Tax Exempt"}
    lines = {"Lines": [], "AdditionalCharges": [{**charge, "Description": "Service"}]}
    order = {"CombineAdditionalCharges": False, **lines}
    made = world.box.cin7.add_purchase(at, SupplierID=acme, Note=note, Order=order)
    return str(world.box.cin7.purchases[made]["OrderNumber"])


def item(world: World, mark: str, at: datetime) -> str:
    return f"item {world.box.monday.add_item('1', f'Order {mark}', at, IFS_key=mark)}"


def vendor(world: World, mark: str, at: datetime) -> str:
    number = world.box.procurify.put_vendor(name=f"Vendor {mark} {at}", external_id=mark, dateModified=at)
    return f"vendor {number}"


KINDS: dict[str, Callable[[World, str, datetime], str]] = {
    "ifs/vouchers_from_airbase_payments": voucher,
    "ifs/supplier_invoices_from_procurify": invoice,
    "ifs/posting_proposals_from_procurify": proposal,
    "ifs/suppliers_from_procurify": supplier,
    "cin7/purchases": purchase,
    "monday/purchase_orders": item,
    "procurify/vendors": vendor,
}
"""Asset -> enters a document for a mark, changed last at a time, as a writer that woke too late does; its number."""


def look(world: World, system: str) -> dg.ExecuteInProcessResult:
    job = world.defs.resolve_job_def(f"{system}_duplicates")
    return job.execute_in_process(instance=world.instance, run_config=QUIET, raise_on_error=False)


@pytest.mark.slow
@pytest.mark.promise(
    "C33", "a double of a document of any age is told with both numbers by the hourly check", times=REPEATS
)
@pytest.mark.parametrize("asset", KINDS)
def test_c33_a_double_that_slipped_through_is_told_with_both_numbers(net: World, asset: str) -> None:
    dice, system = random.Random(seed()), asset.partition("/")[0]
    assert check(look(net, system), asset, NAME).passed, "thirty good ones are no doubles"
    expected: list[tuple[str, str]] = []
    for repeat in range(REPEATS):
        mark = f"twice-{repeat}"
        first = KINDS[asset](net, mark, ago(dice.choice((0.1, 3, 25, 2000))))
        expected.append((first, KINDS[asset](net, mark, ago(dice.uniform(0, 1)))))
    net.box.forget_calls()
    found = check(look(net, system), asset, NAME)
    assert not found.passed and found.severity is dg.AssetCheckSeverity.ERROR
    assert found.metadata["doubles"].value == REPEATS
    for first, second in expected:
        assert f"{first} and {second}" in str(found.description)
    assert net.box.journal(system) == [], "a look writes nothing"


@pytest.mark.slow
@pytest.mark.promise("C33", "a system that does not answer is a failed look, and never an all-clear", times=4)
@pytest.mark.parametrize("system", SYSTEMS)
def test_c33_a_system_that_does_not_answer_is_never_called_clear(net: World, system: str) -> None:
    place = {"ifs": "/projection/", "procurify": "/api/"}.get(system, f"/{system}/")
    net.box.faults.add(system=system, path=place, status=403)
    result = look(net, system)
    assert not result.success and result.get_asset_check_evaluations() == []
    net.box.faults.clear()
    assert look(net, system).success
