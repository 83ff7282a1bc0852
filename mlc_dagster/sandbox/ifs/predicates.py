"""A $filter tree becomes a function over rows, and bounds on the modified timestamp that spare a full scan."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from mlc_dagster.sandbox.ifs.odata import Both, Comparison, Either, Literal, Membership, Node, ODataError, Opposite

Predicate = Callable[[Mapping[str, Any]], bool]
Names = Mapping[str, tuple[str, str]]
"""Name on the wire -> (name in the catalogue, type)."""

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "startswith": lambda text, start: text.startswith(start),
    "endswith": lambda text, end: text.endswith(end),
    "contains": lambda text, part: part in text,
}
_FITS = {
    "text": "string",
    "decimal": "number",
    "int": "number",
    "bool": "bool",
    "date": "date",
    "timestamp": "timestamp",
}
MODIFIED = "LastModified"


def predicate(node: Node, names: Names) -> Predicate:
    """The function of a tree. As in SQL, a comparison with null is never true, except eq null and ne null."""
    if isinstance(node, Comparison):
        return _comparison(node, names)
    if isinstance(node, Membership):
        field = _checked(node.field, node.literals, names)
        wanted = {literal.value for literal in node.literals}
        return lambda row: row[field] in wanted
    if isinstance(node, Opposite):
        return _opposite(node.part, names)
    if isinstance(node, Either):
        return _either(node, names)
    parts = [predicate(part, names) for part in node.parts]
    if len(parts) == 2:
        first, second = parts
        return lambda row: first(row) and second(row)
    return lambda row: all(part(row) for part in parts)


def _opposite(node: Node, names: Names) -> Predicate:
    """`not` in three-valued logic: pushed inwards, so that a comparison with null stays untrue."""
    if isinstance(node, Opposite):
        return predicate(node.part, names)
    if isinstance(node, Both):
        return predicate(Either(tuple(Opposite(part) for part in node.parts)), names)
    if isinstance(node, Either):
        return predicate(Both(tuple(Opposite(part) for part in node.parts)), names)
    holds = predicate(node, names)
    if isinstance(node, Comparison) and node.literal.value is None:
        return lambda row: not holds(row)
    field = names[node.field][0]
    return lambda row: row[field] is not None and not holds(row)


def _checked(field: str, literals: tuple[Literal, ...], names: Names) -> str:
    if field not in names:
        raise ODataError(f"The property '{field}', used in a query expression, is not defined.")
    name, kind = names[field]
    for literal in literals:
        if literal.kind not in (_FITS[kind], "null"):
            raise ODataError(f"'{field}' is a {kind} and cannot be compared with the {literal.kind} {literal.value!r}.")
    return name


def _comparison(node: Comparison, names: Names) -> Predicate:
    field, value = _checked(node.field, (node.literal,), names), node.literal.value
    if value is None:
        is_null = node.operator == "eq"
        return lambda row: (row[field] is None) is is_null
    if node.operator == "eq" and not node.lower:
        return lambda row: bool(row[field] == value)
    compare, lower = _OPERATORS[node.operator], node.lower

    def holds(row: Mapping[str, Any]) -> bool:
        found = row[field]
        if found is None:
            return False
        try:
            return bool(compare(found.lower() if lower else found, value))
        except TypeError:  # a hostile row holds text where a number belongs
            return False

    return holds


def _either(node: Either, names: Names) -> Predicate:
    """An or over many keys (`OrderNo eq 'a' or OrderNo eq 'b' ...`) becomes one look into a set."""
    groups: dict[tuple[str, ...], set[Any]] = defaultdict(set)
    others = []
    for part in node.parts:
        equal = _equalities(part)
        if equal is None:
            others.append(predicate(part, names))
        else:
            fields = tuple(_checked(name, (literal,), names) for name, literal in equal.items())
            groups[fields].add(tuple(literal.value for literal in equal.values()))
    choices = [*(_belongs(fields, values) for fields, values in groups.items()), *others]
    if len(choices) == 2:
        first, second = choices
        return lambda row: first(row) or second(row)
    return lambda row: any(choice(row) for choice in choices)


def _belongs(fields: tuple[str, ...], values: set[Any]) -> Predicate:
    if len(fields) == 1:
        (field,), singles = fields, {value for (value,) in values}
        return lambda row: row[field] in singles
    take = operator.itemgetter(*fields)
    return lambda row: take(row) in values


def _equalities(node: Node) -> dict[str, Literal] | None:
    """The fields and values of an and over eq, sorted by field; None for anything else."""
    parts = node.parts if isinstance(node, Both) else (node,)
    found: dict[str, Literal] = {}
    for part in parts:
        if not isinstance(part, Comparison) or part.operator != "eq" or part.literal.value is None or part.lower:
            return None
        if part.field in found:
            return None
        found[part.field] = part.literal
    return dict(sorted(found.items()))


Bounds = tuple[str | None, str | None]


def modified_bounds(node: Node, names: Names) -> Bounds:
    """(lowest, highest) modified timestamp that a row can have and still match; None: no bound on that side."""
    if isinstance(node, Comparison) and node.literal.kind == "timestamp" and names[node.field][0] == MODIFIED:
        value = str(node.literal.value)
        low = value if node.operator in ("eq", "ge", "gt") else None
        return low, value if node.operator in ("eq", "le", "lt") else None
    if isinstance(node, Both):
        bounds = [modified_bounds(part, names) for part in node.parts]
        lows, highs = [low for low, _ in bounds if low], [high for _, high in bounds if high]
        return max(lows, default=None), min(highs, default=None)
    if isinstance(node, Either):
        bounds = [modified_bounds(part, names) for part in node.parts]
        lows, highs = [low for low, _ in bounds if low], [high for _, high in bounds if high]
        whole = len(bounds)
        return min(lows) if len(lows) == whole else None, max(highs) if len(highs) == whole else None
    return None, None
