"""Files of labels come back as the decisions they were made of, or not at all."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import run_command
from tests.relabel.exports.labels import tree
from tracin_viz.audit import Workspace
from tracin_viz.audit.exporting import EXPORT_FORMATS
from tracin_viz.config import Home
from tracin_viz.errors import InputError
from tracin_viz.relabel.events import Event
from tracin_viz.relabel.exports.writing import FORMATS


def opened(home):
    return Workspace(Home(home)).open("tiny")


@pytest.fixture
def decided(fresh_home):
    """An audit with decisions of two people, one of them undone."""
    audit = opened(fresh_home)
    audit.decide("train:0", "relabel", new_label="ring", annotator="ada", note="=1+1 or '7'\nand more")
    audit.decide("train:1", "exclude", annotator="bob", suggested="ring")
    audit.decide("train:2", "review", annotator="bob", note="\u202eodd")
    audit.decide("train:3", "keep", annotator="ada")
    audit.decide("train:3", "relabel", new_label="cross", annotator="bob")
    audit.decide("train:4", "keep", annotator="ada")
    audit.undo("ada")
    audit.decide("train:5", "skip", annotator="ada")
    return audit


@pytest.fixture
def empty(created_home, tmp_path):
    """The same audit in a workspace where nothing is decided."""
    shutil.copytree(created_home / "audits", tmp_path / "other" / "audits")
    return opened(tmp_path / "other")


@pytest.mark.parametrize("rows", ["all", "changes"])
@pytest.mark.parametrize("format", EXPORT_FORMATS)
def test_an_import_of_an_export_makes_the_same_state(format, rows, decided, empty, tmp_path, tiny_files):
    before = tree(tiny_files.data)
    path = decided.export(format, tmp_path / f"labels{FORMATS[format].ending}", rows=rows)
    found = empty.import_labels(path)
    part = rows == "changes" and not FORMATS[format].whole
    assert (found["new"], found["already"], found["annotators"]) == (4 if part else 5, 0, ["ada", "bob"])
    expected = decided.export_table("changes" if part else "all")
    pd.testing.assert_frame_equal(empty.export_table("changes" if part else "all"), expected)
    again, home = empty.import_labels(path), decided.import_labels(path)
    assert (again["new"], home["new"]) == (0, 0)
    assert again["already"] == home["already"] == found["new"]
    assert len(empty.history()) == found["new"]
    assert tree(tiny_files.data) == before


@pytest.mark.parametrize("policy", ["majority", "adjudicated"])
def test_votes_and_what_settled_them_come_back_under_every_policy(policy, decided, empty, tmp_path):
    for row, people in ((7, "ada bob"), (8, "ada bob cyd"), (9, "ada bob")):
        for place, name in enumerate(people.split()):
            label = "ring" if place == 0 else "cross"
            decided.decide(f"train:{row}", "relabel", new_label=label, annotator=name)
    decided.events.append(Event("train:7", "relabel", "ada", "bar", "cross", settles=True))
    decided.set_policy(policy)
    table = decided.export_table()
    assert table["label"][[7, 9]].tolist() == ["cross", "bar"]
    assert table["n_annotators"][7:10].tolist() == [2, 3, 2]
    assert table["agreement"][[7, 9]].tolist() == [0.5, 0.5]
    assert table["label"][8] == ("cross" if policy == "majority" else "bar")
    for format in ("jsonl", "label-studio"):
        path = decided.export(format, tmp_path / f"labels{FORMATS[format].ending}")
        empty.import_labels(path)
        empty.set_policy(policy)
        pd.testing.assert_frame_equal(empty.export_table(), table)
        assert empty.import_labels(path)["new"] == decided.import_labels(path)["new"] == 0


def test_an_import_that_was_undone_is_not_brought_back_by_the_same_file(decided, empty, tmp_path):
    path = decided.export("csv", tmp_path / "labels.csv")
    empty.import_labels(path)
    empty.undo("ada")
    state = empty.export_table()
    assert empty.import_labels(path)["new"] == 0
    pd.testing.assert_frame_equal(empty.export_table(), state)


def test_an_older_file_does_not_undo_what_the_same_person_decided_since(decided, tmp_path):
    path = decided.export("jsonl", tmp_path / "labels.jsonl")
    decided.decide("train:0", "keep", annotator="ada")
    found = decided.import_labels(path)
    assert (found["new"], found["already"], found["older"]) == (0, 4, 1)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    entries = json.loads(lines[0]["decisions"])
    entries[0] |= {"label": "cross", "at": "2020-01-01T00:00:00+00:00"}
    path.write_text(json.dumps({"id": "train:0", "decisions": json.dumps(entries)}))
    assert decided.import_labels(path)["older"] == 1
    assert decided.decisions()["train:0"].action == "keep"


def test_checking_says_what_would_happen_and_stores_nothing(decided, empty, tmp_path):
    path = decided.export("parquet", tmp_path / "labels.parquet")
    empty.decide("train:0", "exclude", annotator="cyd")
    told = empty.import_labels(path, store=False)
    assert (told["new"], told["replaces"], told["rows"]) == (5, 1, 48)
    assert len(empty.history()) == 1


def edited(path, changes):
    """The CSV export with cells written anew, as a spreadsheet saves it: semicolons and capitals."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for row, name, value in changes:
        frame.loc[row, name] = value
    for name in ("changed", "excluded", "needs_review"):
        frame[name] = frame[name].str.upper()
    path.write_text(frame.to_csv(index=False, sep=";").strip(), encoding="utf-8-sig")
    return path


