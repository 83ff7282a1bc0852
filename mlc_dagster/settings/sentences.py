"""What pydantic found, in the house's own sentences: what stands there, what was expected, what may be meant."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mlc_dagster.core.near_names import offered
from mlc_dagster.settings.mistakes import Mistake, Place, found, smells
from mlc_dagster.settings.section import SHAPES

DAY, WHOLE, NUMBER, TEXT = "a day such as 2026-11-05", "a whole number", "a number such as 26 or 0.5", "a text"
LIST, SECTION, ITSELF = "a list such as [a, b]", "names with values, indented below it", "a value, not itself"
SECRETS = "in the environment or .env (.env.example has their names), or sealed: mlc credentials set NAME"

EXPECTED: Mapping[str, str] = {
    **dict.fromkeys(("string_type", "string_sub_type", "string_unicode"), TEXT),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), WHOLE),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number", "decimal_type", "decimal_parsing"), NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), DAY),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "mapping_type"), SECTION),
    **dict.fromkeys(("tuple_type", "list_type", "iterable_type"), LIST),
    "recursion_loop": ITSELF,
}
BOUNDS: Mapping[str, str] = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
    "string_too_short": "at least {min_length} character(s)",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entry",
    "too_long": "at most {max_length} entries",
}


def mistakes_in(error: ValidationError, root: type[BaseModel]) -> Iterator[Mistake]:
    """A mistake for each error; `root` is the model that was asked."""
    for each in error.errors(include_url=False):
        yield Mistake(each["loc"], _sentence(each, root))


def _sentence(error: Any, root: type[BaseModel]) -> str:
    kind, path = error["type"], error["loc"]
    if kind in OWN:
        return OWN[kind](error, root)
    stands, context = found(path, error["input"]), error.get("ctx", {})
    if kind == "model_type" and isinstance(error["input"], str) and error["input"]:
        stands = "found a text"  # where a section is expected somebody may have written a token
    expected = BOUNDS[kind].format(**context) if kind in BOUNDS else EXPECTED.get(kind) or _described(path, root)
    if kind == "model_type" and error["input"] == "":  # every line of the section is commented out
        expected += f", or `{path[-1]}: {{}}` for its defaults{_may_be_left_out(path, root)}"
    return f"{stands}; expected {expected}"


def _may_be_left_out(path: Place, root: type[BaseModel]) -> str:
    words = _described(path, root)
    return f". {words}" if words.startswith("Leave it out") else ""


def _missing(error: Any, root: type[BaseModel]) -> str:
    return f"is missing; expected {_described(error['loc'], root)}"


def _unknown(error: Any, root: type[BaseModel]) -> str:
    """No value is shown: it may be a secret that somebody wrote here."""
    *above, name = error["loc"]
    model, others = _at(tuple(above), root), [path for path in _every(root) if path[-1] == name]
    if smells((name,), "") and not others:
        return f"no setting of this name, and never write secrets here: they stand {SECRETS}"
    near = offered(str(name), model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else ""
    belongs = f"; there is {'.'.join(map(str, others[0]))}" if others and not near else ""
    return f"no setting of this name{near}{belongs}. mlc.example.yaml shows all; secrets never stand here"


def _shape(error: Any, root: type[BaseModel]) -> str:
    pattern = error["ctx"]["pattern"]
    return f"{found(error['loc'], error['input'])}; expected {SHAPES.get(pattern) or _described(error['loc'], root)}"


def _choice(error: Any, root: type[BaseModel]) -> str:
    names = [str(name) for name in _choices(error["ctx"]["expected"])]
    near = offered(str(error["input"]), names) if isinstance(error["input"], str) else ""
    return f"{found(error['loc'], error['input'])}; expected {' or '.join(names)}{near}"


def _choices(listed: str) -> list[str]:
    """pydantic lists them as `'a', 'b' or 'c'`."""
    return [name.strip(" '") for name in listed.replace(" or ", ", ").split(", ")]


def _ours(error: Any, root: type[BaseModel]) -> str:
    """What a validator of ours has said; with what stands there, where it is one value and not told already."""
    words, value = str(error["ctx"]["error"]), error["input"]
    if not isinstance(value, (str, int, float)):
        return words
    if smells(error["loc"], str(value)):
        words = words.replace(str(value), "it")
    return words if words.startswith("found ") else f"{words}; {found(error['loc'], value)}"


OWN: Mapping[str, Callable[[Any, type[BaseModel]], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "string_pattern_mismatch": _shape,
    "literal_error": _choice,
    "value_error": _ours,
    "assertion_error": _ours,
}


# --- the models, walked ---------------------------------------------------------------------------------------------


def _described(path: Place, root: type[BaseModel]) -> str:
    """What the field says of itself, else what kind of thing it is."""
    model, name = _at(path[:-1], root), path[-1] if path else ""
    field = model.model_fields.get(str(name)) if isinstance(model, type) and issubclass(model, BaseModel) else None
    if field is not None and field.description:
        return field.description
    kind = _at(path, root)
    return SECTION if isinstance(kind, type) and issubclass(kind, (BaseModel, dict)) else "a value"


def _at(path: Place, root: Any) -> Any:
    """The type of a setting; None where there is none."""
    here = _plain(root)
    for part in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(part))
            here = _plain(field.annotation) if field else None
        elif get_origin(here) in (dict, tuple):
            here = _plain(get_args(here)[1 if get_origin(here) is dict else 0])
        else:
            return None
    return here


def _plain(annotation: Any) -> Any:
    """Without Annotated, and without None."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _plain(next(each for each in get_args(annotation) if each is not type(None)))
    return annotation


def _every(model: Any, above: Place = ()) -> Iterator[Place]:
    """The paths of all settings that have one name, those nearest to the top first."""
    fields = {name: _plain(field.annotation) for name, field in model.model_fields.items()}
    yield from ((*above, name) for name in fields)
    for name, kind in fields.items():
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _every(kind, (*above, name))
