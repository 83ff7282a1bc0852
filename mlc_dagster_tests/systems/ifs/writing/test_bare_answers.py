"""Writes that are answered with less than the row: what a tenant kept is read back by $select, or is not known."""

from __future__ import annotations

import json

import httpx
import pytest
import respx

from mlc_dagster.core.errors import OutcomeUnknown
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.client import IfsClient, classify
from mlc_dagster.transport.client import ApiClient

META = {"luname": "SupplierInfoGeneral", "keyref": "SUPPLIER_ID=S1^", "Objgrants": None, "@odata.etag": 'W/"2"'}
WHOLE = {"SupplierId": "S1", "Name": "new", "@odata.etag": 'W/"2"'}


def client() -> IfsClient:
    return IfsClient(ApiClient("ifs", "https://erp.test/main", classify=classify))


def test_a_change_that_is_answered_with_meta_fields_is_read_back_by_select() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=META if request.method == "PATCH" else WHOLE)

    with respx.mock as routes:
        routes.route().mock(side_effect=answer)
        row, etag = client().update(ifs.SUPPLIERS, {"supplier_id": "S1"}, {"name": "new"}, 'W/"1"')
    assert (row["name"], etag) == ("new", 'W/"2"')
    assert [request.method for request in asked] == ["PATCH", "GET"]
    assert "SupplierId" in asked[1].url.params["$select"] and json.loads(asked[0].content) == {"Name": "new"}


def test_a_create_that_is_answered_with_meta_fields_is_in_doubt_and_never_called_refused() -> None:
    with respx.mock as routes:
        routes.post().mock(return_value=httpx.Response(201, json=META))
        with pytest.raises(OutcomeUnknown, match="created, but the answer does not tell what"):
            client().create(ifs.SUPPLIERS, {"supplier_id": "S1", "name": "new"})
