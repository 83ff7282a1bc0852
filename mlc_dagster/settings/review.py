"""The part of mlc.yaml about the review page: where it listens, and which decisions need two people."""

from __future__ import annotations

from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from mlc_dagster.settings.addresses import Link
from mlc_dagster.settings.section import Section, shape

LOOPBACK = "127.0.0.1"
_HEADER = shape(r"^([A-Za-z][A-Za-z0-9-]{0,59})?$", "the name of a header, such as X-Forwarded-User")
_ROOT = shape(r"^(/[A-Za-z0-9._~-]+)*$", "a path without an end slash, such as /review")


class ReviewSettings(Section):
    """The page on which finance sees what is open, and decides: served by `mlc serve`."""

    host: str = Field(
        LOOPBACK,
        description="Where it listens; another address than this machine's own only together with sign_in_header, "
        "trusted_proxies and an address with https: it answers to those proxies alone",
    )
    port: int = Field(8789, ge=0, le=65535, description="Of its own; never that of the webhooks; 0 takes a free one")
    address: Link | None = Field(
        None,
        description="https://review.acme.com: where a proxy with TLS serves it; cookies are for https alone then",
    )
    root_path: str = Field("", pattern=_ROOT, description="/review: all addresses are below it")
    title: str = Field("", max_length=60, description="ACME production: stands at the top of each page")
    sign_in_header: str = Field(
        "",
        pattern=_HEADER,
        description="X-Forwarded-User: the proxy of trusted_proxies says in it who has signed in there",
    )
    trusted_proxies: tuple[str, ...] = Field((), description="Addresses or networks whose sign_in_header counts")
    language: str = Field(
        "",
        pattern=shape(r"^([a-z]{2,3}(_[A-Z]{2})?)?$", "a language, such as sv or pt_BR"),
        description="sv: in which language causes are told; empty: in English",
    )
    translations: str = Field(
        "", description="The folder with <language>/LC_MESSAGES/mlc_review.mo, made of the package's messages.pot"
    )
    is_test: bool = Field(False, description="A test tenant: another colour, and the word TEST")

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for each in proxies:
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(f"{each!r} is no address or network; expected 127.0.0.1 or 10.1.0.0/16") from None
        return proxies

    @field_validator("host")
    @classmethod
    def _an_address(cls, host: str) -> str:
        try:
            return str(ip_address(host))
        except ValueError:
            raise ValueError(f"{host!r} is no address; expected {LOOPBACK}, 10.1.2.3 or 0.0.0.0") from None

    @model_validator(mode="after")
    def _nobody_from_outside_but_proxies(self) -> Self:
        if not ip_address(self.host).is_loopback and not (self.sign_in_header and self.is_https):
            needed = "sign_in_header, trusted_proxies and an address that begins with https"
            raise ValueError(f"host {self.host} is not this machine alone: it goes together with {needed}")
        return self

    @model_validator(mode="after")
    def _language_has_a_folder(self) -> Self:
        if bool(self.language) != bool(self.translations):
            raise ValueError("language and translations are set together, or neither is")
        return self

    @model_validator(mode="after")
    def _header_has_a_proxy(self) -> Self:
        if bool(self.sign_in_header) != bool(self.trusted_proxies):
            raise ValueError("sign_in_header and trusted_proxies are set together, or neither is")
        return self

    @property
    def is_https(self) -> bool:
        return bool(self.address and str(self.address).startswith("https://"))

    @property
    def hosts(self) -> frozenset[str]:
        """Under which names it may be asked for, without ports."""
        told = urlsplit(str(self.address)).hostname if self.address else None
        return frozenset({"127.0.0.1", "[::1]", "localhost", *([told] if told else [])})


class TwoPeople(Section):
    """Decisions that a second person has to confirm."""

    actions: tuple[Literal["release", "discard", "accept"], ...] = ("release", "discard", "accept")
    limits: dict[str, Decimal] = Field(
        default_factory=dict,
        description="currency: amount above which two are needed; a currency that is not named: always two",
    )
    companies: tuple[str, ...] = Field((), description="Of these alone; empty: of all")

    @field_validator("limits")
    @classmethod
    def _not_below_zero(cls, limits: dict[str, Decimal]) -> dict[str, Decimal]:
        if below := [currency for currency, limit in limits.items() if not limit >= 0]:
            raise ValueError(f"a limit below zero: {', '.join(below)}; expected 0 or more")
        return limits

    def asks(self, action: str, company: str, amount: Decimal | None, currency: str) -> bool:
        """Whether two are needed. What has no amount is below no limit."""
        if action not in self.actions or (self.companies and company and company not in self.companies):
            return False
        limit = self.limits.get(currency)
        return not self.limits or amount is None or limit is None or abs(amount) > limit
