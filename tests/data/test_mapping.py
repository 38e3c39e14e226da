from __future__ import annotations

import json

import pytest

from tracin_viz.data.mapping import DataMapping
from tracin_viz.errors import InputError


def test_a_mapping_survives_json():
    mapping = DataMapping(
        task="tabular",
        content=("a", "b"),
        label="c",
        query_fraction=0.25,
        class_names={"0": "no"},
        unlabelled=("?", "-"),
        target="class",
    )
    assert DataMapping.from_dict(json.loads(json.dumps(mapping.as_dict()))) == mapping
    assert DataMapping.from_dict({}) == DataMapping()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"task": "sound"}, "Task 'sound' is not known"),
        ({"target": "ranking"}, "Target 'ranking' is not known"),
        ({"query_fraction": 1.0}, "leaves one side empty"),
        ({"query_fraction": "much"}, "cannot be 'much'"),
        ({"columns": "a"}, "no field 'columns'"),
        ({"label": 3}, "Field 'label' of a data mapping cannot be 3"),
        ({"content": ["a", 1]}, "Field 'content'"),
        ({"unlabelled": "?"}, "Field 'unlabelled'"),
        ({"class_names": {"a": 1}}, "Field 'class_names'"),
    ],
)
def test_a_wrong_mapping_is_refused_with_the_field(values, message):
    with pytest.raises(InputError, match=message) as caught:
        DataMapping.from_dict(values)
    assert caught.value.remedy
