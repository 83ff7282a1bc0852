"""Tally Books over HTTP: saves suppliers, reads journals."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Draft, Outcome, Saved
from mlc_dagster.core.vocabulary import EntitySet, Scope
from mlc_dagster.systems.shared.rest_client import RestClient


class TallyClient(RestClient):
    def save_one(self, target: Target, draft: Draft) -> Iterator[Outcome]:
        """Looks first where it may be there already: at a first load, and after an attempt without an answer."""
        body, number = msgspec.structs.asdict(draft.record), draft.remote_id
        if number is None and draft.look_since is not None:
            for row in self._pages("/v1/suppliers", external_ref=draft.record.external_ref):
                number = row["id"]
                if body.items() <= row.items():
                    yield Saved(draft, row["id"], "adopted")
                    return
        if number is None:
            yield Saved(draft, self.api.request("POST", "/v1/suppliers", json=body).value["id"], "created")
        else:
            self.api.request("PATCH", f"/v1/suppliers/{number}", json=body, repeatable=True)
            yield Saved(draft, number, "updated")

    def listed(self, entity: EntitySet, scope: Scope) -> Iterator[Mapping[str, Any]]:
        return self._pages(entity.path, updated_from=scope.window.start.isoformat() if scope.window else None)

    def _pages(self, path: str, **params: str | None) -> Iterator[Mapping[str, Any]]:
        cursor = ""  # of the first page
        while cursor is not None:
            page = self.api.request("GET", path, params={**params, "cursor": cursor or None}).value
            yield from page["items"]
            cursor = page["next"]
