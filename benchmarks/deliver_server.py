"""A loopback HubSpot for `deliver.py`: a batch upsert of at most 100 that takes 100 ms, and 190 calls in any 10 s.

What is upserted is kept, by its unique key, so that nothing can be counted twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvicorn

from mlc_dagster.systems.hubspot.objects.properties import KEY, PROPERTIES

DELAY = 0.100
CALLS, SECONDS, BATCH = 190, 10.0, 100
ACCOUNT = {"portalId": 1, "uiDomain": "app.hubspot.com", "companyCurrency": "SEK"}
NAMES = {"results": [each.definition() for each in PROPERTIES["companies"]]}

_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode


class Served:
    """Companies by their unique key, and the calls that were made."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.recent: deque[float] = deque()
        self.calls = self.refused = 0

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        if path.endswith("/counts"):
            return 200, {"companies": len(self.ids), "calls": self.calls, "refused": self.refused}
        if path.endswith("/$count"):  # who only asks whether the server is up takes no slot
            return 200, len(self.ids)
        if not self._has_room():
            self.refused += 1
            return 429, {"category": "RATE_LIMITS", "policyName": "TEN_SECONDLY_ROLLING", "message": "too many calls"}
        self.calls += 1
        if path.endswith("/batch/upsert"):
            inputs = _decode(body)["inputs"]
            if len(inputs) > BATCH:
                return 400, {"category": "VALIDATION_ERROR", "message": f"{len(inputs)} inputs"}
            return 200, {"status": "COMPLETE", "results": [self._upserted(each) for each in inputs]}
        return 200, ACCOUNT if "account-info" in path else NAMES

    def _has_room(self) -> bool:
        now = asyncio.get_running_loop().time()
        while self.recent and self.recent[0] <= now - SECONDS:
            self.recent.popleft()
        if len(self.recent) >= CALLS:
            return False
        self.recent.append(now)
        return True

    def _upserted(self, given: dict[str, Any]) -> dict[str, Any]:
        key, new = given["properties"][KEY], given["properties"][KEY] not in self.ids
        remote_id = self.ids.setdefault(key, str(1000 + len(self.ids)))
        trace = given.get("objectWriteTraceId")
        return {"id": remote_id, "new": new, "objectWriteTraceId": trace, "properties": given["properties"]}

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        began = asyncio.get_running_loop().time()
        status, content = self.answer(scope["path"], body)
        if scope["method"] == "POST":
            await asyncio.sleep(max(0.0, DELAY - (asyncio.get_running_loop().time() - began)))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": _encode(content)})


def serve(port: int) -> None:
    """Serve in the foreground."""
    uvicorn.run(Served(), host="127.0.0.1", port=port, log_level="error", lifespan="off")  # type: ignore[arg-type]
