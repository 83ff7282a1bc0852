"""Webhooks and the review page in the foreground, for `mlc serve`: two listeners, of which neither knows the other."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from mlc_dagster import settings as settings_file
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.loopback import bound_socket
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import secret
from mlc_dagster.settings import Settings
from mlc_dagster.settings.web import WebSettings
from mlc_dagster.web.open_connections import Connection, Places
from mlc_dagster.web.repeated_warnings import Tally
from mlc_dagster.web.review.app import build as build_review
from mlc_dagster.web.review.site import Flows, no_flows
from mlc_dagster.web.webhooks import LEDGER_SECONDS, build

FILES = 64  # beside connections: the ledger, the log, libraries


def serve(settings: Settings, port: int | None = None, flows: Flows = no_flows) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are answered first. Prints a line with each address.

    `flows`: those that are on, for the month end. Raises Misconfigured: nothing is on, a source has no secret, a port
    is in use, or the ledger cannot be opened.
    """
    _check(settings)
    listeners = bool(settings.web.sources) + (settings.review is not None)
    _allow_files(2 * listeners * settings.web.max_connections + FILES)
    tally = Tally(settings.web.tell_seconds)
    with Ledger.open(settings_file.environment().database_url, settings.tenant) as ledger, ExitStack() as places:
        ledger.keeping.spare_memory()
        _run([(each, places.enter_context(place)) for each, place in _listeners(settings, ledger, port, tally, flows)])
        tally.tell()
    _leave()


def _listeners(
    settings: Settings, ledger: Ledger, port: int | None, tally: Tally, flows: Flows
) -> Iterator[tuple[uvicorn.Server, socket.socket]]:
    """Each with a place of its own. Who reads a line can call at once."""
    if settings.web.sources:
        app = build(settings, ledger, lambda name: secret(name, lambda: ledger), tally)
        place = bound_socket(settings.web.port if port is None else port)
        place.listen()
        sources, number = ", ".join(settings.web.sources), place.getsockname()[1]
        _tell(f"Webhooks of {sources} on http://127.0.0.1:{number}/webhooks/  (Ctrl-C stops it)")
        yield server(app, settings.web, tally), place
    if settings.review is not None:
        host = settings.review.host
        place = bound_socket(settings.review.port, host)
        place.listen()
        named = f"[{host}]" if ":" in host else host
        _tell(f"The review page is on http://{named}:{place.getsockname()[1]}{settings.review.root_path}/")
        yield server(build_review(settings, ledger, flows), settings.web, tally, believes_proxies=False), place


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def server(app: ASGIApp, web: WebSettings, tally: Tally, *, believes_proxies: bool = True) -> uvicorn.Server:
    """No access log of uvicorn's: addresses may hold secrets."""
    places = Places(web.max_connections, web.request_seconds, tally.count)
    config = uvicorn.Config(
        app,
        http=cast(type[asyncio.Protocol], partial(Connection, places)),  # it is only called
        access_log=False,
        proxy_headers=believes_proxies,  # the page looks itself who is connected
        log_level="warning",
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=int(LEDGER_SECONDS) + 2,
    )
    return uvicorn.Server(config)


def _run(running: Sequence[tuple[uvicorn.Server, socket.socket]]) -> None:
    """The last in this thread, which hears the signals; each of the others in one of its own."""
    servers = [each for each, _ in running]

    def stop(*_: object) -> None:
        for each in servers:
            each.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again once it has stopped
        signal.signal(number, stop)
    beside = [threading.Thread(target=each.run, args=([place],), daemon=True) for each, place in running[:-1]]
    for thread in beside:
        thread.start()
    last, place = running[-1]
    last.run(sockets=[place])
    stop()
    for thread in beside:
        thread.join(LEDGER_SECONDS + 4)


def _leave() -> None:
    """A thread may wait for a busy ledger for half a minute more. Its sender has heard 503: nobody waits for it."""
    deadline = time.monotonic() + 1
    threads = [thread for thread in threading.enumerate() if thread is not threading.current_thread()]
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        os._exit(0)


def _allow_files(needed: int) -> None:
    """A connection is an open file, and so is one that is refused. Raises Misconfigured where there are fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        cure = f"Lower it to {max(4, (hard - FILES) // 2)}, or raise the limit: ulimit -n {needed}"
        raise Misconfigured(f"web.max_connections needs {needed} open files, and {hard} are allowed", cure=cure)
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _check(settings: Settings) -> None:
    """Raises Misconfigured where nobody's webhooks are taken, or nobody would ever read them."""
    if not settings.web.sources and settings.review is None:
        raise Misconfigured(
            "no source is on: nothing to serve", cure="Name some in mlc.yaml: web: {sources: [airbase]}; or set review."
        )
    if idle := [source for source in settings.web.sources if source not in settings.targets]:
        cure = f"Add a section `{idle[0]}:`, or take {idle[0]} out of web.sources."
        raise Misconfigured(f"web.sources names {', '.join(idle)}, which is switched off in mlc.yaml", cure=cure)
