"""Names as people and systems write them: none is lost without a word, none is taken for another."""

from __future__ import annotations

import json
import unicodedata

import pytest

from tracin_viz.data.classes import match_classes
from tracin_viz.data.dataset import open_dataset
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError, Problem

#: As long as a name in a folder can be: 255 bytes.
ARABIC = "\u202e" + "مرحبا 😀" * 16 + "\u202c"
SPELLINGS = (
    ARABIC,
    "می\u200cخواهم",  # a Persian word is written with a joiner
    "👩\u200d🔬",
    "Screenshot at 3.04.05\u202fPM",  # macOS puts a narrow space there
    "<img src=x onerror=hit()>",
    "a\\b",
)


def test_classes_and_files_of_any_script_are_found_in_folders_and_archives(images, zipped):
    assert len(ARABIC.encode()) <= 255
    usable = [name for name in SPELLINGS if "\\" not in name]
    for names, pack in ((SPELLINGS, lambda folder: folder), (usable, zipped)):
        paths = [f"{split}/{name}/{name[:20]}.png" for name in names for split in ("train", "test")]
        found = open_dataset(pack(images(*paths, root=f"odd{len(names)}")))
        assert found.classes == tuple(sorted(names))
        assert found.problems == ()
        assert found.load("test", 0).size == (8, 8)


@pytest.mark.parametrize("sign", ["\n", "\x1b", "\x85", "\u2028", "\udcff"])
def test_a_name_that_is_no_line_of_text_is_left_out_aloud(images, sign):
    folder = images("train/cat/1.png", "train/dog/2.png")
    (folder / "train/cat/1.png").rename(folder / f"train/cat/1{sign}.png")
    images("train/cat/3.png")
    (problem,) = open_dataset(folder).problems
    assert problem.kind == "left out" and "not readable text" in problem.message and problem.remedy
    assert sign not in problem.where


def test_hidden_folders_are_named_but_not_those_of_programs(images):
    folder = images("train/cat/1.png", "train/dog/2.png", "train/.owl/3.png", ".git/4.png")
    found = open_dataset(folder)
    assert found.classes == ("cat", "dog")
    assert [(one.kind, one.where) for one in found.problems] == [("hidden folder", "train/.owl")]
    assert found.problems[0].remedy


def test_names_that_look_alike_are_different_classes_and_noted(images, table):
    alike = ("café", unicodedata.normalize("NFD", "café"), "caf\u200bé", "Café")
    folder = open_dataset(images(*(f"train/{name}/1.png" for name in alike)))
    rows = "".join(f"text {place},{name}\n" for place, name in enumerate(alike))
    for found in (folder, open_dataset(table("text,label\n" + rows))):
        assert set(found.classes) == set(alike)
        (problem,) = [one for one in found.problems if one.kind == "similar classes"]
        assert "cannot be seen" in problem.message and problem.remedy


def test_spaces_around_a_folders_name_do_not_make_a_class_and_that_is_said(images):
    found = open_dataset(images("train/cat/1.png", "train/ cat /2.png", "train/dog/3.png"))
    assert found.classes == ("cat", "dog")
    assert [one.message for one in found.problems] == [
        "These folders differ by spaces around the name only, and are taken as one class."
    ]


def test_a_label_of_a_table_may_hold_line_breaks_nulls_and_ten_thousand_signs(table):
    labels = ("two\nlines", "nul\x00l", "x" * 10_000, "x" * 9_999 + "y")
    rows = [json.dumps({"text": f"text {place}", "label": labels[place % 4]}) for place in range(40)]
    found = open_dataset(table("\n".join(rows), name="t.jsonl"))
    assert set(found.classes) == set(labels)
    with pytest.raises(InputError, match=r"zero bytes.*UTF-8"):
        open_dataset(table("text,label\nx,nul\x00l\ny,b\n"))


def test_the_models_classes_are_the_datas_however_accents_are_written():
    problems: list[Problem] = []
    written = [unicodedata.normalize("NFD", name) for name in ("zèbre", "âne")]
    assert match_classes(["zèbre", "âne"], sorted(written), problems=problems) == written
    assert problems == []
    # Two of the data's classes for one of the model's is no match by name.
    with pytest.raises(InputError):
        match_classes(["âne"], ["âne", unicodedata.normalize("NFD", "âne")])


def test_messages_keep_joiners_and_show_no_turning_signs():
    assert shown("می\u200cخواهم") == "می\u200cخواهم"
    assert shown("a\u202eb\x00") == "a�b�"
