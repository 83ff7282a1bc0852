"""C13: the same load started twice at once, from two processes: one writer, nothing doubled."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster_tests.promises.test_c01_kill import ORDERS, loader, marker, settings_file


@pytest.mark.slow
def test_c13_three_loads_at_once_make_each_purchase_once(ledger_url: str, tmp_path: Path) -> None:
    with Sandbox(seed="empty", limits=Limits(cin7_calls_per_minute=100_000)) as box:
        box.cin7.add_supplier(
            Name="Supplier S1", Currency="SEK", PaymentTerm="30 days", TaxRule="Tax Exempt", AccountPayable="800"
        )
        config = settings_file(tmp_path, box.url)
        started = [loader(config, ledger_url) for _ in range(3)]
        said = [each.communicate(timeout=120)[0] for each in started]

        assert [each.returncode for each in started] == [0, 0, 0], said
        assert Counter(marker(each) for each in box.cin7.purchases.values()) == {
            f"0010/P{n}": 1 for n in range(1, ORDERS + 1)
        }
        delivered = [int(found[1]) for text in said if (found := re.search(r"delivered=(\d+)", text))]
        assert sum(delivered) == ORDERS, "what one delivered, the others found unchanged"
    with Ledger.open(ledger_url) as ledger:
        assert len(ledger.remote_ids("cin7/purchases")) == ORDERS
