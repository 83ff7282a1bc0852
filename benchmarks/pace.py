"""How much of a rate budget is used: one call at a time, as Cin7 wants it, with one key and with three.

The sandbox counts in a rolling window of its own; a call above the limit would be refused, and shows.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.systems.cin7.api import classify, signature
from mlc_dagster.transport.client import ApiClient, KeyRing

LIMIT, PERIOD, PERIODS = 60, 10.0, 4
ACCOUNT, KEYS = "sandbox-account", ("sandbox-key-1", "sandbox-key-2", "sandbox-key-3")


def run(keys: int = 1) -> dict[str, float]:
    """Share of the budget that was used, the most calls in any window as a share of the limit, and what was refused."""
    calls = LIMIT * PERIODS * keys
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(f"sqlite:///{Path(folder) / 'ledger.db'}") as ledger,
        Sandbox(limits=Limits(cin7_calls_per_minute=LIMIT, window_seconds=PERIOD)) as box,
    ):
        mine = KEYS[:keys]
        ring = KeyRing(
            [signature(ACCOUNT, key) for key in mine], [ledger.budget(f"cin7 {key}", LIMIT, PERIOD) for key in mine]
        )
        with ApiClient("cin7", f"{box.url}/cin7/ExternalApi/v2", budget=ring, classify=classify) as api:
            started, ended = time.perf_counter(), []
            for _ in range(calls):
                api.request("GET", "/me")
                ended.append(time.perf_counter() - started)
            refused = api.retries
        peak = max(box.peaks("cin7").values())
    # A budget's calls leave at once, then each a period after the one that had its slot before: from the first call of
    # the first period to the first one of the last.
    whole = LIMIT * keys * (PERIODS - 1)
    used = (PERIODS - 1) * PERIOD / (ended[whole] - ended[0])
    return {"records_per_second": whole / ended[whole], "used": used, "peak": peak / LIMIT, "refused": refused}


if __name__ == "__main__":
    for keys in (1, 3):
        found = run(keys)
        print(
            f"{keys} key(s): {found['records_per_second']:.1f} calls/s, {found['used']:.1%} of the budget used, "
            f"peak {found['peak']:.0%} of the limit, {found['refused']:.0f} refused"
        )
