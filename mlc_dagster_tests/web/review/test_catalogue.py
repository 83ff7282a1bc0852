"""No rule and no kind of difference without its words; collected from the code, not from a list."""

import ast
import re
import struct
from pathlib import Path

import pytest

from mlc_dagster.cli.shared.known_names import EVERY_FLOW
from mlc_dagster.core import difference_kinds
from mlc_dagster.ledger.records.open_item_entries import OpenCause
from mlc_dagster.rules import waiving
from mlc_dagster.systems.registry import systems
from mlc_dagster.web.review.sentences import KINDS, LONGEST, RULES, said

HOUSE = Path(__file__).parents[3] / "mlc_dagster"
TEMPLATES = HOUSE / "web" / "review" / "templates"


def rules_in_the_code():
    found = set(EVERY_FLOW) | set(waiving.UNWAIVABLE) | set(waiving.AT_THE_LOAD) | set(waiving.FOUR_EYES)
    for system in systems().values():
        found |= set(system.holds_by) | {rule.__name__ for flow in system.flows for rule in flow.rules}
    return found | set(first_arguments("Problem")) - {""}  # of a table in the UI: no rule, a reason alone


def kinds_in_the_code():
    return {*difference_kinds.SOURCE_SIDE, *difference_kinds.TARGET_SIDE, *first_arguments("Disagreement")} | {
        difference_kinds.PROBABLE_DOUBLE
    }


def first_arguments(name):
    """What stands first in each call: a text, or the name of one in the same module or folder of constants."""
    constants = {}
    trees = [ast.parse(path.read_text("utf-8")) for path in HOUSE.rglob("*.py")]
    for tree in trees:
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        constants.setdefault(target.id, set()).add(node.value.value)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield first.value
                elif isinstance(first, ast.Name) and len(constants.get(first.id, ())) == 1:
                    yield from constants[first.id]


def test_every_rule_and_kind_has_an_entry():
    assert len(rules_in_the_code()) > 70 and len(kinds_in_the_code()) > 15
    assert sorted(rules_in_the_code() - RULES.keys()) == []
    assert sorted(kinds_in_the_code() - KINDS.keys()) == []


@pytest.mark.parametrize("name", [*RULES, *KINDS])
@pytest.mark.parametrize("value", ["", "4O10", "x" * 300])
def test_a_headline_is_short_and_names_no_rule(name, value):
    what = name if name in KINDS and name not in RULES else f",{name},"
    told = said(OpenCause(what, name in KINDS and name not in RULES, "hubspot", "0020", value), {"hubspot": "HubSpot"})
    assert len(told.headline) <= LONGEST, told.headline
    assert name not in told.headline and not re.search(r"\b(failed|error|None)\b", told.headline)
    assert "{" not in "".join(told[:5]) and all(told[:5])


def test_a_rule_of_a_package_of_its_own_is_told_too():
    told = said(OpenCause(",of_their_own,", False, "tally", "", "7"))
    assert "does not meet a rule of its own" in told.headline and told.name == "of_their_own"


def test_no_template_switches_escaping_off_and_scripts_are_the_pages_own():
    texts = {path.name: path.read_text("utf-8") for path in TEMPLATES.glob("*.html")}
    assert len(texts) >= 9
    for name, text in texts.items():
        own = text.replace("""<script src="{{ site.url('/review.js') }}" defer></script>""", "")
        assert not re.search(r"\|\s*safe|autoescape|<script|\son\w+=|style=|javascript:", own), name
        assert not re.search(r"(?:href|src|action)=\"?https?:", text), name
    modules = [path.read_text("utf-8") for path in (HOUSE / "web" / "review").rglob("*.py")]
    assert not any("Markup(" in text for text in modules)


def test_templates_and_stylesheet_are_part_of_the_wheel():
    import tomllib

    told = tomllib.loads((HOUSE.parent / "pyproject.toml").read_text("utf-8"))
    files = told["tool"]["setuptools"]["package-data"]["mlc_dagster.web.review"]
    folder = HOUSE / "web" / "review"
    named = {path for pattern in files for path in folder.glob(pattern)}
    assert named == {path for path in folder.rglob("*") if path.suffix in (".html", ".css", ".js", ".svg", ".pot")}


# --- in another language ----------------------------------------------------------------------------------------------


def compiled(texts):
    """What msgfmt makes: a table of texts and a table of their translations."""
    rows = sorted((key.encode(), value.encode()) for key, value in texts.items())
    start = 28 + 16 * len(rows)
    keys, values, stored = b"", b"", b""
    for column in (0, 1):
        for row in rows:
            place = struct.pack("<II", len(row[column]), start + len(stored))
            keys, values = (keys + place, values) if column == 0 else (keys, values + place)
            stored += row[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(rows), 28, 28 + 8 * len(rows), 0, 28 + 16 * len(rows))
    return head + keys + values + stored


def test_the_template_has_every_text_of_the_catalogue_as_it_is_now():
    from mlc_dagster.web.review.catalogue.translations import TEMPLATE, template
    from mlc_dagster.web.review.sentences import UNKNOWN

    made = template({**RULES, **KINDS, "unknown": UNKNOWN})
    assert TEMPLATE.read_text("utf-8") == made, "python -m mlc_dagster_tests.reference"
    assert made.count("\nmsgid ") > 200


def test_a_cause_is_told_in_the_language_of_the_page(ledger, page, tmp_path):
    from mlc_dagster_tests.web.review.conftest import hold

    hold(ledger, "P1")
    english = RULES["gl_accounts_exist"].headline
    place = tmp_path / "sv" / "LC_MESSAGES" / "mlc_review.mo"
    place.parent.mkdir(parents=True)
    head = {"": "Content-Type: text/plain; charset=UTF-8\n"}
    place.write_bytes(compiled({**head, english: "{there} saknar ett öppet konto {value}"}))
    client = page(language="sv", translations=str(tmp_path))
    token = ledger.users.add("kari", [("look", "*")], 30)
    client.post("/sign-in", data={"name": "kari", "token": token, "next": "/"})
    text = client.get("/").text
    assert "saknar ett öppet konto &#34;4O10&#34; (company 20)" in text
    assert "administrator of Cin7" in text, "what it lacks stays in English"


def test_a_language_that_cannot_be_read_is_said_at_the_start(page, tmp_path):
    with pytest.raises(Exception, match=r"review\.language is sv, and .* cannot be read"):
        page(language="sv", translations=str(tmp_path))
    with pytest.raises(Exception, match="set together"):
        page(language="sv")
