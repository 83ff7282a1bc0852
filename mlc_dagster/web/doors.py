"""One door for each source that is on: who may come in. Refuses to be built without a lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import Headers

from mlc_dagster.errors import Misconfigured
from mlc_dagster.settings.web import SignedSource, WebhookSource, WebSettings
from mlc_dagster.web.signatures import same_secret, signed, token_holds

Secrets = Callable[[str], str]
"""Name -> value of a secret; "" where nobody has it."""


@dataclass(frozen=True)
class Door:
    """What a sender must show. `secret` and `key` are never both empty; what there is must all be right."""

    settings: WebhookSource
    secret: str = field(repr=False)
    key: str = field(repr=False)  # of the HMAC, or monday.com's signing secret

    def lets_in(self, headers: Headers, in_path: str | None) -> bool:
        """By what is known before the body is read. A secret in the address counts alone where there is one."""
        if self.secret:
            given = _bytes(headers, self.settings.header) if in_path is None else in_path.encode(errors="replace")
            if not same_secret(given, self.secret):
                return False
        elif in_path is not None:
            return False
        if self.key and not isinstance(self.settings, SignedSource):
            return token_holds(_bytes(headers, "Authorization"), self.key, time.time())
        return True

    def believes(self, headers: Headers, body: bytes) -> bool:
        """By the signature over the body, where one is asked for."""
        if not self.key or not isinstance(self.settings, SignedSource):
            return True
        given = _bytes(headers, self.settings.hmac_header or "")
        return signed(body, given, self.key, self.settings.hmac_prefix, self.settings.hmac_encoding)


def doors(settings: WebSettings, secrets: Secrets) -> Mapping[str, Door]:
    """Source -> its door. Raises Misconfigured where one would stand open, or would check less than it seems to."""
    return {source: _door(source, getattr(settings, source), secrets) for source in settings.sources}


def _door(source: str, settings: WebhookSource, secrets: Secrets) -> Door:
    names = f"{source.upper()}_WEBHOOK_SECRET", f"{source.upper()}_WEBHOOK_HMAC_KEY"
    secret, key = (secrets(name).strip() for name in names)
    if not secret and not key:
        cure = f"Set {names[0]} or {names[1]}, or `mlc credentials set` one; or take {source} out of web.sources."
        raise Misconfigured(f"web.sources names {source}, and anybody could send in its name: no secret", cure=cure)
    if isinstance(settings, SignedSource) and bool(key) != bool(settings.hmac_header):
        where = f"web.{source}.hmac_header"
        has, lacks = (names[1], where) if key else (where, names[1])
        cure = f"Set {lacks} too, or take {has} away."
        raise Misconfigured(f"{has} is set, but {lacks} is not: no signature would be checked", cure=cure)
    return Door(settings, secret, key)


def _bytes(headers: Headers, name: str) -> bytes:
    """A header as it came over the wire; empty where it is absent."""
    return headers.get(name, "").encode("latin-1", "replace")
