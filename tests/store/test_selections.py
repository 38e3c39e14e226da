"""Selections: equal sets have equal names, and a name shows nothing but what was kept under it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.store import selections
from tracin_viz.store.database import Database
from tracin_viz.store.selections import Selections


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "workspace.db")


def test_a_selection_is_read_back_and_named_by_what_is_in_it(database: Database):
    kept = Selections(database, "one", 1_000)
    rows = np.array([3, 999, 0, 17])
    name = kept.keep(rows)
    assert name == kept.keep(np.sort(rows))
    assert name != kept.keep(rows[:3])
    assert kept.get(name).tolist() == [0, 3, 17, 999]


@pytest.mark.parametrize("rows", [[], [-1], [1_000]])
def test_rows_that_are_none_are_refused(database: Database, rows: list[int]):
    with pytest.raises(InputError):
        Selections(database, "one", 1_000).keep(np.array(rows, dtype=np.int64))


def test_unknown_names_and_other_data_are_not_found(database: Database):
    name = Selections(database, "one", 1_000).keep(np.arange(5))
    for other in (Selections(database, "two", 1_000), Selections(database, "one", 999)):
        with pytest.raises(NotFoundError):
            other.get(name)
    for nonsense in ("", "x", "' OR 1=1 --", "0" * 12, name.upper() + "0"):
        with pytest.raises(NotFoundError):
            Selections(database, "one", 1_000).get(nonsense)


def test_the_longest_unused_are_dropped(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(selections, "KEPT", 2)
    kept = Selections(database, "one", 10)
    first, second = kept.keep(np.arange(1)), kept.keep(np.arange(2))
    kept.keep(np.arange(1))
    third = kept.keep(np.arange(3))
    assert [len(kept.get(name)) for name in (first, third)] == [1, 3]
    with pytest.raises(NotFoundError):
        kept.get(second)
