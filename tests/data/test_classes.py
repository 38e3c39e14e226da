from __future__ import annotations

import subprocess
import sys

import pytest

from tracin_viz.data.classes import match_classes
from tracin_viz.errors import InputError, Problem


def test_equal_names_take_the_order_of_the_model():
    problems: list[Problem] = []
    assert match_classes(["dog", "cat"], ["cat", "dog"], problems=problems) == ["dog", "cat"]
    assert problems == []


def test_a_model_without_names_is_matched_by_position_and_noted():
    problems: list[Problem] = []
    assert match_classes(["LABEL_0", "LABEL_1"], ["cat", "dog"], problems=problems) == ["cat", "dog"]
    (problem,) = problems
    assert "does not name its classes" in problem.message and "LABEL_0 = cat" in problem.message


def test_other_names_of_the_same_number_are_matched_by_position_and_noted():
    problems: list[Problem] = []
    assert match_classes(["0", "1"], ["cat", "dog"], problems=problems) == ["cat", "dog"]
    assert "0 = cat" in problems[0].message and problems[0].remedy


def test_a_different_number_is_refused_with_both_numbers_and_the_names():
    with pytest.raises(InputError) as caught:
        match_classes(["cat", "dog"], ["cat", "dog", "owl"])
    assert "2 classes, the data have 3 (only in the data: owl)" in str(caught.value)
    with pytest.raises(InputError, match="only in the model: fox, owl"):
        match_classes(["cat", "dog", "fox", "owl"], ["cat", "dog"])
    with pytest.raises(InputError, match="the data's are cat, dog"):
        match_classes(["LABEL_0", "LABEL_1", "LABEL_2"], ["cat", "dog"])


def test_matching_needs_no_torch():
    code = "import sys, tracin_viz.data.classes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
