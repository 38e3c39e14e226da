"""Rows of JSON put together from their cells."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.relabel.exports.labels import hostile
from tracin_viz.relabel.decisions import Event
from tracin_viz.relabel.exports.json_text import objects
from tracin_viz.relabel.exports.table import _entry

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
KINDS = (st.text(max_size=8), NUMBERS, st.integers(), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rows_are_what_the_json_module_writes(data):
    size = data.draw(st.integers(0, 4))
    names = data.draw(st.lists(st.text(max_size=6) | st.just("%s %"), unique=True, min_size=1, max_size=4))
    columns = {
        name: data.draw(st.lists(data.draw(st.sampled_from(KINDS)), min_size=size, max_size=size))
        for name in names
    }
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert list(objects(columns)) == [json.dumps(row, ensure_ascii=False) for row in rows]


def test_unknown_numbers_are_null_and_infinite_ones_refused():
    assert list(objects({"a": [float("nan"), 1.5], "b": [None, "x"]})) == [
        '{"a": null, "b": null}',
        '{"a": 1.5, "b": "x"}',
    ]
    with pytest.raises(ValueError, match="inf"):
        list(objects({"a": [float("inf")]}))


def test_a_decision_is_what_the_json_module_writes():
    for place, text in enumerate(hostile(3, 50)):
        event = Event("train:0", "relabel", text, new_label=text, note=text, settles=place % 2 == 0)
        told = {"annotator": text, "action": "relabel", "label": text, "at": "now"}
        told |= {"note": text} if text else {}
        told |= {"settles": True} if event.settles else {}
        assert _entry(event, "now", str) == json.dumps(told, ensure_ascii=False)
