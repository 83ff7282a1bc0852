"""What a remote answer means: a value, or an error that says what the caller must do. Status codes stop here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeAlias, TypeVar

import httpx
import msgspec

from mlc_dagster.core.errors import (
    AccessDenied,
    Misconfigured,
    MlcError,
    OutcomeUnknown,
    RecordRejected,
    StaleRecord,
    TransientError,
)
from mlc_dagster.transport.answer_limits import Unbounded
from mlc_dagster.transport.proxies import NO_TLS, UNTRUSTED, proxy_of, why_untrusted

Value = TypeVar("Value")

Request: TypeAlias = httpx.Request
Response: TypeAlias = httpx.Response
"""What systems tell answers apart by: they import it from here, and no HTTP library."""

NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
UNREADABLE = (ValueError, ArithmeticError, SyntaxError, EOFError, RecursionError, MemoryError, msgspec.MsgspecError)
LONGEST_WORD = 64  # characters of a header that tells a time
LONGEST_SILENCE = 86_400.0  # seconds; what asks for more is believed no further

_exact = msgspec.json.Decoder(float_hook=Decimal)
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*[a-z.]*", re.IGNORECASE)


class Throttled(TransientError):
    """Too many calls: the server did not act, and the credential that made them must be silent for a while."""


def exact_json(content: bytes) -> Any:
    """JSON with fractions as Decimal and integers as int, of any size. Raises msgspec.DecodeError (a ValueError)."""
    return _exact.decode(content)


def json_or_nothing(content: bytes) -> Any:
    """As `exact_json`; None for an empty body, as writes are often answered."""
    return _exact.decode(content) if content else None


@dataclass(frozen=True)
class Answer(Generic[Value]):
    """A 2xx answer that was read whole. `value` is what `decode` made of it: exact JSON, unless the caller chose."""

    status: int
    headers: Mapping[str, str]  # names in any case
    content: bytes  # unzipped, without a byte order mark
    url: str
    value: Value
    is_json: bool = True

    def json(self) -> Any:
        """The body with exact decimals; None where it is empty."""
        return self.value if self.is_json else json_or_nothing(self.content)


@dataclass(frozen=True)
class Call:
    """What was asked, as messages may show it: never a query, a header or a body."""

    system: str
    method: str
    path: str
    repeatable: bool
    base_url: str = ""
    setting: str = "base_url"

    @property
    def shown(self) -> str:
        return f"{self.method} {self.path[:200]}"

    def says(self, text: str) -> str:
        return f"{self.system}: {self.shown}: {text}"

    @property
    def check_address(self) -> str:
        return f"Check {self.system}.{self.setting} in mlc.yaml."

    def unanswered(self, text: str, retry_after: float | None = None) -> TransientError | OutcomeUnknown:
        """No trustworthy answer: ask again what may be asked again; else look first."""
        if self.repeatable:
            return TransientError(self.says(text), retry_after=retry_after)
        return OutcomeUnknown(self.says(text), retry_after=retry_after)

    def busy(self, said: str, retry_after: float | None) -> TransientError | OutcomeUnknown:
        """Too many calls, says somebody on the way: for a write that is no proof that it did not act."""
        if self.repeatable:
            return Throttled(said, retry_after=retry_after)
        return OutcomeUnknown(said, retry_after=retry_after)


def snippet(content: bytes, length: int = 200) -> str:
    """The start of a body on one line, fit for a message."""
    text = " ".join(content[: length * 8].decode("utf-8", "replace").split())
    return "".join(char if char.isprintable() else "?" for char in text[:length])


def refusal(call: Call, response: httpx.Response, *, now: float, cure: str | None = None) -> MlcError | None:
    """The error of an answer, None where it is a 2xx. `now` is epoch seconds; `cure` is for wrong credentials."""
    status = response.status_code
    if status < 300:
        return None
    said = call.says(f"{status} {snippet(response.content)}".rstrip())
    if status < 400:
        return Misconfigured(call.says(f"{status} points to {_elsewhere(response)}"), cure=call.check_address)
    if status in (401, 403):
        right = "These credentials may lack the right to this. " if status == 403 else ""
        return AccessDenied(said, status=status, cure=f"{right}{cure or ''}".strip() or None)
    if status == 412:
        return StaleRecord(said)
    if status == 429:
        return call.busy(said, retry_after(response.headers, now))
    if status in (408, 423) or (status >= 500 and status != 501):
        text = f"{status} {snippet(response.content)}".rstrip()
        return call.unanswered(text, retry_after(response.headers, now))
    return RecordRejected(said, status=status, body=_parsed(response.content))


def suspicion(method: str, response: httpx.Response) -> int:
    """How much a refusal speaks against the address, the rights or a gateway, and not against the record: 0 to 4.

    A row that is addressed by its key may be gone; nothing else of a record makes a 404, a 405 or a web page.
    """
    is_page = response.content[:64].lstrip().startswith(b"<")
    if is_page or response.status_code in (405, 501) or (method == "POST" and response.status_code in (404, 410)):
        return 4
    return int(response.status_code in (404, 410))


def _elsewhere(response: httpx.Response) -> str:
    """Scheme and host of a redirect: its path and query may hold anything."""
    location = re.match(r"https?://[^/?#@\s]+(?=[/?#]|$)", response.headers.get("location", ""))
    return location.group() if location else "another path"


def _parsed(content: bytes) -> Any:
    try:
        found = exact_json(content)
    except UNREADABLE:
        return None
    return found if isinstance(found, dict | list) else None


def lost(call: Call, error: httpx.RequestError) -> MlcError:
    """The error of a request that got no answer, or half of one."""
    text = str(error) or type(error).__name__
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):  # its text may quote a header
        return Misconfigured(
            call.says("cannot be sent: the address or a header value is malformed"), cure=call.check_address
        )
    if UNTRUSTED in text:
        why, cure = why_untrusted(text)
        words = f"{call.system}: {call.base_url} shows a certificate that is not trusted{f': {why}' if why else ''}"
        return Misconfigured(words, cure=cure or call.check_address)
    if isinstance(error, NEVER_LEFT):
        return _unreached(call, error, text)
    if isinstance(error, Unbounded):
        return _unbounded(call, text, error.setting)
    return call.unanswered(f"no whole answer: {text}")


class TooSlow(TransientError):
    """A gateway gave its upstream up: as a request that timed out."""


def timed_out(error: BaseException | None) -> bool:
    """Whether a request got no answer in time, or its answer was cut off for its length, also after repeats."""
    while error is not None:
        if isinstance(error, httpx.ReadTimeout | Unbounded | TooSlow):
            return True
        error = error.__cause__
    return False


def _unbounded(call: Call, text: str, setting: str) -> MlcError:
    cure = f"{call.system}.{setting} in mlc.yaml says how much is waited for, should it be right."
    given_up = call.unanswered(f"no whole answer: {text}")
    return type(given_up)(given_up.message, retry_after=None, cure=cure)


def _unreached(call: Call, error: httpx.RequestError, text: str) -> MlcError:
    """Nothing left: the address, the proxy before it, or the network is to blame."""
    proxy = proxy_of(call.base_url)
    where = f"{call.base_url} by the proxy {proxy.shown}" if proxy else call.base_url
    cure = proxy.cure if proxy else call.check_address
    if any(sign in text for sign in NO_TLS):
        said = f"{call.system}: {proxy.shown if proxy else call.base_url} does not speak TLS: is it http://?"
        return Misconfigured(said, cure=cure)
    if isinstance(error, httpx.ProxyError) and re.match(r"4\d\d ", text):
        asks = "; it asks for a user and a password, which stand in its address" if text.startswith("407") else ""
        return Misconfigured(
            f"{call.system}: cannot reach {where}: it answers {snippet(text.encode())}{asks}", cure=cure
        )
    reason = re.sub(r"^\[Errno -?\d+\] ", "", text).lower()
    return TransientError(f"{call.system}: cannot reach {where}: {reason}", cure=cure)


def unreadable(call: Call, response: httpx.Response, error: BaseException) -> TransientError | OutcomeUnknown:
    """The error of a 2xx whose body is not what it should be: a maintenance page, a truncated page."""
    kind = response.headers.get("content-type", "no content type").split(";")[0]
    asked = response.request.headers.get("accept", "")
    wanted = asked if "multipart" in asked else "JSON"
    why = str(error)[:100] or type(error).__name__
    return call.unanswered(f"expected {wanted}, got {kind} ({why}): {snippet(response.content, 80)}".rstrip(": "))


def without(secrets: Iterable[str], response: httpx.Response) -> httpx.Response:
    """The same answer; where the server echoed a credential, with asterisks in its place."""
    content = response.content
    for secret in secrets:
        content = content.replace(secret.encode("latin-1", "replace"), b"***")
    if content == response.content:
        return response
    kept = {name: text for name, text in response.headers.items() if name not in ("content-encoding", "content-length")}
    return httpx.Response(response.status_code, headers=kept, content=content, request=response.request)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that the server asks to wait; None where it does not say, or not intelligibly.

    Seen: "120", "60 Seconds" (Cin7), an HTTP date, which is measured against the server's own clock where it is told.
    """
    said = headers.get("retry-after", "").strip()
    if number := _NUMBER.fullmatch(said[:LONGEST_WORD].rstrip()):
        return min(float(number[1]), LONGEST_SILENCE)
    when = http_date(said)
    if when is None:
        return None
    return min(max(0.0, when - (http_date(headers.get("date", "")) or now)), LONGEST_SILENCE)


def http_date(text: str) -> float | None:
    """Epoch seconds of an HTTP date, None where it is none."""
    if len(text) > LONGEST_WORD:
        return None
    try:
        when: datetime = parsedate_to_datetime(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