def test_cells_edited_in_a_spreadsheet_are_decisions_of_who_imports_them(decided, tmp_path):
    path = decided.export("csv", tmp_path / "labels.csv")
    changes = [(10, "label", "ring"), (11, "action", "exclude"), (11, "label", ""), (0, "label", "cross")]
    found = decided.import_labels(edited(path, changes), annotator="eve")
    assert (found["new"], found["annotators"]) == (3, ["eve"])
    state = decided.decisions()
    assert {row: (state[row].action, state[row].label) for row in ("train:0", "train:10", "train:11")} == {
        "train:0": ("relabel", "cross"),
        "train:10": ("relabel", "ring"),
        "train:11": ("exclude", None),
    }
    assert decided.import_labels(path, annotator="eve")["new"] == 0


def test_a_plain_table_of_labels_is_enough(empty, tmp_path):
    source = empty.export_table()["source"]
    path = tmp_path / "labels.csv"
    path.write_text(f"source,label\n{source[0]},ring\n{source[1]},bar\n")
    with pytest.raises(InputError, match=r"labels.csv row 2: It does not say who decided"):
        empty.import_labels(path)
    assert empty.import_labels(path, annotator="ada")["new"] == 1  # bar is what train:1 has already
    assert (empty.decisions()["train:0"].label, empty.import_labels(path, annotator="ada")["new"]) == (
        "ring",
        0,
    )


BAD = {
    "train:48,relabel,ring,ada": "no training example 'train:48'",
    "test:0,relabel,ring,ada": "no training example 'test:0'",
    "train:²,relabel,ring,ada": "no training example",
    "train:2,relabel,star,ada": "'star' is no class of this audit. Possible: bar, cross, ring",
    "train:2,relabel,,ada": "relabelled, but to nothing",
    "train:2,rename,ring,ada": "'rename' is no decision",
    "train:2,keep,ring,ada": "says keep, but another label",
    "train:2,exclude,ring,ada": "is excluded, but has the label 'ring'",
    "train:2,,,ada": "Its label is empty",
    "train:2,keep,bar,": "does not say who decided",
    f"train:2,keep,bar,{'x' * 300}": "longer than 200",
    "train:1,keep,bar,ada": "train:1 appears twice; first in labels.csv row 2",
}


@pytest.mark.parametrize("line", BAD)
def test_a_bad_row_is_named_and_nothing_is_imported(line, empty, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(f"id,action,label,annotator\ntrain:1,relabel,ring,ada\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        empty.import_labels(path)
    assert BAD[line] in str(error.value) + str(error.value.problems) and "Nothing was imported" in str(
        error.value
    )
    assert error.value.problems[0].where == "labels.csv row 3"
    assert empty.history() == []


ENTRIES = {
    "[": "no JSON",
    "7": "no list of objects",
    "[7]": "no list of objects",
    '[{"annotator": "ada"}]': "is no decision",
    '[{"annotator": 7, "action": "keep"}]': "does not say who decided",
    '[{"annotator": "ada", "action": "keep", "at": "yesterday"}]': "'yesterday' is no time",
    '[{"annotator": "ada", "action": "keep", "at": "9999-12-31T00:00:00"}]': "is no time",
    '[{"annotator": "ada", "action": "keep", "note": "' + "x" * 10_001 + '"}]': "longer than 10,000",
    '[{"annotator": "ada", "action": "relabel", "label": ["ring"]}]': "no class of this audit",
    "[" * 100_000: "no JSON",
}


@pytest.mark.parametrize("text", ENTRIES, ids=range(len(ENTRIES)))
def test_decisions_that_make_no_sense_are_named(text, empty, tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"id": "train:7", "decisions": text}))
    with pytest.raises(InputError, match=rf"labels.jsonl line 1: .*{ENTRIES[text]}"):
        empty.import_labels(path)
    assert empty.history() == []


