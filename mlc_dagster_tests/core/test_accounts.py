"""What tells two records under one id apart, and a key's text taken apart again."""

from __future__ import annotations

import pytest

from mlc_dagster.core.accounts import Delivered
from mlc_dagster.core.vocabulary import key_parts, key_text
from mlc_dagster_tests.promises.journey import flow_of

FLOW = flow_of("cin7/suppliers")


def test_another_name_and_another_address_under_the_same_id_are_another_record() -> None:
    record = Delivered(FLOW, "S1", "c-1", {"name": "Acme GmbH", "email": "a@acme.test", "country": "DE"})
    assert record.says_otherwise({"name": "Nobody Ltd", "email": "n@nobody.test", "country": "DE"})


def test_a_record_that_was_renamed_is_the_same_while_something_of_it_is() -> None:
    record = Delivered(FLOW, "S1", "c-1", {"name": "Acme GmbH", "email": "a@acme.test"})
    assert not record.says_otherwise({"name": "Acme Europe GmbH", "email": "A@acme.test"})
    assert not record.says_otherwise({"name": " acme  gmbh"})


def test_where_nothing_can_be_compared_nothing_is_said() -> None:
    assert not Delivered(FLOW, "S1", "c-1").says_otherwise({"name": "Nobody Ltd"})
    assert not Delivered(FLOW, "S1", "c-1", {"name": "Acme"}).says_otherwise({"name": None})


@pytest.mark.parametrize(
    "parts", [("0010", "7"), ("a/b", "7"), ("50%", "x"), ("P1",), ("a/b",), ("100%",), ("a%2Fb",), ("", "x")]
)
def test_a_keys_text_is_taken_apart_into_what_it_was_made_of(parts: tuple[str, ...]) -> None:
    assert key_parts(key_text(*parts), len(parts)) == parts
