"""The speed of the newest run: kept where it tells something, read where it can be."""

from __future__ import annotations

import pytest

from tracin_viz.config import Home
from tracin_viz.store import speed as speeds
from tracin_viz.store.speed import ENOUGH, Speed


@pytest.fixture
def home(tmp_path):
    (tmp_path / "audits" / "one").mkdir(parents=True)
    return Home(tmp_path)


def test_a_speed_is_read_as_it_was_written_and_a_short_run_leaves_it(home):
    assert speeds.load(home, "one") is None
    first = Speed(125.5, "cpu", "all", ENOUGH)
    speeds.save(home, "one", first)
    speeds.save(home, "one", Speed(3.0, "cpu", "all", ENOUGH - 1))
    assert speeds.load(home, "one") == first


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"rate": 1}', '{"examples_per_second": "fast"'])
def test_a_damaged_speed_counts_as_none(home, content):
    (home.audit_folder("one") / speeds.SPEED).write_text(content)
    assert speeds.load(home, "one") is None


def test_a_speed_that_is_no_positive_number_counts_as_none(home):
    for rate in (0.0, -1.0, float("inf"), float("nan")):
        speeds.save(home, "one", Speed(rate, "cpu", "all", ENOUGH))
        assert speeds.load(home, "one") is None
