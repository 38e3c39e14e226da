"""Agreement against scikit-learn (Cohen) and the worked example of Fleiss 1971."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from sklearn.metrics import cohen_kappa_score

from tracin_viz.relabel.agreement import agreement, cohen_kappa, fleiss_kappa

#: Fleiss 1971, table 1: 30 patients, six psychiatrists, five diagnoses; overall kappa .430.
DIAGNOSES = """
0 0 0 6 0  0 3 0 0 3  0 1 4 0 1  0 0 0 0 6  0 3 0 3 0  2 0 4 0 0  0 0 4 0 2  2 0 3 1 0  2 0 0 4 0  0 0 0 0 6
1 0 0 5 0  1 1 0 4 0  0 3 3 0 0  1 0 0 5 0  0 2 0 3 1  0 0 5 0 1  3 0 0 1 2  5 1 0 0 0  0 2 0 4 0  1 0 2 0 3
0 0 0 0 6  0 1 0 5 0  0 2 0 1 3  2 0 0 4 0  1 0 0 4 1  0 5 0 1 0  4 0 0 0 2  0 2 0 4 0  1 0 5 0 0  0 0 0 0 6
"""


def test_fleiss_kappa_of_the_worked_example_of_the_paper():
    numbers = [int(word) for word in DIAGNOSES.split()]
    counts = [dict(enumerate(numbers[start : start + 5])) for start in range(0, 150, 5)]
    assert [sum(one[place] for one in counts) for place in range(5)] == [26, 26, 30, 55, 43]
    assert fleiss_kappa(counts) == pytest.approx(0.430, abs=5e-4)


@pytest.mark.parametrize("seed", range(8))
def test_cohen_kappa_equals_that_of_scikit_learn(seed: int):
    chance = random.Random(seed)
    first = [chance.choice("abcd") for _ in range(50)]
    second = [one if chance.random() < 0.6 else chance.choice("abcd") for one in first]
    found = cohen_kappa(list(zip(first, second, strict=True)))
    assert found == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_two_who_say_always_the_same_word_have_no_kappa():
    assert cohen_kappa([("a", "a")] * 9) is None
    assert fleiss_kappa([Counter(a=3)] * 4) is None
    assert cohen_kappa([]) is fleiss_kappa([]) is None


def test_agreement_counts_only_examples_that_several_people_decided_about():
    found = agreement(
        {
            "1": {"ada": "x", "bob": "x", "cy": "x"},
            "2": {"ada": "x", "bob": "y", "cy": "y"},
            "3": {"ada": "y", "bob": "y"},
            "4": {"cy": "x"},
        }
    )
    assert (found.annotators, found.shared, found.same, found.everybody) == (("ada", "bob", "cy"), 3, 2, 2)
    assert [(pair.annotators, pair.shared, pair.same) for pair in found.pairs] == [
        (("ada", "bob"), 3, 2),
        (("ada", "cy"), 2, 1),
        (("bob", "cy"), 2, 2),
    ]
    assert found.fleiss == pytest.approx(fleiss_kappa([Counter(x=3), Counter(x=1, y=2)]) or 0)
