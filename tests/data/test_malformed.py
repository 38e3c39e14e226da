from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.malformed import NOTED, REFUSED
from tracin_viz.data.dataset import open_dataset
from tracin_viz.data.preview import preview_data
from tracin_viz.errors import InputError


@pytest.mark.parametrize("case", REFUSED)
def test_a_malformed_data_set_is_refused_in_one_line_with_a_remedy(tmp_path: Path, case: str):
    build, expected = REFUSED[case]
    path = build(tmp_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if case == "empty folder":
        path.mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        open_dataset(path)
    assert expected in caught.value.message
    assert "\n" not in str(caught.value) and caught.value.remedy
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("case", NOTED)
def test_a_data_set_with_a_mistake_is_opened_and_the_mistake_named(tmp_path: Path, case: str):
    build, kind, place, words = NOTED[case]
    data = open_dataset(build(tmp_path))
    found = [problem for problem in data.problems if problem.kind == kind]
    assert [problem.where for problem in found] == [place]
    assert words in found[0].message and found[0].remedy
    for split in data.splits:
        data.load(split, 0)


def test_leakage_duplicates_and_contradicting_labels_are_named_in_the_preview(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text(
        "text,label,split\nsame text,x,train\nother,y,train\nsame text,x,test\nother,x,train\nnew,y,test\n"
    )
    found = {(problem.kind, problem.where): problem.message for problem in preview_data(path).problems}
    assert set(found) == {
        ("leakage", "t.csv line 2"),
        ("duplicate", "t.csv line 3"),
        ("contradicting labels", "t.csv line 3"),
    }
    assert "t.csv line 4" in found["leakage", "t.csv line 2"]
    assert "x, y" in found["contradicting labels", "t.csv line 3"]


def test_the_preview_shows_what_was_guessed_and_ten_examples(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text(
        "id,review,sentiment\n" + "".join(f"{n},text number {n},{'ab'[n % 2]}\n" for n in range(40))
    )
    preview = preview_data(path)
    assert [(column["name"], column["role"]) for column in preview.columns] == [
        ("id", ""),
        ("review", "content"),
        ("sentiment", "label"),
    ]
    assert len(preview.examples) == 10 and {example["split"] for example in preview.examples} == {
        "train",
        "test",
    }
    assert sum(sum(counts.values()) for counts in preview.class_counts.values()) == 40
    assert preview.as_dict()["mapping"]["content"] == "review"
