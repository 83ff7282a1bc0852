"""One door for each source that is on: who may come in. Refuses to be built without a lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import Headers

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.settings import Settings
from mlc_dagster.settings.web import SignedSource, TokenSource, WebhookSource
from mlc_dagster.web.signatures import same_secret, signed, token_holds

log = logger(__name__)

Secrets = Callable[[str], str]
"""Name -> value of a secret; "" where nobody has it."""


@dataclass(frozen=True)
class Door:
    """What a sender must show: one of the secrets, and a signature by one of the keys, where there are any.

    Where there are neither, nobody comes in.
    """

    settings: WebhookSource
    secrets: tuple[str, ...] = field(default=(), repr=False)  # today's and the next
    keys: tuple[str, ...] = field(default=(), repr=False)  # of the HMAC, or monday.com's signing secrets

    def lets_in(self, headers: Headers, in_path: str | None) -> bool:
        """By what is known before the body is read. A secret in the address counts alone where there is one."""
        if self.secrets:
            given = _bytes(headers, self.settings.header) if in_path is None else in_path.encode(errors="replace")
            if True not in [same_secret(given, secret) for secret in self.secrets]:  # each is compared, always
                return False
        elif in_path is not None:
            return False
        if self.keys and not isinstance(self.settings, SignedSource):
            given, now = _bytes(headers, "Authorization"), time.time()
            address = self.settings.address if isinstance(self.settings, TokenSource) else None
            return True in [token_holds(given, key, now, address or "") for key in self.keys]
        return bool(self.secrets or self.keys)

    def believes(self, headers: Headers, body: bytes) -> bool:
        """By the signature over the body, where one is asked for."""
        if not self.keys or not isinstance(self.settings, SignedSource):
            return True
        given = _bytes(headers, self.settings.hmac_header or "")
        by = self.settings.hmac_prefix, self.settings.hmac_encoding
        return True in [signed(body, given, key, *by) for key in self.keys]


class Doors:
    """The door of each source; its secrets are looked up again while the server runs."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        """Raises Misconfigured where one would stand open, or would check less than it seems to."""
        self._settings, self._secrets = settings, secrets
        self._doors: dict[str, Door] = {source: self._made(source) for source in settings.web.sources}
        self._why: dict[str, str] = {}
        for source, door in self._doors.items():
            if door.keys and isinstance(door.settings, TokenSource) and not door.settings.address:
                words = "web.%s.address is not set: a token that was meant for another webhook of the app is taken, too"
                log.warning(words, source)

    def of(self, source: str) -> Door | None:
        """None where nobody's webhooks are taken in this name."""
        return self._doors.get(source)

    def look_again(self) -> None:
        """What the vault says now. A door that would stand open is closed; a ledger that fails changes nothing."""
        for source in self._settings.web.sources:
            try:
                self._doors[source], why = self._made(source), ""
            except LedgerUnavailable:
                return
            except Misconfigured as error:
                self._doors[source], why = Door(self._settings.web.source(source)), str(error)
                if why != self._why.get(source):
                    log.error("nobody is let in any more: %s", error)
            self._why[source] = why

    def _made(self, source: str) -> Door:
        names = [self._settings.secret(f"{source.upper()}_WEBHOOK_{kind}") for kind in ("SECRET", "HMAC_KEY")]
        return _door(source, self._settings.web.source(source), names, self._secrets)


def _door(source: str, settings: WebhookSource, names: Sequence[str], secrets: Secrets) -> Door:
    given, keys = (_both(name, secrets) for name in names)
    if not given and not keys:
        cure = f"Set {names[0]} or {names[1]}, or `mlc credentials set` one; or take {source} out of web.sources."
        raise Misconfigured(f"web.sources names {source}, and anybody could send in its name: no secret", cure=cure)
    if isinstance(settings, SignedSource) and bool(keys) != bool(settings.hmac_header):
        where = f"web.{source}.hmac_header"
        has, lacks = (names[1], where) if keys else (where, names[1])
        cure = f"Set {lacks} too, or take {has} away."
        raise Misconfigured(f"{has} is set, but {lacks} is not: no signature would be checked", cure=cure)
    return Door(settings, given, keys)


def _both(name: str, secrets: Secrets) -> tuple[str, ...]:
    """Today's and the next, as far as there are any."""
    return tuple(value for each in (name, f"{name}_NEXT") if (value := secrets(each).strip()))


def _bytes(headers: Headers, name: str) -> bytes:
    """A header as it came over the wire; empty where it is absent."""
    return headers.get(name, "").encode("latin-1", "replace")
