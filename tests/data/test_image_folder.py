from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tracin_viz.data.dataset import open_dataset
from tracin_viz.data.formats import verification
from tracin_viz.errors import InputError, NotFoundError

FOUR = ("train/cat/2.png", "train/cat/10.png", "train/dog/a.png", "test/dog/b.png")


def test_rows_are_the_files_of_a_split_sorted_by_relative_path(images):
    data = open_dataset(images(*FOUR))
    assert data.task == "image" and data.classes == ("cat", "dog")
    assert list(data.splits) == ["train", "test"]
    assert data.splits["train"].sources == ["train/cat/10.png", "train/cat/2.png", "train/dog/a.png"]
    assert data.splits["train"].labels.tolist() == [0, 0, 1]
    assert data.splits["train"].labels.dtype == np.int64
    assert data.splits["test"].labels.tolist() == [1]
    assert data.problems == ()


def test_load_gives_the_picture_of_that_row(images):
    folder = images(*FOUR)
    data = open_dataset(folder)
    for row, source in enumerate(data.splits["train"].sources):
        with Image.open(folder / source) as picture:
            assert np.array_equal(np.asarray(data.load("train", row)), np.asarray(picture))


def test_a_zip_is_the_same_data_as_the_folder_and_is_never_unpacked(images, zipped, tmp_path):
    folder = images(*FOUR)
    data, packed = open_dataset(folder), open_dataset(zipped(folder))
    before = sorted(tmp_path.rglob("*"))
    for split, part in data.splits.items():
        assert packed.splits[split].sources == part.sources
        assert packed.splits[split].labels.tolist() == part.labels.tolist()
        assert packed.digest(split, range(len(part))) == data.digest(split, range(len(part)))
        for row in range(len(part)):
            assert packed.load(split, row).tobytes() == data.load(split, row).tobytes()
    assert sorted(tmp_path.rglob("*")) == before


def test_folders_that_only_hold_the_data_set_are_looked_through(images):
    data = open_dataset(images(*(f"download/pets/{name}" for name in FOUR)))
    assert {name: len(part) for name, part in data.splits.items()} == {"train": 3, "test": 1}


def test_a_folder_with_only_a_train_split_needs_no_other(images):
    data = open_dataset(images("train/cat/1.png", "train/dog/2.png"))
    assert list(data.splits) == ["train"]


def test_numbers_as_class_names_are_ordered_by_value(images):
    data = open_dataset(images("train/10/1.png", "train/2/2.png", "train/1/3.png"))
    assert data.classes == ("1", "2", "10")


def test_without_split_folders_a_fifth_is_held_out_by_content(images):
    names = [f"{label}/{number}.png" for label in ("cat", "dog") for number in range(100)]
    folder = images(*names)
    data = open_dataset(folder)
    test = {(folder / name).read_bytes() for name in data.splits["test"].sources}
    assert 20 <= len(test) <= 60
    for name in names:  # other names, the other way round: contents decide
        (folder / name).rename(folder / name.replace(".png", "x.png"))
    again = open_dataset(folder)
    assert {(folder / name).read_bytes() for name in again.splits["test"].sources} == test


def test_the_zip_of_a_folder_without_splits_is_split_the_same_way(images, zipped):
    folder = images(*(f"{label}/{number}.png" for label in ("cat", "dog") for number in range(20)))
    data, packed = open_dataset(folder), open_dataset(zipped(folder))
    assert {n: p.sources for n, p in data.splits.items()} == {n: p.sources for n, p in packed.splits.items()}


def test_every_class_keeps_training_examples_in_the_chosen_split(images):
    names = [f"{label:02}/only.png" for label in range(30)]
    data = open_dataset(images(*names))
    assert sorted(set(data.splits["train"].labels.tolist())) == list(range(30))


def test_digest_follows_content_and_not_names_labels_or_times(images):
    folder = images(*FOUR)
    before = open_dataset(folder).digest("train", range(3))
    (folder / "train/cat/10.png").rename(folder / "train/cat/1.png")
    shutil.move(folder / "train/dog", folder / "train/wolf")
    moved = open_dataset(folder)
    assert moved.digest("train", range(3)) == before
    with Image.open(folder / "train/cat/2.png") as picture:
        changed = picture.copy()
    changed.putpixel((0, 0), (1, 2, 3))
    changed.save(folder / "train/cat/2.png")
    assert open_dataset(folder).digest("train", range(3)) != before
    assert open_dataset(folder).digest("train", range(1)) != open_dataset(folder).digest("train", range(2))


def test_reordered_changes_labels_and_nothing_else(images):
    data = open_dataset(images(*FOUR))
    turned = data.reordered(["dog", "cat"])
    assert turned.classes == ("dog", "cat")
    assert turned.splits["train"].labels.tolist() == [1, 1, 0]
    assert turned.splits["train"].sources == data.splits["train"].sources
    assert turned.digest("train", range(3)) == data.digest("train", range(3))
    with pytest.raises(InputError, match="cat, dog, not cat, bird"):
        data.reordered(["cat", "bird"])


