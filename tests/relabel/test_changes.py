"""From decisions to the labels that a model would be trained on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tracin_viz.data.dataset import Dataset, Split
from tracin_viz.errors import InputError
from tracin_viz.relabel.changes import given_targets, has_target, new_labels, read_changes
from tracin_viz.relabel.decisions import Decision, Event


def dataset(target: str = "class", **fields: Any) -> Dataset:
    labels = np.array([0, 1, 2, 0, -1]) if target == "class" else np.full(5, -1)
    targets = {
        "class": None,
        "multi-label": np.array([[1, 0], [0, 1], [1, 1], [0, 0], [np.nan, np.nan]], dtype=np.float32),
        "number": np.array([1.5, 2, 3, 4, np.nan], dtype=np.float32),
    }[target]
    split = Split("train", list("abcde"), labels, targets)
    classes = {"class": ("ant", "bee", "cat"), "multi-label": ("red", "blue"), "number": ()}[target]
    reader: Any = SimpleNamespace()
    return Dataset("text", classes, {"train": split}, Path(), (), reader, target=target, **fields)


def decision(row: int, action: str, label: str | None = None) -> Decision:
    event = Event(f"train:{row}", action, "ann", old_label="ant", new_label=label)
    return Decision(event, {"exclude": None, "relabel": label}.get(action, "ant"))


def test_only_relabelled_and_excluded_examples_change():
    decisions = {
        one.example_id: one
        for one in (
            decision(0, "relabel", "cat"),
            decision(1, "keep"),
            decision(2, "exclude"),
            decision(3, "review"),
        )
    }
    found = read_changes(new_labels(decisions), dataset())
    assert found.rows.tolist() == [0, 2]
    assert found.kept.tolist() == [True, False]
    stay, labels = found.applied(dataset())
    assert stay.tolist() == [True, True, False, True, True]
    assert labels.tolist() == [2, 1, 2, 0, -1]
    assert given_targets(dataset(), "train").tolist() == [0, 1, 2, 0, -1], "the data are only read"
    assert (found.relabelled, found.excluded) == (1, 1)


def test_a_label_that_the_data_give_already_is_no_change():
    assert len(read_changes({0: "ant", 1: "bee"}, dataset())) == 0


def test_several_classes_and_numbers_are_read_from_json():
    several = read_changes({0: '["red", "blue"]', 3: "[]", 4: '["blue"]'}, dataset("multi-label"))
    assert several.rows.tolist() == [0, 4], "an empty list is what example 3 has"
    assert several.targets.tolist() == [[1, 1], [0, 1]]
    numbers = read_changes({1: "2.5", 2: "3", 4: "-1e2"}, dataset("number"))
    assert numbers.rows.tolist() == [1, 4]
    assert numbers.targets.tolist() == [2.5, -100.0]


@pytest.mark.parametrize(
    ("target", "label"),
    [
        ("class", "dog"),
        ("multi-label", "red"),
        ("multi-label", '["dog"]'),
        ("number", "much"),
        ("number", "true"),
        ("number", "NaN"),
    ],
)
def test_a_label_that_is_none_of_these_data_is_refused_by_name(target: str, label: str):
    with pytest.raises(InputError, match="train:1"):
        read_changes({1: label}, dataset(target))


def test_a_row_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="train:5"):
        read_changes({5: "ant"}, dataset())


def test_equal_changes_have_equal_keys_and_others_do_not():
    one = read_changes({0: "cat", 2: None}, dataset())
    assert one.key == read_changes({2: None, 0: "cat", 1: "bee"}, dataset()).key
    others = [{0: "cat"}, {0: "bee", 2: None}, {0: None, 2: None}, {0: "cat", 2: "ant"}]
    assert len({one.key, *(read_changes(other, dataset()).key for other in others)}) == 5


@pytest.mark.parametrize("target", ["class", "multi-label", "number"])
def test_examples_without_a_label_are_known(target: str):
    assert has_target(given_targets(dataset(target), "train")).tolist() == [True] * 4 + [False]
