"""Each statement has something that keeps it and a test that shows it, and all of that exists."""

import pytest

from mlc_dagster_tests.statements import keepers
from mlc_dagster_tests.statements.chapters import CHAPTERS
from mlc_dagster_tests.statements.page import PAGE, page
from mlc_dagster_tests.statements.statement import Chapter, Statement

by_system = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.system)


def said(statements: list[Statement]) -> list[str]:
    return [each.says for each in statements]


def test_the_page_is_made_from_the_statements() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m mlc_dagster_tests.statements.page writes it anew"


def test_each_system_that_was_described_has_its_statements() -> None:
    found = {chapter.system: len(chapter.statements()) for chapter in CHAPTERS}
    assert found.keys() == {"hubspot", "cin7", "airbase", "monday", "procurify"} and min(found.values()) >= 30
    assert sum(found.values()) >= 189, "so many were counted when the descriptions were first walked"


@by_system
def test_no_statement_is_without_a_test_and_something_that_keeps_it(chapter: Chapter) -> None:
    assert said([each for each in chapter.statements() if not each.by.tests or not list(each.by.keepers())]) == []


@by_system
def test_what_is_said_to_keep_a_statement_exists(chapter: Chapter) -> None:
    named = {each for statement in chapter.statements() for each in statement.by.keepers()}
    assert sorted(each for each in named if not keepers.EXISTS[each[0]](each[1])) == []


@by_system
def test_what_is_said_to_show_a_statement_exists(chapter: Chapter) -> None:
    named = {node for statement in chapter.statements() for node in statement.by.tests}
    assert sorted(node for node in named if not keepers.test(node)) == []


@by_system
def test_a_statement_stands_once_and_is_a_sentence(chapter: Chapter) -> None:
    texts = [each.says for each in chapter.statements()]
    assert len(texts) == len(set(texts))
    assert [text for text in texts if not (text[0].isupper() and text.endswith(".")) or "|" in text] == []


@by_system
def test_what_holds_in_part_or_otherwise_says_why(chapter: Chapter) -> None:
    reasons = [each.but.reason for each in chapter.statements() if each.but]
    assert [reason for reason in reasons if len(reason.split()) < 5 or not reason.endswith(".") or "|" in reason] == []


@pytest.mark.parametrize(
    "kind, there, absent",
    [
        ("flows", "cin7/purchases", "cin7/purchase"),
        ("rules", "gl_accounts_exist", "gl_accounts"),
        ("settings", "companies.cin7.location", "companies.cin7.place"),
        ("settings", "schedules.flows", "schedules.flow"),
        ("settings", "monday.boards.invoices", "monday.boards.bills"),
        ("secrets", "IFS_CLIENT_ID", "IFS_CLIENT"),
        ("commands", "mlc audit show", "mlc audit look"),
        ("code", "transport/sign_in.py::ClientCredentials", "transport/sign_in.py::Credentials"),
        ("code", "transport/sign_in.py", "transport/signing.py"),
    ],
)
def test_what_there_is_not_is_found_out(kind: str, there: str, absent: str) -> None:
    exists = keepers.EXISTS[kind]
    assert exists(there) and not exists(absent)


def test_a_test_that_there_is_not_is_found_out() -> None:
    here = "statements/test_statements.py"
    assert keepers.test(f"{here}::test_the_page_is_made_from_the_statements")
    assert not keepers.test(f"{here}::test_the_page") and not keepers.test(f"{here}::said") and not keepers.test(here)
