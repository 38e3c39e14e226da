"""Saved views: what was kept comes back, names are unique, a removed one can be brought back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.store.database import Database
from tracin_viz.store.views import LONGEST_STATE, MOST, Views

STATE = {"audit": "digits", "by": "aum", "class": "7 & <b>", "f_label": ["7", "['9']"]}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "workspace.db")


@pytest.fixture
def views(database: Database) -> Views:
    return Views(database, "digits")


def test_a_view_comes_back_as_it_was(views: Views):
    views.save("  odd\tsevens \u202e ", "suspects", STATE)
    found = views.get("odd sevens")
    assert (found.page, found.parameters) == ("suspects", STATE)
    assert (found.values("f_label"), found.value("f_label")) == (["7", "['9']"], "['9']")
    assert (found.values("by"), found.value("by"), found.values("no"), found.value("no")) == (
        ["aum"],
        "aum",
        [],
        "",
    )
    assert views.newest_first() == [found]


def test_views_belong_to_one_audit(views: Views, database: Database):
    views.save("one", "suspects", STATE)
    assert Views(database, "other").newest_first() == []
    Views(database, "other").save("one", "clusters", {})
    assert views.get("one").page == "suspects"


def test_a_taken_name_is_refused_and_the_old_view_stays(views: Views):
    views.save("one", "suspects", STATE)
    views.save("two", "clusters", {})
    with pytest.raises(InputError, match="already"):
        views.save("one", "clusters", {})
    with pytest.raises(InputError, match="already"):
        views.rename("two", "one")
    assert views.get("one").parameters == STATE
    assert views.get("two").page == "clusters"


def test_a_renamed_view_keeps_its_state(views: Views):
    views.save("one", "suspects", STATE)
    views.rename("one", "uno")
    assert views.rename("uno", "uno").parameters == STATE
    with pytest.raises(NotFoundError, match="one"):
        views.get("one")


def test_a_removed_view_can_be_brought_back(views: Views):
    kept = views.save("one", "suspects", STATE)
    removed = views.remove("one")
    assert views.newest_first() == []
    views.restore(removed)
    assert views.get("one") == kept
    with pytest.raises(InputError, match="already"):
        views.restore(removed)


@pytest.mark.parametrize(
    ("name", "page", "parameters"),
    [
        ("", "suspects", {}),
        (" \n ", "suspects", {}),
        ("x" * 81, "suspects", {}),
        ("x", "../../etc", {}),
        ("x", "https://evil.example", {}),
        ("x", "suspects", {"q": "x" * LONGEST_STATE}),
    ],
)
def test_what_is_no_view_is_refused_and_nothing_is_kept(
    views: Views, name: str, page: str, parameters: dict[str, str]
):
    with pytest.raises(InputError):
        views.save(name, page, parameters)
    assert views.newest_first() == []


def test_there_is_a_most(views: Views, database: Database):
    with database.write() as connection:
        connection.executemany(
            "INSERT INTO views (audit, name, state, created) VALUES ('digits', ?, '{}', 0)",
            [(str(number),) for number in range(MOST)],
        )
    with pytest.raises(InputError, match=str(MOST)):
        views.save("one more", "suspects", {})
