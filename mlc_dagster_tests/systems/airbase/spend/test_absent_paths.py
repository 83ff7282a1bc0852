"""A configured path that is never there is told, for all paths: nothing is quietly left out of a voucher."""

from __future__ import annotations

from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.airbase.spend.absent_paths import absent_paths
from mlc_dagster.systems.airbase.spend.fields import PAYMENT, REQUEST
from mlc_dagster.systems.airbase.spend.records import PAYMENTS, PURCHASE_REQUESTS
from mlc_dagster_tests.systems.airbase.samples import client_on
from mlc_dagster_tests.systems.airbase.spend.test_spend import REQUESTS_PATH, read


@pytest.mark.parametrize("field", sorted(PAYMENT))
def test_a_configured_path_of_an_entry_that_is_never_there_stops_the_read_and_names_itself(
    box: Sandbox, field: str
) -> None:
    """A tag, a bank, an amount: each needs a document in which its place could be."""
    box.airbase.add_entry(currency="EUR", subsidiary_amount="1.00", department="CC100", bank_account="1930")
    client = client_on(box, payment_fields={field: "nowhere.at_all"})
    with pytest.raises(Misconfigured) as told:
        read(client, PAYMENTS)
    assert f"airbase.fields.payments.{field}: nowhere.at_all" in str(told.value) and "empty" in (told.value.cure or "")


@pytest.mark.parametrize("field", sorted(REQUEST))
def test_a_configured_path_of_a_request_that_is_never_there_stops_the_read(box: Sandbox, field: str) -> None:
    box.airbase.add_request(department="CC100")
    client = client_on(box, purchase_requests=REQUESTS_PATH, request_fields={field: "nowhere"})
    with pytest.raises(Misconfigured, match=f"airbase.fields.requests.{field}"):
        read(client, PURCHASE_REQUESTS)


def test_an_empty_path_says_that_the_tenant_has_no_such_field(box: Sandbox) -> None:
    box.airbase.add_entry(department="CC100")
    (((entry, _, _),), _) = read(client_on(box, payment_fields={"line_tags": "", "bank_name": ""}), PAYMENTS)
    assert entry.lines[0].tags == () and entry.bank_name is None


def test_what_is_null_or_has_no_tags_proves_nothing(box: Sandbox) -> None:
    box.airbase.add_entry(type="bill", department="")
    fields = {"bank_name": "bank_account.label", "tag_group": "group"}
    assert len(read(client_on(box, payment_fields=fields), PAYMENTS)[0]) == 1


def test_one_document_that_has_it_is_enough() -> None:
    documents: list[dict[str, Any]] = [{"a": {"b": 1}}, {"a": {}}, {"a": None}, {}]
    paths = {"lines": "", "tags": "", "line_tags": "", "x": "a.b", "y": "a.c"}
    assert absent_paths(documents, paths) == ["y"] and absent_paths([], paths) == []


def test_ping_names_the_paths_that_lead_nowhere_those_of_mlc_yaml_apart(box: Sandbox) -> None:
    box.airbase.add_entry(department="CC100")
    box.airbase.add_request()
    client = client_on(box, purchase_requests=REQUESTS_PATH, payment_fields={"tag_group": "group"})
    found = {setting: where for setting, _, where in client.absent_paths()}
    assert found["airbase.fields.payments.tag_group"] == "mlc.yaml"
    assert found["airbase.fields.requests.tags"] == "" and "airbase.fields.payments.tags" not in found
