"""Folders: Hugging Face's data set and imagefolder, and the cleaned folder of pictures."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.relabel.exports.labels import table, tree
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.data.dataset import open_dataset
from tracin_viz.errors import InputError
from tracin_viz.relabel.exports.label_texts import given_texts
from tracin_viz.relabel.exports.schema import SCHEMA
from tracin_viz.relabel.exports.table import rows
from tracin_viz.relabel.exports.writing import Subject, write


@pytest.fixture
def audit(fresh_home):
    audit = Workspace(Home(fresh_home)).open("tiny")
    audit.decide("train:0", "relabel", new_label="ring", annotator="ada", note="is a ring")
    audit.decide("train:1", "exclude", annotator="bob")
    audit.decide("train:2", "keep", annotator="bob")
    return audit


def test_datasets_loads_the_folder_and_every_column_has_its_type(tmp_path, audit):
    import datasets

    found = datasets.load_from_disk(str(audit.export("hf", tmp_path / "hf")))
    kinds = {"text": "string", "number": "float64", "count": "int64", "flag": "bool"}
    assert {name: one.dtype for name, one in found.features.items()} == {
        name: kinds[column.kind] for name, column in SCHEMA.items()
    }
    assert found.num_rows == 48 and str(found.split) == "train"
    frame = audit.export_table()
    for name in ("id", "label", "changed", "n_annotators", "decisions"):
        assert found[name][:] == frame[name].tolist()
    again = found.filter(lambda row: not row["excluded"], load_from_cache_file=False)
    assert again.num_rows == 47


def test_an_empty_data_set_loads_too(tmp_path, created_home):
    import datasets

    subject = Subject(Workspace(Home(created_home)).open("tiny").results.dataset())
    found = datasets.load_from_disk(str(write(table().iloc[:0], "hf", tmp_path / "hf", subject)))
    assert found.num_rows == 0 and found.column_names == list(SCHEMA)


def test_datasets_reads_the_imagefolder_with_its_labels(tmp_path, audit, tiny_files, monkeypatch):
    import datasets

    folder = audit.export("imagefolder", tmp_path / "pictures")
    found = datasets.load_dataset(
        "imagefolder", data_dir=str(folder), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert found.num_rows == 48 and {"image", "label", "excluded"} <= set(found.column_names)
    rows = {row["id"]: row for row in found}
    assert (rows["train:0"]["label"], rows["train:1"]["excluded"]) == ("ring", True)
    source = Image.open(tiny_files.data / rows["train:0"]["source"])
    assert rows["train:0"]["image"].tobytes() == source.tobytes()


def test_the_cleaned_folder_has_decided_labels_and_no_excluded_example(tmp_path, audit, tiny_files):
    before = tree(tiny_files.data)
    folder = audit.export("images", tmp_path / "cleaned", rows="changes")  # always whole
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    assert len(names) == 47
    assert sum(name.startswith("train/ring/") for name in names) == 17
    (moved,) = [name for name in names if name.startswith("train/ring/000-")]  # ring/000.png was there
    assert (folder / moved).read_bytes() == (tiny_files.data / "train/bar/000.png").read_bytes()
    assert not (folder / "train/bar/001.png").exists()
    assert tree(tiny_files.data) == before
    told = [json.loads(line) for line in (folder / "tracin-viz-labels.jsonl").read_text("utf-8").splitlines()]
    assert {row["file_name"] for row in told} - {""} == set(names)
    again = open_dataset(folder)
    assert len(again.splits["train"]) + len(again.splits.get("test", ())) == 47


def test_pictures_are_copies_unless_links_are_asked_for(tmp_path, audit, tiny_files):
    source = tiny_files.data / "train/bar/002.png"
    copied = audit.export("images", tmp_path / "copies") / "train/bar/002.png"
    linked = audit.export("images", tmp_path / "links", links="hard") / "train/bar/002.png"
    assert copied.read_bytes() == linked.read_bytes() == source.read_bytes()
    assert not copied.samefile(source) and linked.samefile(source)
    with pytest.raises(InputError, match="copy, hard"):
        audit.export("images", tmp_path / "soft", links="soft")
    assert not (tmp_path / "soft").exists()


def packed(folder: Path, names: list[str]) -> Path:
    """An archive of pictures whose class folders and file names are hostile."""
    path = folder / "data.zip"
    content = io.BytesIO()
    Image.new("L", (4, 4), 90).save(content, "png")
    with zipfile.ZipFile(path, "w") as archive:
        for place, name in enumerate(names):
            archive.writestr(f"train/{name}/1.png", content.getvalue() + bytes([place]))
    return path


def test_class_names_that_mean_places_become_plain_folders(tmp_path):
    names = ["con", "a:b", "-rf", "Cat", "cat", "x" * 200, "<b>", "~", "a b.", "é"]
    dataset = open_dataset(packed(tmp_path, names))
    part = dataset.splits["train"]
    examples = pd.DataFrame(
        {
            "id": [f"train:{row}" for row in range(len(part))],
            "source": list(part.sources),
            "label": given_texts(dataset, "train"),
        }
    )
    folder = write(rows(examples, {}), "images", tmp_path / "out", Subject(dataset, "hard"))
    made = sorted(path.name for path in (folder / "train").iterdir())
    assert len({name.casefold() for name in made}) == len(part) == len(names)
    assert all(len(name.encode()) <= 140 and not set(name) & set('<>:"/\\|?*') for name in made)
    assert not any(name.startswith(("-", ".", "~")) or name.lower() == "con" for name in made)
    assert sum(1 for _ in folder.rglob("*.png")) == len(names)


def test_pictures_need_pictures_and_folders_one_class_each(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("text,label\n" + "".join(f"text {row},{'ab'[row % 2]}\n" for row in range(20)))
    subject = Subject(open_dataset(path))
    for format in ("images", "imagefolder"):
        with pytest.raises(InputError, match="needs pictures"):
            write(table(), format, tmp_path / "out", subject)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["texts.csv"]
