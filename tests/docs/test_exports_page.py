"""The page about exports says what the code does: its columns, its formats, and code that runs."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from tracin_viz.audit import Workspace
from tracin_viz.audit.exporting import EXPORT_FORMATS, EXPORT_LINKS, EXPORT_ROWS
from tracin_viz.config import Home
from tracin_viz.relabel.exports.schema import CLEANLAB, SCHEMA, WIDE

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_every_column_is_explained_as_the_schema_has_it():
    lines = re.findall(r"^\| `(\w+)` \| (text|number|count|flag) \| (.*) \|$", PAGE, re.MULTILINE)
    expected = [*SCHEMA.items(), *CLEANLAB.items(), *WIDE.items()]
    assert lines == [(name, column.kind, column.meaning) for name, column in expected]


def test_every_format_and_choice_is_named():
    assert (
        tuple(re.findall(r"^\| `(\w[\w-]*)` \| (?!text|number|count|flag)", PAGE, re.MULTILINE))
        == EXPORT_FORMATS
    )
    assert f"--rows {'|'.join(EXPORT_ROWS)}" in PAGE and f"--links {'|'.join(EXPORT_LINKS)}" in PAGE


def test_the_code_of_the_page_runs(fresh_home, tmp_path, monkeypatch):
    audit = Workspace(Home(fresh_home)).open("tiny")
    audit.decide("train:0", "relabel", new_label="ring", annotator="ada")
    for row, name in ((0, "bob"), (0, "cyd"), (2, "ada"), (2, "bob"), (20, "ada"), (40, "bob")):
        audit.decide(f"train:{row}", "keep", annotator=name)
    audit.decide("train:1", "exclude", annotator="bob")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    written = {"labels.csv": "csv", "labels.parquet": "parquet", "labels-hf": "hf", "pictures": "imagefolder"}
    for name, format in {**written, "people.csv": "cleanlab-multi"}.items():
        audit.export(format, Path(name))
    names: dict[str, object] = {"__name__": "page"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in BLOCK.findall(PAGE):
            exec(compile(block, "exports.md", "exec"), names)
    assert [len(names[name]) for name in ("table", "train_on", "kept", "pictures")] == [48, 47, 47, 48]
    assert [entry["annotator"] for entry in names["people"][0]] == ["ada", "bob", "cyd"]
    assert names["consensus"].tolist() == [0, 0, 1, 2]
