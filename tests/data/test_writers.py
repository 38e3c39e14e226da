"""Data sets as the libraries that people use write them, read without those libraries."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Sequence, Value
from datasets.utils.logging import disable_progress_bar

from tests.data.conftest import picture
from tracin_viz.data.dataset import open_dataset
from tracin_viz.data.mapping import DataMapping
from tracin_viz.data.preview import label_of, preview_data

disable_progress_bar()
COUNT = 30
NAMES = ["cat", "dog"]
FEATURES = Features({"image": Image(), "label": ClassLabel(names=NAMES)})
TEXTS = [f"sentence number {row}" for row in range(COUNT)]
TABLE = pd.DataFrame({"text": TEXTS, "label": ["on", "off", "dim"] * (COUNT // 3)})


@pytest.fixture(scope="module")
def pictures() -> Dataset:
    rows = range(COUNT)
    return Dataset.from_dict(
        {"image": [picture(row) for row in rows], "label": [row % 2 for row in rows]}, features=FEATURES
    )


def labels_by_source(data) -> dict[str, object]:
    return {
        part.sources[row]: label_of(data, name, row)
        for name, part in data.splits.items()
        for row in range(len(part))
    }


def check_pictures(data, *, splits: dict[str, int]) -> None:
    assert data.task == "image" and data.classes == ("cat", "dog") and data.target == "class"
    assert {name: len(part) for name, part in data.splits.items()} == splits
    seen = {}
    for name, part in data.splits.items():
        for row in range(len(part)):
            seen.setdefault(np.asarray(data.load(name, row)).tobytes(), set()).add(label_of(data, name, row))
    for row in range(COUNT):
        assert seen[np.asarray(picture(row)).tobytes()] == {NAMES[row % 2]}


def test_a_saved_data_set_has_its_pictures_class_names_and_splits(pictures, tmp_path):
    DatasetDict({"train": pictures, "test": pictures.select(range(4))}).save_to_disk(tmp_path / "both")
    data = open_dataset(tmp_path / "both")
    check_pictures(data, splits={"train": COUNT, "test": 4})
    assert data.place("test", 3) == "test row 3" and data.problems == ()


def test_a_saved_data_set_of_several_files_without_splits_holds_out_a_fifth(pictures, tmp_path):
    pictures.save_to_disk(tmp_path / "one", num_shards=3)
    data = open_dataset(tmp_path / "one")
    check_pictures(data, splits={name: len(part) for name, part in data.splits.items()})
    assert set(data.splits) == {"train", "test"} and data.mapping.query_fraction == 0.2


def test_parquet_files_of_datasets_name_their_splits_and_read_pictures_by_row_group(pictures, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    pictures.to_parquet(folder / "train-00000-of-00001.parquet", batch_size=7)
    pictures.select(range(5)).to_parquet(folder / "validation-00000-of-00001.parquet")
    check_pictures(open_dataset(tmp_path), splits={"train": COUNT, "validation": 5})


def test_the_same_pictures_have_the_same_digest_in_every_format(pictures, tmp_path):
    folder = tmp_path / "folder" / "train"
    for row in range(COUNT):
        target = folder / NAMES[row % 2] / f"{row:02d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture(row).save(target)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    files = [{"bytes": (folder / name).read_bytes(), "path": name} for name in names]
    stored = Dataset.from_dict({"image": files, "label": [name[:3] for name in names]}, features=FEATURES)
    stored.save_to_disk(tmp_path / "saved" / "train")
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    (tmp_path / "parquet").mkdir()
    stored.to_parquet(tmp_path / "parquet" / "train.parquet")
    with tarfile.open(tmp_path / "packed.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "folder", arcname=".")
    found = [open_dataset(tmp_path / name) for name in ("folder", "saved", "parquet", "packed.tar.gz")]
    assert len({data.digest("train", range(COUNT)) for data in found}) == 1
    assert len({data.splits["train"].labels.tobytes() for data in found}) == 1


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json", "parquet", "utf-16"])
def test_pandas_tables_give_the_same_examples_in_every_form(tmp_path, form):
    path = tmp_path / f"table.{'csv' if form == 'utf-16' else form}"
    if form == "parquet":
        TABLE.to_parquet(path)
    elif form in ("jsonl", "json"):
        TABLE.to_json(path, orient="records", lines=form == "jsonl")
    else:
        TABLE.to_csv(
            path,
            index=False,
            sep="\t" if form == "tsv" else ",",
            encoding=form[:6] if form == "utf-16" else None,
        )
    data = open_dataset(path)
    assert labels_by_source(data) == dict(zip(TABLE["text"], TABLE["label"], strict=True))
    assert data.classes == ("dim", "off", "on")
    plain = tmp_path / "plain.csv"
    TABLE.to_csv(plain, index=False)
    assert data.splits["test"].sources == open_dataset(plain).splits["test"].sources


def test_split_files_of_pandas_with_an_unlabelled_test_file(tmp_path):
    TABLE.to_csv(tmp_path / "train.csv", index=False)
    TABLE[["text"]].head(5).to_csv(tmp_path / "test.csv", index=False)
    data = open_dataset(tmp_path)
    assert data.splits["test"].labels.tolist() == [-1] * 5
    assert [problem.kind for problem in data.problems] == ["unlabelled"]
    assert data.place("test", 1) == "test.csv line 3"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_imagefolder_metadata_in_each_split_folder(tmp_path, form):
    for split, rows in (("train", range(6)), ("test", range(6, 8))):
        folder = tmp_path / split / "pics"
        folder.mkdir(parents=True)
        for row in rows:
            picture(row).save(folder / f"{row}.png")
        table = pd.DataFrame(
            {"file_name": [f"pics/{row}.png" for row in rows], "label": [NAMES[row % 2] for row in rows]}
        )
        if form == "csv":
            table.to_csv(tmp_path / split / "metadata.csv", index=False)
        elif form == "parquet":
            table.to_parquet(tmp_path / split / "metadata.parquet")
        else:
            table.to_json(tmp_path / split / "metadata.jsonl", orient="records", lines=True)
    data = open_dataset(tmp_path)
    assert data.splits["train"].sources == [f"train/pics/{row}.png" for row in range(6)]
    assert data.splits["test"].labels.tolist() == [0, 1]
    assert data.load("test", 1).size == (8, 8)


def test_a_table_of_paths_beside_its_images(tmp_path):
    (tmp_path / "pics").mkdir()
    for row in range(6):
        picture(row).save(tmp_path / "pics" / f"{row}.png")
    paths = ["pics/0.png", "./pics/1.png", "pics\\2.png", str(tmp_path / "pics" / "3.png"), "pics/4.png"]
    table = pd.DataFrame({"path": paths, "class": ["a", "b", "a", "b", "a"], "split": "train"})
    table.to_csv(tmp_path / "labels.csv", index=False)
    data = open_dataset(tmp_path / "labels.csv")
    assert data.splits["train"].sources == [f"pics/{row}.png" for row in range(5)] and not data.problems
    np.testing.assert_array_equal(np.asarray(data.load("train", 3)), np.asarray(picture(3)))


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"])
def test_archives_of_images_with_metadata(tmp_path, form):
    table = pd.DataFrame({"file_name": [f"{row}.png" for row in range(4)], "label": ["a", "b"] * 2})
    files = {"set/metadata.csv": table.to_csv(index=False).encode()}
    if form == "tgz":
        files = {"set/metadata.parquet": table.to_parquet()}
    for row in range(4):
        output = io.BytesIO()
        picture(row).save(output, "PNG")
        files[f"set/{row}.png"] = output.getvalue()
    path = tmp_path / f"set.{form}"
    packed(path, files)
    data = open_dataset(path)
    assert sorted(labels_by_source(data).items()) == [(f"set/{row}.png", "ab"[row % 2]) for row in range(4)]


def packed(path: Path, files: dict[str, bytes]) -> None:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return
    mode = {".tar": "w", ".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}[path.suffix]
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tabular_data_for_regression(tmp_path, form):
    generator = np.random.default_rng(1)
    table = pd.DataFrame(generator.normal(size=(40, 3)), columns=["age", "height", "weight"])
    table["price"] = generator.normal(size=40)
    path = tmp_path / f"houses.{form}"
    table.to_csv(path, index=False) if form == "csv" else table.to_parquet(path)
    data = open_dataset(path)
    assert (data.task, data.target, data.classes) == ("tabular", "number", ())
    row = next(row for row in range(40) if f"age {table['age'][row]:g}" in data.splits["train"].sources[0])
    content = data.load("train", 0)
    assert content.dtype == np.float32 and content.shape == (3,)
    np.testing.assert_array_equal(content, table.iloc[row, :3].to_numpy(np.float32))
    assert data.splits["train"].targets[0] == np.float32(table["price"][row])


def test_tabular_data_for_classification_with_chosen_columns(tmp_path):
    generator = np.random.default_rng(1)
    table = pd.DataFrame(generator.normal(size=(40, 3)), columns=["age", "height", "weight"])
    table["kind"] = ["u", "v"] * 20
    table.to_parquet(tmp_path / "people.parquet")
    mapping = DataMapping(task="tabular", content=("height", "age"), label="kind", query_fraction=0.5)
    data = open_dataset(tmp_path / "people.parquet", mapping=mapping)
    assert data.target == "class" and data.classes == ("u", "v") and data.load("test", 0).shape == (2,)
    assert 10 <= len(data.splits["test"]) <= 30


MULTI = {
    "columns": (
        pd.DataFrame({"text": TEXTS[:4], "red": [1, 0, 1, 0], "blue": [1, 1, 0, 0]}),
        ["red", "blue"],
    ),
    "separator": (
        pd.DataFrame({"text": TEXTS[:4], "label": ["red|blue", "blue", "red", ""]}),
        ["blue", "red"],
    ),
    "list": (
        pd.DataFrame({"text": TEXTS[:4], "tags": [["red", "blue"], ["blue"], ["red"], []]}),
        ["blue", "red"],
    ),
}


@pytest.mark.parametrize("case", MULTI)
def test_multi_label_data_are_recognised(tmp_path, case):
    table, classes = MULTI[case]
    path = tmp_path / "colours.jsonl"
    table.to_json(path, orient="records", lines=True)
    data = open_dataset(path)
    assert data.target == "multi-label" and list(data.classes) == classes
    found = {source: set(label or ()) for source, label in labels_by_source(data).items()}
    assert found[TEXTS[0]] == {"red", "blue"} and found[TEXTS[1]] == {"blue"} and found[TEXTS[2]] == {"red"}
    turned = data.reordered(classes[::-1])
    assert labels_by_source(turned).keys() == found.keys()
    assert {s: set(label or ()) for s, label in labels_by_source(turned).items()} == found


def test_lists_of_class_labels_are_multi_label_with_their_names(tmp_path):
    features = Features({"text": Value("string"), "labels": Sequence(ClassLabel(names=["joy", "fear"]))})
    rows = {"text": ["a b", "c d", "e f"], "labels": [[0], [0, 1], []]}
    Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "saved")
    data = open_dataset(tmp_path / "saved")
    assert labels_by_source(data) == {"a b": ["joy"], "c d": ["fear", "joy"], "e f": []}


def test_numbers_with_gaps_keep_their_plain_names(tmp_path):
    pd.DataFrame({"text": TEXTS[:5], "label": [1, 0, None, 2, 10]}).to_parquet(tmp_path / "gaps.parquet")
    data = open_dataset(tmp_path / "gaps.parquet")
    assert data.classes == ("0", "1", "2", "10") and len(data.splits["unlabelled"]) == 1


def test_class_names_and_marks_for_no_label_are_taken_from_the_mapping(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("text,label\na b,0\nb c,1\nc d,Zero\nd e,none\n")
    mapping = DataMapping(class_names={"0": "zero", "Zero": "zero", "1": "one"}, unlabelled=("none",))
    data = open_dataset(path, mapping=mapping)
    assert data.classes == ("one", "zero")
    assert labels_by_source(data) == {"a b": "zero", "b c": "one", "c d": "zero", "d e": None}


def test_a_complete_mapping_opens_the_same_data_again(tmp_path):
    path = tmp_path / "m.csv"
    TABLE.to_csv(path, index=False)
    preview = preview_data(path)
    again = open_dataset(path, mapping=DataMapping.from_dict(preview.mapping.as_dict()))
    assert {name: len(part) for name, part in again.splits.items()} == preview.splits
    assert again.mapping == preview.mapping
