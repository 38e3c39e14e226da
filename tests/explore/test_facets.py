"""Counts under filters, against a slow twin that looks at one example at a time."""

from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.errors import InputError
from tracin_viz.explore.facets import Column, counts, listed, passing

SIZE = 200


def columns(seed: int) -> list[Column]:
    draw = np.random.default_rng(seed)
    return [
        Column(name, tuple(f"{name}{place}" for place in range(number)), draw.integers(-1, number, SIZE))
        for name, number in (("label", 5), ("agrees", 2), ("cluster", 9))
    ]


def passes(found: list[Column], chosen, row: int, but: str = "") -> bool:
    for column in found:
        wanted = chosen.get(column.name, ())
        if column.name == but or not wanted:
            continue
        code = int(column.codes[row])
        if code < 0 or column.keys[code] not in wanted:
            return False
    return True


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"label": ["label1"]},
        {"label": ["label1", "label3"], "agrees": ["agrees0"]},
        {"label": ["label0"], "agrees": ["agrees1"], "cluster": ["cluster2", "cluster8", "cluster5"]},
        {"label": ["no such label"], "agrees": ()},
    ],
)
def test_counts_are_those_of_looking_at_each_example(chosen):
    found = columns(3)
    mask = passing(found, chosen, SIZE)
    assert mask.tolist() == [passes(found, chosen, row) for row in range(SIZE)]
    numbers = counts(found, chosen, SIZE)
    for column in found:
        for place, key in enumerate(column.keys):
            expected = sum(
                passes(found, chosen, row, but=column.name) and column.codes[row] == place
                for row in range(SIZE)
            )
            assert numbers[column.name][place] == expected, (column.name, key)


def test_a_list_holds_the_largest_values_what_is_searched_and_what_is_chosen():
    keys = tuple(f"k{place:03d}" for place in range(120))
    words = tuple(f"Name {place}" for place in range(120))
    numbers = np.arange(120)
    assert listed(keys[:50], words[:50], numbers[:50]) == list(range(50))
    assert listed(keys, words, numbers) == list(range(70, 120))
    assert listed(keys, words, numbers, chosen=("k003",)) == [3, *range(70, 120)]
    assert listed(keys, words, numbers, search=" NAME 11") == [11, *range(110, 120)]
    assert listed(keys, words, numbers, search="nothing") == []


def test_codes_without_a_value_are_refused():
    with pytest.raises(InputError, match="'x' do not fit its 2 values"):
        Column("x", ("a", "b"), np.array([0, 2]))
