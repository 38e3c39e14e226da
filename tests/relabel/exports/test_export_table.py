"""The table that every format writes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.relabel.exports.labels import events, examples, hostile, table
from tracin_viz.errors import InputError
from tracin_viz.relabel.events import Event, decisions
from tracin_viz.relabel.exports.schema import SCHEMA
from tracin_viz.relabel.exports.table import chosen, rows
from tracin_viz.relabel.spreadsheet import csv_text, neutral, original


def test_every_training_example_has_a_row_and_every_column_its_meaning():
    frame = table()
    assert list(frame.columns) == list(SCHEMA)
    assert all(column.meaning.endswith(".") for column in SCHEMA.values())
    assert frame["id"].tolist() == [f"train:{row}" for row in range(6)]
    assert frame["given_label"].tolist() == ["cat"] * 6
    assert frame["label"].tolist() == ["cat", "fox", "", "cat", "cat", "cat"]
    assert frame["action"].tolist() == ["keep", "relabel", "exclude", "review", "relabel", ""]
    assert frame["changed"].tolist() == [False, True, True, False, False, False]
    assert frame["excluded"].tolist() == [False, False, True, False, False, False]
    assert frame["needs_review"].tolist() == [False, False, False, True, False, False]
    assert frame["annotator"].tolist() == ["ada", "ada", "bob", "bob", "bob", ""]
    assert frame["decided_at"][0] == "2023-11-14T22:13:21.500+00:00" and frame["decided_at"][5] == ""


def test_each_persons_newest_decision_is_counted_and_listed_the_newest_last():
    frame = table()
    assert frame["n_annotators"].tolist() == [2, 1, 1, 1, 1, 0]
    assert frame["agreement"][0] == 0.5 and frame["agreement"][1:].isna().all()
    assert frame["decisions"][0] == (
        '[{"annotator": "bob", "action": "relabel", "label": "fox", "at": "1970-01-01T00:00:00.000+00:00"}, '
        '{"annotator": "ada", "action": "keep", "at": "2023-11-14T22:13:21.500+00:00"}]'
    )
    assert frame["decisions"][5] == ""


def test_agreement_is_about_what_was_decided_not_about_the_word_for_it():
    log = [Event("train:0", "relabel", name, "cat", "cat") for name in ("ada", "bob")]
    log += [Event("train:0", "keep", "cyd", "cat"), Event("train:1", "exclude", "ada", "cat")]
    log += [Event("train:1", "review", "bob", "cat"), Event("train:1", "exclude", "cyd", "cat")]
    agreement = rows(examples(2), decisions(log), log)["agreement"]
    assert agreement.tolist() == [1.0, pytest.approx(2 / 3)]


def test_what_was_undone_or_skipped_is_in_no_export():
    log = [Event("train:0", "keep", "ada", "cat", event_uuid="a" * 8)]
    log += [Event("train:0", "undo", "ada", undo_of="a" * 8), Event("train:1", "skip", "ada", "cat")]
    frame = rows(examples(2), decisions(log), log)
    assert frame["n_annotators"].tolist() == [0, 0] and frame["decisions"].tolist() == ["", ""]


def test_rows_can_be_those_decided_or_those_changed_only():
    frame = table()
    assert chosen(frame, "all") is frame
    assert chosen(frame, "decided")["id"].tolist() == [f"train:{row}" for row in range(5)]
    assert chosen(frame, "changes")["id"].tolist() == ["train:1", "train:2"]
    with pytest.raises(InputError, match="all, decided, changes"):
        chosen(frame, "some")


def test_the_suggestion_shown_with_a_decision_is_used_where_none_is_known_now():
    event = Event("train:1", "relabel", "ada", "cat", "fox", suggested="fox")
    frame = rows(examples(3).drop(columns=["suggested", "score", "percentile"]), decisions([event]))
    assert frame["suggested_label"].tolist() == ["", "fox", ""]
    assert frame["score"].isna().all()


def test_half_characters_of_a_file_name_become_replacement_characters():
    frame = examples(2)
    frame["source"] = pd.Series(["bad\udcff.png", "good.png"], dtype=object)
    assert rows(frame, {})["source"].tolist() == ["bad\ufffd.png", "good.png"]


def test_examples_that_cannot_be_told_apart_are_refused():
    with pytest.raises(InputError, match="lack the column label"):
        rows(examples().drop(columns="label"), {})
    with pytest.raises(InputError, match="train:1 appears twice"):
        rows(examples().assign(id=["train:1"] * 6), {})


def test_neutral_cells_are_undone_exactly():
    for text in [*hostile(0), "'=1", "a=1", "+1"]:
        assert original(neutral(text)) == text
    assert neutral("=1") == "'=1" and neutral("'x") == "''x" and neutral("a=1") == "a=1"


def test_negative_numbers_stay_numbers():
    assert csv_text(pd.DataFrame({"score": [-0.1, float("nan")]})) == 'score\r\n-0.1\r\n""\r\n'


def test_the_log_without_other_people_gives_the_same_as_what_holds_alone():
    log = [event for event in events() if event.seq < 7]
    one, other = rows(examples(), decisions(log), log), rows(examples(), decisions(log))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert np.isfinite(one["score"]).all()
