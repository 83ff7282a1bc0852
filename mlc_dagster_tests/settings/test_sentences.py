"""Whatever is wrong in mlc.yaml is said in the house's words: the models are walked, and each kind is tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.settings import sentences
from mlc_dagster.settings.mistakes import Mistake, Place
from mlc_dagster.settings.section import SHAPES
from mlc_dagster.settings.sections import model_for
from mlc_dagster.systems.configuration import parse
from mlc_dagster.systems.registry import sections

PYDANTIC = ("Input should", "String should", "Field required", "Extra inputs", "Value error", "pydantic", "valid dict")
BAD: tuple[Any, ...] = (
    *("", "?", "~ !", "x" * 400, "-1", "1.5", "9" * 30, "9" * 5000, "nan", "inf", "2026-13-45", "2026-11-05T10:00:00"),
    *([], ["?"], [[]], {}, {"?": "?"}, {"?": {"?": "?"}}, None, -1, 10**9, 1.5, True),
)
"""Wrong somewhere: every setting is given each of them."""


def settings_paths(model: type[BaseModel], above: Place = ()) -> Iterator[Place]:
    """The path of every setting that there is, also below names that a person chooses and in lists."""
    for name, field in model.model_fields.items():
        yield from below(field.annotation, (*above, name))


def below(annotation: Any, path: Place) -> Iterator[Place]:
    yield path
    kind = sentences._plain(annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from settings_paths(kind, path)
    elif sentences.get_origin(kind) is dict:
        name, value = sentences.get_args(kind)
        named = sentences.get_args(sentences._plain(name))
        yield from below(value, (*path, named[0] if named and isinstance(named[0], str) else "0010"))
    elif sentences.get_origin(kind) is tuple:
        yield from below(sentences.get_args(kind)[0], (*path, 0))


Settings = model_for({}, sections())

PATHS = list(settings_paths(Settings))


def content_with(path: Place, value: Any) -> dict[str, Any]:
    """As little as is good, and one value at its path."""
    address = "https://tenant.ifs.test"
    content: dict[str, Any] = {
        "companies": {"0010": {"currency": "SEK"}},
        "ifs": {"base_url": address, "token_url": f"{address}/token"},
    }
    here: Any = content
    for part, following in zip(path, (*path[1:], None), strict=True):
        if following is None:
            here[part] = value
        elif isinstance(following, int):
            here[part] = [value]
            return content
        else:
            here = here.setdefault(part, {})
    return content


def mistakes(content: dict[str, Any]) -> list[tuple[str, Mistake]]:
    """(pydantic's kind, our sentence)"""
    try:
        Settings.model_validate(content)
    except ValidationError as error:
        kinds = [each["type"] for each in error.errors(include_url=False)]
        return list(zip(kinds, sentences.mistakes_in(error, Settings), strict=True))
    return []


def test_there_are_settings_of_every_section() -> None:
    assert len(PATHS) > 200
    assert ("ifs", "entity_sets", "0010", "lines", "fields", "0010") in PATHS
    assert ("cin7", "supplier_owners", "name") in PATHS and ("procurify", "bill_types", 0) in PATHS


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_a_bad_value_of_any_setting_is_told_in_our_own_words(path: Place) -> None:
    for value in BAD:
        for kind, (where, sentence, _) in mistakes(content_with(path, value)):
            known = {*sentences.OWN, *sentences.BOUNDS, *sentences.EXPECTED}
            assert kind in known, f"{where}: {kind} has no words of ours"
            assert not [word for word in PYDANTIC if word in sentence], f"{where}: {sentence}"
            assert "expected" in sentence or kind in ("extra_forbidden", "value_error"), f"{where}: {sentence}"


@pytest.mark.slow
def test_every_kind_of_mistake_that_the_models_know_was_met() -> None:
    """The walk above is no walk past them: what the core schema can refuse is among what it met."""
    met = {kind for path in PATHS for value in BAD for kind, _ in mistakes(content_with(path, value))}
    assert met >= {
        *("string_type", "string_pattern_mismatch", "string_too_short", "int_parsing", "int_type", "float_parsing"),
        *("finite_number", "bool_parsing", "bool_type", "date_from_datetime_parsing", "literal_error", "dict_type"),
        *("model_type", "tuple_type", "greater_than", "greater_than_equal", "less_than_equal", "too_short"),
        *("extra_forbidden", "missing", "value_error", "int_parsing_size", "date_from_datetime_inexact"),
    }


def test_every_pattern_has_words() -> None:
    def patterns(schema: Any) -> Iterator[str]:
        if isinstance(schema, dict):
            yield from [schema["pattern"]] if isinstance(schema.get("pattern"), str) else []
        for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
            yield from patterns(each)

    found = set(patterns(Settings.model_json_schema()))
    assert len(found) >= 8 and not found - set(SHAPES)


@pytest.mark.parametrize(
    "path, value, said",
    [
        (("companies", "0010", "currency"), "kr", "found 'kr'; expected three capital letters, such as SEK"),
        (("companies", "0010", "decimals"), "two", "found 'two'; expected a whole number"),
        (("companies", "0010", "decimals"), "9", "found '9'; expected 4 or less"),
        (("companies", "0010", "closed_until"), "5.11.2026", "expected a day such as 2026-11-05"),
        (("companies", "0010", "curency"), "SEK", "no setting of this name; nearest: currency"),
        (("companies",), {}, "found nothing; expected at least 1 entry"),
        (("ifs", "page_size"), "5001", "expected 5000 or less"),
        (("ifs", "token_body"), "jsn", "found 'jsn'; expected form or json; nearest: json"),
        (("ifs", "base_url"), None, "found nothing; expected an address such as https://acme.ifs.cloud"),
        (("cin7",), "", "`cin7: {}` for its defaults. Leave it out to switch Cin7 off"),
        (("cin7", "supplier_owners"), {"emial": "ifs"}, "nearest: email"),
        (("airbase", "timeout_seconds"), "0", "found '0'; expected more than 0"),
        (("procurify", "bill_types"), "0", "found '0'; expected a list such as [a, b]"),
        (("hubspot", "deals"), "perhaps", "found 'perhaps'; expected true or false"),
        (("gl_policy",), "hold", "no setting of this name; there is policies.gl_policy"),
        (("policies", "accounts_max_age_hours"), "inf", "expected a number such as 26 or 0.5"),
        (("partitions_start",), "2999-01-01", "found 2999-01-01, which is still to come"),
        (("hubspot", "company_code"), "10", "found '10'; expected one of `companies`: 0010; nearest: 0010"),
        (("procurify",), {"base_url": "https://a.test", "companies_by_location": {"Oslo": "0011"}}, "nearest: 0010"),
    ],
)
def test_a_mistake_says_what_was_found_what_was_expected_and_what_may_be_meant(
    path: Place, value: Any, said: str
) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse(content_with(path, value), "mlc.yaml")
    assert said in str(caught.value) and ".".join(path) in str(caught.value)


SECRETS = (
    "pat-na1-2f6c1a34-5b7d-4e8f-9a0b-1c2d3e4f5a6b",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "Bearer 3f9a8c7d",
    "3f9a8c7d6e5b4a39281706f5e4d3c2b1",
    "https://joe:hunter2@idp.test/token",
    "https://hooks.test/services/T01234567/B0123456789abcdefghij012",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "path",
    [
        *(("ifs", "client_secret"), ("hubspot", "token"), ("cin7", "application_keys"), ("hubspot", "portal_ids")),
        *(("airbase", "auth_scheme"), ("companies", "0010", "currency"), ("alerts", "webhook")),
        *(("monday", "boards"), ("policies", "gl_policy"), ("schedules",), ("ifs", "page_size"), ("web", "sources")),
        *(("cin7", "external_key"), ("airbase", "paths", "vendors"), ("partitions_start",), ("hubspot", "deals")),
    ],
    ids=lambda path: ".".join(path),
)
def test_what_may_be_a_secret_is_never_shown(path: Place, secret: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse(content_with(path, secret), "mlc.yaml")
    said = str(caught.value)
    for part in (secret, secret.removeprefix("Bearer "), "hunter2", "joe:"):
        assert part not in said, said
    assert ".".join(path) in said


@pytest.mark.parametrize("secret", SECRETS[:-1])
@pytest.mark.parametrize("name", ["base_url", "token_url"])
def test_a_secret_in_the_place_of_an_address_is_not_shown(name: str, secret: str) -> None:
    with pytest.raises(Misconfigured, match=rf"ifs\.{name}: found") as caught:
        parse(content_with(("ifs", name), secret), "mlc.yaml")
    assert secret not in str(caught.value) and "hunter2" not in str(caught.value)


def test_a_secret_that_stands_as_a_name_is_not_shown_either() -> None:
    with pytest.raises(Misconfigured) as caught:
        parse(content_with(("hubspot", SECRETS[0]), "x"), "mlc.yaml")
    assert SECRETS[0] not in str(caught.value) and "<a name of 44 characters>" in str(caught.value)


@pytest.mark.parametrize("name", ["client_secret", "token", "password", "api_key"])
def test_a_secret_in_the_file_is_sent_where_secrets_stand(name: str) -> None:
    with pytest.raises(Misconfigured, match=r"never write secrets here.*mlc credentials set NAME"):
        parse(content_with(("hubspot", name), "x"), "mlc.yaml")
