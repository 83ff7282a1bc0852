"""A sandboxed Cin7 with the books that the samples need."""

from collections.abc import Iterator

import pytest

from mlc_dagster.sandbox import Limits, Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=Limits(cin7_calls_per_minute=100_000)) as sandbox:
        sandbox.cin7.add_account("4010", "Material")
        sandbox.cin7.add_account("4200", "Training")
        sandbox.cin7.books.add_tax_rule("Tax on Purchases", 25)
        sandbox.cin7.books.add_product("BOLT-8", "Bolt, M8, steel")
        yield sandbox
