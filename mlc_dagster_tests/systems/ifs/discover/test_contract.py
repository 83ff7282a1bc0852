"""Every question of a discovery, and every answer of the sandbox to it, is as published (contracts/)."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster_tests.contracts.holding import REQUEST, hold
from mlc_dagster_tests.contracts.published import published
from mlc_dagster_tests.contracts.recorder import recorded
from mlc_dagster_tests.systems.ifs.discover.conftest import discovered, section, settings_of


@pytest.mark.parametrize("profile", ["ifs.seed", "ifs.pages", "ifs.recorded", "ifs.entity", "ifs.load-only"])
def test_what_a_discovery_sends_and_is_answered_is_as_published(profile: str, tmp_path: Path) -> None:
    box = Sandbox(seed="demo", days=1, profiles=[profile], limits=Limits(ifs_requests_per_minute=100_000))
    recorder = recorded(box)
    with box:
        discovered(settings_of(section(box.url), tmp_path))
    account = hold(recorder.exchanges, {"ifs": published("ifs")})
    asked = {operation for _, operation in account.seen}
    assert {"sign in", "metadata of a service", "metadata of an entity service", "read rows of a set"} <= asked
    assert [str(each) for each in account.misfits if each.side == REQUEST] == []
    assert [str(each) for each in account.misfits] == []
