"""Dagster's settings in its home, over releases."""

from pathlib import Path

import pytest

from mlc_dagster.demo import instance
from mlc_dagster.demo.instance import FILE, settle

SHIPPED = Path(__file__).parents[2] / FILE


def test_where_there_are_none_they_are_those_of_this_release(tmp_path: Path) -> None:
    assert settle(tmp_path, SHIPPED) == ""
    assert (tmp_path / FILE).read_text() == SHIPPED.read_text()


def test_those_of_an_earlier_release_that_nobody_changed_are_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    (tmp_path / FILE).write_text("# as shipped then\nmlc/target\n")
    monkeypatch.setattr(instance, "EARLIER", frozenset({hashlib.sha256((tmp_path / FILE).read_bytes()).hexdigest()}))
    assert settle(tmp_path, SHIPPED) == ""
    assert (tmp_path / FILE).read_text() == SHIPPED.read_text()


def test_a_persons_own_stay_and_what_does_not_hold_any_more_is_told(tmp_path: Path) -> None:
    own = "concurrency: {runs: {tag_concurrency_limits: [{key: mlc/target, limit: 1}]}}\n"
    (tmp_path / FILE).write_text(own)
    told = settle(tmp_path, SHIPPED)
    assert (tmp_path / FILE).read_text() == own
    assert f"{tmp_path / FILE} limits runs by the tag mlc/target" in told and "run_launcher" in told


def test_a_persons_own_of_today_are_not_worth_a_word(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"# ours\n{SHIPPED.read_text()}")
    assert settle(tmp_path, SHIPPED) == ""
    assert (tmp_path / FILE).read_text().startswith("# ours")
