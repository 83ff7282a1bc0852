"""C14: a thousand webhooks doubled, out of order, replayed, forged, oversized: one voucher, of what Airbase says."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from mlc_dagster_tests.orchestration.conftest import World, metadata
from mlc_dagster_tests.orchestration.test_airbase_inbound import REQUESTS, posted, run, today, vouchers
from mlc_dagster_tests.orchestration.test_airbase_inbound import spent as spent
from mlc_dagster_tests.promises.days import tick
from mlc_dagster_tests.promises.seeds import seed
from mlc_dagster_tests.web.conftest import GOOD, event
from mlc_dagster_tests.web.test_serve import served

EVENTS, TIMES, FORGED, OVERSIZED = 40, 20, 150, 50
SENDERS, LARGEST_KIB = 8, 256


@dataclass(frozen=True)
class Post:
    """One webhook as it is sent."""

    kind: str
    body: bytes
    headers: dict[str, str]


def told(number: int, request: str, amount: str, event_id: str = "") -> bytes:
    """An event of another day each, that says what the request was worth then."""
    data = {"id": request, "total_amount": amount, "status": "approved"}
    dated = f"2026-07-{number % 28 + 1:02}T12:00:00Z"
    return json.dumps(event(event_id or f"evt_{number}", created_date=dated, data=data)).encode()


def posts(request: str, dice: Random) -> list[Post]:
    """Of each event twenty, forged ones with ids of their own and of good ones, and some that are too large."""
    good = [Post("good", told(n, request, f"{n + 1}.00"), GOOD) for n in range(EVENTS)] * TIMES
    wrong = ({}, {"X-Webhook-Secret": "guessed"}, {"X-Webhook-Secret": ""})
    forged = [
        Post("forged", told(n, request, "999999.00", f"forged_{n}" if n % 2 else f"evt_{n % EVENTS}"), wrong[n % 3])
        for n in range(FORGED)
    ]
    large = json.dumps(event("large", note="x" * (LARGEST_KIB * 1024 + 1))).encode()
    found = [*good, *forged, *[Post("oversized", large, GOOD)] * OVERSIZED]
    dice.shuffle(found)
    return found


def send(url: str, all_of_them: list[Post]) -> Counter[tuple[str, int, str]]:
    """(kind, status, what it is said to be stored) -> how often."""
    with httpx.Client(base_url=url, timeout=60) as client, ThreadPoolExecutor(SENDERS) as senders:

        def one(post: Post) -> tuple[str, int, str]:
            answer = client.post("/webhooks/airbase", content=post.body, headers=post.headers)
            return post.kind, answer.status_code, str(answer.json().get("stored", ""))

        return Counter(senders.map(one, all_of_them))


def carried_out(world: World, cursor: str | None) -> tuple[Any, str | None]:
    """A tick of the sensor, and the one run that it asks for."""
    asked = tick(world, cursor, "airbase_inbox")
    (request,) = asked.run_requests
    assert request.partition_key == today()
    return run(world), asked.cursor


@pytest.mark.promise(
    "C14", "1,000 webhooks to a real `mlc serve`, through the sensor and a run, into IFS", times=EVENTS * TIMES + 200
)
def test_c14_a_thousand_webhooks_are_one_voucher_of_what_is_true_now(spent: World, tmp_path: Path) -> None:
    spent.settings = spent.settings.model_copy(
        update={"web": spent.settings.web.model_copy(update={"sources": ("airbase",)})}
    )
    request = spent.box.airbase.add_request(total_amount="120.00", request_number="PR-1")
    folder = tmp_path / "serve"
    folder.mkdir()
    with served(folder, spent.environment.database_url) as (_, url):
        answers = send(url, posts(request, Random(seed())))
        assert answers == {
            ("good", 200, "now"): EVENTS,
            ("good", 200, "before"): EVENTS * (TIMES - 1),
            ("forged", 401, ""): FORGED,
            ("oversized", 413, ""): OVERSIZED,
        }
        kept = spent.ledger.inbox.waiting("airbase", limit=None)
        assert {each.event_id for each in kept} == {f"evt_{n}" for n in range(EVENTS)}
        assert not any("999999.00" in each.body for each in kept), "of a forged one nothing is stored"

        _, cursor = carried_out(spent, None)

        (voucher,) = vouchers(spent)
        assert posted(voucher)[0][1] == Decimal("120.00"), "the record was read, no event believed"
        assert not tick(spent, cursor, "airbase_inbox").run_requests

        spent.box.forget_calls()
        replayed = send(url, [Post("good", told(n, request, f"{n + 1}.00"), GOOD) for n in range(EVENTS)])
        assert replayed == {("good", 200, "before"): EVENTS}
        assert not tick(spent, cursor, "airbase_inbox").run_requests, "a replay asks for nothing"

        send(url, [Post("good", told(1, request, "1.00", "late"), GOOD)])
        late, cursor = carried_out(spent, cursor)
        assert metadata(late, REQUESTS, today())["unchanged"] == 1
    assert vouchers(spent) == [voucher] and spent.box.journal("ifs") == [], "older never over newer"
    assert spent.ledger.open_holds() == []
