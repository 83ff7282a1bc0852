"""C1: kill -9 anywhere in a load, then the same load again: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Limits, Sandbox

ORDERS = 12
POINTS = 20
SEED = 20261105
IN_FLIGHT = 4  # writes of one batch: that many may be sent twice, none takes effect twice


def settings_file(folder: Path, url: str) -> Path:
    path = folder / "mlc.yaml"
    content = {
        "companies": {"0010": {"currency": "SEK"}},
        "ifs": {"base_url": f"{url}/ifs", "token_url": f"{url}/ifs/token"},
        "cin7": {"base_url": f"{url}/cin7/ExternalApi/v2", "calls_per_minute": 100000},
    }
    path.write_text(yaml.safe_dump(content))
    return path


def loader(config: Path, database: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mlc_dagster_tests.promises.loader", str(config), database, str(ORDERS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("point", range(POINTS))
def test_c1_killed_anywhere_in_a_load_nothing_is_lost_and_nothing_doubled(
    point: int, ledger_url: str, tmp_path: Path
) -> None:
    dice = random.Random(SEED + point)
    with Sandbox(seed="empty", limits=Limits(cin7_calls_per_minute=100_000)) as box:
        box.cin7.add_supplier(
            Name="Supplier S1", Currency="SEK", PaymentTerm="30 days", TaxRule="Tax Exempt", AccountPayable="800"
        )
        config = settings_file(tmp_path, box.url)
        victim, after = loader(config, ledger_url), dice.randrange(0, ORDERS * 2)
        while len(box.journal("cin7")) < after and victim.poll() is None:
            time.sleep(0.0005)
        time.sleep(dice.random() * 0.01)
        assert victim.poll() is None, "it must be killed while it works"
        victim.kill()
        victim.communicate()
        sent_before = len(box.journal("cin7"))

        again = loader(config, ledger_url)
        said, _ = again.communicate(timeout=120)

        assert again.returncode == 0, said
        totals = Counter((marker(each), Decimal(str(each["Order"]["Total"]))) for each in box.cin7.purchases.values())
        assert totals == {(f"0010/P{n}", Decimal(n)): 1 for n in range(1, ORDERS + 1)}, f"killed after {after} writes"
        repeated = len(box.journal("cin7")) - ORDERS * 2
        assert repeated <= IN_FLIGHT, f"{sent_before} writes before the kill; only what was in flight is sent again"
    with Ledger.open(ledger_url) as ledger:
        assert len(ledger.remote_ids("cin7/purchases")) == ORDERS


def marker(purchase: dict[str, Any]) -> str:
    """The ERP's key, as it stands in Cin7."""
    return str(purchase["AdditionalAttributes"]["AdditionalAttribute1"])
