"""The order of query examples: mistakes first, filters that cannot fail, no neighbour beyond the ends."""

from __future__ import annotations

import pandas
import pytest

from tracin_viz.ui.queries import Filter, neighbours, ordered, window


@pytest.fixture
def table() -> pandas.DataFrame:
    rows = [
        ("test:0", "cat", "cat", 0.9, "a/cat(1).png"),
        ("test:1", "cat", "dog", 0.6, "a/Cat2.png"),
        ("test:2", "dog", "cat", 0.8, "b/dog.png"),
        ("test:3", "dog", "dog", 0.4, "b/dog[2].png"),
    ]
    found = pandas.DataFrame(rows, columns=["id", "label", "predicted", "confidence", "source"])
    found["loss"] = [0.1, 2.0, 3.0, 0.5]
    found["wrong"] = found["label"] != found["predicted"]
    return found


def test_surest_mistakes_come_first_then_right_ones_from_unsure_to_sure(table: pandas.DataFrame):
    assert ordered(table, Filter())["id"].tolist() == ["test:2", "test:1", "test:3", "test:0"]


def test_filters_narrow_by_label_prediction_and_mistake(table: pandas.DataFrame):
    assert ordered(table, Filter(label="cat"))["id"].tolist() == ["test:1", "test:0"]
    assert ordered(table, Filter(predicted="cat"))["id"].tolist() == ["test:2", "test:0"]
    assert set(ordered(table, Filter(wrong=True))["id"]) == {"test:1", "test:2"}
    assert ordered(table, Filter(label="cat", predicted="dog", wrong=True))["id"].tolist() == ["test:1"]


@pytest.mark.parametrize(
    ("words", "ids"), [("cat2", ["test:1"]), ("(1", ["test:0"]), ("[", ["test:3"]), ("zebra", [])]
)
def test_search_takes_words_not_patterns(table: pandas.DataFrame, words: str, ids: list[str]):
    assert ordered(table, Filter(words=words))["id"].tolist() == ids


def test_neighbours_end_at_the_ends():
    assert neighbours(["a", "b", "c"], "b") == ("a", "c")
    assert neighbours(["a", "b", "c"], "a") == ("", "b")
    assert neighbours(["a", "b", "c"], "c") == ("b", "")
    assert neighbours(["a", "b"], "filtered away") == ("", "a")
    assert neighbours([], "x") == ("", "")


def test_the_window_holds_the_chosen_one():
    ids = [str(number) for number in range(10)]
    assert window(ids, "5", 4) == ["4", "5", "6", "7"]
    assert window(ids, "9", 4) == ["8", "9"]
    assert window(ids, "unknown", 4) == ["0", "1", "2", "3"]
    assert window([], "5", 4) == []
