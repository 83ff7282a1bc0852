"""A connection in shadow sends no write: whatever leads to one, it does not leave. Questions and sign-in pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlc_dagster.core.errors import MlcError

READS = ("GET", "HEAD")
Allows = Callable[[str, str, Any], None]
"""(method, path, JSON body): raises where it must not be sent."""


def everything(method: str, path: str, body: Any) -> None:
    """What a live client is given."""


class WriteInShadow(MlcError):
    """A way to a write that does not know of the shadow: a mistake of this program. Nothing was sent."""


def allowed(system: str, mode: str, asks: Callable[[str, Any], bool] = lambda path, body: False) -> Allows:
    """What a client is given. `asks`: whether a POST to this path, with this body, is only a question."""

    def allows(method: str, path: str, body: Any) -> None:
        if method in READS or (method == "POST" and asks(path, body)):
            return
        raise WriteInShadow(
            f"{system}: {method} {path.split('?')[0][:200]} would write, and {system}.mode is shadow: it was not sent",
            cure="Nothing was written. This is a mistake of mlc_dagster, not of yours: please report it.",
        )

    return allows if mode == "shadow" else everything
