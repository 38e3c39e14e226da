"""Names of classes as the table on the page gives them."""

from __future__ import annotations

from tracin_viz.audit import Draft
from tracin_viz.data.mapping import UNLABELLED
from tracin_viz.ui.own.class_form import _named, _values


def row(value: str, name: str | None, *, none: bool = False) -> dict[str, object]:
    return {"value": value, "name": name, "none": none}


def test_only_what_differs_from_the_files_is_kept_and_other_choices_stay():
    rows = [row("0", "cat"), row("1", "dog "), row("2", "2"), row("3", None), row("4", "x", none=True)]
    assert _named({"label": "kind", "class_names": {"9": "old"}}, rows) == {
        "label": "kind",
        "class_names": {"0": "cat", "1": "dog"},
        "unlabelled": [*UNLABELLED, "4"],
    }
    assert _named({"class_names": {"0": "cat"}}, [row("0", "0")]) == {}


def test_the_values_of_the_files_are_shown_also_after_they_were_named():
    draft = Draft("0" * 12, mapping={"class_names": {"0": "cat", "1": "cat"}, "unlabelled": ["", "?", "9"]})
    assert _values(draft, {"classes": ["2", "cat"]}) == ["0", "1", "2", "9"]
