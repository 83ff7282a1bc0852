"""What is still the example's value is found by what each system says of its own section, on every connection to it."""

from __future__ import annotations

from mlc_dagster.settings.placeholders import mistakes
from mlc_dagster.systems.registry import sections


def test_placeholders_are_found_on_a_second_connection_too() -> None:
    content = {
        "ifs": {"base_url": "https://acme.ifs.cloud", "token_url": "https://own.ifs.cloud/auth/realms/acmeprod/token"},
        "procurify_us": {"system": "procurify", "base_url": "https://ACME.procurify.com/"},
        "monday": {"boards": {"suppliers": {"board": "1234567890"}, "invoices": {"board": "12345678901"}}},
        "hubspot": {"portal_id": "123456789"},
    }
    found = {".".join(map(str, each.path)): each.sentence for each in mistakes(content, sections())}
    assert found.keys() == {
        "ifs.base_url",
        "ifs.token_url",
        "procurify_us.base_url",
        "monday.boards.suppliers.board",
        "hubspot.portal_id",
    }
    assert found["ifs.token_url"].endswith("expected your own realm, which API Explorer shows")


def test_one_systems_placeholder_is_none_in_anothers_section() -> None:
    content = {"hubspot": {"base_url": "https://acme.procurify.com"}, "alerts": {"host": "acme.ifs.cloud"}}
    assert not list(mistakes(content, sections()))
