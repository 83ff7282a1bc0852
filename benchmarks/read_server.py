"""A loopback OData server for `read.py`: its rows are encoded once, and each answer takes 150 ms, whatever it holds.

It honours what a client asks of it: the window, the place to go on from or $skip, $top, $count.
"""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
import uvicorn

DELAY = 0.150
DAY_SECONDS = 86_400
ETAG = 'W/"Vy8iQUFBWWJCQUFNQUFBMEJYQUFBOjIwMjYwMjAzMTQx%08d"'

_GE = re.compile(r"LastModified ge (\S+?)(?:\)|$| )")
_LT = re.compile(r"LastModified lt (\S+?)(?:\)|$| )")
_PLACE = re.compile(r"LastModified gt (\S+) or \(LastModified eq \S+ and Key gt '([^']*)'\)")


def moment(number: int, rows: int) -> str:
    """Activity spread over a day."""
    second = number * DAY_SECONDS // rows
    return f"2026-11-05T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


def row(number: int, rows: int) -> dict[str, Any]:
    """25 fields: a key, a timestamp, 14 texts, 5 amounts, 2 dates, a number, a flag."""
    texts = {f"Text{n}": f"value {n} of {number}" if n % 3 else None for n in range(14)}
    amounts = {f"Amount{n}": round(number * 1.25 + n, 2) for n in range(5)}
    days = {f"Day{n}": f"2026-0{n + 1}-{number % 28 + 1:02}" for n in range(2)}
    own = {"Key": f"P{number:07}", "LastModified": moment(number, rows), "Number": number, "Flag": number % 2 == 0}
    return {"@odata.etag": ETAG % number, **own, **texts, **amounts, **days}


class Served:
    """The rows as JSON, in the order (LastModified, Key), and the answers to a few queries on them."""

    def __init__(self, rows: int, delay: float = DELAY) -> None:
        encode = msgspec.json.Encoder().encode
        self.texts = [encode(row(number, rows)) for number in range(rows)]
        self.places = [(moment(number, rows), f"P{number:07}") for number in range(rows)]
        self.delay = delay

    def page(self, query: str) -> bytes:
        options = {name: values[0] for name, values in parse_qs(query).items()}
        start, end = self.bounds(options.get("$filter", ""))
        count = max(0, end - start)
        start += int(options.get("$skip", "0"))
        page = b",".join(self.texts[start : min(end, start + int(options.get("$top", "100")))])
        return b'{"@odata.count":%d,"value":[%s]}' % (count, page)

    def bounds(self, text: str) -> tuple[int, int]:
        start, end = 0, len(self.places)
        if found := _GE.search(text):
            start = bisect_left(self.places, (found[1], ""))
        if found := _PLACE.search(text):
            start = max(start, bisect_right(self.places, (found[1], found[2])))
        if found := _LT.search(text):
            end = bisect_left(self.places, (found[1], ""))
        return start, end

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        began, query = asyncio.get_running_loop().time(), scope["query_string"].decode()
        if scope["path"].endswith("/$count"):
            start, end = self.bounds(parse_qs(query).get("$filter", [""])[0])
            kind, content = b"text/plain", str(end - start).encode()
        else:
            kind, content = b"application/json", self.page(query)
        await asyncio.sleep(max(0.0, self.delay - (asyncio.get_running_loop().time() - began)))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": content})


def serve(rows: int, port: int, delay: float = DELAY) -> None:
    """Serve in the foreground."""
    uvicorn.run(Served(rows, delay), host="127.0.0.1", port=port, log_level="error", lifespan="off")  # type: ignore[arg-type]
