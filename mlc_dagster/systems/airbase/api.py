"""Airbase over HTTP: what its answers mean, its paged lists, and whether two of its documents say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from mlc_dagster.core.errors import Misconfigured, MlcError, RecordRejected
from mlc_dagster.transport.client import ApiClient, snippet
from mlc_dagster.transport.error_messages import parsed, sentence
from mlc_dagster.transport.responses import Response
from mlc_dagster.transport.sign_in import HeaderKeys, fit_for_header

Document = Mapping[str, Any]


def signature(header: str, scheme: str, token: str) -> HeaderKeys:
    """How a call is signed. Recorded traffic says `Authorization: Token ...`, descriptions say Bearer.

    Raises Misconfigured where the token is no header.
    """
    value = fit_for_header("AIRBASE_TOKEN", token)
    other = "Bearer" if scheme.lower() == "token" else "Token"
    cure = (
        f"Check AIRBASE_TOKEN, which the Airbase portal makes. It was sent as {header}: {scheme or '(no scheme)'}; "
        f"some tenants want {other}: set airbase.auth_scheme in mlc.yaml."
    )
    return HeaderKeys({header: f"{scheme} {value}".strip()}, cure=cure)


def classify(response: Response) -> MlcError | None:
    """A refused record, in Airbase's own words; None where the house's own reading is right.

    Seen: {"validation_errors": [{"index": 0, ...}]} for a bulk, {"detail": "..."} or {"field": ["..."]} for one.
    """
    if response.status_code not in (400, 404, 405, 409, 413, 422):
        return None
    body = parsed(response.content)
    where = f"{response.request.method} {response.request.url.path}"
    said = f"Airbase answered {response.status_code} to {where}: {sentence(body) or snippet(response.content)}"
    return RecordRejected(said, status=response.status_code, body=body)


class AirbaseApi:
    """Lists, gets and writes. Amounts go over the wire as text, exactly."""

    def __init__(self, api: ApiClient, page_size: int) -> None:
        self._api, self._page_size = api, page_size

    def pages(self, path: str, **params: Any) -> Iterator[Document]:
        """Every row of a list. `next` says whether there is more, not where: it may be a number or an address."""
        page = 1
        while True:
            answer = self.get(path, page=page, page_size=self._page_size, **params)
            rows, more = _page(answer)
            yield from rows
            if not rows or not more:
                return
            page += 1

    def get(self, path: str, **params: Any) -> Any:
        """The parsed answer of a list. Raises as ApiClient.request, and Misconfigured where there is no such list."""
        return self._at(path, "GET", params=params)

    def one(self, path: str) -> Document:
        """One document. Raises as ApiClient.request: RecordRejected where it is gone."""
        answer: Document = self._api.request("GET", path).value
        return answer

    def post(self, path: str, body: Document) -> Any:
        """The parsed answer; sent once. Raises as `get`."""
        return self._at(path, "POST", json=on_the_wire(body), repeatable=False)

    def patch(self, path: str, body: Document) -> Any:
        """The parsed answer; a second call does no harm. Raises as ApiClient.request."""
        return self._api.request("PATCH", path, json=on_the_wire(body), repeatable=True).value

    def _at(self, path: str, method: str, **call: Any) -> Any:
        try:
            return self._api.request(method, path, **call).value
        except RecordRejected as error:
            if error.status not in (404, 405):
                raise
            cure = "Confirm the path in the Airbase portal and set it under airbase.paths, or leave it empty there."
            raise Misconfigured(f"airbase: {error.message}", cure=cure) from error


def _page(answer: Any) -> tuple[list[Document], bool]:
    """Rows, and whether more follow: Airbase's own envelope, Django REST framework's, or a bare list."""
    if isinstance(answer, list):
        return answer, False
    pagination = answer.get("pagination") or answer
    rows = answer["data"] if "data" in answer else answer.get("results") or []
    return list(rows), pagination.get("next") is not None


def on_the_wire(value: Any) -> Any:
    """The same with amounts as text: "1250.00"."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return {name: on_the_wire(each) for name, each in value.items()}
    return [on_the_wire(each) for each in value] if isinstance(value, list | tuple) else value


# --- documents ------------------------------------------------------------------------------------------------------


def id_of(document: Document) -> str:
    """`airbase_id`; some answers have it as `id` alone."""
    return str(document.get("airbase_id") or document.get("id") or "")


def reference_of(document: Document) -> str:
    """The ERP's key; empty where Airbase has none."""
    return str(document.get("erp_reference_id") or "")


def covers(theirs: Any, ours: Any) -> bool:
    """Whether Airbase's document already says everything that ours says. What only theirs says does not matter.

    Empty text and null are one; amounts compare by value, dates by their day, lists item by item.
    """
    if isinstance(ours, Mapping):
        there = theirs if isinstance(theirs, Mapping) else {}
        return all(covers(there.get(name), value) for name, value in ours.items())
    if isinstance(ours, list | tuple):
        rows = theirs or []
        return len(rows) == len(ours) and all(covers(one, other) for one, other in zip(rows, ours, strict=True))
    if isinstance(ours, bool):
        return theirs is ours
    if isinstance(ours, Decimal):
        return amount_of(theirs) == ours
    return _text(theirs) in (_text(ours), f"{_text(ours)}T00:00:00")


def amount_of(value: Any) -> Decimal | None:
    """An amount as Airbase writes it, a text or a number; None where it is none."""
    try:
        return None if value is None or isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return None


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip().replace("\r\n", "\n")
