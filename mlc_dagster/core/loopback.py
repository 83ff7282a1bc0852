"""A place to listen on this machine alone."""

from __future__ import annotations

import socket

from mlc_dagster.core.errors import Misconfigured

LOOPBACK = "127.0.0.1"


def bound_socket(port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening place, on the loopback address unless another is asked for; port 0 takes one that is free.

    Raises Misconfigured: it is in use, or no address of this machine.
    """
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
    except OSError as error:
        place.close()
        cure = "Stop what uses it, or give another --port."
        raise Misconfigured(f"port {port} on {host} cannot be used: {error.strerror}", cure=cure) from None
    return place


def listening_socket(port: int) -> socket.socket:
    """The same, and nobody else can listen there from now on: not even one who bound the port at the same moment.

    Raises Misconfigured: it is in use.
    """
    place = bound_socket(port)
    try:
        place.listen()
    except OSError as error:
        place.close()
        raise Misconfigured(
            f"port {port} on 127.0.0.1 cannot be used: {error.strerror}", cure="Stop what uses it."
        ) from None
    return place
