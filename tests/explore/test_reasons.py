"""Reasons: codes with numbers, and their English sentences."""

from __future__ import annotations

import string

from tracin_viz.explore.reasons import SENTENCES, Evidence, reasons, sentences


def said(*arguments, **more):
    return sentences(reasons(Evidence(*arguments, **more)))


def test_reasons_say_what_speaks_for_and_against():
    assert said("cat", "dog", 0.81, 98.72, 5, 5, votes=3, rankings=4, sign="wrong", neighbours=0.1) == [
        "More suspicious than 98.7 % of the training set.",
        "The model never agreed with “cat”.",
        "The model leaned to “dog” (81 % on average).",
        "10 % of the examples it most looks like to the model share its label.",
        "3 of 4 rankings have it among their top 10 %.",
    ]
    assert "at 3 of 5 checkpoints" in said("cat", "dog", 0.1, 50.0, 3, 5)[0]
    rare = said("cat", "dog", 0.1, 99.99, 1, 5, sign="rare", neighbours=0.9)
    assert rare[0] == "More suspicious than 99.9 % of the training set."
    assert rare[-1] == "Model and neighbours agree with the label: it may be right but rare."
    assert "agrees with the label" in said("cat", "dog", 0.1, 99.0, 0, 5)[-1]
    assert "finite" in said("cat", "", 0.0, float("nan"), 0, 5)[0]
    assert said("cat", "dog", 0.1, 50.0, 1, 5) == [SENTENCES["nothing-else"]]


def test_every_code_s_sentence_is_filled_by_its_values():
    every = (
        Evidence("{x}", "dog", 0.9, 99, 5, 5, votes=4, rankings=4, sign="rare", neighbours=0.2),
        Evidence("a", "dog", 0.9, 99, 3, 5),
        Evidence("a", "", 0.0, 99, 0, 5),
        Evidence("a", "", 0.0, 10, 1, 5),
        Evidence("a", "", 0.0, float("nan"), 1, 5),
    )
    found = [one for evidence in every for one in reasons(evidence)]
    assert {one.code for one in found} == set(SENTENCES)
    for one in found:
        fields = {name for _, name, _, _ in string.Formatter().parse(SENTENCES[one.code]) if name}
        assert fields == set(one.values)
