"""Lists and searches of HubSpot: page by page by its own cursor, and no page larger than it allows."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from mlc_dagster.systems.hubspot.api import PAGE, HubspotApi
from mlc_dagster.transport.client import ApiClient

ROWS = [{"id": str(number), "properties": {"name": f"N{number}"}} for number in range(450)]


class Portal:
    """Answers as many rows as were asked for, and a cursor to the next ones."""

    def __init__(self) -> None:
        self.limits: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked: dict[str, Any] = json.loads(request.content) if request.content else dict(request.url.params)
        limit, start = int(asked.get("limit", 100)), int(asked.get("after") or 0)
        self.limits.append(limit)
        end = start + limit
        more = {"paging": {"next": {"after": str(end)}}} if end < len(ROWS) else {}
        return httpx.Response(200, json={"total": len(ROWS), "results": ROWS[start:end], **more})


@pytest.fixture
def portal() -> Portal:
    return Portal()


@pytest.fixture
def api(portal: Portal) -> HubspotApi:
    return HubspotApi(ApiClient("hubspot", "https://portal.test", transport=httpx.MockTransport(portal)))


def test_a_search_follows_the_cursor_to_its_end_in_pages_of_200_at_most(portal: Portal, api: HubspotApi) -> None:
    total, found = api.search("companies", [[]], "name")
    assert (total, len(found)) == (450, 450)
    assert portal.limits == [200, 200, 200] and PAGE == 200, "HubSpot takes no larger page of a search"


def test_a_list_follows_the_cursor_to_its_end(portal: Portal, api: HubspotApi) -> None:
    assert [row["id"] for row in api.pages("/crm/objects/2026-09/companies", limit=100)] == [r["id"] for r in ROWS]
    assert portal.limits == [100] * 5
