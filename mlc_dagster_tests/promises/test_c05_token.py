"""C5: tokens that die at any moment cost nobody a call."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mlc_dagster.core.errors import AccessDenied
from mlc_dagster.sandbox import Limits, Sandbox, Tenant
from mlc_dagster.sandbox.ifs.tokens import PATH as TOKEN
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.promises.quick import PLENTY, ifs_client, numbered, scope, spread
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.systems.ifs.conftest import Reader

WORKERS, SECONDS = 8, 5.5
SIGN_IN = ("POST", TOKEN)


@pytest.mark.promise("C5", "a token that lives 2 s, under 8 workers that read for 5.5 s")
def test_c5_a_token_that_lives_two_seconds_costs_no_call_and_one_renewal_for_each_expiry() -> None:
    with Sandbox(tenant=Tenant(token_seconds=2.0), limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", spread(40))
        client, begun = ifs_client(box, 20, WORKERS, timeout=60.0), time.monotonic()
        until = begun + SECONDS

        def work(_: int) -> int:
            reads = 0
            while time.monotonic() < until:
                rows, _pull = Reader(client)(ifs.SUPPLIERS, scope())
                assert [row["supplier_id"] for row in rows] == numbered(40)
                reads += 1
            return reads

        with ThreadPoolExecutor(WORKERS) as pool:
            assert sum(pool.map(work, range(WORKERS))) > WORKERS
        lifetimes = (time.monotonic() - begun) / (2.0 * 5 / 6)  # on a busy machine the last reads take longer
        assert 3 <= box.calls("ifs")[SIGN_IN] <= lifetimes + 2, "one renewal for each expiry"
        assert client.api.retries == 0, "a call that is signed anew is no failed one"


@pytest.mark.promise("C5", "tokens killed in mid-page at random, also between a 503 and its repetition")
@pytest.mark.parametrize("seed", seeds())
def test_c5_a_token_that_dies_in_mid_page_or_in_the_retry_loop_is_renewed_once(seed: int) -> None:
    chance, kills, last = random.Random(seed), 0, 0

    def kill(path: str, reads: int) -> None:
        """Not sooner than all who wait have signed in anew: a token that never works is a revoked one."""
        nonlocal kills, last
        if "SupplierSet" in path and reads - last > 2 * WORKERS and chance.random() < 0.3:
            kills, last = kills + 1, reads
            box.ifs.expire_tokens()

    with Sandbox(limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", spread(300))
        box.ifs.on_request = kill
        box.faults.add(system="ifs", path="SupplierSet", status=503, share=0.3, times=8)
        client = ifs_client(box, 5, WORKERS)
        rows, _ = Reader(client)(ifs.SUPPLIERS, scope())

        assert [row["supplier_id"] for row in rows] == numbered(300)
        assert kills, "tokens did die"
        assert box.calls("ifs")[SIGN_IN] <= 1 + kills, "the first sign-in, and one for each token that died"


@pytest.mark.promise("C5", "revoked credentials, under 8 workers")
def test_c5_revoked_credentials_are_access_denied_within_two_tries() -> None:
    with Sandbox(limits=Limits(cin7_calls_per_minute=100_000, ifs_requests_per_minute=100_000)) as box:
        box.ifs.put_many("SupplierSet", spread(300))
        client = ifs_client(box, 20, WORKERS)
        Reader(client)(ifs.SUPPLIERS, scope())
        box.ifs.expire_tokens()
        said: dict[str, Any] = {"status": 401, "body": '{"error":"unauthorized_client"}'}
        box.faults.add(system="ifs", path="openid-connect/token", times=None, **said)
        before = box.calls("ifs")[SIGN_IN]
        with ThreadPoolExecutor(WORKERS) as pool:
            ends = list(pool.map(lambda _: _end(client), range(WORKERS)))
        assert ends == [AccessDenied] * WORKERS
        assert box.calls("ifs")[SIGN_IN] - before <= 2


@pytest.mark.promise("C5", "a fresh token that the system refuses all the same")
def test_c5_a_fresh_token_that_is_refused_is_access_denied_within_two_tries() -> None:
    with Sandbox(limits=PLENTY) as box:
        box.faults.add(system="ifs", path="SupplierSet", status=401, times=None)
        assert _end(ifs_client(box)) is AccessDenied
        asked = sum(times for (_, path), times in box.calls("ifs").items() if "SupplierSet" in path)
        assert asked <= 2 and box.calls("ifs")[SIGN_IN] <= 2


def _end(client: Any) -> type[Exception] | None:
    try:
        Reader(client)(ifs.SUPPLIERS, scope())
    except AccessDenied as error:
        return type(error)
    return None
