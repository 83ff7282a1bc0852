"""The world as a machine: all that can happen around the flows, in any order, drawn by hypothesis.

Over the real pipeline, a real ledger and the sandbox over HTTP, without Dagster.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline.sweeping import EntitySweep, Limits
from mlc_dagster_tests.promises.journey import Journey, client_of, days, flow_of
from mlc_dagster_tests.promises.later_life import World, world
from mlc_dagster_tests.world.deeds import PRICES, Erp, People
from mlc_dagster_tests.world.quiet import COMPANIES, FLOWS, INVOICES, PURCHASES, SUPPLIERS, faults

numbers, prices, flows = st.integers(1, 3), st.sampled_from(PRICES), st.sampled_from(FLOWS)
BROKEN: dict[str, dict[str, Any]] = {
    "the answer is lost": {"drop": "after"},
    "the call is lost": {"drop": "before"},
    "a gateway says 503": {"status": 503, "body": "<html>bad gateway</html>"},
    "it acts, and says 503": {"status": 503, "acts": True, "body": "{}"},
    "half an answer": {"truncate": True},
    "too much": {"status": 429, "headers": {"Retry-After": "0"}},
}


class Machine(RuleBasedStateMachine):
    """One example is one world; `settle` is a quiet phase, and at its end all of `quiet.faults` is asked."""

    steps = 0  # of all worlds
    found: list[str] = []  # noqa: RUF012 - of all worlds

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        shutil.copy(_empty_ledger(), folder / "ledger.db")
        self.world: World = self._stack.enter_context(world(f"sqlite:///{folder}/ledger.db", folder))
        self.erp, self.people = Erp(self.world.box), People(self.world.box)
        self.prepared: set[str] = set()
        self.is_quiet = False

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self._stack.close()

    @initialize()
    def some_suppliers(self) -> None:
        for number in (1, 2):
            self.erp.supplier(number)

    # --- in the ERP ---------------------------------------------------------------------------------------------------

    @rule(number=numbers, price=prices, supplier=numbers)
    def an_order_is_entered_or_edited(self, number: int, price: int, supplier: int) -> None:
        self._happens()
        known = self.erp.row("PurchaseOrderSet", OrderNo=f"P{number}")
        self.erp.order(number, price, int(known["VendorNo"][1:]) if known else supplier)

    @rule(number=numbers)
    def an_order_is_cancelled(self, number: int) -> None:
        self._happens()
        self.erp.change("PurchaseOrderSet", {"OrderNo": f"P{number}"}, ObjState="Cancelled")

    @rule(number=numbers)
    def an_order_is_deleted(self, number: int) -> None:
        self._happens()
        self.erp.delete("PurchaseOrderSet", OrderNo=f"P{number}")

    @rule(number=numbers, net=prices, supplier=numbers)
    def a_proposal_is_entered_or_edited(self, number: int, net: int, supplier: int) -> None:
        self._happens()
        known = self.erp.row("PostingProposalHeadSet", ProposalId=number)
        self.erp.proposal(number, net, int(known["SupplierId"][1:]) if known else supplier)

    @rule(number=numbers)
    def a_proposal_is_deleted(self, number: int) -> None:
        self._happens()
        self.erp.delete("PostingProposalHeadSet", Company="0010", ProposalId=number)

    @rule(number=numbers, name=st.sampled_from(("", "Nordlys", "Sol & Vind")))
    def a_supplier_is_entered_or_renamed(self, number: int, name: str) -> None:
        self._happens()
        self.erp.supplier(number, f"{name} {number}" if name else "")

    @rule(blocked=st.booleans())
    def an_account_is_blocked_or_opened(self, blocked: bool) -> None:
        self._happens()
        self.erp.account("4010", blocked=blocked)

    # --- in the targets -----------------------------------------------------------------------------------------------

    @rule(number=numbers, total=st.sampled_from((90, 70)))
    def somebody_edits_a_purchase(self, number: int, total: int) -> None:
        self._happens()
        self.people.price(number, total)

    @rule(number=numbers)
    def somebody_voids_a_purchase(self, number: int) -> None:
        self._happens()
        self.people.void(number)

    @rule(number=numbers)
    def somebody_deletes_a_company(self, number: int) -> None:
        self._happens()
        self.people.archive(number)

    # --- what breaks --------------------------------------------------------------------------------------------------

    @rule(
        how=st.sampled_from(sorted(BROKEN)),
        system=st.sampled_from(("cin7", "hubspot", "ifs")),
        method=st.sampled_from(("POST", "PUT", "PATCH", "GET")),
    )
    def something_breaks(self, how: str, system: str, method: str) -> None:
        self._happens()
        self.world.box.faults.add(system=system, method=method, path="", times=1, **BROKEN[how])

    # --- what we do ---------------------------------------------------------------------------------------------------

    @rule(flow=flows)
    def a_flow_runs(self, flow: str) -> None:
        self._happens()
        with suppress(MlcError):  # a run may fail: the next one goes on
            self.world.go(flow)

    @rule(flow=flows)
    def a_flow_is_read_and_prepared(self, flow: str) -> None:
        self._happens()
        with suppress(MlcError):
            self._prepare(self._journey(flow))
            self.prepared.add(flow)

    @precondition(lambda self: self.prepared)
    @rule(data=st.data())
    def what_was_prepared_is_loaded(self, data: st.DataObject) -> None:
        self._happens()
        flow = data.draw(st.sampled_from(sorted(self.prepared)))
        journey = self._journey(flow)
        with suppress(MlcError):
            for day in days():
                journey.load(day, journey.second_read(day, is_old=True))

    @rule(flow=flows)
    def a_look_at_the_target(self, flow: str) -> None:
        self._happens()
        with suppress(MlcError):
            self.world.look(flow)

    @rule()
    def it_is_night(self) -> None:
        self._happens()
        with suppress(MlcError):
            self._sweep()

    @rule()
    def settle(self) -> None:
        """Nothing breaks any more: all runs, sweeps and looks come to their end. Then it is judged."""
        if self.is_quiet:
            return
        Machine.steps += 1
        self.world.box.faults.clear()
        for _ in range(2):
            self.world.go(*FLOWS)
        self._sweep()
        for flow in FLOWS:
            self.world.look(flow)
        if wrong := faults(self.world):
            for each in wrong:
                note(each)
            raise AssertionError("\n".join(wrong))
        before = {system: self.world.writes(system) for system in ("cin7", "hubspot")}
        self.world.go(*FLOWS)
        after = {system: self.world.writes(system) for system in ("cin7", "hubspot")}
        assert before == after, f"all agrees, and a run writes: {before} -> {after}"
        self.is_quiet = True

    # --- how ----------------------------------------------------------------------------------------------------------

    def _happens(self) -> None:
        Machine.steps += 1
        self.is_quiet = False

    def _journey(self, flow: str) -> Journey:
        self.world.runs += 1
        name = f"run{self.world.runs}"
        return Journey(flow_of(flow), self.world.settings, self.world.ledger, self.world.store, name)

    def _prepare(self, journey: Journey) -> None:
        for day in days():
            journey.read(day)
        facts = journey.facts()
        for day in days():
            journey.prepare(day, facts)

    def _sweep(self) -> None:
        for names in ((SUPPLIERS, COMPANIES), (PURCHASES,), (INVOICES,)):
            mine = [flow_of(name) for name in names]
            facts = {flow.name: self.world.settings.facts_for(flow.spoke) for flow in mine}
            client = client_of("ifs", self.world.settings, self.world.ledger.budget)
            asked = partial(lambda *_: None)
            ledger = self.world.ledger
            EntitySweep(mine[0].source, mine, client, ledger, Run("sweep"), Limits(), facts, asked).make()


_EMPTY: list[Path] = []


def _empty_ledger() -> Path:
    """Migrated once, and copied for each world."""
    if not _EMPTY:
        path = Path(tempfile.mkdtemp()) / "ledger.db"
        Ledger.open(f"sqlite:///{path}").close()
        _EMPTY.append(path)
    return _EMPTY[0]
