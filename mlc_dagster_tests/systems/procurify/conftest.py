"""A sandboxed Procurify with a vendor, a department and a location, and a client on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.systems.procurify.client import ProcurifyClient
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster.transport.rate_limits import LocalBudget


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=Limits(procurify_requests_per_second=100_000)) as sandbox:
        sandbox.procurify.books.put_location("Stockholm", "0010", "SEK")
        sandbox.procurify.books.put_department("Operations", "CC100", "Stockholm")
        sandbox.procurify.put_vendor(id=81, name="Acme Tools", external_id="S1", country="Sweden", currency="SEK")
        yield sandbox


@pytest.fixture
def client_of() -> Callable[..., ProcurifyClient]:
    """A client as the product makes it, on a sandbox; its settings may be changed."""
    from mlc_dagster.systems.procurify.connect import procurify_client

    def made(box: Sandbox, **changes: object) -> ProcurifyClient:
        usual = {"base_url": f"{box.url}/procurify", "requests_per_second": 100_000}
        settings = ProcurifySettings.model_validate({**usual, **changes})
        secrets = ("sandbox-procurify", "sandbox-procurify-secret")
        return procurify_client(settings, *secrets, lambda name, calls, seconds: LocalBudget(calls, seconds))

    return made
