"""Connections that one thread at a time uses.

httpcore 1.0.9 looks at an idle connection of a shared pool while another thread begins to use it, takes the answer that
arrives for a server's goodbye, and closes it: "Bad file descriptor", or a wait until the time is up. Seen on a busy
machine with 32 threads, once in some 2,000 calls. For a write that would be an unknown outcome. So nothing is shared.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from mlc_dagster.core import write_guard as departures
from mlc_dagster.transport.answer_limits import Bounds
from mlc_dagster.transport.cancellation import watched
from mlc_dagster.transport.proxies import LOOPBACK, opened

IDLE_SECONDS = 4.0  # many servers close an idle connection after 5: a write must not meet that moment


def one_client(
    base_url: str, timeout: float, headers: Mapping[str, str], transport: httpx.BaseTransport | None
) -> httpx.Client:
    """A client for one thread at a time: a connection to the system, and one to where it signs in."""
    return opened(
        headers={"Accept": "application/json", "User-Agent": "mlc-dagster", **headers},
        timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
        limits=httpx.Limits(max_connections=2, max_keepalive_connections=2, keepalive_expiry=IDLE_SECONDS),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a session must not outlive or mix credentials
        transport=transport,
        trust_env=httpx.URL(base_url).host not in LOOPBACK,  # a proxy cannot reach our own sandbox
        follow_redirects=False,
    )


class Connections:
    """At most `most` clients, whose answers end within `bounds`; the last one given back is the next one taken."""

    def __init__(self, opened: Callable[[], httpx.Client], bounds: Bounds, most: int) -> None:
        self._opened, self._bounds = opened, bounds
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._free: list[httpx.Client] = []
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[httpx.Client]:
        """A client for this thread alone; waits for one where all are taken."""
        with self._places:
            client = self._take()
            try:
                yield client
            finally:
                self._give_back(client)

    def close(self) -> None:
        """Close those that are free; the others are closed when they are given back."""
        with self._lock:
            self._closed, free, self._free = True, self._free, []
        for client in free:
            client.close()

    def _take(self) -> httpx.Client:
        with self._lock:
            if self._closed:
                raise RuntimeError("this client is closed")
            if self._free:
                return self._free.pop()
        return watched(self._bounds.hold(self._opened()))

    def _give_back(self, client: httpx.Client) -> None:
        with self._lock:
            if not self._closed:
                self._free.append(client)
                return
        client.close()


def before_it_leaves(
    guard: departures.Guard | None, call: str, left: Callable[[], None], event: str, _: object
) -> None:
    """httpcore tells what it is about to do: what is raised here closes the connection, and nothing was asked."""
    if event.endswith("send_request_headers.started"):
        if guard:
            guard.before_headers(call)
        left()
    elif guard and event.endswith("send_request_body.started"):
        guard.before_body(call)
