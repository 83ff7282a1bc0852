"""docs/certainty.md is what the contracts say."""

from mlc_dagster_tests.contracts.certainty import PAGE, page
from mlc_dagster_tests.contracts.published import published, systems


def test_the_page_is_made_from_the_contracts() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m mlc_dagster_tests.contracts.certainty writes it anew"


def test_every_operation_is_on_the_page() -> None:
    text = page()
    assert [each.name for system in systems() for each in published(system).operations if each.name not in text] == []
