"""Ends from outside what other threads ask of remote systems: a read of a socket has no other end than its own.

A timeout is counted from byte to byte, so a system that sends one now and then holds a thread for ever; and a thread
that still works when the interpreter ends takes it down (SIGABRT: C code wants the lock of one that is gone).
Where sockets are shut down, the threads end by themselves.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any

import httpx

from mlc_dagster.transport.threads import Ending, work_for

Trace = Callable[[str, Mapping[str, Any]], None]

CONNECTED = (".connect_tcp.complete", ".start_tls.complete")
"""What httpcore tells when it has a socket, and when it has put another one in its place."""


class Calls:
    """What some threads ask. Each says `take_part()` before it begins, and so do those that it begins."""

    def __init__(self) -> None:
        self._ending, self._lock, self._sockets = Ending(), threading.Lock(), list[socket.socket]()

    def take_part(self) -> None:
        work_for(self._ending)
        _calls.set(self)

    def hang_up(self) -> None:
        """Sleeps wake, sockets are shut down, nothing more leaves. The threads are not waited for."""
        self._ending.set()
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for each in sockets:
            _shut(each)

    def watch(self, client: httpx.Client) -> None:
        """Know the sockets that this client opens."""
        hooks = client.event_hooks
        client.event_hooks = {**hooks, "request": [*hooks["request"], self._leaving]}

    def _leaving(self, request: httpx.Request) -> None:
        if self._ending.is_set():
            raise httpx.ConnectTimeout("stopped", request=request)
        traced = partial(self._traced, request.extensions.get("trace"))
        request.extensions = {**request.extensions, "trace": traced}

    def _traced(self, also: Trace | None, event: str, told: Mapping[str, Any]) -> None:
        if also:
            also(event, told)
        if event.endswith(CONNECTED):
            opened = told["return_value"].get_extra_info("socket")
            with self._lock:
                self._sockets.append(opened)
            if self._ending.is_set():
                _shut(opened)


_calls: ContextVar[Calls | None] = ContextVar("calls", default=None)


def watched(client: httpx.Client) -> httpx.Client:
    """The client; where this thread takes part in calls that may be ended from outside, they know it."""
    if calls := _calls.get():
        calls.watch(client)
    return client


def _shut(opened: socket.socket) -> None:
    """Below TLS too: a goodbye would wait for an answer."""
    try:
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
    except OSError:
        return  # closed already, or a TLS socket stands in its place
