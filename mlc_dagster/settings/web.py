"""The part of mlc.yaml about webhooks: which systems may tell us what happened, and how they prove who they are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from mlc_dagster.settings.addresses import Address
from mlc_dagster.settings.section import Section, shape

_HEADER = shape(r"^[A-Za-z0-9][A-Za-z0-9-]*$", "a header's name, such as X-Webhook-Secret")


class WebhookSource(Section):
    """How one system proves itself: a shared secret, in this header or at the end of the address."""

    header: str = Field("X-Webhook-Secret", pattern=_HEADER, description="Carries the secret, or `Bearer` and it")


class SignedSource(WebhookSource):
    """One that can sign too: HMAC-SHA256 over the body as sent. Off without `hmac_header`."""

    hmac_header: str | None = Field(None, pattern=_HEADER, description="Carries the signature; left out: unsigned")
    hmac_prefix: str = Field("", description="What stands before the signature, such as sha256=")
    hmac_encoding: Literal["hex", "base64"] = "hex"


class TokenSource(WebhookSource):
    """One that can send a token of its own, signed for the very address that it was given."""

    address: Address | None = Field(
        None, description="https://your.host/webhooks/monday: whom tokens must be meant for; left out: not asked"
    )


class WebSettings(Section):
    """`mlc serve`. Secrets come from AIRBASE_WEBHOOK_SECRET, AIRBASE_WEBHOOK_HMAC_KEY and the like; and from _NEXT."""

    port: int = Field(8788, ge=0, le=65535, description="On 127.0.0.1; 0 takes any free one")
    max_body_kib: int = Field(256, ge=1, le=16384, description="A larger webhook is refused")
    max_connections: int = Field(200, ge=4, le=10_000, description="At a time; who sends slowest gives way to others")
    request_seconds: float = Field(10, gt=0, le=300, description="For a whole request, headers and body")
    tell_seconds: float = Field(60, gt=0, le=3600, description="Refused calls of so long a time are one warning")
    sources: tuple[str, ...] = Field((), description="Whose webhooks are taken; empty: nobody's")

    @field_validator("sources")
    @classmethod
    def _once(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(sources))

    def source(self, connection: str) -> WebhookSource:
        """How a connection proves itself; a field that `sections` adds."""
        found: WebhookSource = getattr(self, connection)
        return found
