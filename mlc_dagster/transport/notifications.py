"""A message to people: by a webhook that Slack and its like understand, or by e-mail. Secrets are never shown."""

from __future__ import annotations

import html
import logging
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Literal, Protocol

import httpx

from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.inert import inert, inert_lines
from mlc_dagster.settings.addresses import is_plain
from mlc_dagster.transport.answer_limits import Bounds
from mlc_dagster.transport.proxies import LOOPBACK, opened, trusted
from mlc_dagster.transport.responses import snippet

ANSWER_MEGABYTES = 1.0  # of a webhook: "ok" is what it says


class NotSent(MlcError):
    """A message did not get out: why, in words."""


class Channel(Protocol):
    """A way to tell people."""

    @property
    def name(self) -> str: ...

    @property
    def whom(self) -> str:
        """Equal for ways that lead to the same people; no secret."""

    def send(self, subject: str, text: str) -> None:
        """Raises NotSent."""


@dataclass(frozen=True)
class Webhook:
    """JSON by POST, {"text": ...} or a card. The address is a secret: `secret` is the name that it goes by."""

    url: str = field(repr=False)
    secret: str
    timeout: float = 10.0
    may_be_plain: bool = False
    form: Literal["slack", "teams"] = "slack"

    @property
    def name(self) -> str:
        return f"webhook ({self.secret})"

    @property
    def whom(self) -> str:
        return self.name

    def send(self, subject: str, text: str) -> None:
        cure = f"Check {self.secret}: the address of an incoming webhook."
        try:
            address = httpx.URL(self.url)
            self._refuse_plain(cure)
            with _unlogged():
                answer = self._post(address, self._body(inert_lines(subject), inert_lines(text)))
        except Misconfigured as error:
            raise NotSent(f"the {self.name} was not reached: {error.message}", cure=error.cure) from None
        except (httpx.RequestError, httpx.InvalidURL, UnicodeError) as error:
            raise NotSent(f"the {self.name} was not reached: {_reason(error)}", cure=cure) from None
        if not answer.is_success:
            said = snippet(answer.content, 100)
            for part in (self.url, *address.path.split("/")):
                said = said.replace(part, "***") if len(part) >= 4 else said
            raise NotSent(f"the {self.name} answered {answer.status_code} {said}".rstrip(), cure=cure)

    def _body(self, subject: str, text: str) -> dict[str, Any]:
        if self.form == "teams":
            return _card(subject, text)
        return {"text": html.escape(f"{subject}\n{text}", quote=False)}  # else <!channel> calls everybody

    def _post(self, address: httpx.URL, body: dict[str, Any]) -> httpx.Response:
        own = opened(timeout=self.timeout, trust_env=address.host not in LOOPBACK)
        with Bounds(3 * self.timeout, ANSWER_MEGABYTES).hold(own) as client:
            return client.post(address, json=body)

    def _refuse_plain(self, cure: str) -> None:
        if is_plain(self.url) and not self.may_be_plain:
            why = "an http:// address of another machine: everybody on the way would read what is on hold"
            meant = "Where that is known and meant, say why: alerts.plain_http in mlc.yaml."
            raise NotSent(f"the {self.name} is {why}", cure=f"{cure} {meant}")


def _card(subject: str, text: str) -> dict[str, Any]:
    """As a Workflow of Teams takes it. Its text is Markdown: what means something there is escaped."""
    lines = [_plain_text(subject, weight="Bolder"), *(_plain_text(line) for line in text.splitlines() if line)]
    kind, schema = "application/vnd.microsoft.card.adaptive", "http://adaptivecards.io/schemas/adaptive-card.json"
    card = {"$schema": schema, "type": "AdaptiveCard", "version": "1.4", "body": lines}
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}


def _plain_text(line: str, **more: str) -> dict[str, Any]:
    escaped = re.sub(r"([\\`*_\[\]<>])", r"\\\1", line)
    return {"type": "TextBlock", "text": escaped, "wrap": True, **more}


def _reason(error: Exception) -> str:
    """Never the text of an error that may quote the address."""
    told = isinstance(error, httpx.NetworkError | httpx.TimeoutException) and str(error)
    return told or type(error).__name__


@dataclass(frozen=True)
class Email:
    """One plain mail to all."""

    host: str
    port: int
    security: Literal["starttls", "ssl", "none"]
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 10.0

    @property
    def name(self) -> str:
        return f"e-mail ({self.host}:{self.port})"

    @property
    def whom(self) -> str:
        return ", ".join(sorted(self.to))

    def send(self, subject: str, text: str) -> None:
        try:
            with self._server() as server:
                if self.security == "starttls":
                    server.starttls(context=trusted())
                if self.user:
                    server.login(self.user, self.password)
                refused = server.send_message(self._mail(subject, text))
        except Misconfigured as error:
            raise NotSent(f"the {self.name} was not sent: {error.message}", cure=error.cure) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(f"the {self.name} was not sent: {self._told(error)}", cure=self._cure(error)) from None
        if refused:
            raise NotSent(f"the {self.name} went out, but not to {', '.join(refused)}: the server refuses them")

    def _server(self) -> smtplib.SMTP:
        if self.security == "ssl":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=trusted())
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout)

    def _mail(self, subject: str, text: str) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = inert(" ".join(subject.split())), self.sender, ", ".join(self.to)
        mail.set_content(inert_lines(text))
        return mail

    def _told(self, error: Exception) -> str:
        text = " ".join(str(error).split()) or type(error).__name__
        return text.replace(self.password, "***") if self.password else text

    def _cure(self, error: Exception) -> str:
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return "Check alerts.email.user in mlc.yaml, and ALERTS_SMTP_PASSWORD."
        if isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLError):
            return "Check alerts.email.security in mlc.yaml: starttls (port 587), ssl (port 465), or none."
        return "Check alerts.email in mlc.yaml."


# --- httpx tells each address that it asks, at level INFO -----------------------------------------------------------

_silent: ContextVar[bool] = ContextVar("silent", default=False)
_speaks: Callable[[logging.LogRecord], bool] = lambda record: not _silent.get()  # noqa: E731
logging.getLogger("httpx").addFilter(_speaks)


@contextmanager
def _unlogged() -> Iterator[None]:
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)
