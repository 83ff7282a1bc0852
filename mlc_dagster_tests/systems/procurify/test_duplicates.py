"""Two vendors of one supplier number, or of one name: told from the whole list, which has no filter by time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlc_dagster.core.duplicates import doubles, sentence
from mlc_dagster.core.errors import TransientError
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.procurify.client import ProcurifyClient
from mlc_dagster.systems.procurify.connect import procurify_client
from mlc_dagster.systems.procurify.records import VENDORS
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster.transport.rate_limits import LocalBudget

NOW = datetime.now(UTC)
SINCE, LONG_AGO = NOW - timedelta(hours=26), NOW - timedelta(days=400)
Made = Callable[..., ProcurifyClient]


@pytest.fixture
def told(box: Sandbox, client_of: Made) -> Callable[..., list[str]]:
    def found(**changes: Any) -> list[str]:
        assert VENDORS.twice is not None
        looked = client_of(box, **changes).scan_documents(VENDORS, SINCE, lambda flow: {})
        return [sentence(VENDORS.twice, double) for double in doubles(looked.documents)]

    return found


def put(box: Sandbox, name: str, number: str | None = None, at: datetime = NOW, **fields: Any) -> int:
    return box.procurify.put_vendor(
        **{"name": name, "external_id": number, "country": "Sweden", "dateModified": at, **fields}
    )


def test_two_vendors_of_one_number_are_told_whatever_their_names_and_age(box: Sandbox, told: Any) -> None:
    first, second = put(box, "Bolt AB", "S7", LONG_AGO), put(box, "Bolt Aktiebolag", "S7", LONG_AGO)
    assert told() == [
        f"Procurify has two vendors for IFS supplier S7: vendor {first} and vendor {second}. Deactivate one of them."
    ]


@pytest.mark.parametrize("other", ["s7", "S7 ", "S70"])
def test_another_number_is_another_supplier_even_under_one_name(box: Sandbox, told: Any, other: str) -> None:
    put(box, "Bolt AB", "S7")
    put(box, "Bolt AB", other)
    assert told() == []


def test_a_vendor_that_somebody_made_under_the_name_of_ours_is_probably_the_same(box: Sandbox, told: Any) -> None:
    first, second = put(box, "Bolt AB", "S7", LONG_AGO), put(box, " BOLT  ab")
    put(box, "Bolt AB", country="Norway")
    (words,) = told()
    assert words.startswith("Procurify probably has one of its vendors twice, by the name Bolt AB, SE: ")
    assert f"vendor {first} and vendor {second}" in words


def test_a_vendor_that_is_not_active_is_not_told(box: Sandbox, told: Any) -> None:
    put(box, "Bolt AB", "S7")
    put(box, "Bolt AB", "S7", active=False)
    assert told() == []


def test_the_list_is_read_once_and_to_its_last_page(box: Sandbox, client_of: Made) -> None:
    for number in range(130):
        put(box, f"Vendor {number}", f"V{number % 129}")
    client = client_of(box, page_size=50)
    looked = client.scan_documents(VENDORS, SINCE, lambda flow: {})
    assert len(doubles(looked.documents)) == 1 and looked.compared == 131  # one stands there by the fixture
    assert sum(box.calls("procurify")[call] for call in box.calls("procurify") if "vendors" in call[1]) == 3


def test_a_look_writes_nothing_and_a_system_that_is_down_is_an_error(box: Sandbox, told: Any) -> None:
    told()
    assert box.journal("procurify") == []
    box.faults.add(system="procurify", path="/api/", status=502)
    settings = ProcurifySettings(base_url=f"{box.url}/procurify", requests_per_second=100_000)
    secrets = ("sandbox-procurify", "sandbox-procurify-secret")
    hasty = procurify_client(settings, *secrets, lambda name, calls, seconds: LocalBudget(calls, seconds), tries=1)
    with pytest.raises(TransientError):
        hasty.scan_documents(VENDORS, SINCE, lambda flow: {})
