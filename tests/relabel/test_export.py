from __future__ import annotations

import hashlib
import json
import random

import numpy as np
import pandas as pd
import pytest

from tracin_viz.errors import InputError, StoreError
from tracin_viz.relabel import export
from tracin_viz.relabel.events import Event, decisions
from tracin_viz.relabel.export import FORMATS, SCHEMA, read_csv_export, rows, write
from tracin_viz.relabel.spreadsheet import csv_text, neutral, original

ALPHABET = [*"=+-@\t\r\n'\",;a \x00\u2028é😀", "＝", "NA", "null", "\ufeff"]


def examples(count=6):
    return pd.DataFrame(
        {
            "id": [f"train:{row}" for row in range(count)],
            "source": [f"train/cat/{row}.png" for row in range(count)],
            "label": ["cat"] * count,
            "suggested": ["dog"] * count,
            "score": np.linspace(-1, 1, count) / 3,
            "percentile": [*np.linspace(5, 95, max(0, count - 1)), np.nan],
        }
    )


def made():
    events = [
        Event("train:0", "keep", "ada", "cat", server_ts=1_700_000_000.5, seq=1),
        Event("train:1", "relabel", "ada", "cat", "fox", note="=cmd|' /C calc'!A0", seq=2),
        Event("train:2", "exclude", "bob", "cat", seq=3),
        Event("train:3", "review", "bob", "cat", seq=4),
        Event("train:4", "relabel", "bob", "cat", "cat", seq=5),
        Event("test:0", "keep", "bob", "cat", seq=6),
    ]
    return decisions(events)


def test_every_training_example_has_a_row_and_every_column_its_meaning():
    frame = rows(examples(), made())
    assert list(frame.columns) == list(SCHEMA) and all(text.endswith(".") for text in SCHEMA.values())
    assert frame["id"].tolist() == [f"train:{row}" for row in range(6)]
    assert frame["given_label"].tolist() == ["cat"] * 6
    assert frame["label"].tolist() == ["cat", "fox", "", "cat", "cat", "cat"]
    assert frame["action"].tolist() == ["keep", "relabel", "exclude", "review", "relabel", ""]
    assert frame["changed"].tolist() == [False, True, True, False, False, False]
    assert frame["annotator"].tolist() == ["ada", "ada", "bob", "bob", "bob", ""]
    assert frame["decided_at"][0] == "2023-11-14T22:13:20.500+00:00" and frame["decided_at"][5] == ""


def test_the_suggestion_shown_with_a_decision_is_used_where_none_is_known_now():
    event = Event("train:1", "relabel", "ada", "cat", "fox", suggested="fox")
    frame = rows(examples(3).drop(columns=["suggested", "score", "percentile"]), decisions([event]))
    assert frame["suggested_label"].tolist() == ["", "fox", ""]
    assert frame["score"].isna().all()


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_each_format_is_read_back_as_it_was(format, tmp_path):
    frame = rows(examples(), made())
    path = write(frame, format, tmp_path / "new" / f"labels.{format}")
    if format == "csv":
        again = read_csv_export(path)
    elif format == "parquet":
        again = pd.read_parquet(path)
    else:
        again = pd.DataFrame([json.loads(line) for line in path.read_text("utf-8").splitlines()])
    pd.testing.assert_frame_equal(again, frame, check_exact=True)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]  # no temporary file stays


def test_cleanlab_columns_have_a_low_score_for_bad_examples(tmp_path):
    table = pd.read_csv(
        write(rows(examples(), made()), "cleanlab", tmp_path / "c.csv"), keep_default_na=False
    )
    assert set(table.columns) > {"is_label_issue", "label_score", "given_label", "predicted_label"}
    assert table["label_score"].tolist()[:2] == ["0.95", "0.725"]
    assert table["label_score"].tolist()[-1] == ""
    assert table["is_label_issue"].tolist() == [False, True, True, False, False, False]


def hostile(seed, count=400):
    chance = random.Random(seed)
    texts = ["".join(chance.choices(ALPHABET, k=chance.randint(0, 6))) for _ in range(count)]
    return [*texts, "", "'", "''=1", "=1+1", "NaN", "true", "x" * 200_000, "\r", "\n", "\t"]


@pytest.mark.parametrize("seed", range(6))
def test_any_text_comes_back_from_csv_and_no_cell_begins_like_a_formula(seed, tmp_path):
    texts = hostile(seed)
    table = examples(len(texts))
    table["source"] = texts
    table["label"] = texts[::-1]
    frame = rows(table, {})
    path = write(frame, "csv", tmp_path / "labels.csv")
    pd.testing.assert_frame_equal(read_csv_export(path), frame, check_exact=True)
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column in ("source", "given_label", "label"):
        assert not any(cell[:1] in set("=+-@\t\r\n＝") - {""} for cell in raw[column])


