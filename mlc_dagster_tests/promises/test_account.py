"""The account of what was tried is a document that is read again."""

from mlc_dagster_tests.promises.account import Tried, table


def test_what_a_run_does_not_try_stays_in_the_account_and_what_it_tries_again_is_written_over() -> None:
    first = table({("C1", "killed"): Tried(3), ("C1", "killed twice"): Tried(2), ("C2", "locked"): Tried(1, 1)})
    assert "| killed twice | 2 | green |" in first and "| locked | 1 | **red**: 1 of 1 failed |" in first

    then = table({("C2", "locked"): Tried(4), ("C2", "freed"): Tried(1)}, before=first)
    assert "| killed | 3 | green |" in then and "|  |  | killed twice | 2 | green |" in then
    assert "| freed | 1 | green |" in then and "|  |  | locked | 4 | green |" in then and "**red**" not in then
    assert table({}, before=then) == then, "read and written without a change"


def test_a_promise_that_nothing_tried_says_so_until_something_does() -> None:
    none = table({})
    assert none.count("| nothing yet | 0 | not tried |") == none.count("\n| C")
    assert "not tried" in table({("C1", "killed"): Tried(3)}, before=none)
    assert table({("C1", "killed"): Tried(3)}, before=none).count("| nothing yet |") == none.count("\n| C") - 1