@pytest.mark.parametrize("damage", ["truncated", "empty", "text"])
def test_broken_images_are_left_out_and_named(images, damage):
    folder = images(*FOUR)
    broken = folder / "train/cat/10.png"
    whole = broken.read_bytes()
    broken.write_bytes({"truncated": whole[: len(whole) // 2], "empty": b"", "text": b"hello"}[damage])
    data = open_dataset(folder)
    assert data.splits["train"].sources == ["train/cat/2.png", "train/dog/a.png"]
    (problem,) = data.problems
    assert problem.kind == "unreadable image" and problem.where == "train/cat/10.png"
    assert "cannot be read" in problem.message and problem.remedy


def test_a_truncated_image_in_a_set_too_large_to_decode_is_named_when_it_is_read(images, monkeypatch):
    monkeypatch.setattr(verification, "BYTES_DECODED", 0)
    folder = images(*FOUR)
    broken = folder / "train/cat/10.png"
    broken.write_bytes(broken.read_bytes()[:-40])
    data = open_dataset(folder)
    with pytest.raises(InputError, match=r"'train/cat/10\.png' cannot be read"):
        data.load("train", 0)


def test_files_that_are_no_images_and_misplaced_ones_are_named(images):
    folder = images(*FOUR, "train/lost.png")
    (folder / "train/cat/notes.txt").write_text("x")
    (folder / ".DS_Store").write_text("x")
    problems = {(problem.kind, problem.where) for problem in open_dataset(folder).problems}
    assert problems == {("not an image", "train/cat/notes.txt"), ("misplaced file", "train/lost.png")}


def test_many_problems_of_one_kind_are_counted(images):
    folder = images(*FOUR)
    for number in range(150):
        (folder / f"train/cat/{number}.txt").write_text("x")
    problems = open_dataset(folder).problems
    assert len(problems) == 101 and problems[-1].where == "50 more places"


def test_links_are_followed_only_inside_the_folder(images, tmp_path):
    folder = images(*FOUR)
    secret = tmp_path / "secret.png"
    shutil.copy(folder / "train/cat/2.png", secret)
    (folder / "train/dog/out.png").symlink_to(secret)
    (folder / "train/dog/in.png").symlink_to(folder / "train/cat/2.png")
    (folder / "train/elsewhere").symlink_to(tmp_path, target_is_directory=True)
    data = open_dataset(folder)
    assert "train/dog/in.png" in data.splits["train"].sources
    assert {problem.where for problem in data.problems} == {"train/dog/out.png", "train/elsewhere"}


def test_a_query_class_without_training_examples_is_noted(images):
    data = open_dataset(images(*FOUR, "test/owl/1.png"))
    assert data.classes == ("cat", "dog", "owl")
    assert [problem.where for problem in data.problems] == ["owl"]


def _one_line_error(path: Path, **asked: str) -> str:
    with pytest.raises(InputError) as caught:
        open_dataset(path, **asked)
    message = str(caught.value)
    assert "\n" not in message and caught.value.remedy
    return message


def test_bad_folders_are_refused_in_one_line_that_names_thing_and_remedy(images, tmp_path):
    assert "no file or folder" in _one_line_error(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    assert "'empty' holds no images" in _one_line_error(tmp_path / "empty")
    (tmp_path / "video.mp4").write_bytes(b"x")
    assert "'video.mp4' is not a kind of data" in _one_line_error(tmp_path / "video.mp4")
    one = images("train/cat/1.png", "test/cat/2.png", root="one")
    assert "'one' has only one class, 'cat'" in _one_line_error(one)
    alone = images("cat/1.png", "cat/2.png", root="alone")
    assert "only one class, 'cat'" in _one_line_error(alone)
    flat = images("1.png", "2.png", root="flat")
    assert "no class folders" in _one_line_error(flat)
    unlabelled = images("train/1.png", "test/2.png", root="unlabelled")
    assert "lie directly in test, train" in _one_line_error(unlabelled)
    untrained = images("test/cat/1.png", "val/dog/1.png", root="untrained")
    assert "no train split" in _one_line_error(untrained)
    folds = images("a/cat/1.png", "a/dog/1.png", "b/cat/1.png", root="folds")
    assert "no train split; its folders are a, b" in _one_line_error(folds)
    assert "holds image data, but the task asked for is 'text'" in _one_line_error(one, task="text")
    assert "'sound' is not known" in _one_line_error(one, task="sound")


def test_a_set_of_broken_images_only_is_refused_with_each_named(images):
    folder = images(*FOUR)
    for name in FOUR:
        (folder / name).write_bytes(b"")
    with pytest.raises(InputError, match="None of the images") as caught:
        open_dataset(folder)
    assert sorted(problem.where for problem in caught.value.problems) == sorted(FOUR)


def test_a_missing_row_or_split_is_named_with_what_there_is(images):
    data = open_dataset(images(*FOUR))
    with pytest.raises(NotFoundError, match=r"no row 3\. Possible: 0 to 2"):
        data.load("train", 3)
    with pytest.raises(NotFoundError, match=r"'val'\. Possible: train, test"):
        data.load("val", 0)
    with pytest.raises(NotFoundError):
        data.load("train", -1)


def test_a_file_that_vanishes_after_opening_is_an_input_error(images):
    folder = images(*FOUR)
    data = open_dataset(folder)
    (folder / "train/cat/2.png").unlink()
    with pytest.raises(InputError, match=r"'train/cat/2\.png' cannot be read"):
        data.load("train", 1)