@pytest.mark.parametrize("seed", range(3))
def test_any_text_comes_back_from_parquet_and_json_lines(seed, tmp_path):
    texts = hostile(seed)
    table = examples(len(texts))
    table["source"] = texts
    frame = rows(table, {})
    parquet = write(frame, "parquet", tmp_path / "labels.parquet")
    lines = write(frame, "jsonl", tmp_path / "labels.jsonl").read_bytes().split(b"\n")
    assert pd.read_parquet(parquet)["source"].tolist() == texts
    assert [json.loads(line)["source"] for line in lines[:-1]] == texts


def test_neutral_cells_are_undone_exactly():
    for text in [*hostile(0), "'=1", "a=1", "+1"]:
        assert original(neutral(text)) == text
    assert neutral("=1") == "'=1" and neutral("'x") == "''x" and neutral("a=1") == "a=1"


def test_negative_numbers_stay_numbers():
    assert csv_text(pd.DataFrame({"score": [-0.1, float("nan")]})) == 'score\r\n-0.1\r\n""\r\n'


def test_half_characters_of_a_file_name_become_replacement_characters(tmp_path):
    table = examples(2)
    table["source"] = pd.Series(["bad\udcff.png", "good.png"], dtype=object)
    frame = rows(table, {})
    assert frame["source"].tolist() == ["bad\ufffd.png", "good.png"]
    for format in FORMATS:
        write(frame, format, tmp_path / f"labels.{format}")


def tree(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_nothing_of_the_source_data_is_ever_written(tmp_path):
    data, elsewhere = tmp_path / "data", tmp_path / "out"
    (data / "train").mkdir(parents=True)
    elsewhere.mkdir()
    (data / "labels.csv").write_text("text,label\n")
    (elsewhere / "link.csv").symlink_to(data / "labels.csv")
    (elsewhere / "door").symlink_to(data, target_is_directory=True)
    single = tmp_path / "table.csv"
    single.write_text("text,label\n")
    before = tree(tmp_path)
    frame = rows(examples(), {})
    for output in (
        data / "labels.csv",
        data / "new.csv",
        data / "train" / "deeper" / "new.csv",
        elsewhere / "link.csv",
        elsewhere / "door" / "new.csv",
        elsewhere / ".." / "data" / "new.csv",
        single,
    ):
        with pytest.raises(InputError, match="only ever read"):
            write(frame, "csv", output, protected=[data, single])
    assert tree(tmp_path) == before
    assert not (data / "train" / "deeper").exists()


def test_a_failed_export_leaves_the_older_one_as_it_was(tmp_path, monkeypatch):
    path = write(rows(examples(), made()), "csv", tmp_path / "labels.csv")
    before = path.read_bytes()

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "sync_file", full)  # the part is written by then
    with pytest.raises(StoreError, match="No space left"):
        write(rows(examples(), {}), "csv", path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["labels.csv"]


def test_bad_requests_name_what_is_wrong(tmp_path):
    frame = rows(examples(), {})
    with pytest.raises(InputError, match=r"'xlsx' is not known. Possible: csv, jsonl, parquet"):
        write(frame, "xlsx", tmp_path / "a")
    with pytest.raises(InputError, match="is a folder"):
        write(frame, "csv", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write(frame, "csv", tmp_path / "file" / "labels.csv")
    with pytest.raises(InputError, match="lack the column label"):
        rows(examples().drop(columns="label"), {})
    with pytest.raises(InputError, match="train:1 appears twice"):
        rows(examples().assign(id=["train:1"] * 6), {})
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="lacks the column id"):
        read_csv_export(tmp_path / "b.csv")
    broken = write(frame, "csv", tmp_path / "c.csv")
    broken.write_text(broken.read_text("utf-8").replace("95.0", "high"), "utf-8")
    with pytest.raises(InputError, match=r"column percentile.*'high'"):
        read_csv_export(broken)
    with pytest.raises(InputError, match="cannot be read"):
        read_csv_export(tmp_path / "missing.csv")


def test_an_export_of_no_examples_has_the_columns(tmp_path):
    frame = rows(examples(1).iloc[:0], {})
    again = read_csv_export(write(frame, "csv", tmp_path / "labels.csv"))
    assert list(again.columns) == list(SCHEMA) and len(again) == 0