def test_labels_of_other_data_are_refused(decided, tmp_path):
    path = decided.export("jsonl", tmp_path / "labels.jsonl")
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines[0]["given_label"], lines[1]["source"] = "cross", "train/elsewhere.png"
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(InputError) as error:
        decided.import_labels(path)
    assert [problem.where for problem in error.value.problems] == [
        "labels.jsonl line 1",
        "labels.jsonl line 2",
    ]
    assert "is 'bar' here, and 'cross' in the file" in error.value.problems[0].message


def test_a_million_bad_rows_stay_a_readable_list(empty, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n" + "train:99,ring\n" * 5_000)
    with pytest.raises(InputError) as error:
        empty.import_labels(path, annotator="ada")
    assert len(error.value.problems) == 101 and error.value.problems[-1].where == "4900 more places"


def write_many(path):
    pq.write_table(pa.table({"id": pa.nulls(20_000_001, pa.string()), "label": pa.nulls(20_000_001)}), path)


HOSTILE = {
    "a.csv": (lambda path: path.write_bytes(b'id,label\n"train:0,ring\n'), "CSV|quote"),
    "b.csv": (lambda path: path.write_text("id,label\ntrain:0\n"), "cannot be read as CSV"),
    "c.csv": (lambda path: path.write_text("id,label\ntrain:0,ring,more\n"), "cannot be read as CSV"),
    "d.csv": (lambda path: path.write_text("id,id\n1,2\n"), "twice"),
    "e.csv": (lambda path: path.write_text("name,label\nx,ring\n"), "no column id or source"),
    "f.csv": (lambda path: path.write_text("id,source\ntrain:0,x\n"), "none of the columns label"),
    "g.csv": (lambda path: path.write_bytes(b""), "Empty CSV"),
    "h.jsonl": (lambda path: path.write_text('{"id": "train:0", "label": "ring"}\n{"id": \n'), "line 2"),
    "i.json": (lambda path: path.write_text("[" * 100_000), "no JSON"),
    "j.json": (lambda path: path.write_text('[{"data": {"id": 7}, "annotations": {}}]'), "source|list"),
    "k.parquet": (lambda path: path.write_bytes(b"PAR1" + bytes(40) + b"PAR1"), "damaged"),
    "l.parquet": (write_many, "more than 20,000,000 rows"),
    "m.xlsx": (lambda path: path.write_bytes(b"PK"), "no file of labels that is known"),
    "n": (lambda path: path.mkdir(), "holds no export"),
    "o.pkl": (lambda path: path.write_bytes(b"\x80\x04."), "no file of labels that is known"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_words(name, empty, tmp_path):
    make, said = HOSTILE[name]
    make(tmp_path / name)
    with pytest.raises(InputError, match=said):
        empty.import_labels(tmp_path / name, annotator="ada")
    assert empty.history() == []
    with pytest.raises(InputError, match="no file or folder"):
        empty.import_labels(tmp_path / "missing.csv")


def test_the_commands_say_what_they_wrote_and_took_over(decided, empty, tmp_path):
    home, other = decided.home.root, empty.home.root
    path = tmp_path / "changes.csv"
    done = run_command("export", "tiny", "--changes-only", "--output", str(path), "--json", home=home)
    assert done.document["rows"] == "changes" and path.read_text().count("train:") == 3
    told = run_command("import", "tiny", "--labels", str(path), "--check", home=other)
    assert told.out == "would import 4 decisions by ada, bob from 3 rows of CSV table\n"
    done = run_command("import", "tiny", "--labels", str(path), "--json", home=other)
    assert (done.document["new"], done.document["stored"]) == (4, True)
    again = run_command("import", "tiny", "--labels", str(path), home=other)
    assert again.out.splitlines()[1] == "  4 were here already"
    path.write_text("id,label\ntrain:0,star\ntrain:1,ring\n")
    failed = run_command("import", "tiny", "--labels", str(path), "--annotator", "eve", home=other)
    assert failed.code == 1 and failed.err.startswith("changes.csv row 2: 'star' is no class")
    assert len(empty.history()) == 4
