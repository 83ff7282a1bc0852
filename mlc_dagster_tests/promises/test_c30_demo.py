"""C30: the demo on the profiles nearest to what is recorded holds no good record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.registry import nearest
from mlc_dagster_tests.contracts.whole_demo import PLENTY, demo

DAYS = 1
ELSEWHERE = {
    "currency_is_in_the_portal",  # the demo's portal of HubSpot has no dollars
    "invoice_is_delivered",  # a deal waits for its invoice
    "supplier_is_unique",  # the vendor that two suppliers share their name with
}
"""Rules that hold what is good itself, since something else is not as it should be, on purpose."""


def good_ones(box: Sandbox, ledger: Ledger, made_by_flows: set[str]) -> Iterator[str]:
    """A line for each hold of a record in which nothing is wrong on purpose."""
    flawed = {str(key) for keys in box.flaws.values() for key in keys}
    for hold in ledger.open_holds(limit=None):
        is_bad = {hold.key, hold.key.rpartition("/")[2]} & (flawed | made_by_flows)
        if not is_bad and not {problem.rule for problem in hold.problems} <= ELSEWHERE:
            yield f"{hold.flow} {hold.key}: {hold.problems}"


@pytest.mark.slow
@pytest.mark.promise("C30", "a day of the demo on the profiles nearest to what is recorded: 0 false holds")
def test_c30_no_good_record_of_the_demo_is_held(tmp_path: Path) -> None:
    box = Sandbox(seed="demo", limits=PLENTY, days=DAYS, profiles=nearest())
    before = {row["SupplierId"] for row in box.ifs.rows("SupplierSet")}
    with demo(tmp_path, DAYS, box, {}) as runs:
        runs.everything("first")
        made = {row["SupplierId"] for row in box.ifs.rows("SupplierSet")} - before  # by SaaS: without terms or currency
        with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
            assert list(good_ones(box, ledger, made)) == []
            assert len(ledger.open_holds(limit=None)) > 100, "the seed's bad records are held"
