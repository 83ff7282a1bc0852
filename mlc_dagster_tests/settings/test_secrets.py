"""A secret that somebody wrote into mlc.yaml, or into the ledger's address, is not quoted back in a message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.settings_check import checked

GOOD_ONES = {
    "companies": {"0010": {"currency": "SEK"}},
    "ifs": {"base_url": "https://tenant.ifs.test", "token_url": "https://tenant.ifs.test/token"},
}
SECRETS_OF_MANY_KINDS = (
    *("pat-na1-hunter2-marked", "ghp_hunter2markedhunter2marked", "eyJhbGciOi.hunter2.marked", "sk-hunter2-marked"),
    *("Bearer hunter2-marked", "X-Api-Key: hunter2-marked", "joe:hunter2-marked@api.hubapi.com"),
    *("https://joe:hunter2-marked@api.test/x", "postgresql://joe:hunter2-marked@db.test/x", "AIzahunter2-marked"),
    "-----BEGIN PRIVATE KEY-----\nhunter2-marked\n-----END PRIVATE KEY-----\n",
    "9f8e7d6c5b4a-hunter2-marked-0123456789",
)
PLACES: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda secret: {"hubspot": secret},
    lambda secret: {secret: "x"},
    lambda secret: {"hubspot": {secret: "x"}},
    lambda secret: {"hubspot": {"token": secret}},
    lambda secret: {"hubspot": {"base_url": secret}},
    lambda secret: {"hubspot": {"deals": secret}},
    lambda secret: {"hubspot": {"in_flight": secret}},
    lambda secret: {"hubspot": {"invoice_status": secret}},
    lambda secret: {"hubspot": {"proof": [f"{secret}("]}},
    lambda secret: {"hubspot": {"extra_fields": {"supplier_companies": {secret: "x"}}}},
    lambda secret: {"airbase": {"supplier_owners": {secret: secret}}},
    lambda secret: {"guards": {secret: {}}},
    lambda secret: {"guards": secret},
    lambda secret: {"schedules": {"running_day": secret}},
    lambda secret: {"alerts": {"webhook": secret}},
    lambda secret: {"alerts": {"webhook": "X", "ui_url": secret}},
    lambda secret: {"web": {"airbase": {"header": f"{secret} "}, "sources": [secret]}},
    lambda secret: {"companies": secret},
    lambda secret: {"companies": {"0010": {"currency": secret}}},
    lambda secret: {"partitions_start": secret},
    lambda secret: {"database_url": secret},
)


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_what_looks_like_a_secret_is_never_quoted_back_wherever_somebody_wrote_it(tmp_path: Path, place: int) -> None:
    for secret in SECRETS_OF_MANY_KINDS:
        path = tmp_path / "mlc.yaml"
        path.write_text(yaml.safe_dump({**GOOD_ONES, **PLACES[place](secret)}))
        with pytest.raises(Misconfigured) as refused:
            checked(path)
        assert "hunter2" not in str(refused.value), refused.value


def test_a_secret_that_stands_twice_is_not_quoted_back(tmp_path: Path) -> None:
    path = tmp_path / "mlc.yaml"
    path.write_text(yaml.safe_dump(GOOD_ONES) + "hubspot: {ghp_hunter2marked: 1, ghp_hunter2marked: 2}\n")
    with pytest.raises(Misconfigured, match="stands twice") as refused:
        checked(path)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        *("sqlite://joe:hunter2@db/x", "hunter2://x", "mysql://joe:hunter2@db/x", "joe:hunter2@db/x", "hunter2"),
        *("postgresql://joe:hunter2@db:port/x", "postgresql://joe:hun@hunter2@db/x", "postgresql://joe:hunter2@[::1/x"),
        *("postgres//joe:hunter2@db", "postgresql://joe:hunter2@127.0.0.1:1/x?connect_timeout=1", "sqlite://hunter2/x"),
    ],
)
def test_a_wrong_address_of_the_ledger_is_told_without_its_password(url: str) -> None:
    for opened in (Ledger.open, Ledger.to_read):
        with pytest.raises(Misconfigured) as refused:
            opened(url)
        assert "hunter2" not in str(refused.value) and "MLC_DATABASE_URL" in str(refused.value)
