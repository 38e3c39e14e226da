from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from tracin_viz.config import ResultSettings
from tracin_viz.fingerprint import fingerprint, fingerprint_file

DISTINCT = [
    None,
    True,
    1,
    1.0,
    "1",
    b"1",
    [1],
    ["1"],
    [[1]],
    {"1": 1},
    ["ab", "c"],
    ["a", "bc"],
    ["abc"],
    [],
    {},
    "",
    np.array([1]),
    np.array([1], dtype=np.int32),
    np.array([[1]]),
    np.array([1.0]),
    {"a": 1, "b": 2},
    {"a": 2, "b": 1},
]


@pytest.mark.parametrize(("left", "right"), list(itertools.combinations(range(len(DISTINCT)), 2)))
def test_different_values_have_different_keys(left, right):
    assert fingerprint(DISTINCT[left]) != fingerprint(DISTINCT[right])


def test_equal_values_have_equal_keys():
    assert fingerprint({"a": (1, 2), "b": None}) == fingerprint({"b": None, "a": [1, 2]})
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert fingerprint(array[:, ::2]) == fingerprint(np.ascontiguousarray(array[:, ::2]))


def test_keys_are_the_same_in_every_process_and_version():
    # A changed key would orphan every stored artifact: raise fingerprint.FORMAT when that is meant.
    assert fingerprint({"seed": 0, "parts": ["x", b"y", 1.5, None, True]}) == (
        "fe268ea5eb663b3af9c2a0afa3a5228401b1ed20"
    )


def test_a_value_without_a_key_is_refused():
    with pytest.raises(TypeError, match="set"):
        fingerprint({"labels": {1, 2}})


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(ResultSettings)])
def test_every_setting_that_changes_the_answer_changes_the_key(field):
    values = ResultSettings().key_parts()
    other = dict(values)
    other[field] = other[field] + 1 if isinstance(other[field], int) else other[field] + "x"
    assert fingerprint(values) != fingerprint(other)


def test_a_file_is_known_by_its_bytes(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"x" * 3_000_000)
    second.write_bytes(b"x" * 3_000_000)
    assert fingerprint_file(first) == fingerprint_file(second)
    second.write_bytes(b"x" * 2_999_999 + b"y")
    assert fingerprint_file(first) != fingerprint_file(second)
