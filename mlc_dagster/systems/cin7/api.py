"""Cin7 over HTTP: what its answers mean, its paged lists, and whether two of its documents say the same."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from mlc_dagster.core.errors import Misconfigured, MlcError, RecordRejected
from mlc_dagster.transport.client import ApiClient, Throttled, json_or_nothing, snippet
from mlc_dagster.transport.error_messages import parsed
from mlc_dagster.transport.responses import Response, retry_after
from mlc_dagster.transport.sign_in import HeaderKeys

PAGE = 1000  # the most that Cin7 gives
SHORTER = {"/ref/location": 500}  # lists whose pages are cut at fewer, whatever is asked for (measured)
SILENCE = 60.0  # seconds: the period that Cin7 counts its calls in
NOWHERE = "00000000-0000-0000-0000-000000000000"  # a task that is to be made

Document = Mapping[str, Any]

_BUSY = re.compile(rb"\d calls per", re.IGNORECASE)
_HTML = re.compile(rb"\s*<", re.IGNORECASE)


def signature(account_id: str, application_key: str) -> HeaderKeys:
    """How a call is signed: one account, one of its application keys. Raises Misconfigured where one is no header."""
    cure = "Check CIN7_ACCOUNT_ID and CIN7_APPLICATION_KEYS; keys are made in Cin7, Integrations, API."
    return HeaderKeys({"api-auth-accountid": account_id, "api-auth-applicationkey": application_key}, cure=cure)


def classify(response: Response) -> MlcError | None:
    """The error of an answer, None where the house's own reading is right.

    Cin7 says "too many calls" with 429, with 503, or with 400 and a sentence; 403 for wrong keys; and refuses a record
    with `[{"ErrorCode": 400, "Exception": "..."}]`, sometimes without the list, or under another ErrorCode.
    """
    status = response.status_code
    if status < 400:
        return None
    where = f"{response.request.method} {response.request.url.path}"
    said = f"Cin7 answered {status} to {where}: {sentences(response.content)}"
    asked = retry_after(response.headers, time.time())
    if status == 429 or _BUSY.search(response.content) or (status == 503 and asked is not None):
        return Throttled(said, retry_after=SILENCE if asked is None else asked)
    if status >= 500 or status in (401, 403, 408, 423):  # the house names the key that was refused, and the cure
        return None
    return RecordRejected(said, status=status, body=parsed(response.content))


def sentences(content: bytes) -> str:
    """Cin7's own sentences, or the start of whatever else it answered."""
    found = parsed(content)
    errors = found if isinstance(found, list) else [found]
    texts = [str(error["Exception"]) for error in errors if isinstance(error, dict) and error.get("Exception")]
    return "; ".join(texts)[:1000] or snippet(content)


class Cin7Api:
    """Gets and writes. An address that Cin7 does not know answers 200 with a web page: before anything else was
    understood that is a wrong `base_url`; later it is a page of maintenance, and the call's outcome is unknown.
    """

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._understood = False

    def get(self, path: str, **params: Any) -> Any:
        """The parsed answer. Raises as ApiClient.request."""
        return self._request("GET", path, params=params)

    def write(self, method: str, path: str, body: Document, *, repeatable: bool = False) -> Any:
        """The parsed answer; `repeatable` where a second call does no harm. Raises as ApiClient.request."""
        return self._request(method, path, json=body, repeatable=repeatable)

    def remove(self, path: str, **params: Any) -> Any:
        """DELETE: Cin7 voids a purchase twice without harm."""
        return self._request("DELETE", path, params=params, repeatable=True)

    def pages(self, path: str, key: str, **params: Any) -> Iterator[Document]:
        """Every row of a list, to Cin7's own `Total`; where that is missing, to the first page that is not full."""
        page, seen, limit = 1, 0, SHORTER.get(path, PAGE)
        while True:
            answer = self.get(path, Page=page, Limit=limit, **params)
            rows = answer.get(key) or []
            yield from rows
            seen += len(rows)
            if not rows or seen >= answer.get("Total", seen if len(rows) < limit else seen + 1):
                return
            page += 1

    def _request(self, method: str, path: str, **call: Any) -> Any:
        return self._api.request(method, path, decode=self._decode, **call).value

    def _decode(self, content: bytes) -> Any:
        if _HTML.match(content) and not self._understood:
            raise Misconfigured(
                f"cin7: {self._api.base_url} answers with a web page: there is no API at this address",
                cure="Check cin7.base_url in mlc.yaml; it ends with /ExternalApi/v2.",
            )
        found = json_or_nothing(content)
        self._understood = True
        return found


# --- documents ------------------------------------------------------------------------------------------------------


def same_id(one: str | None, other: str | None) -> bool:
    """Cin7 writes one id in upper case here and lower case there."""
    return bool(one and other) and str(one).casefold() == str(other).casefold()


def says(status: Any, *words: str) -> bool:
    """Whether a status is one of these words, or is composed with one: "RECEIVED / CREDITED" is measured."""
    return any(part.strip().upper() in words for part in str(status or "").split("/"))


def stamp(day: date | None) -> str | None:
    """A date as Cin7 writes it: 2026-07-01T00:00:00."""
    return None if day is None else f"{day.isoformat()}T00:00:00"


def covers(theirs: Any, ours: Any) -> bool:
    """Whether Cin7's document already says everything that ours says. What only theirs says does not matter.

    Empty text and null are one; numbers compare by value, ids and dates by their text, lists item by item.
    """
    if isinstance(ours, Mapping):
        return all(_covers_field(name, (theirs or {}).get(name), value) for name, value in ours.items())
    if isinstance(ours, list | tuple):
        there = theirs or []
        return len(there) == len(ours) and all(covers(one, other) for one, other in zip(there, ours, strict=True))
    if isinstance(ours, Decimal | int | float) and not isinstance(ours, bool):
        return _number(theirs) == Decimal(ours)
    return _text(theirs) == _text(ours)


def _covers_field(name: str, theirs: Any, ours: Any) -> bool:
    """Ids and words from a list come back in another case."""
    if name.endswith("ID") or name in ("Approach", "Status", "TaxCalculation"):
        return _text(theirs).casefold() == _text(ours).casefold()
    return covers(theirs, ours)


def _number(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, Decimal | int) else None


def _text(value: Any) -> str:
    text = "" if value is None else str(value).strip().replace("\r\n", "\n")
    return text[:19] if re.match(r"\d{4}-\d\d-\d\dT", text) else text
