"""What other people look after in a SaaS: asked about at most, never written. C31 holds each request to this list."""

import pytest

from mlc_dagster_tests.contracts.published import published, systems

READS = frozenset({"GET", "QUERY", "HEAD"})
NEVER_WRITTEN = {
    "cin7": ("account", "tax", "location", "paymentterm", "product"),
    "airbase": ("accounts/", "subsidiaries/"),
    "procurify": ("departments", "locations", "currencies", "purchase_orders", "bills"),
}
"""System -> the ends of paths, or parts of them: charts, organisation and what a SaaS is the source of."""

NEVER_ASKED = {
    "airbase": ("scim", "users", "cards"),
    "cin7": ("sale", "customer", "me/addresses"),
}
"""System -> what nothing here is about: provisioning of users, issuing of cards, the sales side."""


def operations(system: str) -> list[tuple[str, str]]:
    return [(each.method.upper(), each.path.lower()) for each in published(system).operations]


@pytest.mark.parametrize(
    ("system", "part"), [(system, part) for system, found in NEVER_WRITTEN.items() for part in found]
)
def test_what_a_system_has_from_others_is_read_and_never_written(system: str, part: str) -> None:
    found = [(method, path) for method, path in operations(system) if part in path]
    assert [each for each in found if each[0] not in READS] == []
    assert found, f"{system} is not asked about {part} any more: take it out of this list"


@pytest.mark.parametrize(
    ("system", "part"), [(system, part) for system, found in NEVER_ASKED.items() for part in found]
)
def test_what_is_no_matter_of_ours_is_not_asked_about(system: str, part: str) -> None:
    assert [path for _, path in operations(system) if part in path] == []


def test_every_system_that_is_named_here_has_a_contract() -> None:
    assert (NEVER_WRITTEN.keys() | NEVER_ASKED.keys()) <= set(systems())
