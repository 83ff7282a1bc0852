"""What the tests of a group share is made once: pytest and xdist must agree on how a group is told."""

import pytest


@pytest.mark.xdist_group("of one worker")
def test_a_group_goes_to_one_worker(request: pytest.FixtureRequest) -> None:
    """pytest 9.2 lost it without a word: each worker made all that is shared."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("groups are for several workers: -n 2 --dist loadgroup")
    assert request.node.nodeid.endswith("@of one worker")
