"""How long a wait is that no server asked for: it grows, has a most, and is drawn anew for each who waits."""

from __future__ import annotations

from itertools import pairwise

import httpx
import pytest

from mlc_dagster.core.errors import TransientError
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.rate_limits import LocalBudget


@pytest.mark.parametrize("drawn", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("status", [429, 503])
def test_waits_double_up_to_a_most_and_lie_anywhere_between_nothing_and_that(status: int, drawn: float) -> None:
    now, asked = [1000.0], list[float]()

    def exchange(_: httpx.Request) -> httpx.Response:
        asked.append(now[0])
        return httpx.Response(status, text="busy")

    def sleep(seconds: float) -> None:
        now[0] += seconds

    api = ApiClient(
        "ifs", "https://erp.test", transport=httpx.MockTransport(exchange),
        budget=LocalBudget(clock=lambda: now[0], sleep=sleep),
        clock=lambda: now[0], sleep=sleep, random=lambda: drawn, max_seconds=1e9,
    )  # fmt: skip
    with pytest.raises(TransientError):
        api.request("GET", "/x")
    waited = [later - earlier for earlier, later in pairwise(asked)]
    most = [min(30.0, 0.5 * 2.0**number) for number in range(len(waited))]
    assert len(waited) >= 4
    assert waited == pytest.approx([drawn * each for each in most], abs=1e-3)
