"""What all pages share: settings, ledger, templates, and what connections and flows are called."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property, partial
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert_lines
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.records.open_item_entries import OpenCause
from mlc_dagster.settings import Settings
from mlc_dagster.settings.review import ReviewSettings
from mlc_dagster.systems import configuration
from mlc_dagster.web.review.attempts_slowed import SlowedAttempts
from mlc_dagster.web.review.bulk_run import Running
from mlc_dagster.web.review.catalogue.translations import Translate, translation
from mlc_dagster.web.review.preferences import KEYS
from mlc_dagster.web.review.sentences import Said, said
from mlc_dagster.web.review.shown_text import age, cut, moment, money, quoted

KEYS_SAID = {name: words for name, (_, words) in KEYS.items()}
Flows = Callable[[], Sequence[Flow]]
access_log = logger("mlc_dagster.access")


def _finalized(value: Any) -> Any:
    """No control or bidirectional sign acts on a page, whoever forgot to think of it; autoescape does the rest."""
    return inert_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def no_flows() -> Sequence[Flow]:
    """Where nobody says which flows are on there is no month end."""
    raise Misconfigured("this page was not told which flows are on", cure="`mlc serve` serves it with them.")


@pass_context
def _moment(context: Context, at: datetime | date | None) -> str:
    """In the zone of who looks."""
    me = context.get("me")
    return moment(at, me.timezone if me else UTC)


@dataclass
class Site:
    """One tenant's page."""

    settings: Settings
    ledger: Ledger
    flows: Flows = no_flows
    running: Running = field(default_factory=Running)
    key: str = field(default_factory=partial(secrets.token_hex, 32), repr=False)  # of forms without a session
    slowed: SlowedAttempts = field(default_factory=SlowedAttempts)

    def __post_init__(self) -> None:
        self.own: ReviewSettings = self.settings.review or ReviewSettings()
        loader = PackageLoader("mlc_dagster.web.review", "templates")
        self.templates = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_finalized, trim_blocks=True
        )
        self.templates.filters.update(money=money, age=age, moment=_moment, quoted=quoted, cut=cut)

    @property
    def root(self) -> str:
        return self.own.root_path

    @property
    def cookie(self) -> str:
        """`__Host-`: no other host of the domain can set it, and none over plain HTTP."""
        return "__Host-mlc-review" if self.own.is_https and not self.root else "mlc-review"

    @cached_property
    def connections(self) -> dict[str, str]:
        """Flow -> its SaaS."""
        return {name: flow.spoke for name, flow in self.known_flows.items()}

    @cached_property
    def known_flows(self) -> Mapping[str, Flow]:
        """All that there are, on or off, by their names."""
        return configuration.known_flows(self.settings)

    @cached_property
    def zones(self) -> dict[str, tzinfo]:
        """Company -> where it is, where mlc.yaml says so."""
        return {code: ZoneInfo(one.time_zone) for code, one in self.settings.companies.items() if one.time_zone}

    @cached_property
    def titles(self) -> dict[str, str]:
        """Connection -> the system, as people write it; under another name that too."""
        found = configuration.connections(self.settings)
        return {name: one.title if one.name == name else f"{one.title} ({name})" for name, one in found.items()}

    @cached_property
    def hosts_of_systems(self) -> frozenset[str]:
        """The last two parts of the hosts that the connections lead to."""
        addresses = (str(getattr(one, "base_url", "") or "") for one in self.settings.connections.values())
        return frozenset(_domain(host) for each in addresses if (host := urlsplit(each).hostname))

    @cached_property
    def translate(self) -> Translate:
        """The catalogue in the language of this page. Raises Misconfigured."""
        return translation(self.own.language, self.own.translations)

    def said(self, cause: OpenCause) -> Said:
        return said(cause, self.titles, self.translate)

    def url(self, path: str, **query: str) -> str:
        named = {name: value for name, value in query.items() if value}
        return f"{self.root}{path}{'?' if named else ''}{urlencode(named, errors='backslashreplace')}"

    def record_url(self, flow: str, key: str) -> str:
        """The key may hold any character."""
        return self.url(f"/record/{quote(flow, errors='backslashreplace')}", key=key)

    def absolute(self, path: str, request: Request) -> str:
        """As a mail has it."""
        own = str(self.own.address or "").rstrip("/")
        return f"{own or f'{request.url.scheme}://{request.url.netloc}'}{path}"

    def outward(self, link: str) -> str:
        """The link, where it may be followed: https, to a host of one of the connections. Else empty."""
        try:
            parts = urlsplit(link)
        except ValueError:
            return ""
        host = parts.hostname or ""
        return link if parts.scheme == "https" and _domain(host) in self.hosts_of_systems and "@" not in link else ""

    def render(self, name: str, /, **values: Any) -> str:
        common: Mapping[str, Any] = {
            "site": self,
            "keys_said": KEYS_SAID,
            "title": self.own.title or self.settings.tenant or "mlc",
        }
        return self.templates.get_template(name).render({**common, **values})


def _domain(host: str) -> str:
    return ".".join(host.split(".")[-2:])
