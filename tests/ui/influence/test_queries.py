"""The order of query examples: mistakes first, filters that cannot fail, no neighbour beyond the ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas
import pytest

from tracin_viz.audit import CONFIDENCE_BANDS
from tracin_viz.ui.influence.queries import ANY_CONFIDENCE, Filter, Found, counts, ordered, passing


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
    found = ordered(table, Filter())
    assert found.rows.tolist() == [2, 1, 3, 0]
    assert found.wrong == 2


def test_where_numbers_are_predicted_the_largest_loss_comes_first(table: pandas.DataFrame):
    numbers = table.assign(confidence=np.nan, wrong=False)
    assert ordered(numbers, Filter()).rows.tolist() == [2, 1, 3, 0]


def test_filters_narrow_by_label_prediction_mistake_and_confidence(table: pandas.DataFrame):
    assert ordered(table, Filter(label="cat")).rows.tolist() == [1, 0]
    assert ordered(table, Filter(predicted="cat")).rows.tolist() == [2, 0]
    assert set(ordered(table, Filter(wrong=True)).rows) == {1, 2}
    assert ordered(table, Filter(label="cat", predicted="dog", wrong=True)).rows.tolist() == [1]
    assert ordered(table, Filter(sure=(50, 81))).rows.tolist() == [2, 1]
    assert ordered(table, Filter(sure=(40, 60))).rows.tolist() == [3], "the lower end is in the band"
    certain = table.assign(confidence=1.0)
    assert len(ordered(certain, Filter(sure=(99, 100))).rows) == 4


@pytest.mark.parametrize(("words", "rows"), [("cat2", [1]), ("(1", [0]), ("[", [3]), ("zebra", [])])
def test_search_takes_words_not_patterns(table: pandas.DataFrame, words: str, rows: list[int]):
    assert ordered(table, Filter(words=words)).rows.tolist() == rows


def test_each_count_is_what_the_choice_would_leave(table: pandas.DataFrame):
    wanted = Filter(label="cat", words="png", sure=(0, 85))
    found = counts(table, wanted)
    for name in ("cat", "dog"):
        left = passing(table, Filter(label=name, words="png", sure=(0, 85))).sum()
        assert found.label.get(name, 0) == left
        left = passing(table, Filter(label="cat", predicted=name, words="png", sure=(0, 85))).sum()
        assert found.predicted.get(name, 0) == left
    assert found.any_label == passing(table, Filter(words="png", sure=(0, 85))).sum() == 3
    assert found.any_predicted == passing(table, wanted).sum() == 1
    assert found.wrong == 1
    assert set(found.sure) == {*CONFIDENCE_BANDS, (0, 100), (0, 85)}
    for band, number in found.sure.items():
        assert number == passing(table, replace(wanted, sure=band)).sum()
    assert sum(found.sure[band] for band in CONFIDENCE_BANDS) == found.sure[ANY_CONFIDENCE] == 2


def some(rows: list[int], count: int) -> Found:
    place = np.full(count, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    return Found(np.array(rows, dtype=np.int64), 0, place)


def test_neighbours_end_at_the_ends():
    found = some([4, 2, 7], 10)
    assert found.neighbours(2) == (4, 7)
    assert found.neighbours(4) == (-1, 2)
    assert found.neighbours(7) == (2, -1)
    assert found.neighbours(9) == (-1, 4), "filtered away"
    assert some([], 10).neighbours(3) == (-1, -1)


def test_the_window_holds_the_chosen_one():
    found = some(list(range(10)), 12)
    assert found.window(5, 4).tolist() == [4, 5, 6, 7]
    assert found.window(9, 4).tolist() == [8, 9]
    assert found.window(11, 4).tolist() == [0, 1, 2, 3]
    assert some([], 10).window(5, 4).tolist() == []
