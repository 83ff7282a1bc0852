"""Every document that is sent is valid by monday's official schema, of which `cut.py` keeps what we use."""

from __future__ import annotations

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, parse, validate

from mlc_dagster.sandbox.monday.schema import SDL
from mlc_dagster.systems.monday.graphql import documents
from mlc_dagster_tests.systems.monday.graphql.cut import CUT

DOCUMENTS = {
    "who": documents.WHO,
    "boards": documents.BOARDS,
    "items by key": documents.ITEMS_BY_KEY,
    "next items": documents.NEXT_ITEMS,
    "items by id": documents.ITEMS_BY_ID,
    "whereabouts": documents.WHEREABOUTS,
    "activity": documents.ACTIVITY,
    "newest items": documents.NEWEST_ITEMS,
    "more of the newest items": documents.MORE_NEWEST_ITEMS,
    **{f"items by {n} keys": documents.items_by_keys(n) for n in (1, 6)},
    **{f"creates {n}": documents.creates(n) for n in (1, 20)},
    "creates in a group": documents.creates(2, group=True),
    **{f"changes {n}": documents.changes(n) for n in (1, 20)},
    "columns": documents.columns(3),
}


@pytest.fixture(scope="module")
def official() -> GraphQLSchema:
    return build_schema(CUT.read_text(encoding="utf-8"), assume_valid=True)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_by_mondays_own_schema(name: str, official: GraphQLSchema) -> None:
    assert validate(official, parse(DOCUMENTS[name])) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_by_the_sandboxs_schema(name: str) -> None:
    assert validate(build_schema(SDL), parse(DOCUMENTS[name])) == []


def test_a_wrong_document_would_be_found(official: GraphQLSchema) -> None:
    wrong = documents.creates(1).replace("$b: ID!", "$b: Int!")
    assert [error.message for error in validate(official, parse(wrong))] != []


def test_the_sandbox_serves_no_field_that_monday_does_not_have(official: GraphQLSchema) -> None:
    """Of the same type, and with arguments of the same type: else a test here would prove nothing about monday."""
    ours = build_schema(SDL)
    compared = 0
    for name, kind in ours.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__") or name == "PlainValue":
            continue
        theirs = official.type_map[
            {"Query": str(official.query_type), "Mutation": str(official.mutation_type)}.get(name, name)
        ]
        assert isinstance(theirs, GraphQLObjectType)
        for field, definition in kind.fields.items():
            assert str(definition.type) == str(theirs.fields[field].type), f"{name}.{field}"
            for argument, declared in definition.args.items():
                assert str(declared.type) == str(theirs.fields[field].args[argument].type), (
                    f"{name}.{field}({argument})"
                )
            compared += 1
    assert compared > 40
