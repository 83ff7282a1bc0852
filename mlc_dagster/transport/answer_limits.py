"""How long an answer may take as a whole, and how large it may be: on the wire, and unpacked.

A timeout is counted from byte to byte, so one blank a second would hold a load for ever; and a megabyte of gzip can
hold a gigabyte.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from mlc_dagster.transport.cancellation import CONNECTED

Trace = Callable[[str, Mapping[str, Any]], None]

MEGABYTE = 2**20
STEP = 256 * 1024  # bytes that are unpacked at once
PACKED = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""Coding -> how zlib is told of it."""

VALUES_PER_MEGABYTE = 75_000
"""A record's value takes some 25 bytes as JSON, and up to 112 as an object of Python."""

ACCEPTED = "gzip, deflate"
"""The codings that are unpacked step by step; others are not asked for, and refused."""


class Unbounded(httpx.ReadError):
    """An answer was given up in its midst. `setting` of the system's section allows more."""

    setting = ""


class TooLong(Unbounded):
    setting = "answer_seconds"


class TooLarge(Unbounded):
    setting = "answer_megabytes"


@dataclass(frozen=True)
class Bounds:
    """What is read of one answer at most: in how many seconds, its headers included, and how many megabytes."""

    seconds: float = 180.0
    megabytes: float = 32.0

    def hold(self, client: httpx.Client) -> httpx.Client:
        """The client, which one thread at a time uses; each of its answers ends within these bounds."""
        watch, hooks = _Watch(self), client.event_hooks
        client.headers["Accept-Encoding"] = ACCEPTED
        client.event_hooks = {
            "request": [*hooks["request"], watch.begin],
            "response": [*hooks["response"], watch.bound],
        }
        return client

    def refuse_above(self, size: int) -> None:
        """Raises TooLarge."""
        if size > self.megabytes * MEGABYTE:
            raise TooLarge(f"it is larger than {self.megabytes:g} MB, and was not read to its end")

    def refuse_dense(self, content: bytes) -> None:
        """Raises TooLarge where so many values would be read from it that they take all memory: `[],[],[],...`."""
        size = len(content)
        if size > VALUES_PER_MEGABYTE and sum(map(content.count, b",[{")) > self.megabytes * VALUES_PER_MEGABYTE:
            raise TooLarge(f"its {size / MEGABYTE:.1f} MB hold more values than {self.megabytes:g} MB of records would")


class _Watch:
    """Of one client: the sockets that it opens are not read beyond the deadline of the request under way."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds, self._ends_at = bounds, 0.0

    def begin(self, request: httpx.Request) -> None:
        self._ends_at = time.monotonic() + self._bounds.seconds
        traced = partial(self._traced, request.extensions.get("trace"))
        request.extensions = {**request.extensions, "trace": traced}

    def bound(self, response: httpx.Response) -> None:
        if not response.is_stream_consumed:
            assert isinstance(response.stream, httpx.SyncByteStream)
            codings = response.headers.pop("content-encoding", "")
            response.stream = _Unpacked(response.stream, codings, self._bounds)

    def _traced(self, also: Trace | None, event: str, told: Mapping[str, Any]) -> None:
        if also:
            also(event, told)
        if event.endswith(CONNECTED):
            stream = told["return_value"]
            stream.read = partial(self._read, stream.read)

    def _read(self, read: Callable[..., bytes], most: int, timeout: float | None = None) -> bytes:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise self._too_long()
        try:
            return read(most, left if timeout is None else min(timeout, left))
        except Exception:
            if time.monotonic() >= self._ends_at:
                raise self._too_long() from None
            raise

    def _too_long(self) -> TooLong:
        return TooLong(f"it did not end within {self._bounds.seconds:g} s")


class _Unpacked(httpx.SyncByteStream):
    """An answer's bytes, unpacked step by step, so that the memory of a step is all that a bomb takes."""

    def __init__(self, stream: httpx.SyncByteStream, codings: str, bounds: Bounds) -> None:
        self._stream, self._bounds = stream, bounds
        self._codings = [
            coding for each in codings.lower().split(",") if (coding := each.strip()) not in ("", "identity")
        ]

    def __iter__(self) -> Iterator[bytes]:
        parts = self._counted(self._stream)
        if self._codings:
            for coding in reversed(self._codings):
                parts = _unpacked(coding, parts)
            parts = self._counted(parts)
        return parts

    def close(self) -> None:
        self._stream.close()

    def _counted(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        size = 0
        for part in parts:
            size += len(part)
            self._bounds.refuse_above(size)
            yield part


def _unpacked(coding: str, parts: Iterable[bytes]) -> Iterator[bytes]:
    """Raises DecodingError where it is packed in a way that nobody asked for, or not whole."""
    if coding not in PACKED:
        raise httpx.DecodingError(f"it is packed as {coding[:20]}, which was not asked for")
    unpacker, came = zlib.decompressobj(PACKED[coding]), False
    try:
        for part in parts:
            if coding == "deflate" and part and not came and part[0] & 0x0F != 8:
                unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # as some servers send it, without zlib's own header
            came = came or bool(part)
            while part and not unpacker.eof:
                yield unpacker.decompress(part, STEP)
                part = unpacker.unconsumed_tail
        while rest := unpacker.decompress(b"", STEP):
            yield rest
    except zlib.error:
        raise httpx.DecodingError(f"it is not packed as {coding}, as it says") from None
    if came and not unpacker.eof:
        raise httpx.DecodingError("it is packed, and not whole")
