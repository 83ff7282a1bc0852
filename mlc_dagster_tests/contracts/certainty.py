"""docs/certainty.md, made from the contracts: `python -m mlc_dagster_tests.contracts.certainty` writes it anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mlc_dagster_tests.contracts.published import Certainty, Operation, Published, published, systems

PAGE = Path(__file__).parents[2] / "docs" / "certainty.md"
LEAD = """# What each operation rests on

Made from `mlc_dagster_tests/contracts/published/` by `python -m mlc_dagster_tests.contracts.certainty`; a test holds
it.

Nobody of this project had a tenant of these systems. What our clients send and what the sandbox answers is held to what
is publicly known of the real ones, and here is how surely that is known:

- **recorded**: traffic of a real system, or measured on one by others;
- **specification**: the vendor's machine-readable specification, or its schema;
- **documentation**: the vendor's pages;
- **public code**: a client of others that works in production;
- **guess**: ours. It counts for nothing: what rests on it is a setting. Expect your tenant to differ.

The last column says where your tenant may surprise you. `mlc ping` asks your tenant; start there.
"""


def page() -> str:
    return LEAD + "".join("\n" + part for system in systems() for part in _system(published(system)))


def _system(told: Published) -> Iterator[str]:
    counts = Counter(told.certainty(each.source) for each in told.operations)
    said = ", ".join(f"{counts[certainty]} {certainty.value}" for certainty in Certainty if counts[certainty])
    yield f"## {told.title}\n\n{len(told.operations)} operations: {said}.\n\n"
    yield "| operation | call | rests on | what may differ |\n|---|---|---|---|\n".removeprefix("\n")
    yield "".join(_row(told, each) for each in told.operations)
    yield "\n".join(["", *(f"- {name}: *{s.certainty.value}*, {s.what}" for name, s in told.sources.items()), ""])


def _row(told: Published, each: Operation) -> str:
    also = sorted(_others(told, each))
    rests = f"**{told.certainty(each.source).value}** ({each.source})" + (
        f"; in parts {', '.join(also)}" if also else ""
    )
    return f"| {each.name} | `{each.method} {each.path}` | {rests} | {each.about} |\n"


def _others(told: Published, each: Operation) -> set[str]:
    """Sources of single members of its forms, beside that of the operation."""
    values = [*each.query.values(), *each.answers.values(), *filter(None, [each.body])]
    forms, seen = [kind.named for v in values for kind in v.kinds if kind.word == "form"], set[str]()
    found = {v.source for v in values if v.source}
    while forms:
        name = forms.pop()
        if name in seen:
            continue
        seen.add(name)
        form = told.forms[name]
        found |= {form.source} | {v.source for v in form.members.values() if v.source}
        kinds = [kind for v in form.members.values() for kind in (*v.kinds, *(k for o in v.kinds for k in o.of))]
        forms += [kind.named for kind in kinds if kind.word == "form"]
    return found - {each.source}


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
