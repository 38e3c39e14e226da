"""Files of one table each: what was written is what other libraries read."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.relabel.exports.labels import examples, hostile, table, tree
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.errors import InputError, StoreError
from tracin_viz.relabel.exports import writing
from tracin_viz.relabel.exports.reading import read_labels
from tracin_viz.relabel.exports.schema import CLEANLAB, SCHEMA, typed
from tracin_viz.relabel.exports.table import rows
from tracin_viz.relabel.exports.writing import FORMATS, Subject, write


@pytest.fixture
def subject(created_home):
    return Subject(Workspace(Home(created_home)).open("tiny").results.dataset())


def read_as_pandas(path, format):
    if format == "csv":
        flags = {"true": True, "false": False}
        text = pd.read_csv(path, dtype=str, keep_default_na=False)
        for name, column in SCHEMA.items():
            if column.kind == "flag":
                text[name] = text[name].map(flags)
            elif column.kind == "text":
                text[name] = [cell[1:] if cell.startswith("'") else cell for cell in text[name]]
            else:
                text[name] = pd.to_numeric(text[name])
        return typed(text)
    if format == "parquet":
        return pd.read_parquet(path)
    return typed(pd.DataFrame([json.loads(line) for line in path.read_text("utf-8").splitlines()]))


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_each_format_is_read_back_as_it_was(format, tmp_path, subject):
    frame = table()
    path = write(frame, format, tmp_path / "new" / f"labels.{format}", subject)
    pd.testing.assert_frame_equal(read_as_pandas(path, format), frame, check_exact=True)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]  # no temporary file stays


def test_arrow_reads_the_parquet_file_with_the_schemas_columns(tmp_path, subject):
    found = pq.read_table(write(table(), "parquet", tmp_path / "labels.parquet", subject))
    assert found.column_names == list(SCHEMA) and found.num_rows == 6
    assert found.column("changed").to_pylist() == [False, True, True, False, False, False]


@pytest.mark.parametrize("seed", range(4))
def test_any_text_comes_back_from_csv_and_no_cell_begins_like_a_formula(seed, tmp_path, subject):
    texts = hostile(seed)
    made = examples(len(texts)).assign(source=texts, label=texts[::-1])
    path = write(rows(made, {}), "csv", tmp_path / "labels.csv", subject)
    pd.testing.assert_frame_equal(read_as_pandas(path, "csv"), rows(made, {}), check_exact=True)
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column in ("source", "given_label", "label"):
        assert not any(cell[:1] in set("=+-@\t\r\n＝") - {""} for cell in raw[column])


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "cleanlab"])
@pytest.mark.parametrize("seed", range(2))
def test_any_text_comes_back_to_an_import(format, seed, tmp_path, subject):
    texts = hostile(seed)
    frame = rows(examples(len(texts)).assign(source=texts, label=texts[::-1]), {})
    found = read_labels(write(frame, format, tmp_path / f"labels{FORMATS[format].ending}", subject))
    for name in ("id", "source", "given_label", "label"):
        assert found.columns[name] == frame[name].tolist(), name


def test_a_file_of_several_pieces_is_the_same_as_one_of_one(tmp_path, subject, monkeypatch):
    from tracin_viz.relabel.exports import tabular

    for format in ("csv", "jsonl", "label-studio"):
        whole = write(table(), format, tmp_path / "whole", subject).read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(tabular, "TOGETHER", 2)
            assert write(table(), format, tmp_path / "parts", subject).read_bytes() == whole


def test_cleanlab_columns_have_a_low_score_for_bad_examples(tmp_path, subject):
    path = write(table(), "cleanlab", tmp_path / "c.csv", subject)
    found = pd.read_csv(path, keep_default_na=False)
    assert list(found.columns) == [*SCHEMA, *CLEANLAB]
    assert found["label_score"].tolist()[:2] == ["0.95", "0.725"]
    assert found["label_score"].tolist()[-1] == ""
    assert found["is_label_issue"].tolist() == [False, True, True, False, False, False]
    assert found["predicted_label"].tolist() == ["dog"] * 6


def test_an_export_of_no_examples_has_the_columns(tmp_path, subject):
    frame = rows(examples(1).iloc[:0], {})
    found = read_as_pandas(write(frame, "csv", tmp_path / "labels.csv", subject), "csv")
    assert list(found.columns) == list(SCHEMA) and len(found) == 0
    assert json.loads(write(frame, "label-studio", tmp_path / "tasks.json", subject).read_text()) == []


def test_nothing_of_the_source_data_is_ever_written(tmp_path, subject):
    data, elsewhere = tmp_path / "data", tmp_path / "out"
    (data / "train").mkdir(parents=True)
    elsewhere.mkdir()
    (data / "labels.csv").write_text("text,label\n")
    (elsewhere / "link.csv").symlink_to(data / "labels.csv")
    (elsewhere / "door").symlink_to(data, target_is_directory=True)
    single = tmp_path / "table.csv"
    single.write_text("text,label\n")
    before = tree(tmp_path)
    for format in ("csv", "hf", "images"):
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
                write(table(), format, output, subject, protected=[data, single])
    assert tree(tmp_path) == before
    assert not (data / "train" / "deeper").exists()


@pytest.mark.parametrize("format", ["csv", "hf"])
def test_a_failed_export_leaves_what_was_there_as_it_was(format, tmp_path, monkeypatch, subject):
    output = tmp_path / "labels"
    if format == "csv":
        write(table(), format, output, subject)
    before = tree(tmp_path)

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "sync_file", full)  # the part is written by then
    monkeypatch.setattr(writing, "rename_durably", lambda part, output: full(part))
    with pytest.raises(StoreError, match="No space left"):
        write(rows(examples(), {}), format, output, subject)
    assert tree(tmp_path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["labels"][: len(before)]


def test_bad_requests_name_what_is_wrong(tmp_path, subject):
    with pytest.raises(InputError, match=r"'xlsx' is not known. Possible: csv, jsonl, parquet"):
        write(table(), "xlsx", tmp_path / "a", subject)
    with pytest.raises(InputError, match="is a folder"):
        write(table(), "csv", tmp_path, subject)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write(table(), "csv", tmp_path / "file" / "labels.csv", subject)
    for there in (tmp_path, tmp_path / "file"):
        with pytest.raises(InputError, match="exists already"):
            write(table(), "hf", there, subject)
