"""Procurify over HTTP: what its answers mean, its pages in both envelopes, and its filters, which may do nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from mlc_dagster.core.errors import AccessDenied, Misconfigured, MlcError, RecordRejected, TransientError
from mlc_dagster.transport.client import ApiClient, snippet
from mlc_dagster.transport.error_messages import parsed, sentence
from mlc_dagster.transport.responses import Response, TooSlow, timed_out

Document = Mapping[str, Any]

CURE = "Check PROCURIFY_CLIENT_ID and PROCURIFY_CLIENT_SECRET, and procurify.token_url and audience in mlc.yaml."
ROLE = "The application has the role of the user who made it: give that user the right to see this."
WALKS = 4  # a list that moves while it is paged is walked again
FRESH = 60.0  # seconds that a list without a working filter is kept
SMALLEST_PAGE = 5  # rows; what times out with these is not a matter of its size
TIMEOUT_WEIGHS = 4  # of eight failures: Procurify suspends who asks for too much, and asks again


def classify(response: Response) -> MlcError | None:
    """A refused record, in Procurify's own words; None where the house's own reading is right."""
    if response.status_code == 504 and response.request.method == "GET":
        return TooSlow(f"Procurify answered 504 to GET {response.request.url.path}: it took too long")
    if response.status_code not in (400, 403, 404, 405, 409, 422):
        return None
    body = parsed(response.content)
    traced = response.headers.get("x-request-id") or response.headers.get("x-procurify-request-id")
    where = f"{response.request.method} {response.request.url.path}"
    said = f"Procurify answered {response.status_code} to {where}: {sentence(body) or snippet(response.content)}"
    said = f"{said} (request {traced[:80]})" if traced else said
    if response.status_code == 403:
        return AccessDenied(said, status=403, cure=ROLE)
    return RecordRejected(said, status=response.status_code, body=body)


class ProcurifyApi:
    """Lists, gets and writes."""

    def __init__(self, api: ApiClient, page_size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._api, self._page_size, self._clock = api, page_size, clock
        self._kept: dict[str, tuple[float, list[Document]]] = {}
        self.pages = 0  # walked so far

    @property
    def requests(self) -> int:
        return self._api.requests

    def one(self, path: str, key: object) -> Document:
        """One record. Raises RecordRejected with status 404 where there is none, or the role does not see it."""
        found: Document = self.answer(path, key)["data"]
        return found

    def answer(self, path: str, key: object) -> Document:
        """As `one`, with what is told beside the record below `metadata`."""
        found: Document = self._api.request("GET", f"{path}{key}/").value
        return found

    def listed(self, path: str, id_name: str, **params: Any) -> list[Document]:
        """Every row of a list, each version once.

        Rows that move from page to page push others over the edge of one: where fewer came than Procurify counts, it is
        walked again.

        Raises TransientError where the list does not hold still, Misconfigured where there is no such list.
        """
        rows: dict[str, Document] = {}
        count = 0
        walks = 0
        while walks < WALKS:
            try:
                count = self._walk(path, id_name, params, rows)
            except TransientError as error:
                self._ask_for_less(error)
                continue
            walks += 1
            if len(rows) >= count:
                return list(rows.values())
        raise TransientError(f"procurify: {path}: {len(rows)} rows came of {count}: the list changes while it is read")

    def kept(self, path: str, id_name: str = "id", **params: Any) -> list[Document]:
        """As `listed`, read at most once a minute."""
        name = f"{path} {sorted(params.items())}"
        kept = self._kept.get(name)
        if kept is None or self._clock() - kept[0] > FRESH:
            kept = self._kept[name] = (self._clock(), self.listed(path, id_name, **params))
        return kept[1]

    def still_kept(self, path: str) -> list[Document] | None:
        """What `keep` was given, if that is a minute ago at most."""
        kept = self._kept.get(path)
        return kept[1] if kept and self._clock() - kept[0] <= FRESH else None

    def keep(self, path: str, rows: list[Document]) -> None:
        self._kept[path] = (self._clock(), rows)

    def whole(self, path: str) -> Document:
        """What has no rows and no pages, such as the user. Raises MlcError."""
        return self._asked(path, {})

    def probe(self, path: str) -> Document:
        """One row of a list: is it there, and may the role see it? Raises MlcError."""
        answer: Document = self._page(path, 1, {"page_size": 1})
        return answer

    def post(self, path: str, body: Document) -> Document:
        """The record that was made; sent once."""
        self._kept.clear()
        made: Document = self._api.request("POST", path, json=body).value["data"]
        return made

    def patch(self, path: str, key: object, body: Document) -> Document:
        """The record as it is now; a second call does no harm."""
        self._kept.clear()
        changed: Document = self._api.request("PATCH", f"{path}{key}/", json=body, repeatable=True).value["data"]
        return changed

    def _ask_for_less(self, error: TransientError) -> None:
        """Halves the page after a timeout, for this client's life. Raises the error where that is no use."""
        if not timed_out(error) or self._page_size <= SMALLEST_PAGE:
            raise error
        self._page_size = max(SMALLEST_PAGE, self._page_size // 2)

    def _walk(self, path: str, id_name: str, params: Mapping[str, Any], rows: dict[str, Document]) -> int:
        """Adds what all pages hold; how many rows there are by Procurify's own count."""
        number = count = 0
        while True:
            number += 1
            try:
                answer = self._page(path, number, {"page_size": self._page_size, **params})
            except Misconfigured:
                if number == 1:
                    raise
                return count  # rows went away meanwhile, and this page with them
            found, pagination = list(answer["data"]), _pagination(answer)
            rows.update({f"{row[id_name]} {row.get('version', '')}": row for row in found})
            count = int(pagination.get("count", len(rows)))
            if not found or not _has_more(pagination, number):
                return count

    def _page(self, path: str, number: int, params: Mapping[str, Any]) -> Document:
        """`next` is an address that the body made up: the token goes to no host but ours, so pages are counted."""
        self.pages += 1
        return self._asked(path, {**params, "page": number})

    def _asked(self, path: str, params: Mapping[str, Any]) -> Document:
        try:
            answer: Document = self._api.request("GET", path, params=params).value
            return answer
        except RecordRejected as error:
            if error.status not in (404, 405):
                raise
            cure = "Correct the path under procurify.paths in mlc.yaml, or ask whether the role may see it."
            raise Misconfigured(f"procurify: {error.message}", cure=cure) from error


def _pagination(answer: Document) -> Document:
    """Mostly below `metadata`; of some lists beside the rows, of others nowhere: then it is one page."""
    found: Document = (answer.get("metadata") or {}).get("pagination") or answer.get("pagination") or {}
    return found


def _has_more(pagination: Document, number: int) -> bool:
    if "num_pages" in pagination:
        return number < int(pagination["num_pages"])
    return bool(pagination.get("next"))
