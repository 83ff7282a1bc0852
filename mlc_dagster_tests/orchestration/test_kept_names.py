"""Names carry state: partitions lie under asset keys, cursors and switches under those of sensors and schedules.

`kept_names.json` is what the code location of the demo's settings was called before a system was one folder.
"""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.orchestration.location import build
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.settings import Environment
from mlc_dagster.systems import configuration

KEPT: dict[str, list[str]] = json.loads(Path(__file__).with_name("kept_names.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def location() -> dg.Definitions:
    content = demo_settings("http://127.0.0.1:9", days=7)
    return build(configuration.parse(_as_text(content), "mlc.yaml"), Environment())


def _as_text(content: Any) -> Any:
    """As YAML's base loader reads it: every scalar is text."""
    return json.loads(json.dumps(content, default=str))


def _names(location: dg.Definitions) -> dict[str, set[str]]:
    graph, repository = location.resolve_asset_graph(), location.get_repository_def()
    return {
        "assets": {key.to_user_string() for key in graph.get_all_asset_keys()},
        "checks": {f"{key.asset_key.to_user_string()}:{key.name}" for key in graph.asset_check_keys},
        "jobs": set(repository.job_names),
        "schedules": {each.name for each in repository.schedule_defs},
        "sensors": {each.name for each in repository.sensor_defs},
        "resources": set(repository.get_top_level_resources()),
    }


@pytest.mark.parametrize("kind", KEPT)
def test_what_carries_state_is_called_as_in_the_release_before(location: dg.Definitions, kind: str) -> None:
    assert KEPT[kind]
    assert set(KEPT[kind]) - _names(location)[kind] == set()
